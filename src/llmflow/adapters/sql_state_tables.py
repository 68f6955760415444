"""Tables of the state database, and how rows become values."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

from llmflow.types import Box, Chunk, Document, DocumentStatus, ElementKind, Judgement
from llmflow.wording import restored

metadata = MetaData()

settings = Table("settings", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

documents = Table(
    "documents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(256), nullable=False, index=True),
    Column("groups", JSON, nullable=False),
    Column("source", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("format", String(32), nullable=False, default=""),
    Column("status", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False, default=""),
    Column("reason_said", JSON),
    Column("size", Integer, nullable=False, default=0),
    Column("wanted", String(64), nullable=False),
    Column("active", String(64)),
    Column("updated_at", String(32), nullable=False),
    Column("screening", JSON(none_as_null=True)),
    Column("left_out", JSON(none_as_null=True)),
    Column("content_hash", String(64)),
    Column("release", JSON(none_as_null=True)),
)

versions = Table(
    "versions",
    metadata,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("groups", JSON, nullable=False),
    Column("title", Text, nullable=False),
    Column("format", String(32), nullable=False),
    Column("pages", Integer),
    Column("chunks", Integer, nullable=False),
    Column("pii", JSON, nullable=False),
    Column("relations", JSON, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("screening", JSON(none_as_null=True)),
    Column("left_out", JSON(none_as_null=True)),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("document_id", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("heading_path", JSON, nullable=False),
    Column("page", Integer),
    Column("html", Text),
    Column("box", JSON),
    Column("tokens", Text, nullable=False),
    Column("mentions", JSON, nullable=False),
    Column("judgement", JSON(none_as_null=True)),
    Index("chunks_of_version", "document_id", "version", "ordinal"),
)

removals = Table(
    "removals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(8), nullable=False),
    Column("target", String(64), nullable=False),
    Index("removals_of_target", "kind", "target"),
)


NO_REASON = {"reason": "", "screening": None, "left_out": None}
"""Columns of a document that did not fail: what a refused one was refused for goes with the reason."""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def chunk_of(row: Any) -> Chunk:
    return Chunk(
        id=row.id,
        document_id=row.document_id,
        ordinal=row.ordinal,
        text=row.text,
        kind=ElementKind(row.kind),
        language=row.language,
        heading_path=tuple(row.heading_path),
        page=row.page,
        html=row.html,
        box=Box(*row.box) if row.box else None,
        judgement=judgement_of(row.judgement),
    )


def judgement_of(values: Any) -> Judgement | None:
    """Read a chunk's judgement, kept as [judge, flagged, doubtful, spans]: JSON has no tuples."""
    if not values:
        return None
    by, flagged, doubtful, doubted = values
    return Judgement(by, tuple(flagged), tuple(doubtful), tuple((start, end) for start, end in doubted))


def judgement_row(judgement: Judgement | None) -> list[Any] | None:
    if judgement is None:
        return None
    return [judgement.by, list(judgement.flagged), list(judgement.doubtful), [list(span) for span in judgement.doubted]]


def document_of(row: Any) -> Document:
    """Read a join of documents with their active version; the version's columns may all be NULL."""
    return Document(
        id=row.document_id,
        tenant=row.tenant,
        groups=tuple(row.groups),
        source=row.source,
        title=row.version_title or row.title,
        format=row.version_format or row.format,
        status=DocumentStatus(row.status),
        version=row.active or "",
        fingerprint=row.fingerprint or "",
        reason=restored(row.reason, row.reason_said),
        size=row.size,
        pages=row.pages,
        chunks=row.chunk_count or 0,
        pii=row.pii or {},
        screening=row.screening or row.refused_for or {},
        updated_at=row.updated_at,
        content_hash=row.content_hash or "",
        released_at=row.release["at"] if row.release and row.release["content_hash"] == row.content_hash else "",
    )


DOCUMENT_COLUMNS = (
    documents.c.id.label("document_id"),
    documents.c.tenant,
    documents.c.groups,
    documents.c.source,
    documents.c.title,
    documents.c.format,
    documents.c.status,
    documents.c.reason,
    documents.c.reason_said,
    documents.c.size,
    documents.c.active,
    documents.c.updated_at,
    documents.c.content_hash,
    documents.c.release,
    versions.c.title.label("version_title"),
    versions.c.format.label("version_format"),
    versions.c.fingerprint,
    versions.c.pages,
    versions.c.chunks.label("chunk_count"),
    versions.c.pii,
    versions.c.screening,
    documents.c.screening.label("refused_for"),
)
