"""The graph without some passages: what a store would say had it never held them."""

from collections.abc import Collection, Sequence

from llmflow.ports import ChunkEdges, EntityNode, GraphEdge, GraphReads
from llmflow.types import Principal


class GraphWithout:
    """Reads of a graph for one question as if a few passages were not in it. Their edges are read once, and taken off."""

    def __init__(self, store: GraphReads, chunk_ids: Collection[str]):
        self._store = store
        self._left_out = frozenset(chunk_ids)
        self._edges: dict[str, list[GraphEdge]] | None = None

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        by_key = self._by_key(principal)
        nodes = []
        for node in self._store.find_entities(keys, principal):
            edges = by_key.get(node.key, ())
            mentions = node.mentions - len({edge.chunk_id for edge in edges})
            titles = node.titles - len({edge.chunk_id for edge in edges if edge.role == "title"})
            if mentions > 0:
                nodes.append(node._replace(mentions=mentions, titles=titles))
        return nodes

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        by_key = self._by_key(principal)
        more = max((len(by_key.get(key, ())) for key in keys), default=0)
        kept: dict[str, list[GraphEdge]] = {}
        for edge in self._store.edges_of_entities(keys, principal, limit + more, role) if limit > 0 else ():
            own = kept.setdefault(edge.key, [])
            if edge.chunk_id not in self._left_out and len(own) < limit:
                own.append(edge)
        return [edge for edges in kept.values() for edge in edges]

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        return self._store.edges_of_chunks(self._kept(chunk_ids), principal)

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        return self._store.leads_of_chunks(self._kept(chunk_ids), principal, named)

    def _kept(self, chunk_ids: Sequence[str]) -> list[str]:
        return [chunk_id for chunk_id in chunk_ids if chunk_id not in self._left_out]

    def _by_key(self, principal: Principal) -> dict[str, list[GraphEdge]]:
        if self._edges is None:
            self._edges = {}
            for edge in self._store.edges_of_chunks(sorted(self._left_out), principal):
                self._edges.setdefault(edge.key, []).append(edge)
        return self._edges
