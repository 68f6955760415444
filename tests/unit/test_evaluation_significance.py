"""Intervals and p-values: worked by hand where they can be, and as properties."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.errors import DatasetError
from llmflow.evaluation.metrics import evaluate_run
from llmflow.evaluation.significance import (
    Interval,
    SignificanceSettings,
    bootstrap_difference,
    bootstrap_mean,
    compare_runs,
    holm_correction,
    randomisation_test,
)
from llmflow.types import ScoredId

QUICK = SignificanceSettings(resamples=500)


def test_bootstrap_interval_is_close_to_the_normal_one():
    values = [0.0] * 300 + [1.0] * 100
    interval = bootstrap_mean(values)
    error = 1.96 * (0.25 * 0.75 / 400) ** 0.5
    assert interval.mean == 0.25
    assert interval.low == pytest.approx(0.25 - error, abs=0.005)
    assert interval.high == pytest.approx(0.25 + error, abs=0.005)


def test_a_higher_level_gives_a_wider_interval():
    values = [0.0, 0.2, 0.9, 1.0, 0.4, 0.3]
    narrow, wide = (bootstrap_mean(values, SignificanceSettings(level=level)) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_pairs_stay_together():
    baseline = [0.0, 1.0, 0.0, 1.0, 0.5]
    better = [value + 0.25 for value in baseline]
    interval = bootstrap_difference(baseline, better, QUICK)
    assert interval == Interval(0.25, 0.25, 0.25), "every pair differs by the same, so there is nothing to be unsure about"


def test_batches_cover_every_resample(monkeypatch: pytest.MonkeyPatch):
    import llmflow.evaluation.significance as module

    baseline, candidate = [0.0] * 40, [float(n % 3) for n in range(40)]
    whole = bootstrap_difference(baseline, candidate, QUICK), randomisation_test(baseline, candidate, QUICK)
    monkeypatch.setattr(module, "_CELLS_AT_ONCE", 40 * 7)
    parts = bootstrap_difference(baseline, candidate, QUICK), randomisation_test(baseline, candidate, QUICK)
    assert parts[0].mean == whole[0].mean
    assert parts[0].low == pytest.approx(whole[0].low, abs=0.05)
    assert parts[1] == whole[1] == 1 / 501, "no sign pattern reaches a sum whose differences are all positive"
    assert sum(module._batches(500, 40)) == 500


def test_the_seed_decides():
    values = [0.1, 0.5, 0.9, 0.3, 0.7, 0.2, 0.8]
    assert bootstrap_mean(values, QUICK) == bootstrap_mean(values, QUICK)
    assert bootstrap_mean(values, QUICK) != bootstrap_mean(values, SignificanceSettings(resamples=500, seed=1))


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [
        ([1.0, 1.0, 1.0], 2 / 8),  # only +++ and --- are as far from zero
        ([1.0, 2.0, 3.0, 0.0], 2 / 8),  # the equal pair changes nothing
        ([1.0, 2.0, -3.0], 1.0),  # the sum is zero, every pattern is as far
        ([3.0, 2.0, -1.0], 4 / 8),  # |sum| 4: reached by +-6 and +-4, not by +-2 and 0
        ([0.1, 0.2, 0.3], 2 / 8),  # no last-bit error
        ([0.0, 0.0], 1.0),
        ([1.0] * 12, 2 / 4096),
    ],
)
def test_randomisation_test_worked_by_hand(differences: list[float], p_value: float):
    assert randomisation_test([0.0] * len(differences), differences) == pytest.approx(p_value)


def test_sampled_patterns_agree_with_counting_them():
    # 13 ones and 7 minus ones: |sum| >= 6 when at least 13 of 20 signs agree, binomial(20, 1/2) gives .2632 for both sides
    p_value = randomisation_test([0.0] * 20, [1.0] * 13 + [-1.0] * 7)
    assert p_value == pytest.approx(0.2632, abs=0.015)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_exchanging_the_sides_changes_signs_only(pairs: list[tuple[float, float]]):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = bootstrap_difference(first, second, QUICK), bootstrap_difference(second, first, QUICK)
    assert there.mean == -back.mean
    assert (there.low, there.high) == (pytest.approx(-back.high, abs=1e-9), pytest.approx(-back.low, abs=1e-9))
    assert randomisation_test(first, second, QUICK) == randomisation_test(second, first, QUICK)


def test_holm_worked_by_hand():
    corrected = holm_correction({"d": 0.005, "a": 0.01, "b": 0.04, "c": 0.03})
    assert list(corrected) == ["d", "a", "b", "c"]
    assert corrected == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06}), "b: .04 * 1, but never below c's .03 * 2"
    assert holm_correction({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm_correction({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=6))
def test_holm_never_lowers_a_p_value_or_changes_the_order(p_values: dict[str, float]):
    corrected = holm_correction(p_values)
    assert all(p_values[name] <= corrected[name] <= 1 for name in p_values)
    in_order = sorted(p_values, key=lambda name: (p_values[name], name))
    assert [corrected[name] for name in in_order] == sorted(corrected.values())


def test_runs_are_compared_question_by_question():
    qrels = {f"q{n}": {"a": 1} for n in range(4)}
    baseline = evaluate_run(qrels, {"q0": [ScoredId("a", 1.0)]}, ["R@1"])
    candidate = evaluate_run(qrels, {f"q{n}": [ScoredId("a", 1.0)] for n in range(3)}, ["R@1"])
    found = compare_runs(baseline, candidate, "R@1", QUICK)
    assert (found.measure, found.questions, found.baseline, found.candidate) == ("R@1", 4, 0.25, 0.75)
    assert (found.difference.mean, found.difference.low, found.difference.high) == (0.5, 0.0, 1.0)
    assert found.p_value == 2 / 4

    other = evaluate_run({"z": {"a": 1}}, {}, ["R@1"])
    with pytest.raises(DatasetError, match="different questions"):
        compare_runs(baseline, other, "R@1")


@pytest.mark.parametrize("values", [[], [float("nan")]])
def test_nothing_to_average_is_refused(values: list[float]):
    with pytest.raises(DatasetError, match="finite values"):
        bootstrap_mean(values)


def test_unpaired_values_are_refused():
    with pytest.raises(DatasetError, match="not paired: 2 against 1"):
        randomisation_test([0.0, 1.0], [0.0])
