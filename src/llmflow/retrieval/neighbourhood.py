"""What the graph store says of the passages around one question, asked as seldom as possible."""

from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Protocol

from llmflow.ports import EntityNode, GraphEdge
from llmflow.types import Principal


class GraphReads(Protocol):
    """What a question asks of a GraphStore."""

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]: ...

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]: ...

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]: ...


class Neighbourhood:
    """Edges of passages and reach of entities for one question; each is asked for once."""

    def __init__(self, store: GraphReads, principal: Principal):
        self.store, self.principal = store, principal
        self._edges: dict[str, list[GraphEdge]] = {}
        self._nodes: dict[str, EntityNode | None] = {}

    def read(self, chunk_ids: Iterable[str]) -> None:
        """Read the edges of passages that will be asked for, all in one call to the store."""
        new = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in self._edges]
        if new:
            self._edges.update((chunk_id, []) for chunk_id in new)
            for chunk_id, edges in groupby(self.store.edges_of_chunks(new, self.principal), attrgetter("chunk_id")):
                self._edges[chunk_id] = list(edges)

    def edges_of_chunks(self, chunk_ids: Iterable[str]) -> list[GraphEdge]:
        """Return what the store's `edges_of_chunks` does."""
        wanted = sorted(set(chunk_ids))
        self.read(wanted)
        return list(chain.from_iterable(map(self._edges.__getitem__, wanted)))

    def find_entities(self, keys: Iterable[str]) -> list[EntityNode]:
        """Return what the store's `find_entities` does."""
        wanted = sorted(set(keys))
        new = [key for key in wanted if key not in self._nodes]
        if new:
            self._nodes.update(dict.fromkeys(new))
            self._nodes.update({node.key: node for node in self.store.find_entities(new, self.principal)})
        return [node for node in map(self._nodes.get, wanted) if node is not None]
