"""Ports of stores: full text, vectors, graph, raw files. Adapters raise `StoreUnavailable`; `close()` is safe twice."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from llmflow.types import Mention, Principal, Relation, ScoredId

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class TextRow:
    """What the full text keeps of one chunk; never its text, which stays in the state database."""

    chunk_id: str
    tenant: str
    groups: tuple[str, ...]
    tokens: str
    """Analysed text, tokens joined by single spaces (retrieval/tokens.py)."""


@dataclass(frozen=True, slots=True)
class VectorRow:
    """What the vector store keeps of one chunk."""

    chunk_id: str
    tenant: str
    groups: tuple[str, ...]
    vector: "np.ndarray"
    """float32 (dimension,), L2-normalised."""


class TextIndex(Protocol):
    """BM25 over analysed text, filtered by principal inside the query."""

    def upsert(self, rows: Sequence[TextRow]) -> None:
        """Write rows; a chunk id already there is replaced, the last of equal ids wins. Durable and visible on return."""
        ...

    def delete(self, chunk_ids: Sequence[str]) -> None:
        """Remove chunks; unknown ids are ignored."""
        ...

    def optimise(self) -> None:
        """Make searches quick after many writes; changes no result."""
        ...

    def search(
        self, queries: Sequence[str], principal: Principal, limit: int, among: Sequence[str] | None = None
    ) -> list[list[ScoredId]]:
        """Return one list a query, best first, ties by id; scores positive. A query without tokens finds nothing.

        `among` are the only chunks that are looked for, thousands if need be; permission holds for them too. How rare a
        word is may be counted among them alone.
        """
        ...

    def chunk_ids(self) -> set[str]:
        """Return every chunk id; for doctor."""
        ...

    def close(self) -> None: ...


class VectorStore(Protocol):
    """Dense vectors, filtered by principal inside the query.

    A *space* holds the vectors of one embedder; several may stand side by side while one replaces another.
    """

    def create_space(self, space: str, dimension: int) -> None:
        """Make a space if it is missing; nothing happens if it exists."""
        ...

    def spaces(self) -> list[str]:
        """Return the names of the spaces, sorted."""
        ...

    def drop_space(self, space: str) -> None:
        """Remove a space and its vectors; unknown names are ignored."""
        ...

    def upsert(self, rows: Sequence[VectorRow], space: str) -> None:
        """Write vectors; a chunk id already there is replaced. Durable and visible to searches on return."""
        ...

    def delete(self, chunk_ids: Sequence[str]) -> None:
        """Remove chunks from every space; unknown ids are ignored."""
        ...

    def optimise(self) -> None:
        """Make searches quick after many writes; changes no result."""
        ...

    def search(
        self, vectors: "np.ndarray", space: str, principal: Principal, limit: int, among: Sequence[str] | None = None
    ) -> list[list[ScoredId]]:
        """Cosine similarity: `vectors` is (queries, dimension); one list a query, best first, ties by id.

        An unknown space finds nothing: a running chat outlives the removal of its embedder's space. `among` as in `TextIndex`.
        """
        ...

    def chunk_ids(self, space: str) -> set[str]:
        """Return every chunk id of a space; for doctor."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class GraphChunk:
    """One chunk with the entities found in it."""

    chunk_id: str
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class GraphDocument:
    """All that the graph keeps of one document version."""

    document_id: str
    tenant: str
    groups: tuple[str, ...]
    title: str
    chunks: tuple[GraphChunk, ...]
    relations: tuple[Relation, ...] = ()
    """RELATED_TO links; both ends are keys of mentions of this document, others are left out."""
    topics: tuple[str, ...] = ()


class EntityNode(NamedTuple):
    """An entity that a principal can see, with its reach among the chunks that the principal may read."""

    key: str
    name: str
    """The spelling that most readable mentions carry; of equally frequent ones the smallest."""
    mentions: int
    """Readable chunks that mention it, in either role."""
    titles: int
    """Readable chunks that carry it as a title."""


class GraphEdge(NamedTuple):
    """MENTIONS: a chunk and an entity. A tuple: a search makes a thousand of them."""

    chunk_id: str
    key: str
    role: str
    position: int
    confidence: float


