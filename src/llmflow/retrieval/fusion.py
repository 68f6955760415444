"""Channel scores to one ranking.

>>> ranked = fuse({"text": {"a": 9.0, "b": 3.0}, "dense": {"b": 0.8}}, FusionSettings())
>>> sorted(ranked, key=lambda chunk_id: -ranked[chunk_id])
['a', 'b']
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from llmflow.config import Settings


class FusionSettings(Settings):
    """`minmax` keeps how far apart scores are and wins on scifact (docs/LOG.md); `rrf` looks at ranks only."""

    method: Literal["minmax", "rrf"] = "minmax"
    text: float = Field(default=1.0, ge=0)
    dense: float = Field(default=1.0, ge=0)
    graph: float = Field(default=1.0, ge=0)
    """Weight of the graph's ranking against the hybrid one, times the strength that the graph reports for the question."""
    rrf_k: int = Field(default=60, ge=1)
    """Cormack et al. 2009; larger flattens the top ranks."""


def fuse(channels: Mapping[str, Mapping[str, float]], settings: FusionSettings) -> dict[str, float]:
    """Return one score a chunk between 0 and 1: the weighted mean over the channels that found anything.

    A chunk that a channel did not find gets 0 from it.
    """
    weights = {"text": settings.text, "dense": settings.dense}
    active = {name: scores for name, scores in channels.items() if scores and weights.get(name, 0) > 0}
    total = sum(weights[name] for name in active)
    fused: dict[str, float] = {}
    for name, scores in active.items():
        scaled = scale(scores) if settings.method == "minmax" else reciprocal_ranks(scores, settings.rrf_k)
        for chunk_id, value in scaled.items():
            fused[chunk_id] = fused.get(chunk_id, 0.0) + weights[name] / total * value
    return fused


def blend(hybrid: Mapping[str, float], graph: Mapping[str, float], weight: float) -> dict[str, float]:
    """Return (hybrid + weight * graph) / (1 + weight) for every chunk of either."""
    return {
        chunk_id: (hybrid.get(chunk_id, 0.0) + weight * graph.get(chunk_id, 0.0)) / (1 + weight)
        for chunk_id in dict.fromkeys([*hybrid, *graph])
    }


def scale(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores between 0 and 1 by their own minimum and maximum; all 1 when they are equal."""
    low, high = min(scores.values()), max(scores.values())
    return {key: (value - low) / (high - low) if high > low else 1.0 for key, value in scores.items()}


def reciprocal_ranks(scores: Mapping[str, float], k: int) -> dict[str, float]:
    """Return (k + 1) / (k + rank), best 1; ties by id."""
    ranked = sorted(scores, key=lambda key: (-scores[key], key))
    return {key: (k + 1) / (k + rank) for rank, key in enumerate(ranked, start=1)}
