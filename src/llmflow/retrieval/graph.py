"""The graph channel: from the question's entities over bridge entities to passages, ranked by personalised PageRank.

No language model takes part. The neighbourhood of one question is read through the GraphStore port, so the cost follows the
neighbourhood and not the corpus. Dense and full-text scores enter the reset vector with a low weight instead of being fused
with the finished list (docs/LOG.md: equal-vote fusion threw the gain away).
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from llmflow.config import Settings
from llmflow.ports import EntityNode, GraphEdge, GraphStore
from llmflow.retrieval.entities import EntitySettings, question_candidates
from llmflow.retrieval.proximity import apart, nearness, paragraph_breaks, word_positions
from llmflow.retrieval.tokens import Morpheme
from llmflow.types import Chunk, Principal

Texts = Callable[[Sequence[str]], Mapping[str, Chunk]]
"""Chunk ids to those chunks that are served and readable."""


class GraphSettings(Settings):
    """Weights of the graph channel. Tuned on the musique and hotpotqa training sets only (docs/LOG.md)."""

    hops: int = Field(default=2, ge=0, le=3)
    beam: int = Field(default=8, ge=1)
    """Bridge entities followed at each hop."""
    titled: int = Field(default=3, ge=1)
    """Passages read for each entity that titles them."""
    seeds: int = Field(default=5, ge=0)
    """Best full-text and dense passages that the walk may start from besides the titled ones."""
    pool: int = Field(default=50, ge=1)
    """Best full-text and dense passages that take part in the ranking."""
    seed_weight: float = Field(default=0.5, ge=0)
    added_floor: float = Field(default=0.2, ge=0)
    untitled_strength: float = Field(default=0.5, ge=0, le=1)
    """Say of the graph when no entity of the question titles a passage and only bridges led somewhere."""
    hop_decay: float = Field(default=0.7, gt=0, le=1)
    near_floor: float = Field(default=0.05, ge=0)
    title_edge: float = Field(default=1.0, gt=0)
    """Weight of an edge between a passage and its title; mentions weigh their confidence."""
    reach: float = Field(default=80.0, gt=0)
    """Characters over which nearness falls by e."""
    damping: float = Field(default=0.5, gt=0, lt=1)
    iterations: int = Field(default=12, ge=1)
    entity_weight: float = Field(default=1.0, ge=0)
    passage_weight: float = Field(default=1.0, ge=0)
    bridge_weight: float = Field(default=1.0, ge=0)
    lexical_weight: float = Field(default=1.0, ge=0)
    own_name: float = Field(default=0.75, ge=0, le=1)
    """Worth of a bridge that names the passage it starts from: it leads to look-alikes more often than onwards."""
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
    reader: "Reader"
    """Where the question's words stand in the passages that were read."""


@dataclass(frozen=True, slots=True)
class _Bridge:
    """An entity that leads from a passage to the passages it titles."""

    node: EntityNode
    origin: str
    """The passage that mentions it."""
    score: float


