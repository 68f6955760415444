"""Prepared documents to every store, so that a kill at any point leaves nothing half-visible and nothing twice.

Order: removals first (an id may come back), then vectors, full text, graph, and at last the activation that readers see.
All writes are upserts under ids that follow from the content, so the next run simply repeats what was cut off.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from pydantic import Field

from llmflow.batches import batched
from llmflow.clock import Seconds
from llmflow.config import Settings
from llmflow.ingestion.prepare import context_of
from llmflow.ports import (
    GraphChunk,
    GraphDocument,
    PreparedChunk,
    PreparedDocument,
    StagedDocument,
    Stores,
    TextRow,
    VectorRow,
)
from llmflow.retrieval.entities import TITLE_REACH
from llmflow.types import Document

ACTIVE_SPACE = "active_space"
PREVIOUS_SPACE = "previous_space"
TITLE_SAMPLE = 2000
"""Chunks of a tenant that are looked at: the share of a tenth is then known to one point."""
Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


class IndexingSettings(Settings):
    batch_chunks: int = Field(default=512, ge=1)
    """Chunks embedded and written before the documents that they complete are served."""


@dataclass
class IndexReport:
    """What one indexing run did."""

    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    removed: int = 0
    switched_to: str = ""
    """The embedder whose space took over in this run, if one did."""
    seconds: Seconds = field(default_factory=Seconds)


def index_staged(stores: Stores, settings: IndexingSettings, progress: Progress, total: int = 0) -> IndexReport:
    """Write every staged document into the stores and serve it; then move all vectors to the embedder's space if that changed."""
    report = IndexReport()
    space = stores.embedder.name
    report.removed += carry_out_removals(stores)
    stores.vectors.create_space(space, stores.embedder.dimension)
    if stores.state.setting(ACTIVE_SPACE) is None and not stores.state.served_chunk_ids():
        stores.state.set_setting(ACTIVE_SPACE, space)  # the first run of a workspace has nothing to switch from
    last = ""
    while batch := stores.state.staged(settings.batch_chunks, after=last):
        last = batch[-1].document.id
        _write(stores, batch, space, report)
        stores.state.activate({item.document.id: item.prepared.version for item in batch})
        report.documents += len(batch)
        report.chunks += sum(len(item.prepared.chunks) for item in batch)
        progress("index", report.documents, max(total, report.documents))
    report.removed += carry_out_removals(stores)
    switch_space(stores, settings, report, progress)
    if report.documents or report.removed or report.embedded:
        with _lap(report, "optimise"):
            stores.text.optimise()
            stores.vectors.optimise()
    if report.documents or report.removed or stores.state.setting(TITLE_REACH) is None:
        with _lap(report, "measure titles"):
            stores.state.set_setting(TITLE_REACH, json.dumps(stores.graph.title_reach(TITLE_SAMPLE), sort_keys=True))
    return report


def carry_out_removals(stores: Stores, batch: int = 5000) -> int:
    """Remove from every store, and from conversations, what was put up for removal; return how many chunks and documents."""
    count = 0
    while True:
        chunk_ids, document_ids = stores.state.removals(batch)
        if not chunk_ids and not document_ids:
            return count
        stores.vectors.delete(chunk_ids)
        stores.text.delete(chunk_ids)
        stores.graph.delete_chunks(chunk_ids)
        stores.raw.delete(document_ids)
        if stores.application is not None:
            stores.application.forget_chunks(chunk_ids)
            for document_id in document_ids:
                stores.application.forget_document(document_id)
        stores.state.removed(chunk_ids, document_ids)
        count += len(chunk_ids) + len(document_ids)


def switch_space(stores: Stores, settings: IndexingSettings, report: IndexReport, progress: Progress) -> None:
    """Fill the embedder's space from the served chunks, then make it the active one; the space before the last is dropped.

    Until the switch, searches go on in the old space. Does nothing when the embedder did not change.
    """
    space, active = stores.embedder.name, stores.state.setting(ACTIVE_SPACE)
    if active == space:
        return
    present = stores.vectors.chunk_ids(space)
    missing = stores.state.served_chunk_ids(stores.embedder.languages) - present
    done = 0
    pairs = (
        (document, prepared, chunk)
        for document, prepared in stores.state.served(stores.embedder.languages)
        for chunk in prepared.chunks
        if chunk.chunk.id in missing
    )
    for batch in batched(pairs, settings.batch_chunks):
        _write_vectors(stores, batch, space, report)
        done += len(batch)
        progress("re-embed", done, len(missing))
    for old in stores.vectors.spaces():
        if old not in (space, active):
            stores.vectors.drop_space(old)
    if active:
        stores.state.set_setting(PREVIOUS_SPACE, active)
    stores.state.set_setting(ACTIVE_SPACE, space)
    report.switched_to = space


def embedding_text(title: str, chunk: PreparedChunk) -> str:
    """Return what is embedded of a chunk: its title and headings where the text does not begin with them, then the text."""
    above = context_of(title, chunk.chunk.heading_path, chunk.chunk.text)
    return f"{above}\n{chunk.chunk.text}" if above else chunk.chunk.text


def graph_document(document: Document, prepared: PreparedDocument) -> GraphDocument:
    return GraphDocument(
        document_id=document.id,
        tenant=document.tenant,
        groups=document.groups,
        title=prepared.title,
        chunks=tuple(GraphChunk(item.chunk.id, item.mentions) for item in prepared.chunks),
        relations=prepared.relations,
        topics=prepared.topics,
    )


def text_rows(document: Document, chunks: Iterable[PreparedChunk]) -> list[TextRow]:
    return [TextRow(item.chunk.id, document.tenant, document.groups, item.tokens) for item in chunks]


def _write(stores: Stores, batch: Sequence[StagedDocument], space: str, report: IndexReport) -> None:
    readable = stores.embedder.languages
    pairs = [(b.document, b.prepared, c) for b in batch for c in b.prepared.chunks if c.chunk.language in readable]
    _write_vectors(stores, pairs, space, report)
    with _lap(report, "full text"):
        stores.text.upsert([row for b in batch for row in text_rows(b.document, b.prepared.chunks)])
    with _lap(report, "graph"):
        stores.graph.upsert([graph_document(b.document, b.prepared) for b in batch])


def _write_vectors(
    stores: Stores, batch: Sequence[tuple[Document, PreparedDocument, PreparedChunk]], space: str, report: IndexReport
) -> None:
    if not batch:
        return
    with _lap(report, "embed"):
        vectors = stores.embedder.embed_passages([embedding_text(prepared.title, chunk) for _, prepared, chunk in batch])
    with _lap(report, "vectors"):
        rows = [
            VectorRow(chunk.chunk.id, document.tenant, document.groups, vector)
            for (document, _, chunk), vector in zip(batch, vectors, strict=True)
        ]
        stores.vectors.upsert(rows, space)
    report.embedded += len(batch)


class _lap:
    """Add the time of a block to a stage of the report."""

    def __init__(self, report: IndexReport, stage: str):
        self._report, self._stage = report, stage

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._report.seconds.add(self._stage, perf_counter() - self._start)