class ChunkEdges(NamedTuple):
    """What leads on from a chunk, and what the rest weighs."""

    edges: tuple[GraphEdge, ...]
    """By (position, key, role)."""
    lone_titles: int = 0
    """Edges left out of `edges` because nothing else has their entity: titles, and the confidence of mentions added up."""
    lone_mentions: float = 0.0

    @staticmethod
    def grouped(edges: Iterable[GraphEdge]) -> dict[str, "ChunkEdges"]:
        """Return edges, sorted by chunk, with none left out."""
        return {chunk_id: ChunkEdges(tuple(own)) for chunk_id, own in groupby(edges, attrgetter("chunk_id"))}


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """Whole-store counts, over all tenants."""

    documents: int
    chunks: int
    entities: int
    topics: int
    mentions: int
    relations: int


class GraphReads(Protocol):
    """What a question asks of a graph."""

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        """Return the readable entities among `keys`, sorted by key; unknown and unreadable keys are left out."""
        ...

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        """Return readable edges of each entity, at most `limit` a key: titles first, then confidence descending, then chunk id.

        Ties go by role. `role` keeps one role only. The whole list is sorted by (key, that order).
        """
        ...

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        """Return all edges of readable chunks, sorted by (chunk id, position, key, role)."""
        ...

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        """Return the edges of readable chunks that have any, by chunk id.

        A store may leave out edges to entities that no other edge of the tenant leads to, unless `named` holds their key: it
        says what those weigh.
        """
        ...


class GraphStore(GraphReads, Protocol):
    """Document -HAS_CHUNK-> Chunk -MENTIONS{confidence}-> Entity -RELATED_TO{relation_type, weight}-> Entity.

    Document -ABOUT-> Topic.
    Entities and topics belong to a tenant and vanish with their last source.
    """

    def upsert(self, documents: Sequence[GraphDocument]) -> None:
        """Add chunks and what they mention. A chunk id already there is replaced; other chunks of the document stay.

        Relations, topics, title and groups of the document are replaced, groups for the chunks it already has too. Atomic for
        the call; a retry changes nothing. Of a (key, role) given twice in a chunk, the first position, the highest confidence
        and the smallest name are kept. A document that would have no chunk is not kept. Raises ValueError for numbers that are
        not finite and StoreCorrupt for a document that the store holds for another tenant.
        """
        ...

    def delete_chunks(self, chunk_ids: Sequence[str]) -> None:
        """Remove chunks; a document goes with its last chunk (its relations and topics too), an entity with its last source."""
        ...

    def reads(self) -> GraphReads:
        """Return what one question reads: a committed state where the store keeps one at hand, else the store itself.

        It sees all that was written before this call; take another for the next question.
        """
        ...

    def relations_of(self, keys: Sequence[str], principal: Principal, limit: int) -> list[Relation]:
        """Return readable relations leaving `keys`, at most `limit` a key, sorted by (source, weight descending, target, type).

        Weights of a (source, target, type) are summed over the readable documents.
        """
        ...

    def title_reach(self, sample: int) -> dict[str, float]:
        """Return for each tenant with chunks the share of its first `sample` chunks (by id) that mention what titles another
        document.

        It tells whether titles mean anything in a corpus: near 0 where none are given or nobody writes them in a text.
        """
        ...

    def chunk_ids(self) -> set[str]:
        """Return every chunk id; for doctor."""
        ...

    def statistics(self) -> GraphStatistics: ...

    def digest(self) -> str:
        """Return a hash of everything stored, independent of insertion order; for doctor and crash tests."""
        ...

    def close(self) -> None: ...


class RawStore(Protocol):
    """The original files, by document id."""

    def put(self, document_id: str, tenant: str, name: str, path: Path) -> None:
        """Copy the newest original of a document from `path`; replaces an older one, never half."""
        ...

    def get(self, document_id: str) -> bytes | None: ...

    def delete(self, document_ids: Sequence[str]) -> None:
        """Remove originals; unknown ids are ignored."""
        ...

    def document_ids(self) -> set[str]: ...


class Notifier(Protocol):
    """Tells another system that something ended; never raises, returns whether it was delivered."""

    def notify(self, event: str, payload: Mapping[str, object]) -> bool: ...
