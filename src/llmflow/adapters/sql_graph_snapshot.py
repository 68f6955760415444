"""The graph of a small corpus in memory: what a search asks of it, answered as the tables would."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, NamedTuple

import orjson

from llmflow.adapters.graph_rows import TITLE_ROLE, entity_order
from llmflow.ports import ChunkEdges, EntityNode, GraphEdge
from llmflow.types import Principal

READER_SETS = 64
"""Sets of access sets for which entities are kept counted; beyond, the oldest is counted anew."""

Spelling = tuple[int, int, EntityNode]
"""Access set, edges, and the entity as whoever reads nothing else of it sees it."""


class ChunkNode(NamedTuple):
    access: int
    """Its access set."""
    edges: tuple[GraphEdge, ...]
    leads: ChunkEdges
    """Without the edges to what no other edge of the tenant leads to, whoever asks."""


@dataclass(frozen=True, slots=True)
class GraphSnapshot:
    """One state of the tables. Every call filters by the access sets that its principal may read, as the statements do."""

    access: dict[tuple[str, str], list[int]]
    """Access sets by (tenant, group)."""
    chunks: dict[str, ChunkNode]
    """By chunk id."""
    spellings: dict[str, dict[str, list[Spelling]]]
    """By tenant and key."""
    edges: dict[str, dict[str, list[tuple[int, GraphEdge]]]]
    """Access set and edge by tenant and key, the best first."""
    counted: dict[frozenset[int], dict[str, EntityNode | None]] = field(default_factory=dict)
    """Entities as some readers see them, filled as they are asked for; threads that do so at once count the same."""

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        readable = self._readable(principal)
        seen = self.counted.get(readable)
        if seen is None:
            while len(self.counted) >= READER_SETS:
                self.counted.pop(next(iter(self.counted)), None)
            seen = self.counted[readable] = {}
        own = self.spellings.get(principal.tenant, {})
        wanted = sorted(dict.fromkeys(keys))
        for key in wanted:
            if key not in seen and key in own:
                seen[key] = _seen_by(readable, own[key])
        return [node for node in map(seen.get, wanted) if node is not None]

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        readable = self._readable(principal)
        own = self.edges.get(principal.tenant, {})
        found: list[GraphEdge] = []
        for key in sorted(dict.fromkeys(keys)):
            rows = iter(own.get(key, ()))
            if role == TITLE_ROLE:  # they come first: the hundreds of mentions behind them need no look
                rows = takewhile(lambda row: row[1].role == TITLE_ROLE, rows)
            fitting = (edge for access, edge in rows if access in readable and (role is None or edge.role == role))
            found += islice(fitting, max(limit, 0))
        return found

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        readable = self._readable(principal)
        found: list[GraphEdge] = []
        for chunk_id in sorted(dict.fromkeys(chunk_ids)):
            node = self.chunks.get(chunk_id)
            if node is not None and node.access in readable:
                found += node.edges
        return found

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        readable = self._readable(principal)
        nodes = ((chunk_id, self.chunks.get(chunk_id)) for chunk_id in chunk_ids)
        found = {key: node.leads for key, node in nodes if node is not None and node.edges and node.access in readable}
        own = self.edges.get(principal.tenant, {})
        for chunk_id in {rows[0][1].chunk_id for key in named if len(rows := own.get(key, ())) == 1}:
            if chunk_id in found:
                found[chunk_id] = _leads(self.chunks[chunk_id].edges, own, named)
        return found

    def _readable(self, principal: Principal) -> frozenset[int]:
        tenant = principal.tenant
        return frozenset(number for group in principal.readable_groups for number in self.access.get((tenant, group), ()))


def _seen_by(readable: frozenset[int], rows: Sequence[Spelling]) -> EntityNode | None:
    own = rows if len(rows) == 1 and rows[0][0] in readable else [row for row in rows if row[0] in readable]
    if len(own) <= 1:
        return own[0][2] if own else None
    return node_of(own[0][2].key, [(count, *node[1:]) for _, count, node in own])


def _leads(edges: Sequence[GraphEdge], own: Mapping[str, Sequence[object]], named: Collection[str] = ()) -> ChunkEdges:
    """Return the edges of a chunk without those whose entity has no other edge in `own` and is not named."""
    alone = [edge for edge in edges if len(own[edge.key]) == 1 and edge.key not in named]
    kept = tuple(edge for edge in edges if len(own[edge.key]) > 1 or edge.key in named)
    mentions = [edge.confidence for edge in alone if edge.role != TITLE_ROLE]
    return ChunkEdges(kept, len(alone) - len(mentions), sum(mentions))


def node_of(key: str, rows: Sequence[tuple[int, str, int, int]]) -> EntityNode | None:
    """Return an entity from its readable (edges, name, mentions, titles) by access set and spelling; None without any."""
    if len(rows) <= 1:
        return EntityNode(key, *rows[0][1:]) if rows else None
    edges: dict[str, int] = {}
    for count, name, *_ in rows:
        edges[name] = edges.get(name, 0) + count
    name = min(edges, key=lambda name: (-edges[name], name))
    return EntityNode(key, name, mentions=sum(row[2] for row in rows), titles=sum(row[3] for row in rows))


def read_snapshot(connection: sqlite3.Connection) -> GraphSnapshot:
    """Return what the tables hold in the connection's transaction."""
    access: dict[tuple[str, str], list[int]] = {}
    for tenant, group, number in connection.execute("SELECT tenant, name, access_id FROM graph_access_group"):
        access.setdefault((tenant, group), []).append(number)
    tenant_of = dict(connection.execute("SELECT id, tenant FROM graph_access"))
    spellings: dict[str, dict[str, list[Spelling]]] = {}
    one: dict[Any, Any] = {}  # each key and confidence once in memory, however many edges carry it
    reach = connection.execute(
        "SELECT e.key, r.access_id, r.edges, s.name, r.mentions, r.titles FROM graph_reach r "
        "JOIN graph_entity e ON e.id = r.entity_no JOIN graph_spelling s ON s.id = r.spelling_no"
    )
    for key, *row in reach:
        key = one.setdefault(key, key)
        number, count, *reached = row
        spellings.setdefault(tenant_of[number], {}).setdefault(key, []).append((number, count, EntityNode(key, *reached)))
    read: dict[str, tuple[int, tuple[GraphEdge, ...]]] = {}
    by_entity: dict[str, dict[str, list[tuple[int, GraphEdge]]]] = {}
    for chunk_id, number, text in connection.execute("SELECT chunk_id, access_id, edges FROM graph_chunk"):
        edges = tuple(_edges(chunk_id, text, one))
        read[chunk_id] = number, edges
        own = by_entity.setdefault(tenant_of[number], {})
        for edge in edges:
            own.setdefault(edge.key, []).append((number, edge))
    for own in by_entity.values():
        for rows in own.values():
            rows.sort(key=lambda row: entity_order(row[1]))
    chunks = {
        chunk_id: ChunkNode(number, edges, _leads(edges, by_entity[tenant_of[number]]))
        for chunk_id, (number, edges) in read.items()
    }
    return GraphSnapshot(access, chunks, spellings, by_entity)


def _edges(chunk_id: str, text: str, one: dict[Any, Any]) -> Iterable[GraphEdge]:
    for key, role, position, weight in orjson.loads(text):
        yield GraphEdge(chunk_id, one.setdefault(key, key), one.setdefault(role, role), position, one.setdefault(weight, weight))
