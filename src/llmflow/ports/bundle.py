"""The stores of one workspace together."""

from dataclasses import dataclass

from llmflow.ports.extraction import EntityExtractor
from llmflow.ports.models import Embedder, Reranker
from llmflow.ports.state import StateStore
from llmflow.ports.stores import GraphStore, RawStore, TextIndex, VectorStore


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that holds documents, and the models that read them: the embedder whose space the vectors are in, and more."""

    state: StateStore
    text: TextIndex
    vectors: VectorStore
    graph: GraphStore
    raw: RawStore
    embedder: Embedder
    reranker: Reranker | None = None
    """Asked where `retrieval.rerank` switches it on."""
    extractor: EntityExtractor | None = None
    """Asked where `ingestion.preparation.extraction` switches it on."""

    def close(self) -> None:
        for store in (self.state, self.text, self.vectors, self.graph):
            store.close()