@dataclass(frozen=True, slots=True)
class GraphChannel:
    """The channel over one graph store."""

    store: GraphStore
    settings: GraphSettings
    entities: EntitySettings

    def score(
        self,
        question: str,
        found: Sequence[Morpheme] | None,
        words: Sequence[str],
        lexical: Mapping[str, float],
        texts: Texts,
        principal: Principal,
    ) -> GraphResult:
        """Return graph scores of the passages around a question; none when it names nothing that the graph knows.

        `found` is Kiwi's analysis of the question, `words` its analysed tokens, `lexical` the passage scores of the other
        channels between 0 and 1. Passages outside `lexical` may come back: those are the channel's own finds.
        """
        candidates = question_candidates(question, found, self.entities)
        specific = {candidate.key: candidate.specific for candidate in candidates}
        known = _longest(self.store.find_entities(list(specific), principal), self.settings.hub)
        best = sorted(lexical, key=lambda chunk_id: (-lexical[chunk_id], chunk_id))
        start = self._titled([node for node in known if node.titles], principal)
        passages: dict[str, float] = {}
        for key, chunk_ids in start.items():
            for chunk_id in chunk_ids:
                if specific[key] == 1.0:  # single common words title too much to start from
                    passages[chunk_id] = 1.0
        frontier = dict(passages)
        for chunk_id in best[: self.settings.seeds]:
            frontier[chunk_id] = max(frontier.get(chunk_id, 0.0), self.settings.seed_weight * lexical[chunk_id])
        reader = Reader(words, texts)
        reader.read([*best[: self.settings.pool], *passages])
        links: dict[str, dict[str, float]] = {}
        bridges: dict[str, float] = {}
        visited = {node.key for node in known}
        top = 0.0  # of all hops: a weak step does not become a strong one by being the best of its hop
        for hop in range(self.settings.hops):
            found_bridges = self._bridges(frontier, visited, reader, principal)
            reached = self._reach(found_bridges, reader, principal)
            top = max([top, *(value for *_, value in reached)])
            reached = [(bridge, chunk_id, value / top) for bridge, chunk_id, value in reached]
            decay = self.settings.hop_decay**hop
            frontier = {}
            for bridge, chunk_id, value in reached:
                origins = links.setdefault(chunk_id, {})
                origins[bridge.origin] = max(origins.get(bridge.origin, 0.0), decay * value)
                bridges[bridge.node.key] = max(bridges.get(bridge.node.key, 0.0), decay * value)
                if decay * value > passages.get(chunk_id, 0.0):
                    passages[chunk_id] = frontier[chunk_id] = decay * value
            if not frontier:
                break
        if not known and not bridges:
            return GraphResult({}, 0.0, {}, reader)
        pool = list(dict.fromkeys([*passages, *best[: self.settings.pool]]))
        edges = self.store.edges_of_chunks(pool, principal)
        named = {node.key: specific[node.key] / math.log(2 + node.mentions) for node in known}
        reset = _reset(named, passages, bridges, lexical, self.settings)
        titles = {node.key: node.titles for node in known}
        strength = max((specific[key] / math.sqrt(titles[key]) for key in start), default=0.0)
        strength = max(strength, self.settings.untitled_strength if bridges else 0.0)
        return GraphResult(page_rank(pool, edges, reset, self.settings), strength, links, reader)

    def _titled(self, nodes: Sequence[EntityNode], principal: Principal) -> dict[str, list[str]]:
        """Return the passages that each entity titles, by key."""
        titled: dict[str, list[str]] = {}
        keys = [node.key for node in nodes if node.titles]
        for edge in self.store.edges_of_entities(keys, principal, self.settings.titled, role="title"):
            titled.setdefault(edge.key, []).append(edge.chunk_id)
        return titled

    def _bridges(self, frontier: Mapping[str, float], visited: set[str], reader: "Reader", principal: Principal) -> list[_Bridge]:
        """Return entities mentioned in the frontier that title other passages, those nearest to the question's words first."""
        every = self.store.edges_of_chunks(list(frontier), principal)
        own = {(edge.chunk_id, edge.key) for edge in every if edge.role == "title"}
        edges = [edge for edge in every if edge.role != "title" and edge.key not in visited]
        nodes = {n.key: n for n in self.store.find_entities(sorted({e.key for e in edges}), principal) if n.titles}
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
        return ranked[: self.settings.beam * 2]

    def _reach(self, bridges: Sequence[_Bridge], reader: "Reader", principal: Principal) -> list[tuple[_Bridge, str, float]]:
        """Return (bridge, passage, value above 0) of the best passages that bridges title, best first.

        A passage counts for what it adds: the question's words that the passage before it does not hold.
        """
        titled = self._titled([bridge.node for bridge in bridges], principal)
        reader.read([chunk_id for chunk_ids in titled.values() for chunk_id in chunk_ids])
        found = []
        for bridge in bridges:
            for chunk_id in titled.get(bridge.node.key, ()):
                if not reader.same_document(chunk_id, bridge.origin):
                    added = reader.added(bridge.origin, chunk_id)
                    found.append((bridge, chunk_id, bridge.score * (self.settings.added_floor + added)))
        found.sort(key=lambda item: (-item[2], item[1], item[0].node.key))
        return [item for item in found[: self.settings.beam] if item[2] > 0]


