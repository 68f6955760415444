"""Channel scores to one ranking.

>>> ranked = fuse({"text": {"a": 9.0, "b": 3.0}, "dense": {"b": 0.8}}, FusionSettings())
>>> sorted(ranked, key=lambda chunk_id: -ranked[chunk_id])
['a', 'b']
"""

from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import Field, model_validator

from llmflow.config import Settings


class LearnedWeights(Settings):
    """Coefficients of a logistic regression on what the channels say of a passage (`llmflow retrieval fit-fusion`).

    There is no intercept: it moves every passage alike.
    """

    text: float
    """Times the full-text score, scaled between 0 and 1 over the question's passages; 0 where it did not find one."""
    dense: float
    """Times the scaled dense score."""
    graph: float
    """Times the scaled graph score and the strength that the graph reports for the question."""
    text_rank: float
    """Times the reciprocal rank, (k + 1) / (k + rank) with k = 5; the next two alike."""
    dense_rank: float
    graph_rank: float
    both: float
    """For passages that full text and dense vectors both found."""


FEATURES = tuple(LearnedWeights.model_fields)
FEATURE_RANK_K = 5


class FusionSettings(Settings):
    """How channels become one ranking.

    `minmax` keeps how far apart scores are and wins on scifact (docs/LOG.md); `rrf` looks at ranks only; `learned` adds up
    what `learned` says, over the same first ranking that the graph starts from.
    """

    method: Literal["minmax", "rrf", "learned"] = "minmax"
    text: float = Field(default=1.0, ge=0)
    dense: float = Field(default=1.0, ge=0)
    graph: float = Field(default=1.0, ge=0)
    """Weight of the graph's ranking against the hybrid one, times the strength that the graph reports for the question."""
    rrf_k: int = Field(default=60, ge=1)
    """Cormack et al. 2009; larger flattens the top ranks."""
    learned: LearnedWeights | None = None
    """Needed by `method: learned` only. `text`, `dense` and `graph` above then shape what the graph starts from."""

    @model_validator(mode="after")
    def _weights_are_there(self) -> "FusionSettings":
        if self.method == "learned" and self.learned is None:
            raise ValueError("method: learned needs `learned`; `llmflow retrieval fit-fusion DATASET` fits and prints it")
        return self


def fuse(channels: Mapping[str, Mapping[str, float]], settings: FusionSettings, unread: Collection[str] = ()) -> dict[str, float]:
    """Return one score a chunk between 0 and 1: the weighted mean over the channels that found anything.

    A chunk that a channel did not find gets 0 from it. `unread` are chunks in languages that the embedder does not read: the
    dense channel could not have found them, so it has no say in them and full text decides alone.
    """
    weights = {"text": settings.text, "dense": settings.dense}
    active = {name: scores for name, scores in channels.items() if scores and weights.get(name, 0) > 0}
    total = sum(weights[name] for name in active)
    fused: dict[str, float] = {}
    for name, scores in active.items():
        scaled = reciprocal_ranks(scores, settings.rrf_k) if settings.method == "rrf" else scale(scores)
        for chunk_id, value in scaled.items():
            share = 1.0 if name == "text" and chunk_id in unread else weights[name] / total
            fused[chunk_id] = fused.get(chunk_id, 0.0) + share * value
    return fused


def combine(
    channels: Mapping[str, Mapping[str, float]],
    hybrid: Mapping[str, float],
    graph: Mapping[str, float],
    strength: float,
    settings: FusionSettings,
) -> Mapping[str, float]:
    """Return the final score, between 0 and 1, of every passage that a channel or the graph found."""
    if settings.method == "learned" and settings.learned is not None:
        weights = [getattr(settings.learned, name) for name in FEATURES]
        found = features(channels, graph, strength)
        sums = {key: sum(w * x for w, x in zip(weights, row, strict=True)) for key, row in found.items()}
        return scale(sums) if sums else {}
    return blend(hybrid, graph, settings.graph * strength) if graph else hybrid


def features(
    channels: Mapping[str, Mapping[str, float]], graph: Mapping[str, float], strength: float
) -> dict[str, tuple[float, ...]]:
    """Return one number for each of `FEATURES`, in that order, for every passage that a channel or the graph found."""
    found = [channels.get("text", {}), channels.get("dense", {}), graph]
    scaled = [scale(scores) if scores else {} for scores in found]
    ranks = [reciprocal_ranks(scores, FEATURE_RANK_K) for scores in found]
    rows = {}
    for key in dict.fromkeys(key for scores in found for key in scores):
        text, dense, walk = (values.get(key, 0.0) for values in scaled)
        both = float(key in found[0] and key in found[1])
        rows[key] = (text, dense, strength * walk, *(values.get(key, 0.0) for values in ranks), both)
    return rows


def blend(hybrid: Mapping[str, float], graph: Mapping[str, float], weight: float) -> dict[str, float]:
    """Return (hybrid + weight * graph) / (1 + weight) for every chunk of either."""
    blended = {chunk_id: score / (1 + weight) for chunk_id, score in hybrid.items()}
    for chunk_id, score in graph.items():
        blended[chunk_id] = (hybrid.get(chunk_id, 0.0) + weight * score) / (1 + weight)
    return blended


def best_first(scores: Mapping[str, float]) -> list[str]:
    """Return the ids by falling score, ties by id."""
    return sorted(sorted(scores), key=scores.__getitem__, reverse=True)  # stable, also in reverse


def scale(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores between 0 and 1 by their own minimum and maximum; all 1 when they are equal."""
    low, high = min(scores.values()), max(scores.values())
    return {key: (value - low) / (high - low) if high > low else 1.0 for key, value in scores.items()}


def reciprocal_ranks(scores: Mapping[str, float], k: int) -> dict[str, float]:
    """Return (k + 1) / (k + rank), best 1; ties by id."""
    ranked = best_first(scores)
    return {key: (k + 1) / (k + rank) for rank, key in enumerate(ranked, start=1)}
