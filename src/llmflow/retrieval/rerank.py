"""The best fused passages ordered anew by a reranker: switched on by evaluation, never by belief (docs/guides/models.md)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import ModelUnavailable
from llmflow.ports import Reranker
from llmflow.retrieval.fusion import scale

log = logging.getLogger(__name__)


class RerankSettings(Settings):
    """The model itself is the catalog entry `reranker`."""

    enabled: bool = False
    top: int = Field(default=30, ge=1, le=200)
    """Fused passages that the reranker reads; the others keep their order below them."""
    weight: float = Field(default=1.0, gt=0, le=1)
    """Its say against the place that the fusion gave: 1 leaves the order of `top` to the reranker alone."""


@dataclass(frozen=True, slots=True)
class Reranked:
    """An order, best first, its scores between 0 and 1, and what the reranker said of those it read."""

    order: tuple[str, ...]
    scores: Mapping[str, float]
    judged: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    """Why the order is still the fused one, when the reranker could not be asked."""


def rerank(
    question: str,
    ranked: Sequence[str],
    scores: Mapping[str, float],
    texts: Mapping[str, str],
    reranker: Reranker,
    settings: RerankSettings,
) -> Reranked:
    """Return `ranked` with its first places ordered by the reranker, ties by the fused order.

    `texts` holds what the reranker reads of at least the first `top`. A reranker that cannot be reached leaves order and
    scores as they are and says so in `problem`: the chat goes on, and an evaluation refuses to report such a run.
    """
    top = list(ranked[: settings.top])
    if not top:
        return Reranked(tuple(ranked), scores)
    try:
        judged = dict(zip(top, reranker.score(question, [texts[key] for key in top]), strict=True))
    except ModelUnavailable as exc:
        log.warning("Passages keep their fused order: %s", exc)
        return Reranked(tuple(ranked), scores, problem=str(exc))
    return merge(ranked, judged, settings.weight)


def merge(ranked: Sequence[str], judged: Mapping[str, float], weight: float) -> Reranked:
    """Return the judged passages by `weight` times their scaled score plus the rest times their place, then the others.

    >>> merge(["a", "b", "c"], {"a": 0.1, "b": 0.9}, 1.0).order
    ('b', 'a', 'c')
    """
    top = [key for key in ranked if key in judged]
    rest = [key for key in ranked if key not in judged]
    said = scale(judged)
    worth = {key: weight * said[key] + (1 - weight) * (1 - place / len(top)) for place, key in enumerate(top)}
    order = sorted(top, key=lambda key: -worth[key])  # stable: equal ones keep their fused order
    scores = {key: 0.5 + 0.5 * worth[key] for key in order}
    scores |= {key: 0.5 * (1 - place / (len(rest) + 1)) for place, key in enumerate(rest, start=1)}
    return Reranked((*order, *rest), scores, judged)