class Reader:
    """Where the question's words stand in the passages read so far, and how telling each word is among them."""

    def __init__(self, words: Sequence[str], texts: Texts):
        self._words = tuple(dict.fromkeys(words))
        self._texts = texts
        self._positions: dict[str, dict[str, list[int]]] = {}
        self._breaks: dict[str, list[int]] = {}
        self._documents: dict[str, str] = {}
        self._weights: dict[str, float] = {}

    def same_document(self, one: str, other: str) -> bool:
        """Return whether two passages were read and belong together: a document cannot lead on to itself."""
        return one == other or self._documents.get(one, one) == self._documents.get(other, other)

    def read(self, chunk_ids: Sequence[str]) -> None:
        new = sorted(set(chunk_ids) - set(self._positions))
        for chunk_id, chunk in self._texts(new).items():
            breaks = self._breaks[chunk_id] = paragraph_breaks(chunk.text)
            found = word_positions(chunk.text, self._words)
            self._positions[chunk_id] = {word: [apart(place, breaks) for place in places] for word, places in found.items()}
            self._documents[chunk_id] = chunk.document_id
        if not self._weights and self._positions:
            self._weights = _word_weights(self._words, list(self._positions.values()))

    def nearness(self, chunk_id: str, place: int, reach: float) -> float:
        return nearness(self._positions.get(chunk_id, {}), self._weights, apart(place, self._breaks.get(chunk_id, [])), reach)

    @property
    def weights(self) -> Mapping[str, float]:
        """How telling each word of the question is."""
        return self._weights

    def words(self, chunk_id: str) -> Collection[str]:
        """Return the question's words that a passage holds; none for passages that were not read."""
        return self._positions.get(chunk_id, {}).keys()

    def added(self, origin: str, chunk_id: str) -> float:
        """Return the weighted share of the words that `chunk_id` holds and `origin` does not."""
        total = sum(self._weights.values())
        new = self._positions.get(chunk_id, {}).keys() - self._positions.get(origin, {}).keys()
        return sum(self._weights.get(word, 0.0) for word in new) / total if total else 0.0


def _longest(nodes: Sequence[EntityNode], hub: int) -> list[EntityNode]:
    """Drop entities named inside a longer known one, and hubs that title nothing."""
    useful = [node for node in nodes if node.titles or node.mentions <= hub]
    keys = [f" {node.key} " for node in useful]
    return [n for n, key in zip(useful, keys, strict=True) if not any(key != other and key.strip() in other for other in keys)]


def _word_weights(words: Sequence[str], passages: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, float]:
    """Return how telling each question word is among the passages at hand: the fewer hold it, the more."""
    count = len(passages)
    seen = {word: sum(word in found for found in passages) for word in dict.fromkeys(words)}
    return {word: math.log(1 + (count + 1) / (1 + n)) for word, n in seen.items()}


def _reset(
    named: Mapping[str, float],
    passages: Mapping[str, float],
    bridges: Mapping[str, float],
    lexical: Mapping[str, float],
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
    best = dict(sorted(lexical.items(), key=lambda item: (-item[1], item[0]))[: settings.pool])
    add({key: value**2 for key, value in best.items()}, settings.lexical_weight)
    return reset


def page_rank(
    pool: Sequence[str], edges: Sequence[GraphEdge], reset: Mapping[str, float], settings: GraphSettings
) -> dict[str, float]:
    """Return personalised PageRank of the passages of `pool`, scaled so that the best is 1; ties keep equal scores."""
    from scipy.sparse import csr_matrix

    keys = sorted({edge.key for edge in edges})
    index = {name: number for number, name in enumerate([*pool, *(f"e:{key}" for key in keys)])}
    size = len(index)
    if not size:
        return {}
    rows = np.array([index[edge.chunk_id] for edge in edges], dtype=np.int64)
    columns = np.array([index[f"e:{edge.key}"] for edge in edges], dtype=np.int64)
    values = np.array([settings.title_edge if e.role == "title" else e.confidence for e in edges], dtype=np.float64)
    matrix = csr_matrix(
        (np.concatenate([values, values]), (np.concatenate([rows, columns]), np.concatenate([columns, rows]))), (size, size)
    )
    out = np.asarray(matrix.sum(axis=1)).ravel()
    transition = matrix.multiply(1 / np.where(out > 0, out, 1)[:, None]).T.tocsr()
    start = np.zeros(size)
    for name, value in reset.items():
        if name in index:
            start[index[name]] = value
    if not start.sum():
        return {}
    start /= start.sum()
    rank = start
    for _ in range(settings.iterations):
        rank = settings.damping * (transition @ rank) + (1 - settings.damping) * start
    best = rank[: len(pool)].max() or 1.0
    return {chunk_id: float(rank[number] / best) for number, chunk_id in enumerate(pool)}
