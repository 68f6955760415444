"""The graph of chosen passages: what a store says of them, as if it held nothing else."""

from collections.abc import Collection, Sequence

from llmflow.ports import ChunkEdges, EntityNode, GraphEdge, GraphReads
from llmflow.types import Principal


class GraphWithin:
    """Reads of a graph for one question about chosen passages, all from the passages' own edges, which are read once.

    A store knows how many passages of a reader an entity reaches, not how many of a document: among a few passages it is counted.
    """

    def __init__(self, store: GraphReads, chunk_ids: Sequence[str]):
        self._store = store
        self._chunk_ids = chunk_ids
        self._chosen = frozenset(chunk_ids)
        self._edges: dict[str, list[GraphEdge]] | None = None

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        by_key = self._by_key(principal)
        found = [(key, by_key[key]) for key in sorted(set(keys)) if key in by_key]
        return [
            EntityNode(
                key,
                key,  # the channel looks at no spelling
                len({edge.chunk_id for edge in edges}),
                len({edge.chunk_id for edge in edges if edge.role == "title"}),
            )
            for key, edges in found
        ]

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        by_key = self._by_key(principal)
        found: list[GraphEdge] = []
        for key in sorted(set(keys)):
            edges = [edge for edge in by_key.get(key, ()) if role in (None, edge.role)]
            found += sorted(edges, key=_worth)[: max(0, limit)]
        return found

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        return self._store.edges_of_chunks([chunk_id for chunk_id in chunk_ids if chunk_id in self._chosen], principal)

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        return ChunkEdges.grouped(self.edges_of_chunks(chunk_ids, principal))

    def _by_key(self, principal: Principal) -> dict[str, list[GraphEdge]]:
        if self._edges is None:
            self._edges = {}
            for edge in self._store.edges_of_chunks(self._chunk_ids, principal):
                self._edges.setdefault(edge.key, []).append(edge)
        return self._edges


def _worth(edge: GraphEdge) -> tuple[bool, float, str, str]:
    """Titles first, then the surest mention, then by chunk id and role: as a store orders the edges of an entity."""
    return edge.role != "title", -edge.confidence, edge.chunk_id, edge.role
