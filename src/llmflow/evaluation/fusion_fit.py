"""Weights of the learned fusion from judged questions: a logistic regression, cross-validated over questions."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import DatasetError
from llmflow.retrieval.fusion import FEATURES, LearnedWeights


class FusionFitSettings(Settings):
    c: float = Field(default=1.0, gt=0)
    """Inverse strength of the L2 penalty."""
    folds: int = Field(default=5, ge=2)
    seed: int = 0
    passages: int = Field(default=50, ge=2)
    """Best passages of a question that are learned from: nobody looks further down, and there is nothing left to find."""


@dataclass(frozen=True, slots=True)
class FusionExample:
    """What the channels said of one judged question's passages."""

    question_id: str
    rows: Mapping[str, tuple[float, ...]]
    """Passage id to its features, best first (retrieval/fusion.py)."""
    relevant: frozenset[str]
    """Ids of the relevant ones; those that no channel found teach nothing."""


def fit_weights(examples: Sequence[FusionExample], settings: FusionFitSettings) -> LearnedWeights:
    """Return the coefficients that tell relevant from other passages; every question weighs the same, and so do both kinds in it.

    Raises DatasetError when no question has a relevant and another passage among those found.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    table: list[tuple[float, ...]] = []
    labels: list[int] = []
    weights: list[float] = []
    for example in examples:
        keys = list(example.rows)[: settings.passages]
        right = sum(key in example.relevant for key in keys)
        if not 0 < right < len(keys):
            continue
        for key in keys:
            table.append(example.rows[key])
            labels.append(int(key in example.relevant))
            weights.append(1 / right if key in example.relevant else 1 / (len(keys) - right))
    if not table:
        raise DatasetError(
            "No question has a relevant passage among those found beside another one. Give a judged set that fits."
        )
    model = LogisticRegression(C=settings.c, max_iter=1000)
    model.fit(np.asarray(table), np.asarray(labels), sample_weight=np.asarray(weights))
    return LearnedWeights(**{name: round(float(value), 4) for name, value in zip(FEATURES, model.coef_[0], strict=True)})


def split_folds(question_ids: Sequence[str], settings: FusionFitSettings) -> list[frozenset[str]]:
    """Return disjoint folds of nearly equal size that hold every question once; they depend on ids and seed only.

    Raises DatasetError when there are fewer questions than folds.
    """
    ids = sorted(set(question_ids))
    if len(ids) < settings.folds:
        raise DatasetError(f"{len(ids)} questions cannot make {settings.folds} folds. Judge more questions or lower --folds.")
    random.Random(settings.seed).shuffle(ids)
    return [frozenset(ids[number :: settings.folds]) for number in range(settings.folds)]
