"""Prepared chunks in the state database: a run of the ingestion writes and reads each of them once."""

from collections.abc import Sequence
from typing import Any

from llmflow.adapters.sql_state_database import IN_LIST
from llmflow.batches import batched
from llmflow.ports import LeftOut, PreparedChunk
from llmflow.types import Mention


def prepared_chunks(connection: Any, versions: Sequence[tuple[str, str]]) -> dict[str, tuple[PreparedChunk, ...]]:
    """Return the chunks of each (document, version) by document, in order."""
    from sqlalchemy import select

    from llmflow.adapters.sql_state_tables import chunk_of, chunks

    wanted = dict(versions)
    found: dict[str, list[PreparedChunk]] = {document_id: [] for document_id in wanted}
    for part in batched(wanted, IN_LIST):
        own = chunks.c.document_id.in_(part)
        ordered = select(chunks).where(own).order_by(chunks.c.document_id, chunks.c.version, chunks.c.ordinal)
        for row in connection.execute(ordered):
            if row.version == wanted[row.document_id]:
                mentions = tuple(Mention(*mention) for mention in row.mentions)
                found[row.document_id].append(PreparedChunk(chunk_of(row), row.tokens, mentions))
    return {document_id: tuple(items) for document_id, items in found.items()}


def left_out_row(part: LeftOut) -> list[Any]:
    return [part.ordinal, part.what, part.text, list(part.reasons), part.page, list(part.heading_path)]


def left_out_of(rows: Sequence[Sequence[Any]] | None) -> tuple[LeftOut, ...]:
    """Read what was left out of a version; None: it was made before anything was."""
    return tuple(
        LeftOut(ordinal, what, text, tuple(reasons), page, tuple(headings))
        for ordinal, what, text, reasons, page, headings in rows or ()
    )
