"""How sure a difference is: paired bootstrap, paired randomisation test, Holm's correction. All seeded.

>>> holm_correction({"dense": 0.01, "graph": 0.04, "text": 0.03})
{'dense': 0.03, 'graph': 0.06, 'text': 0.06}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import DatasetError
from llmflow.evaluation.metrics import RunMetrics

if TYPE_CHECKING:
    import numpy as np

_CELLS_AT_ONCE = 2_000_000  # bounds memory: 16 MB of draws at a time
_EXACT_UP_TO = 12  # 2**12 sign patterns cost less than sampling them


class SignificanceSettings(Settings):
    level: float = Field(default=0.95, gt=0, lt=1)  # share of intervals that hold the true mean
    resamples: int = Field(default=10_000, ge=100)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a candidate gains on a baseline over the same questions."""

    measure: str
    questions: int
    baseline: float
    candidate: float
    difference: Interval
    """Candidate minus baseline."""
    p_value: float
    """Two-sided, not corrected for other comparisons."""


def bootstrap_mean(values: Sequence[float], settings: SignificanceSettings | None = None) -> Interval:
    """Return the mean with its percentile bootstrap interval over questions (Efron 1979)."""
    import numpy as np

    settings = settings or SignificanceSettings()
    observed = _checked(values)
    rng = np.random.default_rng(settings.seed)
    size = len(observed)
    means = np.concatenate(
        [
            observed[rng.integers(size, size=(count, size), dtype=np.int32)].mean(axis=1)
            for count in _batches(settings.resamples, size)
        ]
    )
    tail = (1 - settings.level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(observed.mean()), float(low), float(high))


def bootstrap_difference(
    baseline: Sequence[float], candidate: Sequence[float], settings: SignificanceSettings | None = None
) -> Interval:
    """Return the mean of candidate minus baseline with its interval; questions are resampled in pairs."""
    return bootstrap_mean([float(x) for x in _differences(baseline, candidate)], settings)


def randomisation_test(
    baseline: Sequence[float], candidate: Sequence[float], settings: SignificanceSettings | None = None
) -> float:
    """Return the two-sided p-value of the paired randomisation test (Fisher; Smucker et al. 2007).

    Differences change sign at random; p is the share of patterns whose mean is at least as far from zero as the one observed.
    Up to 12 differing questions all patterns are counted; beyond, p is (hits + 1) / (resamples + 1), never zero.
    """
    import numpy as np

    settings = settings or SignificanceSettings()
    differences = _differences(baseline, candidate)
    differences = differences[differences != 0]  # equal questions move no pattern
    size = len(differences)
    if not size:
        return 1.0
    threshold = abs(differences.sum()) - 1e-9  # sums of the same numbers differ in the last bits by order
    if size <= _EXACT_UP_TO:
        signs = np.array(list(product((-1.0, 1.0), repeat=size)))
        return float((np.abs(signs @ differences) >= threshold).mean())
    rng = np.random.default_rng(settings.seed)
    hits = 0
    for count in _batches(settings.resamples, size):
        flipped = rng.integers(2, size=(count, size), dtype=np.int8) * 2.0 - 1.0
        hits += int((np.abs(flipped @ differences) >= threshold).sum())
    return (hits + 1) / (settings.resamples + 1)


def holm_correction(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for their number (Holm 1979), names in the given order, none above 1."""
    corrected: dict[str, float] = {}
    largest = 0.0
    for position, name in enumerate(sorted(p_values, key=lambda name: (p_values[name], name))):
        largest = max(largest, min(1.0, p_values[name] * (len(p_values) - position)))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def compare_runs(
    baseline: RunMetrics, candidate: RunMetrics, measure: str, settings: SignificanceSettings | None = None
) -> Comparison:
    """Return the gain of `candidate` in one measure. Both runs must be evaluated on the same questions."""
    if baseline.question_ids != candidate.question_ids:
        raise DatasetError("The two runs were evaluated on different questions. Evaluate both with the same qrels.")
    before, after = baseline.values(measure), candidate.values(measure)
    return Comparison(
        measure,
        len(before),
        baseline.means[measure],
        candidate.means[measure],
        bootstrap_difference(before, after, settings),
        randomisation_test(before, after, settings),
    )


def _checked(values: Sequence[float]) -> "np.ndarray":
    import numpy as np

    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise DatasetError("A list of finite values, one a question and at least one, is needed. Evaluate some questions first.")
    return array


def _differences(baseline: Sequence[float], candidate: Sequence[float]) -> "np.ndarray":
    before, after = _checked(baseline), _checked(candidate)
    if len(before) != len(after):
        raise DatasetError(f"Values are not paired: {len(before)} against {len(after)}. Evaluate both on the same questions.")
    return after - before


def _batches(total: int, size: int) -> Iterator[int]:
    step = max(1, _CELLS_AT_ONCE // size)
    for start in range(0, total, step):
        yield min(step, total - start)
