"""Served chunks by id with their documents: the statement that every search asks, and how its rows become values."""

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, select

from llmflow.adapters.sql_prepared import Prepared
from llmflow.adapters.sql_state_tables import chunks, documents, judgement_of, settings, versions
from llmflow.types import Box, Chunk, Document, DocumentStatus, ElementKind, Judgement

SERVED = Prepared(
    select(
        chunks.c.id, chunks.c.document_id, chunks.c.ordinal, chunks.c.text, chunks.c.kind, chunks.c.language,
        chunks.c.heading_path, chunks.c.page, chunks.c.html, chunks.c.box, chunks.c.judgement,
        documents.c.tenant, documents.c.groups, documents.c.source, documents.c.title, documents.c.format, documents.c.status,
        documents.c.reason, documents.c.size, documents.c.active, documents.c.updated_at,
        versions.c.title, versions.c.format, versions.c.fingerprint, versions.c.pages, versions.c.chunks, versions.c.pii,
    )
    .join(documents, (documents.c.id == chunks.c.document_id) & (documents.c.active == chunks.c.version))
    .join(versions, (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.active))
    .where(chunks.c.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip
"""No tenant here: with it SQLite walks all documents of the tenant instead of looking up each one; the reader checks it."""
PASSAGES = Prepared(
    select(chunks.c.id, chunks.c.document_id, chunks.c.text, chunks.c.language, documents.c.tenant, documents.c.groups)
    .join(documents, (documents.c.id == chunks.c.document_id) & (documents.c.active == chunks.c.version))
    .where(chunks.c.id.in_(bindparam("ids", expanding=True)))
)
CHUNK_IDS = Prepared(
    select(chunks.c.id, documents.c.tenant, documents.c.groups)
    .join(documents, (documents.c.id == chunks.c.document_id) & (documents.c.active == chunks.c.version))
    .where(documents.c.id.in_(bindparam("ids", expanding=True)), documents.c.tenant == bindparam("tenant"))
    .order_by(chunks.c.document_id, chunks.c.ordinal)
)
SETTING = Prepared(select(settings.c.value).where(settings.c.key == bindparam("key")))
KINDS = {str(kind): kind for kind in ElementKind}
STATUSES = {str(status): status for status in DocumentStatus}


def chunk_of_hit(row: tuple[Any, ...]) -> Chunk:
    key, document_id, ordinal, text, kind, language, headings, page, html, box, judged = row[:11]
    place = _json(box)
    return Chunk(
        id=key,
        document_id=document_id,
        ordinal=ordinal,
        text=text,
        kind=KINDS[kind],
        language=language,
        heading_path=_strings(headings),
        page=page,
        html=html,
        box=Box(*place) if place else None,
        judgement=_judged(judged) if isinstance(judged, str) else judgement_of(judged),
    )


def document_of_hit(row: tuple[Any, ...]) -> Document:
    tenant, groups, source, title, form, status, reason, size, active, updated = row[11:21]
    own_title, own_format, fingerprint, pages, count, pii = row[21:]
    return Document(
        id=row[1],
        tenant=tenant,
        groups=_strings(groups),
        source=source,
        title=own_title or title,
        format=own_format or form,
        status=STATUSES[status],
        version=active,
        fingerprint=fingerprint,
        reason=reason,
        size=size,
        pages=pages,
        chunks=count,
        pii=_json(pii) or {},
        updated_at=updated,
    )


def readable_groups(value: Any) -> tuple[str, ...]:
    """Return the groups of a row of `PASSAGES`."""
    return _strings(value)


def _json(value: Any) -> Any:
    """SQLite gives JSON as text, a server as values."""
    return json.loads(value) if isinstance(value, str) else value


def _strings(value: Any) -> tuple[str, ...]:
    return _parsed(value) if isinstance(value, str) else tuple(value)


@lru_cache(maxsize=4096)  # most passages are judged alike: nothing was found
def _judged(text: str) -> Judgement | None:
    return judgement_of(json.loads(text))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
