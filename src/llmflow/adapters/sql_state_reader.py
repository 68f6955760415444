"""What is read from the state database: served and staged documents, chunks for hits, what is to be removed."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from llmflow.adapters.sql_state_chunks import left_out_of, prepared_chunks
from llmflow.adapters.sql_state_database import IN_LIST, StateDatabase
from llmflow.adapters.sql_values import storable
from llmflow.batches import batched
from llmflow.ports import LeftOut, PreparedChunk, PreparedDocument, ServedPassage, StagedDocument
from llmflow.types import Chunk, Document, DocumentStatus, Principal, Relation


class StateReader(StateDatabase):
    """The reading half of StateStore."""

    def staged(self, limit_chunks: int, after: str = "") -> list[StagedDocument]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import documents, versions

        with self._read() as connection:
            waiting = connection.execute(
                select(versions, documents.c.tenant, documents.c.source, documents.c.status)
                .join(documents, documents.c.id == versions.c.document_id)
                .where(versions.c.document_id > after, versions.c.version == documents.c.wanted)
                .where(
                    (documents.c.active.is_(None))
                    | (documents.c.active != versions.c.version)
                    | (documents.c.status == DocumentStatus.PROCESSING)  # served, and to be written once more
                )
                .order_by(versions.c.document_id)
            )
            rows, total = [], 0
            for row in waiting:
                rows.append(row)
                total += row.chunks
                if total >= limit_chunks:
                    break
            waiting.close()
            chunks = prepared_chunks(connection, [(row.document_id, row.version) for row in rows])
            return [_staged(row, chunks[row.document_id]) for row in rows]

    def removals(self, limit: int) -> tuple[list[str], list[str]]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import removals

        with self._read() as connection:
            rows = connection.execute(select(removals).order_by(removals.c.number).limit(limit)).all()
        return [r.target for r in rows if r.kind == "chunk"], [r.target for r in rows if r.kind == "document"]

    def resolve(self, chunk_ids: Sequence[str], principal: Principal) -> dict[str, tuple[Chunk, Document]]:
        from llmflow.adapters.sql_state_hits import SERVED, chunk_of_hit, document_of_hit

        found: dict[str, tuple[Chunk, Document]] = {}
        known: dict[str, Document] = {}
        parts = list(batched(dict.fromkeys(chunk_ids), IN_LIST))
        with self._ask(len(parts)) as connection:
            for part in parts:
                for row in SERVED.rows(connection, ids=part):
                    chunk = chunk_of_hit(row)
                    document = known.get(chunk.document_id)
                    if document is None:
                        document = known[chunk.document_id] = document_of_hit(row)
                    if principal.may_read(document.tenant, document.groups):
                        found[chunk.id] = (chunk, document)
        return found

    def neighbours(self, chunk_id: str, principal: Principal) -> tuple[Chunk | None, Chunk | None]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import chunks

        resolved = self.resolve([chunk_id], principal).get(chunk_id)
        if resolved is None:
            return None, None
        chunk, document = resolved
        near = (chunk.ordinal - 1, chunk.ordinal + 1)
        statement = select(chunks.c.ordinal, chunks.c.id).where(
            chunks.c.document_id == document.id, chunks.c.version == document.version, chunks.c.ordinal.in_(near)
        )
        with self._read() as connection:
            ids = {row.ordinal: row.id for row in connection.execute(statement)}
        found = self.resolve(list(ids.values()), principal)  # asked anew: a version may have gone meanwhile
        before, after = (found.get(ids.get(ordinal, "")) for ordinal in near)
        return before[0] if before else None, after[0] if after else None

    def passages(self, chunk_ids: Sequence[str], principal: Principal) -> dict[str, ServedPassage]:
        from llmflow.adapters.sql_state_hits import PASSAGES, readable_groups

        found: dict[str, ServedPassage] = {}
        readable: dict[tuple[str, Any], bool] = {}  # a tenant's documents have few different readers
        parts = list(batched(dict.fromkeys(chunk_ids), IN_LIST))
        with self._ask(len(parts)) as connection:
            for part in parts:
                for key, document_id, text, language, tenant, groups in PASSAGES.rows(connection, ids=part):
                    owners = tenant, groups if isinstance(groups, str) else tuple(groups)
                    allowed = readable.get(owners)
                    if allowed is None:
                        allowed = readable[owners] = principal.may_read(tenant, readable_groups(groups))
                    if allowed:
                        found[key] = ServedPassage(document_id, text, language)
        return found

    def chunk_ids_of(self, document_ids: Sequence[str], principal: Principal) -> list[str]:
        from llmflow.adapters.sql_state_hits import CHUNK_IDS, readable_groups

        found: list[str] = []
        parts = list(batched(sorted(set(map(storable, document_ids))), IN_LIST))
        with self._ask(len(parts)) as connection:
            for part in parts:
                for key, tenant, groups in CHUNK_IDS.rows(connection, ids=part, tenant=principal.tenant):
                    if principal.may_read(tenant, readable_groups(groups)):
                        found.append(key)
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

    def document(self, document_id: str) -> Document | None:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import DOCUMENT_COLUMNS, document_of, documents, versions

        own = (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.active)
        named = documents.c.id == storable(document_id)
        statement = select(*DOCUMENT_COLUMNS).select_from(documents.outerjoin(versions, own)).where(named)
        with self._read() as connection:
            row = connection.execute(statement).one_or_none()
        return document_of(row) if row is not None else None

    def left_out(self, document_id: str) -> tuple[LeftOut, ...]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import documents, versions

        own = (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.active)
        statement = select(versions.c.left_out, documents.c.left_out.label("refused_for"))
        statement = statement.select_from(documents.outerjoin(versions, own)).where(documents.c.id == storable(document_id))
        with self._read() as connection:
            row = connection.execute(statement).one_or_none()
        return left_out_of(row.left_out or row.refused_for) if row is not None else ()

    def released(self, document_ids: Sequence[str]) -> dict[str, str]:
        from sqlalchemy import select

        from llmflow.adapters.sql_state_tables import documents

        found: dict[str, str] = {}
        with self._read() as connection:
            for part in batched(dict.fromkeys(document_ids), IN_LIST):
                known = documents.c.id.in_(part) & documents.c.release.is_not(None)
                for row in connection.execute(select(documents.c.id, documents.c.release).where(known)):
                    found[row.id] = row.release["content_hash"]
        return found

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
                found = prepared_chunks(connection, [(document_id, row.version)])[document_id]
                kept = tuple(item for item in found if languages is None or item.chunk.language in languages)
                item = _staged(row, kept)
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
        from llmflow.adapters.sql_state_hits import SETTING

        with self._ask() as connection:
            return next((value for (value,) in SETTING.rows(connection, key=key)), None)

    def digest(self) -> str:
        total = hashlib.sha256()
        for document in self.documents():
            total.update(f"{document.id} {document.status} {document.version} {document.reason} {document.groups}\n".encode())
        for document, prepared in self.served():
            line = {"id": document.id, **asdict(prepared)}
            total.update(json.dumps(line, sort_keys=True, ensure_ascii=False, default=str).encode())
        return total.hexdigest()


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
        screening=row.screening or {},
        left_out=left_out_of(row.left_out),
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
