"""What the graph store says of the passages around one question, asked as seldom as possible."""

from collections.abc import Iterable

from llmflow.ports import GraphEdge, GraphStore
from llmflow.types import Principal


class Neighbourhood:
    """Edges of passages for one question; each passage is asked for once."""

    def __init__(self, store: GraphStore, principal: Principal):
        self._store, self._principal = store, principal
        self._edges: dict[str, list[GraphEdge]] = {}

    def read(self, chunk_ids: Iterable[str]) -> None:
        """Read the edges of passages that will be asked for, all in one call to the store."""
        new = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in self._edges]
        if new:
            self._edges.update((chunk_id, []) for chunk_id in new)
            for edge in self._store.edges_of_chunks(new, self._principal):
                self._edges[edge.chunk_id].append(edge)

    def edges_of_chunks(self, chunk_ids: Iterable[str]) -> list[GraphEdge]:
        """Return what the store's `edges_of_chunks` does."""
        wanted = sorted(set(chunk_ids))
        self.read(wanted)
        return [edge for chunk_id in wanted for edge in self._edges[chunk_id]]
