"""The graph channel: from the question's entities over bridge entities to passages, ranked by personalised PageRank.

No language model takes part. The neighbourhood of one question is read through the GraphStore port, so the cost follows the
neighbourhood and not the corpus. Dense and full-text scores enter the reset vector with a low weight instead of being fused
with the finished list (docs/LOG.md: equal-vote fusion threw the gain away).
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from pydantic import Field

from llmflow.config import Settings
from llmflow.ports import EntityNode, GraphEdge, GraphReads
from llmflow.retrieval.entities import EntitySettings, question_candidates
from llmflow.retrieval.fusion import best_first
from llmflow.retrieval.neighbourhood import Neighbourhood
from llmflow.retrieval.page_rank import page_rank
from llmflow.retrieval.reader import Reader
from llmflow.retrieval.tokens import Morpheme
from llmflow.types import Principal


class GraphSettings(Settings):
    """Weights of the graph channel. Tuned on the musique and hotpotqa training sets only (docs/LOG.md)."""

    hops: int = Field(default=2, ge=0, le=3)
    beam: int = Field(default=6, ge=1)
    """Bridge entities followed at each hop."""
    titled: int = Field(default=3, ge=1)
    """Passages read for each entity that titles them."""
    seeds: int = Field(default=8, ge=0)
    """Best full-text and dense passages that the walk may start from besides the titled ones."""
    pool: int = Field(default=40, ge=1)
    """Best full-text and dense passages that take part in the ranking."""
    seed_weight: float = Field(default=0.5, ge=0)
    added_floor: float = Field(default=0.2, ge=0)
    bridge_strength: float = Field(default=0.5, ge=0, le=1)
    """Say of the graph when no entity of the question titles a passage but bridges led to titled ones, over the root of how many
    passages the most telling of them titles."""
    shared_strength: float = Field(default=0.25, ge=0, le=1)
    """Say of the graph when all that led on was what passages have in common."""
    hop_decay: float = Field(default=0.7, gt=0, le=1)
    near_floor: float = Field(default=0.05, ge=0)
    title_edge: float = Field(default=1.0, gt=0)
    """Weight of an edge between a passage and its title; mentions weigh their confidence."""
    reach: float = Field(default=80.0, gt=0)
    """Characters over which nearness falls by e."""
    damping: float = Field(default=0.6, gt=0, lt=1)
    iterations: int = Field(default=12, ge=1)
    entity_weight: float = Field(default=1.0, ge=0)
    passage_weight: float = Field(default=1.0, ge=0)
    bridge_weight: float = Field(default=1.0, ge=0)
    lexical_weight: float = Field(default=1.0, ge=0)
    meaningful_titles: float = Field(default=0.2, gt=0, le=1)
    """Share of a corpus's passages that must mention the title of another document for its titles to count in full; below, the
    graph takes back what it says of titles in proportion."""
    own_name: float = Field(default=0.75, ge=0, le=1)
    """Worth of a bridge that names the passage it starts from: it leads to look-alikes more often than onwards."""
    shared_reach: int = Field(default=20, ge=0)
    """Entities that at most this many passages mention lead to all of them: what two documents have in common without either
    being named after it. 0 follows titles only."""
    shared_beam: int = Field(default=6, ge=0)
    """Entities followed this way at each hop, those first that could lead furthest."""
    shared_worth: float = Field(default=0.6, ge=0)
    """Worth of such a step against one to a titled passage; it falls with the root of the number of other passages."""
    shared_floor: float = Field(default=0.1, ge=0)
    hub: int = Field(default=200, ge=1)
    """Entities that more passages mention are too common to lead anywhere unless they title something."""


@dataclass(frozen=True, slots=True)
class GraphResult:
    """What the graph says of passages."""

    scores: Mapping[str, float]
    """Personalised PageRank, 1 the best."""
    strength: float
    """How far the question's entities single out passages by title, 0 to 1; a name that many passages carry says little."""
    links: Mapping[str, Mapping[str, float]]
    """Passages that bridges lead to, with the passages that they are reached from and how good the step is, 0 to 1."""
    reader: Reader
    """Where the question's words stand in the passages that were read."""


