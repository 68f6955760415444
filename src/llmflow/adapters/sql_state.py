"""The state database on SQLAlchemy Core: SQLite (WAL) by default, PostgreSQL in production."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llmflow.adapters.sql_state_chunks import left_out_row
from llmflow.adapters.sql_state_database import IN_LIST
from llmflow.adapters.sql_state_reader import StateReader
from llmflow.batches import batched
from llmflow.ports import NOTHING_FOUND, Plan, PreparedChunk, PreparedDocument, Screening, SourceFile
from llmflow.types import EVERYONE, TRUSTED, DocumentStatus, Judgement
from llmflow.wording import in_language, kept


class SqlStateStore(StateReader):
    """StateStore over a database URL. Connects and makes its tables on first use."""

    def register(self, files: Sequence[SourceFile], retry_failed: bool = False) -> dict[str, Plan]:
        from sqlalchemy import insert, select, update

        from llmflow.adapters.sql_state_tables import NO_REASON, documents, now, versions

        plan: dict[str, Plan] = {}
        with self._write() as connection:
            known = {row.id: row for row in connection.execute(select(documents))}
            prepared = set(map(tuple, connection.execute(select(versions.c.document_id, versions.c.version))))
            for file in {file.document_id: file for file in files}.values():
                row = known.get(file.document_id)
                if row is not None and row.wanted == file.version:
                    plan[file.document_id] = decision = _decide(row, (file.document_id, file.version) in prepared, retry_failed)
                    own = update(documents).where(documents.c.id == file.document_id)
                    if row.content_hash != file.content_hash:  # an older version did not keep it
                        connection.execute(own.values(content_hash=file.content_hash))
                    if decision is Plan.PREPARE and row.status != DocumentStatus.PENDING:
                        connection.execute(own.values(status=DocumentStatus.PENDING, updated_at=now()))
                    continue
                if row is not None and row.active == file.version:  # changed and changed back before anything was served
                    # what was staged meanwhile may be in the stores: the served version is written over it
                    again = _drop_versions(connection, file.document_id, keep=row.active)
                    plan[file.document_id] = Plan.INDEX if again else Plan.UNCHANGED
                    own = update(documents).where(documents.c.id == file.document_id)
                    status = DocumentStatus.PROCESSING if again else DocumentStatus.READY
                    back = {"wanted": file.version, "content_hash": file.content_hash, "groups": list(file.groups)}
                    connection.execute(own.values(**back, status=status, **NO_REASON, updated_at=now()))
                    continue
                plan[file.document_id] = Plan.PREPARE
                values = {
                    "tenant": file.tenant,
                    "groups": list(file.groups),
                    "source": file.source,
                    "title": file.source.rsplit("/", 1)[-1],
                    "status": DocumentStatus.PENDING,
                    **NO_REASON,
                    "size": file.size,
                    "wanted": file.version,
                    "content_hash": file.content_hash,
                    "updated_at": now(),
                }
                if row is None:
                    _forget_removals(connection, "document", [file.document_id])
                    connection.execute(insert(documents).values(id=file.document_id, format="", **values))
                else:
                    _drop_versions(connection, file.document_id, keep=row.active)
                    if row.active is not None:  # access is narrowed at once and widened only with the new version
                        values["groups"] = _common_readers(row.groups, file.groups)
                    connection.execute(update(documents).where(documents.c.id == file.document_id).values(**values))
        return plan

    def mark_processing(self, document_ids: Sequence[str]) -> None:
        from sqlalchemy import update

        from llmflow.adapters.sql_state_tables import NO_REASON, documents, now

        with self._write() as connection:
            for part in batched(document_ids, IN_LIST):
                connection.execute(
                    update(documents)
                    .where(documents.c.id.in_(part))
                    .values(status=DocumentStatus.PROCESSING, **NO_REASON, updated_at=now())
                )

    def stage(self, prepared: PreparedDocument, groups: Sequence[str]) -> None:
        from sqlalchemy import insert, select

        from llmflow.adapters.sql_state_tables import chunks, documents, versions

        with self._write() as connection:
            row = connection.execute(select(documents).where(documents.c.id == prepared.document_id)).one_or_none()
            if row is None or row.wanted != prepared.version:
                return  # deleted or replaced while it was being prepared
            _drop_versions(connection, prepared.document_id, keep=row.active)
            unjudged = prepared.released and (row.release or {}).get("content_hash") != row.content_hash
            connection.execute(
                insert(versions).values(
                    document_id=prepared.document_id,
                    version=prepared.version,
                    fingerprint=prepared.fingerprint,
                    groups=list(groups),
                    title=prepared.title,
                    format=prepared.format,
                    pages=prepared.pages,
                    chunks=len(prepared.chunks),
                    pii=dict(prepared.pii),
                    relations=[[r.source, r.target, r.relation_type, r.weight] for r in prepared.relations],
                    topics=list(prepared.topics),
                    warnings=list(prepared.warnings),
                    screening=dict(prepared.screening),
                    left_out=[left_out_row(part) for part in prepared.left_out],
                )
            )
            if prepared.chunks:
                _forget_removals(connection, "chunk", [item.chunk.id for item in prepared.chunks])
                rows = [_chunk_row(prepared.version, item) for item in prepared.chunks]
                connection.execute(insert(chunks), [row | {"judgement": None} for row in rows] if unjudged else rows)

    def fail(self, document_id: str, version: str, reason: str, withdraw: bool = False, found: Screening = NOTHING_FOUND) -> None:
        from sqlalchemy import update

        from llmflow.adapters.sql_state_tables import documents, now

        values: dict[str, Any] = {
            "reason": in_language(reason, "en"),
            "reason_said": kept(reason),
            "screening": dict(found.counts) or None,
            "left_out": [left_out_row(part) for part in found.left_out] or None,
            "updated_at": now(),
        }
        with self._write() as connection:
            failed = connection.execute(
                update(documents)
                .where(documents.c.id == document_id, documents.c.wanted == version)
                .values(status=DocumentStatus.FAILED, **values, **({"active": None} if withdraw else {}))
            )
            if withdraw and failed.rowcount:
                _drop_versions(connection, document_id, keep=None)

    def activate(self, versions_by_document: Mapping[str, str]) -> None:
        from sqlalchemy import bindparam, select, update

        from llmflow.adapters.sql_state_tables import NO_REASON, documents, now, versions

        with self._write() as connection:
            activated = []
            for part in batched(versions_by_document, IN_LIST):
                columns = versions.c.document_id, versions.c.version, versions.c.title, versions.c.format, versions.c.groups
                rows = connection.execute(select(*columns).where(versions.c.document_id.in_(part))).all()
                wanted = {row.document_id: row for row in rows if row.version == versions_by_document[row.document_id]}
                others = {row.document_id for row in rows if row.version != versions_by_document[row.document_id]}
                for document_id in others & wanted.keys():
                    _drop_versions(connection, document_id, keep=versions_by_document[document_id])
                for row in wanted.values():
                    activated.append(
                        {
                            "own": row.document_id,
                            "active": row.version,
                            "title": row.title,
                            "format": row.format,
                            "groups": row.groups,
                            "status": DocumentStatus.READY,
                            **NO_REASON,
                            "updated_at": now(),
                        }
                    )
            if activated:  # what is missing was deleted or replaced meanwhile; its chunks are already up for removal
                connection.execute(update(documents).where(documents.c.id == bindparam("own")), activated)

    def delete(self, document_ids: Sequence[str]) -> int:
        from sqlalchemy import delete, insert

        from llmflow.adapters.sql_state_tables import documents, removals

        count = 0
        with self._write() as connection:
            for document_id in dict.fromkeys(document_ids):
                _drop_versions(connection, document_id, keep=None)
                gone = connection.execute(delete(documents).where(documents.c.id == document_id)).rowcount
                if gone:
                    connection.execute(insert(removals).values(kind="document", target=document_id))
                    count += 1
        return count

    def release(self, document_id: str, content_hash: str) -> bool:
        from sqlalchemy import exists, update

        from llmflow.adapters.sql_state_tables import chunks, documents, judgement_row, now

        own = update(documents).where(documents.c.id == document_id)
        served = exists().where(documents.c.id == document_id, documents.c.active == documents.c.wanted)
        unjudged = update(chunks).where(chunks.c.document_id == document_id, chunks.c.judgement.is_(None), served)
        with self._write() as connection:
            connection.execute(unjudged.values(judgement=judgement_row(Judgement(TRUSTED))))  # withdrawn a moment ago
            return bool(connection.execute(own.values(release={"content_hash": content_hash, "at": now()})).rowcount)

    def withdraw_release(self, document_id: str, judge_again: bool = True) -> bool:
        from sqlalchemy import select, update

        from llmflow.adapters.sql_state_tables import chunks, documents

        own = update(documents).where(documents.c.id == document_id, documents.c.release.is_not(None))
        kept = select(chunks.c.id, chunks.c.judgement).where(chunks.c.document_id == document_id, chunks.c.judgement.is_not(None))
        with self._write() as connection:
            known = bool(connection.execute(own.values(release=None)).rowcount)
            if known and judge_again:
                # what was judged stays so: of a passage that is cut already nothing would be found again
                taken = [row.id for row in connection.execute(kept) if row.judgement[0] == TRUSTED]
                for part in batched(taken, IN_LIST):
                    connection.execute(update(chunks).where(chunks.c.id.in_(part)).values(judgement=None))
            return known

    def removed(self, chunk_ids: Sequence[str], document_ids: Sequence[str]) -> None:
        with self._write() as connection:
            _forget_removals(connection, "chunk", chunk_ids)
            _forget_removals(connection, "document", document_ids)

    def set_setting(self, key: str, value: str) -> None:
        from sqlalchemy import delete, insert

        from llmflow.adapters.sql_state_tables import settings

        with self._write() as connection:
            connection.execute(delete(settings).where(settings.c.key == key))
            connection.execute(insert(settings).values(key=key, value=value))

    def swap_settings(self, values: Mapping[str, str], expected: Mapping[str, str | None]) -> bool:
        from sqlalchemy import delete, insert, select

        from llmflow.adapters.sql_state_tables import settings

        with self._write() as connection:
            if connection.dialect.name == "postgresql":  # a key that is not there yet cannot be locked by its row
                connection.exec_driver_sql(f"LOCK TABLE {settings.name} IN SHARE ROW EXCLUSIVE MODE")
            wanted = select(settings.c.key, settings.c.value).where(settings.c.key.in_(list(expected)))
            found: dict[str, str] = {row.key: row.value for row in connection.execute(wanted)}
            if any(found.get(key) != value for key, value in expected.items()):
                return False
            if values:
                connection.execute(delete(settings).where(settings.c.key.in_(list(values))))
                connection.execute(insert(settings), [{"key": key, "value": value} for key, value in values.items()])
            return True


def _drop_versions(connection: Any, document_id: str, keep: str | None) -> bool:
    """Forget every version but one and return whether there was any; their chunks are put up for removal."""
    from sqlalchemy import delete, insert, select

    from llmflow.adapters.sql_state_tables import chunks, removals, versions

    known = connection.execute(select(versions.c.version).where(versions.c.document_id == document_id)).scalars()
    if not set(known) - {keep}:
        return False
    mine = chunks.c.document_id == document_id
    others = mine if keep is None else mine & (chunks.c.version != keep)
    ids = list(connection.execute(select(chunks.c.id).where(others)).scalars())
    if ids:
        connection.execute(insert(removals), [{"kind": "chunk", "target": chunk_id} for chunk_id in ids])
        connection.execute(delete(chunks).where(others))
    stale = versions.c.document_id == document_id
    return bool(
        connection.execute(delete(versions).where(stale if keep is None else stale & (versions.c.version != keep))).rowcount
    )


def _forget_removals(connection: Any, kind: str, targets: Sequence[str]) -> None:
    """Take removals back: they were carried out, or the same ids are about to be written again."""
    from sqlalchemy import delete

    from llmflow.adapters.sql_state_tables import removals

    for part in batched(targets, IN_LIST):
        connection.execute(delete(removals).where(removals.c.kind == kind, removals.c.target.in_(part)))


def _decide(row: Any, is_prepared: bool, retry_failed: bool) -> Plan:
    if row.status == DocumentStatus.FAILED:
        return Plan.PREPARE if retry_failed else Plan.FAILED_BEFORE
    if row.active == row.wanted and row.status == DocumentStatus.READY:
        return Plan.UNCHANGED
    return Plan.INDEX if is_prepared else Plan.PREPARE


def _common_readers(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the groups whose members may read under both grants."""
    if EVERYONE in old:
        return list(new)
    return list(old) if EVERYONE in new else sorted(set(old) & set(new))


def _chunk_row(version: str, item: PreparedChunk) -> dict[str, Any]:
    from llmflow.adapters.sql_state_tables import judgement_row

    chunk = item.chunk
    return {
        "id": chunk.id,
        "document_id": chunk.document_id,
        "version": version,
        "ordinal": chunk.ordinal,
        "text": chunk.text,
        "kind": str(chunk.kind),
        "language": chunk.language,
        "heading_path": list(chunk.heading_path),
        "page": chunk.page,
        "html": chunk.html,
        "box": list(asdict(chunk.box).values()) if chunk.box else None,
        "tokens": item.tokens,
        "mentions": [[m.key, m.name, m.role, m.position, m.confidence] for m in item.mentions],
        "judgement": judgement_row(chunk.judgement),
    }
