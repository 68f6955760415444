"""Whether every store agrees with the state database, and the repair where one does not."""

from dataclasses import dataclass

from llmflow.batches import batched
from llmflow.ingestion.indexing import (
    ACTIVE_SPACE,
    IndexingSettings,
    carry_out_removals,
    embedding_text,
    graph_document,
    index_staged,
    text_rows,
)
from llmflow.ports import Stores, VectorRow
from llmflow.types import DocumentStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison of a store with the truth; healthy when nothing is missing and nothing is left over."""

    store: str
    expected: int
    missing: int
    left_over: int

    @property
    def ok(self) -> bool:
        return self.missing == 0 and self.left_over == 0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    findings: tuple[Finding, ...]
    waiting: int
    """Documents that are pending or processing: a run was stopped; the next one finishes them."""
    removals: int
    """Removals that have not reached every store."""
    digests: dict[str, str]
    """Hashes of the state database and the graph, to compare two workspaces."""

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings) and not self.waiting and not self.removals


def diagnose(stores: Stores) -> Diagnosis:
    """Compare every store with the state database, id by id."""
    served = stores.state.served_chunk_ids()
    embedded = stores.state.served_chunk_ids(stores.embedder.languages)
    space = stores.state.setting(ACTIVE_SPACE) or stores.embedder.name
    documents = stores.state.documents()
    known = {document.id for document in documents}
    raw = stores.raw.document_ids()
    kept = {document.id for document in documents if document.format != "passage" and document.version}
    findings = (
        _compare("full text", served, stores.text.chunk_ids()),
        _compare("vectors", embedded, stores.vectors.chunk_ids(space)),
        _compare("graph", served, stores.graph.chunk_ids()),
        Finding("raw files", len(kept), len(kept - raw), len(raw - known)),
    )
    waiting = sum(document.status in (DocumentStatus.PENDING, DocumentStatus.PROCESSING) for document in documents)
    chunk_ids, document_ids = stores.state.removals(1_000_000)
    digests = {"state": stores.state.digest(), "graph": stores.graph.digest()}
    return Diagnosis(findings, waiting, len(chunk_ids) + len(document_ids), digests)


def repair(stores: Stores, settings: IndexingSettings) -> None:
    """Bring every store back to what the state database serves: add what is missing, remove what is left over."""
    index_staged(stores, settings, lambda stage, done, total: None)
    served = stores.state.served_chunk_ids()
    space = stores.embedder.name
    text, graph, vectors = stores.text.chunk_ids(), stores.graph.chunk_ids(), stores.vectors.chunk_ids(space)
    stores.text.delete(sorted(text - served))
    stores.graph.delete_chunks(sorted(graph - served))
    stores.vectors.delete(sorted(vectors - served))
    for batch in batched(stores.state.served(), 64):
        stores.text.upsert([row for d, p in batch for row in text_rows(d, [c for c in p.chunks if c.chunk.id not in text])])
        stores.graph.upsert([graph_document(d, p) for d, p in batch if any(c.chunk.id not in graph for c in p.chunks)])
        lost = [
            (d, p, c)
            for d, p in batch
            for c in p.chunks
            if c.chunk.language in stores.embedder.languages and c.chunk.id not in vectors
        ]
        if lost:
            found = stores.embedder.embed_passages([embedding_text(p.title, c) for _, p, c in lost])
            rows = [VectorRow(c.chunk.id, d.tenant, d.groups, v) for (d, _, c), v in zip(lost, found, strict=True)]
            stores.vectors.upsert(rows, space)
    known = {document.id for document in stores.state.documents()}
    stores.raw.delete(sorted(stores.raw.document_ids() - known))
    carry_out_removals(stores)


def _compare(store: str, expected: set[str], found: set[str]) -> Finding:
    return Finding(store, len(expected), len(expected - found), len(found - expected))


def describe(diagnosis: Diagnosis) -> str:
    """Return the diagnosis for a person, one line a store."""
    lines = [
        f"{'ok  ' if f.ok else 'BAD '} {f.store}: {f.expected} expected, {f.missing} missing, {f.left_over} left over"
        for f in diagnosis.findings
    ]
    lines.append(f"{'ok  ' if not diagnosis.waiting else 'BAD '} {diagnosis.waiting} documents wait to be finished")
    lines.append(f"{'ok  ' if not diagnosis.removals else 'BAD '} {diagnosis.removals} removals wait to be carried out")
    lines += [f"     {name} digest {value[:16]}" for name, value in diagnosis.digests.items()]
    if not diagnosis.ok:
        lines.append("Run the ingestion again to finish it, or `llmflow doctor --repair`.")
    return "\n".join(lines)
