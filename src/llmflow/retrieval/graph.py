"""The graph channel: from the question's entities over bridge entities to passages, ranked by personalised PageRank.

No language model takes part. The neighbourhood of one question is read through the GraphStore port, so the cost follows the
neighbourhood and not the corpus. Dense and full-text scores enter the reset vector with a low weight instead of being fused
with the finished list (docs/LOG.md: equal-vote fusion threw the gain away).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from llmflow.config import Settings
from llmflow.ports import EntityNode, GraphEdge, GraphStore
from llmflow.retrieval.entities import EntitySettings, question_candidates
from llmflow.retrieval.proximity import nearness, word_positions
from llmflow.retrieval.tokens import Morpheme
from llmflow.types import Principal

Texts = Callable[[Sequence[str]], Mapping[str, str]]
"""Chunk ids to the texts of those that are served and readable."""


class GraphSettings(Settings):
    """Weights of the graph channel. Tuned on the musique and hotpotqa training sets only (docs/LOG.md)."""

    hops: int = Field(2, ge=0, le=3)
    beam: int = Field(8, ge=1)
    """Bridge entities followed at each hop."""
    titled: int = Field(3, ge=1)
    """Passages read for each entity that titles them."""
    seeds: int = Field(5, ge=0)
    """Best full-text and dense passages that the walk may start from besides the titled ones."""
    pool: int = Field(50, ge=1)
    """Best full-text and dense passages that take part in the ranking."""
    hop_decay: float = Field(0.7, gt=0, le=1)
    near_floor: float = Field(0.05, ge=0)
    title_edge: float = Field(1.0, gt=0)
    """Weight of an edge between a passage and its title; mentions weigh their confidence."""
    reach: float = Field(80.0, gt=0)
    """Characters over which nearness falls by e."""
    damping: float = Field(0.5, gt=0, lt=1)
    iterations: int = Field(12, ge=1)
    entity_weight: float = Field(1.0, ge=0)
    passage_weight: float = Field(1.0, ge=0)
    bridge_weight: float = Field(1.0, ge=0)
    lexical_weight: float = Field(0.3, ge=0)
    hub: int = Field(200, ge=1)
    """Entities that more passages mention are too common to lead anywhere unless they title something."""


@dataclass(frozen=True, slots=True)
class GraphResult:
    """Scores of passages, 1 the best; `strength` says how far the question's entities are known as titles, 0 to 1."""

    scores: Mapping[str, float]
    strength: float


@dataclass(frozen=True, slots=True)
class _Bridge:
    """An entity that leads from a passage to the passages it titles."""

    node: EntityNode
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
        known = _longest(self.store.find_entities([key for key, _ in candidates], principal), self.settings.hub)
        best = sorted(lexical, key=lambda chunk_id: (-lexical[chunk_id], chunk_id))
        if not known:
            return GraphResult({}, 0.0)
        start = self._titled([node for node in known if node.titles], principal)
        passages = {chunk_id: 1.0 for chunk_ids in start.values() for chunk_id in chunk_ids}
        frontier = dict(passages)
        for chunk_id in best[: self.settings.seeds]:
            frontier.setdefault(chunk_id, 0.5 * lexical[chunk_id])
        bridges: dict[str, float] = {}
        asked = {node.key for node in known}
        for hop in range(self.settings.hops):
            found_bridges = self._bridges(frontier, asked | set(bridges), words, texts, principal)
            reached = self._titled([bridge.node for bridge in found_bridges], principal)
            frontier = {}
            for bridge in found_bridges:
                value = bridge.score * self.settings.hop_decay**hop
                bridges[bridge.node.key] = value
                for chunk_id in reached.get(bridge.node.key, ()):
                    if value > passages.get(chunk_id, 0.0):
                        passages[chunk_id] = frontier[chunk_id] = value
            if not frontier:
                break
        pool = list(dict.fromkeys([*passages, *best[: self.settings.pool]]))
        edges = self.store.edges_of_chunks(pool, principal)
        reset = _reset(known, passages, bridges, lexical, self.settings)
        return GraphResult(page_rank(pool, edges, reset, self.settings), 1.0 if start else 0.0)

    def _titled(self, nodes: Sequence[EntityNode], principal: Principal) -> dict[str, list[str]]:
        """Return the passages that each entity titles, by key."""
        titled: dict[str, list[str]] = {}
        keys = [node.key for node in nodes if node.titles]
        for edge in self.store.edges_of_entities(keys, principal, self.settings.titled, role="title"):
            titled.setdefault(edge.key, []).append(edge.chunk_id)
        return titled

    def _bridges(
        self, frontier: Mapping[str, float], visited: set[str], words: Sequence[str], texts: Texts, principal: Principal
    ) -> list[_Bridge]:
        """Return the best entities mentioned in the frontier that title other passages, nearest to the question's words first."""
        edges = [e for e in self.store.edges_of_chunks(list(frontier), principal) if e.role != "title" and e.key not in visited]
        nodes = {n.key: n for n in self.store.find_entities(sorted({e.key for e in edges}), principal) if n.titles}
        edges = [edge for edge in edges if edge.key in nodes]
        if not edges:
            return []
        passages = texts(sorted({edge.chunk_id for edge in edges}))
        positions = {chunk_id: word_positions(text, words) for chunk_id, text in passages.items()}
        weights = _word_weights(words, list(positions.values()))
        best: dict[str, float] = {}
        for edge in edges:
            if edge.chunk_id in positions:
                near = nearness(positions[edge.chunk_id], weights, edge.position, self.settings.reach)
                value = frontier[edge.chunk_id] * edge.confidence * (self.settings.near_floor + near)
                best[edge.key] = max(best.get(edge.key, 0.0), value)
        ranked = sorted(best, key=lambda key: (-best[key], key))[: self.settings.beam]
        top = max((best[key] for key in ranked), default=1.0) or 1.0
        return [_Bridge(nodes[key], best[key] / top) for key in ranked if best[key] > 0]


def _longest(nodes: Sequence[EntityNode], hub: int) -> list[EntityNode]:
    """Drop entities named inside a longer known one, and hubs that title nothing."""
    useful = [node for node in nodes if node.titles or node.mentions <= hub]
    keys = [f" {node.key} " for node in useful]
    return [n for n, key in zip(useful, keys, strict=True) if not any(key != other and key.strip() in other for other in keys)]


def _word_weights(words: Sequence[str], passages: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, float]:
    """Return how telling each question word is among the passages at hand; words in none of them or in all weigh least."""
    count = len(passages)
    seen = {word: sum(word in found for found in passages) for word in dict.fromkeys(words)}
    return {word: math.log(1 + (count + 1) / (1 + n)) for word, n in seen.items() if n}


def _reset(
    known: Sequence[EntityNode],
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

    add({node.key: 1 / math.log(2 + node.mentions) for node in known}, settings.entity_weight, "e:")
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
