"""What the graph store says of the passages around one question, asked as seldom as possible."""

from collections.abc import Collection, Iterable
from itertools import chain

from llmflow.ports import ChunkEdges, EntityNode, GraphEdge, GraphReads
from llmflow.types import Principal

NO_EDGES = ChunkEdges(())


class Neighbourhood:
    """Edges of passages and reach of entities for one question; each is asked for once."""

    def __init__(self, store: GraphReads, principal: Principal, named: Collection[str] = ()):
        """`named` are the keys that the question names: edges to them are never left out."""
        self.store, self.principal, self._named = store, principal, named
        self._edges: dict[str, ChunkEdges] = {}
        self._nodes: dict[str, EntityNode | None] = {}

    def read(self, chunk_ids: Iterable[str]) -> None:
        """Read the edges of passages that will be asked for, all in one call to the store."""
        new = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in self._edges]
        if new:
            self._edges.update(dict.fromkeys(new, NO_EDGES))
            self._edges.update(self.store.leads_of_chunks(new, self.principal, self._named))

    def edges_of_chunks(self, chunk_ids: Iterable[str]) -> list[GraphEdge]:
        """Return the edges that may lead on, sorted as the store's `edges_of_chunks`."""
        wanted = sorted(set(chunk_ids))
        self.read(wanted)
        return list(chain.from_iterable(self._edges[chunk_id].edges for chunk_id in wanted))

    def lone_weights(self, chunk_ids: Iterable[str], title_edge: float) -> dict[str, float]:
        """Return what the other edges of passages weigh, by chunk id; passages without such edges are left out."""
        held = ((chunk_id, self._edges.get(chunk_id, NO_EDGES)) for chunk_id in chunk_ids)
        return {
            chunk_id: own.lone_titles * title_edge + own.lone_mentions
            for chunk_id, own in held
            if own.lone_titles or own.lone_mentions
        }

    def find_entities(self, keys: Collection[str]) -> dict[str, EntityNode]:
        """Return the readable entities among `keys` by key, in the order of `keys`."""
        new = [key for key in keys if key not in self._nodes]
        if new:
            self._nodes.update(dict.fromkeys(new))
            self._nodes.update((node.key, node) for node in self.store.find_entities(new, self.principal))
        return {key: node for key in keys if (node := self._nodes[key]) is not None}