@dataclass(frozen=True, slots=True)
class Approach:
    """What a walk starts from."""

    specific: Mapping[str, float]
    """How specific each entity of the question is, by key."""
    known: Sequence[EntityNode]
    """Those that the graph holds."""
    titled: Mapping[str, Sequence[str]]
    """The passages that each of them titles."""
    nearby: Neighbourhood
    reader: Reader


class _Bridge(NamedTuple):
    """An entity that leads from a passage to others."""

    node: EntityNode
    origin: str
    """The passage that mentions it."""
    score: float


@dataclass(frozen=True, slots=True)
class GraphChannel:
    """The channel over one graph store."""

    store: GraphReads
    settings: GraphSettings
    entities: EntitySettings

    def approach(
        self, question: str, found: Sequence[Morpheme] | None, likely: Sequence[str], principal: Principal, reader: Reader
    ) -> Approach:
        """Return where a walk for this question starts. `found` is Kiwi's analysis of it, `reader` looks for its words.

        The surroundings of `likely` passages, best first, are read ahead, which changes no score: full text answers before the
        other channels do, and the time would be spent waiting.
        """
        specific = {item.key: item.specific for item in question_candidates(question, found, self.entities)}
        nearby = Neighbourhood(self.store, principal, specific)
        known = _longest(nearby.find_entities(sorted(specific)).values(), self.settings.hub)
        titled = self._titled([node for node in known if node.titles], principal)
        first = [
            *likely[: self.settings.seeds],
            *(chunk_id for key in titled if specific[key] == 1.0 for chunk_id in titled[key]),
        ]
        nearby.read([*first, *likely[: self.settings.pool]])
        if likely:
            nearby.find_entities(dict.fromkeys(edge.key for edge in nearby.edges_of_chunks(first) if edge.role != "title"))
            reader.scan([*first, *likely[: self.settings.pool]])
        return Approach(specific, known, titled, nearby, reader)

    def score(self, approach: Approach, lexical: Mapping[str, float], title_reach: float = 1.0) -> GraphResult:
        """Return graph scores of the passages around a question; none when it names nothing that the graph knows.

        `lexical` are the passage scores of the other channels between 0 and 1, `title_reach` what titles mean in this corpus
        (ports.GraphStore). Passages outside `lexical` may come back: those are the channel's own finds.
        """
        specific, known, start = approach.specific, approach.known, approach.titled
        nearby, reader = approach.nearby, approach.reader
        best = best_first(lexical)
        trust = min(1.0, title_reach / self.settings.meaningful_titles)
        passages: dict[str, float] = {}
        for key, chunk_ids in start.items():
            for chunk_id in chunk_ids:
                if specific[key] == 1.0 and trust:  # single common words title too much to start from
                    passages[chunk_id] = trust
        frontier = dict(passages)
        for chunk_id in best[: self.settings.seeds]:
            frontier[chunk_id] = max(frontier.get(chunk_id, 0.0), self.settings.seed_weight * lexical[chunk_id])
        reader.read([*best[: self.settings.pool], *passages])
        nearby.read([*frontier, *best[: self.settings.pool]])
        links: dict[str, dict[str, float]] = {}
        bridges: dict[str, float] = {}
        visited = {node.key for node in known}
        led_by_title = 0.0
        top = 0.0  # of all hops: a weak step does not become a strong one by being the best of its hop
        for hop in range(self.settings.hops):
            found_bridges = self._bridges(frontier, visited, reader, nearby)
            reached = self._reach(found_bridges, reader, nearby.principal)
            top = max([top, *(value for *_, value in reached)])
            reached = [(bridge, chunk_id, value / top) for bridge, chunk_id, value in reached]
            decay = self.settings.hop_decay**hop
            frontier = {}
            for bridge, chunk_id, value in reached:
                origins = links.setdefault(chunk_id, {})
                origins[bridge.origin] = max(origins.get(bridge.origin, 0.0), decay * value)
                if bridge.node.titles:
                    led_by_title = max(led_by_title, 1 / math.sqrt(bridge.node.titles))
                bridges[bridge.node.key] = max(bridges.get(bridge.node.key, 0.0), decay * value)
                if decay * value > passages.get(chunk_id, 0.0):
                    passages[chunk_id] = frontier[chunk_id] = decay * value
            if not frontier:
                break
        if not known and not bridges:
            return GraphResult({}, 0.0, {}, reader)
        pool = list(dict.fromkeys([*passages, *best[: self.settings.pool]]))
        edges = nearby.edges_of_chunks(pool)
        named = {node.key: specific[node.key] / math.log(2 + node.mentions) for node in known}
        likely = {chunk_id: lexical[chunk_id] for chunk_id in best[: self.settings.pool]}
        reset = _reset(named, passages, bridges, likely, self.settings)
        titles = {node.key: node.titles for node in known}
        named_strength = max((specific[key] / math.sqrt(titles[key]) for key in start), default=0.0)
        strength = max(
            trust * max(named_strength, self.settings.bridge_strength * led_by_title),
            self.settings.shared_strength if bridges else 0.0,
        )
        lone = nearby.lone_weights(pool, self.settings.title_edge)
        ranks = page_rank(pool, edges, lone, reset, self.settings.title_edge, self.settings.damping, self.settings.iterations)
        return GraphResult(ranks, strength, links, reader)

    def _titled(self, nodes: Sequence[EntityNode], principal: Principal) -> dict[str, list[str]]:
        """Return the passages that each entity titles, by key."""
        titled: dict[str, list[str]] = {}
        keys = [node.key for node in nodes if node.titles]
        for edge in self.store.edges_of_entities(keys, principal, self.settings.titled, role="title"):
            titled.setdefault(edge.key, []).append(edge.chunk_id)
        return titled

    def _bridges(self, frontier: Mapping[str, float], visited: set[str], reader: Reader, nearby: Neighbourhood) -> list[_Bridge]:
        """Return entities mentioned in the frontier that title other passages, then those that few others mention too.

        Of both kinds those come first that stand nearest to the question's words.
        """
        every = nearby.edges_of_chunks(frontier)
        own = {(edge.chunk_id, edge.key) for edge in every if edge.role == "title"}
        edges = [edge for edge in every if edge.role != "title" and edge.key not in visited]
        found = nearby.find_entities(dict.fromkeys(edge.key for edge in edges))
        nodes = {key: node for key, node in found.items() if node.titles or self._is_shared(node)}
        edges = [edge for edge in edges if edge.key in nodes]
        reader.read([edge.chunk_id for edge in edges])
        best: dict[str, _Bridge] = {}
        for edge in edges:
            near = reader.nearness(edge.chunk_id, edge.position, self.settings.reach)
            value = frontier[edge.chunk_id] * edge.confidence * (self.settings.near_floor + near)
            value *= self.settings.own_name if (edge.chunk_id, edge.key) in own else 1.0
            if value > (best[edge.key].score if edge.key in best else 0.0):
                best[edge.key] = _Bridge(nodes[edge.key], edge.chunk_id, value)
        ranked = sorted(best.values(), key=lambda bridge: (-bridge.score, bridge.node.key))
        width = self.settings.beam * 2
        titled = [bridge for bridge in ranked if bridge.node.titles][:width]
        shared = [bridge for bridge in ranked if self._is_shared(bridge.node)]
        shared = sorted(shared, key=lambda bridge: (-bridge.score * self._shared_worth(bridge.node), bridge.node.key))
        return list(dict.fromkeys([*titled, *shared[: self.settings.shared_beam]]))

    def _shared_worth(self, node: EntityNode) -> float:
        return self.settings.shared_worth / math.sqrt(node.mentions - 1)

    def _is_shared(self, node: EntityNode) -> bool:
        return 1 < node.mentions <= self.settings.shared_reach

    def _reach(self, bridges: Sequence[_Bridge], reader: Reader, principal: Principal) -> list[tuple[_Bridge, str, float]]:
        """Return (bridge, passage, value above 0) of the best passages that bridges lead to, best first.

        A passage counts for what it adds: the question's words that the passage before it does not hold.
        """
        titled = self._titled([bridge.node for bridge in bridges], principal)
        shared = [bridge.node.key for bridge in bridges if self._is_shared(bridge.node)]
        edges = self.store.edges_of_entities(shared, principal, self.settings.shared_reach, role="mention") if shared else []
        reader.read([*(chunk_id for chunk_ids in titled.values() for chunk_id in chunk_ids), *(edge.chunk_id for edge in edges)])
        missing = {origin: reader.missing(origin) for origin in dict.fromkeys(bridge.origin for bridge in bridges)}
        found = [*self._reach_titled(bridges, titled, reader, missing), *self._reach_shared(bridges, edges, reader, missing)]
        best: dict[tuple[str, str], tuple[_Bridge, str, float]] = {}
        for step in found:
            place = step[0].node.key, step[1]
            if step[2] > (best[place][2] if place in best else 0.0):
                best[place] = step
        ranked = sorted(best.values(), key=lambda step: (-step[2], step[1], step[0].node.key))
        return ranked[: self.settings.beam]

    def _reach_titled(
        self,
        bridges: Sequence[_Bridge],
        titled: Mapping[str, Sequence[str]],
        reader: Reader,
        missing: Mapping[str, Mapping[str, float]],
    ) -> Iterator[tuple[_Bridge, str, float]]:
        for bridge in bridges:
            words = missing[bridge.origin]
            for chunk_id in titled.get(bridge.node.key, ()):
                if not reader.same_document(chunk_id, bridge.origin):
                    yield bridge, chunk_id, bridge.score * (self.settings.added_floor + reader.held(words, chunk_id))

    def _reach_shared(
        self,
        bridges: Sequence[_Bridge],
        edges: Sequence[GraphEdge],
        reader: Reader,
        missing: Mapping[str, Mapping[str, float]],
    ) -> Iterator[tuple[_Bridge, str, float]]:
        """Yield steps to passages that mention what a bridge is; half of what they add must stand near the mention."""
        shared = {bridge.node.key: bridge for bridge in bridges}
        for key, own in groupby(edges, attrgetter("key")):
            bridge = shared[key]
            words = missing[bridge.origin]
            worth = bridge.score * self._shared_worth(bridge.node)
            for edge in own:
                if not reader.same_document(edge.chunk_id, bridge.origin):
                    added = reader.held_near(words, edge.chunk_id, edge.position, self.settings.reach)
                    yield bridge, edge.chunk_id, worth * (self.settings.shared_floor + added)


def _longest(nodes: Iterable[EntityNode], hub: int) -> list[EntityNode]:
    """Drop entities named inside a longer known one, and hubs that title nothing."""
    useful = [node for node in nodes if node.titles or node.mentions <= hub]
    keys = [f" {node.key} " for node in useful]
    return [n for n, key in zip(useful, keys, strict=True) if not any(key != other and key.strip() in other for other in keys)]


def _reset(
    named: Mapping[str, float],
    passages: Mapping[str, float],
    bridges: Mapping[str, float],
    likely: Mapping[str, float],
    settings: GraphSettings,
) -> dict[str, float]:
    """Return the reset vector by node: entities as `e:key`, passages by id. Its parts sum to their weights."""
    reset: dict[str, float] = {}

    def add(values: Mapping[str, float], weight: float, prefix: str = "") -> None:
        total = sum(values.values())
        for key, value in values.items() if total > 0 else ():
            reset[prefix + key] = reset.get(prefix + key, 0.0) + weight * value / total

    add(named, settings.entity_weight, "e:")
    add(bridges, settings.bridge_weight, "e:")
    add(passages, settings.passage_weight)
    add({key: value**2 for key, value in likely.items()}, settings.lexical_weight)
    return reset
