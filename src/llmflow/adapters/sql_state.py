"""The state database on SQLAlchemy Core: SQLite (WAL) by default, PostgreSQL in production."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llmflow.adapters.sql_engine import open_engine, transaction
from llmflow.batches import batched
from llmflow.errors import StoreCorrupt
from llmflow.ports import Plan, PreparedChunk, PreparedDocument, SourceFile, StagedDocument
from llmflow.types import Chunk, Document, DocumentStatus, Mention, Principal, Relation

IN_LIST = 500
"""Ids bound in one statement; SQLite allows about a thousand."""


class SqlStateStore:
    """StateStore over a database URL. Connects and makes its tables on first use."""

    def __init__(self, url: str):
        self._url = url
        self._engine: Any = None
        self._lock = threading.Lock()

    def register(self, files: Sequence[SourceFile], retry_failed: bool = False) -> dict[str, Plan]:
        from sqlalchemy import insert, select, update

        from llmflow.adapters.sql_state_tables import documents, now, versions

        plan: dict[str, Plan] = {}
        with self._write() as connection:
            known = {row.id: row for row in connection.execute(select(documents))}
            prepared = set(map(tuple, connection.execute(select(versions.c.document_id, versions.c.version))))
            for file in files:
                row = known.get(file.document_id)
                if row is not None and row.wanted == file.version:
                    plan[file.document_id] = decision = _decide(row, (file.document_id, file.version) in prepared, retry_failed)
                    if decision is Plan.PREPARE and row.status != DocumentStatus.PENDING:
                        pending = update(documents).where(documents.c.id == file.document_id)
                        connection.execute(pending.values(status=DocumentStatus.PENDING, updated_at=now()))
                    continue
                if row is not None and row.active == file.version:  # changed and changed back before anything was served
                    plan[file.document_id] = Plan.UNCHANGED
                    self._drop_versions(connection, file.document_id, keep=row.active)
                    back = update(documents).where(documents.c.id == file.document_id)
                    connection.execute(back.values(wanted=file.version, status=DocumentStatus.READY, reason="", updated_at=now()))
                    continue
                plan[file.document_id] = Plan.PREPARE
                values = {
                    "tenant": file.tenant,
                    "groups": list(file.groups),
                    "source": file.source,
                    "title": file.source.rsplit("/", 1)[-1],
                    "status": DocumentStatus.PENDING,
                    "reason": "",
                    "size": file.size,
                    "wanted": file.version,
                    "updated_at": now(),
                }
                if row is None:
                    _forget_removals(connection, "document", [file.document_id])
                    connection.execute(insert(documents).values(id=file.document_id, format="", **values))
                else:
                    if row.active is not None:
                        values.pop("groups")  # the served version keeps its readers until the new one takes its place
                    connection.execute(update(documents).where(documents.c.id == file.document_id).values(**values))
        return plan

    def mark_processing(self, document_ids: Sequence[str]) -> None:
        from sqlalchemy import update

        from llmflow.adapters.sql_state_tables import documents, now

        with self._write() as connection:
            for part in batched(document_ids, IN_LIST):
                connection.execute(
                    update(documents)
                    .where(documents.c.id.in_(part))
                    .values(status=DocumentStatus.PROCESSING, reason="", updated_at=now())
                )

    def stage(self, prepared: PreparedDocument, groups: Sequence[str]) -> None:
        from sqlalchemy import insert, select

        from llmflow.adapters.sql_state_tables import chunks, documents, versions

        with self._write() as connection:
            row = connection.execute(select(documents).where(documents.c.id == prepared.document_id)).one_or_none()
            if row is None or row.wanted != prepared.version:
                return  # deleted or replaced while it was being prepared
            self._drop_versions(connection, prepared.document_id, keep=row.active)
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
                    relations=[list(asdict(relation).values()) for relation in prepared.relations],
                    topics=list(prepared.topics),
                    warnings=list(prepared.warnings),
                )
            )
            if prepared.chunks:
                _forget_removals(connection, "chunk", [item.chunk.id for item in prepared.chunks])
                connection.execute(insert(chunks), [_chunk_row(prepared.version, item) for item in prepared.chunks])

    def fail(self, document_id: str, version: str, reason: str) -> None:
        from sqlalchemy import update

        from llmflow.adapters.sql_state_tables import documents, now

        with self._write() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.id == document_id, documents.c.wanted == version)
                .values(status=DocumentStatus.FAILED, reason=reason, updated_at=now())
            )

    def staged(self, limit_chunks: int) -> list[StagedDocument]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import documents, versions

        with self._read() as connection:
            waiting = connection.execute(
                select(versions, documents.c.tenant, documents.c.source, documents.c.status)
                .join(documents, documents.c.id == versions.c.document_id)
                .where(versions.c.version == documents.c.wanted)
                .where((documents.c.active.is_(None)) | (documents.c.active != versions.c.version))
                .order_by(versions.c.document_id)
            )
            found, total = [], 0
            for row in waiting:
                found.append(_staged(row, self._prepared_chunks(connection, row.document_id, row.version)))
                total += row.chunks
                if total >= limit_chunks:
                    break
            return found

    def activate(self, versions_by_document: Mapping[str, str]) -> None:
        from sqlalchemy import select, update

        from llmflow.adapters.sql_state_tables import documents, now, versions

        with self._write() as connection:
            for document_id, version in versions_by_document.items():
                key = (versions.c.document_id == document_id) & (versions.c.version == version)
                row = connection.execute(select(versions.c.title, versions.c.format, versions.c.groups).where(key)).one_or_none()
                if row is None:
                    continue  # deleted or replaced meanwhile; its chunks are already up for removal
                self._drop_versions(connection, document_id, keep=version)
                connection.execute(
                    update(documents)
                    .where(documents.c.id == document_id)
                    .values(
                        active=version,
                        title=row.title,
                        format=row.format,
                        groups=row.groups,
                        status=DocumentStatus.READY,
                        reason="",
                        updated_at=now(),
                    )
                )

    def delete(self, document_ids: Sequence[str]) -> int:
        from sqlalchemy import delete, insert

        from llmflow.adapters.sql_state_tables import documents, removals

        count = 0
        with self._write() as connection:
            for document_id in dict.fromkeys(document_ids):
                self._drop_versions(connection, document_id, keep=None)
                gone = connection.execute(delete(documents).where(documents.c.id == document_id)).rowcount
                if gone:
                    connection.execute(insert(removals).values(kind="document", target=document_id))
                    count += 1
        return count

    def removals(self, limit: int) -> tuple[list[str], list[str]]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import removals

        with self._read() as connection:
            rows = connection.execute(select(removals).order_by(removals.c.number).limit(limit)).all()
        return [r.target for r in rows if r.kind == "chunk"], [r.target for r in rows if r.kind == "document"]

    def removed(self, chunk_ids: Sequence[str], document_ids: Sequence[str]) -> None:
        with self._write() as connection:
            _forget_removals(connection, "chunk", chunk_ids)
            _forget_removals(connection, "document", document_ids)

    def resolve(self, chunk_ids: Sequence[str], principal: Principal) -> dict[str, tuple[Chunk, Document]]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import DOCUMENT_COLUMNS, chunk_of, chunks, document_of, documents, versions

        found: dict[str, tuple[Chunk, Document]] = {}
        statement = (
            select(chunks, *DOCUMENT_COLUMNS[1:], DOCUMENT_COLUMNS[0].label("owner"))
            .join(documents, (documents.c.id == chunks.c.document_id) & (documents.c.active == chunks.c.version))
            .join(versions, (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.active))
            .where(documents.c.tenant == principal.tenant)
        )
        known: dict[str, Document] = {}
        with self._read() as connection:
            for part in batched(dict.fromkeys(chunk_ids), IN_LIST):
                for row in connection.execute(statement.where(chunks.c.id.in_(part))):
                    document = known.get(row.document_id)
                    if document is None:
                        document = known[row.document_id] = document_of(row)
                    if principal.may_read(document.tenant, document.groups):
                        found[row.id] = (chunk_of(row), document)
        return found

    def documents(self, principal: Principal | None = None, status: DocumentStatus | None = None) -> list[Document]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import DOCUMENT_COLUMNS, document_of, documents, versions

        own = (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.active)
        statement = select(*DOCUMENT_COLUMNS).select_from(documents.outerjoin(versions, own))
        if principal is not None:
            statement = statement.where(documents.c.tenant == principal.tenant)
        if status is not None:
            statement = statement.where(documents.c.status == status)
        with self._read() as connection:
            found = [document_of(row) for row in connection.execute(statement.order_by(documents.c.tenant, documents.c.source))]
        return [item for item in found if principal is None or principal.may_read(item.tenant, item.groups)]

    def served(self, languages: frozenset[str] | None = None) -> Iterator[tuple[Document, PreparedDocument]]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import documents, versions

        with self._read() as connection:
            ids = connection.execute(
                select(documents.c.id).where(documents.c.active.is_not(None)).order_by(documents.c.id)
            ).scalars()
            wanted = list(ids)
        for document_id in wanted:
            with self._read() as connection:
                row = connection.execute(
                    select(versions, documents.c.tenant, documents.c.source, documents.c.status)
                    .join(documents, documents.c.id == versions.c.document_id)
                    .where(documents.c.id == document_id, versions.c.version == documents.c.active)
                ).one_or_none()
                if row is None:
                    continue
                item = _staged(row, self._prepared_chunks(connection, document_id, row.version, languages))
            yield item.document, item.prepared

    def served_chunk_ids(self, languages: frozenset[str] | None = None) -> set[str]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import chunks, documents

        statement = select(chunks.c.id).join(
            documents, (documents.c.id == chunks.c.document_id) & (documents.c.active == chunks.c.version)
        )
        if languages is not None:
            statement = statement.where(chunks.c.language.in_(sorted(languages)))
        with self._read() as connection:
            return set(connection.execute(statement).scalars())

    def setting(self, key: str) -> str | None:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import settings

        with self._read() as connection:
            return connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar_one_or_none()

    def set_setting(self, key: str, value: str) -> None:
        from sqlalchemy import delete, insert

        from llmflow.adapters.sql_state_tables import settings

        with self._write() as connection:
            connection.execute(delete(settings).where(settings.c.key == key))
            connection.execute(insert(settings).values(key=key, value=value))

    def digest(self) -> str:
        total = hashlib.sha256()
        for document in self.documents():
            total.update(f"{document.id} {document.status} {document.version} {document.reason} {document.groups}\n".encode())
        for document, prepared in self.served():
            line = {"id": document.id, **asdict(prepared)}
            total.update(json.dumps(line, sort_keys=True, ensure_ascii=False, default=str).encode())
        return total.hexdigest()

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _drop_versions(self, connection: Any, document_id: str, keep: str | None) -> None:
        """Forget every version but one; its chunks are removed from the stores later (never lost: same transaction)."""
        from sqlalchemy import delete, insert, select

        from llmflow.adapters.sql_state_tables import chunks, removals, versions

        mine = chunks.c.document_id == document_id
        others = mine if keep is None else mine & (chunks.c.version != keep)
        ids = list(connection.execute(select(chunks.c.id).where(others)).scalars())
        if ids:
            connection.execute(insert(removals), [{"kind": "chunk", "target": chunk_id} for chunk_id in ids])
            connection.execute(delete(chunks).where(others))
        stale = versions.c.document_id == document_id
        connection.execute(delete(versions).where(stale if keep is None else stale & (versions.c.version != keep)))

    def _prepared_chunks(
        self, connection: Any, document_id: str, version: str, languages: frozenset[str] | None = None
    ) -> tuple[PreparedChunk, ...]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import chunk_of, chunks

        statement = select(chunks).where(chunks.c.document_id == document_id, chunks.c.version == version)
        if languages is not None:
            statement = statement.where(chunks.c.language.in_(sorted(languages)))
        return tuple(
            PreparedChunk(chunk_of(row), row.tokens, tuple(Mention(*mention) for mention in row.mentions))
            for row in connection.execute(statement.order_by(chunks.c.ordinal))
        )

    def _read(self):
        return transaction(self._open())

    def _write(self):
        return transaction(self._open(), writes=True)

    def _open(self) -> Any:
        with self._lock:
            if self._engine is None:
                from llmflow.adapters.sql_state_tables import SCHEMA_VERSION, metadata, settings

                engine = open_engine(self._url)
                with transaction(engine, writes=True) as connection:
                    metadata.create_all(connection)
                    found = connection.execute(settings.select().where(settings.c.key == "schema")).one_or_none()
                    if found is None:
                        connection.execute(settings.insert().values(key="schema", value=SCHEMA_VERSION))
                    elif found.value != SCHEMA_VERSION:
                        raise StoreCorrupt(
                            f"The state database has schema {found.value}; this llmflow needs {SCHEMA_VERSION}. "
                            "Point LLMFLOW_HOME at an empty folder and ingest again."
                        )
                self._engine = engine
            return self._engine


def _forget_removals(connection: Any, kind: str, targets: Sequence[str]) -> None:
    """Take removals back: they were carried out, or the same ids are about to be written again."""
    from sqlalchemy import delete

    from llmflow.adapters.sql_state_tables import removals

    for part in batched(targets, IN_LIST):
        connection.execute(delete(removals).where(removals.c.kind == kind, removals.c.target.in_(part)))


def _decide(row: Any, is_prepared: bool, retry_failed: bool) -> Plan:
    if row.status == DocumentStatus.FAILED:
        return Plan.PREPARE if retry_failed else Plan.FAILED_BEFORE
    if row.active == row.wanted:
        return Plan.UNCHANGED
    return Plan.INDEX if is_prepared else Plan.PREPARE


def _chunk_row(version: str, item: PreparedChunk) -> dict[str, Any]:
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
        "mentions": [list(asdict(mention).values()) for mention in item.mentions],
    }


def _staged(row: Any, chunks: tuple[PreparedChunk, ...]) -> StagedDocument:
    """Read a version row joined with its document's tenant, source and status."""
    prepared = PreparedDocument(
        document_id=row.document_id,
        version=row.version,
        fingerprint=row.fingerprint,
        title=row.title,
        format=row.format,
        chunks=chunks,
        pages=row.pages,
        pii=row.pii,
        relations=tuple(Relation(*relation) for relation in row.relations),
        topics=tuple(row.topics),
        warnings=tuple(row.warnings),
    )
    document = Document(
        id=row.document_id,
        tenant=row.tenant,
        groups=tuple(row.groups),
        source=row.source,
        title=row.title,
        format=row.format,
        status=DocumentStatus(row.status),
        version=row.version,
        fingerprint=row.fingerprint,
        pages=row.pages,
        chunks=row.chunks,
        pii=row.pii,
    )
    return StagedDocument(document, prepared)
