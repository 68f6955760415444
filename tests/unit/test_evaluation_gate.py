"""The gate: what passes, what fails, and that a written verdict cannot say what its checks do not."""

import json
import math

import pytest

from llmflow.errors import DatasetError
from llmflow.evaluation.gate import (
    Check,
    Decision,
    GateSettings,
    check_budget,
    check_none,
    check_not_worse,
    check_primary,
    check_slices,
    decide,
    verdict_from_json,
    verdict_to_json,
)
from llmflow.evaluation.gate_page import verdict_html

NOW = "2026-01-02T03:04:05+00:00"
GOOD = Check("recall", True, 0.01, -0.02, "Recall changes by +1.0 points.")
BAD = Check("leaks", False, 2.0, 0.0, "2 passages leaked; none is allowed.")


def test_every_check_must_pass():
    verdict = decide("retrieval settings", "b", "a", [GOOD, BAD], NOW)
    assert (verdict.decision, verdict.promoted, verdict.failed) == (Decision.REJECT, False, (BAD,))
    assert verdict.reasons == (BAD.reason,)
    kept = decide("retrieval settings", "b", "a", [GOOD], NOW)
    assert (kept.decision, kept.reasons) == (Decision.PROMOTE, (GOOD.reason,))


def test_no_check_is_no_verdict():
    with pytest.raises(DatasetError, match="No check"):
        decide("adapter", "b", None, [], NOW)


def test_an_equal_candidate_passes_but_is_no_gain():
    same = [1.0, 0.0, 0.5, 1.0] * 10
    assert check_primary("R@5", same, same, GateSettings()).passed
    assert not check_primary("R@5", same, same, GateSettings(require_gain=True)).passed


def test_the_interval_decides_not_the_mean():
    champion = [0.5] * 40
    noisy = [1.0, 0.0] * 20  # the same mean; the interval reaches some fifteen points below zero
    check = check_primary("R@5", champion, noisy, GateSettings())
    assert not check.passed
    assert check.value is not None and check.value < -0.1
    steady = [0.49] * 40  # one point less on every question is within the tolerance of two
    assert check_primary("R@5", champion, steady, GateSettings()).passed
    assert check_primary("R@5", champion, [0.48] * 40, GateSettings()).passed
    assert not check_primary("R@5", champion, [0.47] * 40, GateSettings()).passed


def test_a_gain_is_seen():
    assert check_primary("R@5", [0.0] * 20, [0.0] * 5 + [1.0] * 15, GateSettings(require_gain=True)).passed


def test_values_of_other_questions_are_refused():
    with pytest.raises(DatasetError, match="not paired"):
        check_primary("R@5", [1.0, 0.0], [1.0], GateSettings())
    with pytest.raises(DatasetError, match="not paired"):
        check_slices("R@5", {"ko": ([1.0], [])}, GateSettings())


def test_no_slice_may_pay_for_the_others():
    full, two_lost, one_lost = [1.0] * 10, [0.0] * 2 + [1.0] * 8, [0.0] + [1.0] * 9
    slices = {"ko": (full, full), "en": (full, two_lost), "other": (full, one_lost), "tiny": ([1.0], [0.0])}
    checks = check_slices("R@5", slices, GateSettings())
    assert [(check.name, check.passed) for check in checks] == [("slice en", False), ("slice ko", True), ("slice other", True)]
    assert (checks[0].value, checks[0].limit) == (pytest.approx(-0.2), pytest.approx(-0.1))
    (many,) = check_slices("R@5", {"ko": (full * 10, [0.0] * 6 + [1.0] * 94)}, GateSettings())
    assert not many.passed and many.limit == -0.05


def test_one_leak_is_too_many():
    assert check_none("leaks", 0, "leaks").passed
    assert not check_none("leaks", 1, "leaks").passed


@pytest.mark.parametrize(
    ("champion", "candidate", "higher", "passed"),
    [
        (0.9, 0.85, True, True),
        (0.9, 0.84, True, False),
        (0.02, 0.07, False, True),
        (0.02, 0.08, False, False),
        (0.9, None, True, False),
        (0.9, math.nan, True, False),
        (None, None, True, True),
        (None, 0.1, True, True),
    ],
)
def test_not_worse_than_the_champion(champion, candidate, higher, passed):
    assert check_not_worse("refused", champion, candidate, 0.05, higher).passed is passed


@pytest.mark.parametrize(
    ("value", "limit", "passed"),
    [(60.0, 60.0, True), (60.1, 60.0, False), (None, 60.0, False), (math.nan, 1.0, False), (None, None, True)],
)
def test_budget(value, limit, passed):
    assert check_budget("latency p95", value, limit, "ms").passed is passed


@pytest.mark.parametrize("champion", ["a", None])
def test_a_verdict_survives_writing(champion):
    verdict = decide("설정", "b", champion, [GOOD, BAD, Check("model", True, None, None, "nothing to hold")], NOW)
    assert verdict_from_json(verdict_to_json(verdict)) == verdict


def test_a_verdict_that_was_changed_by_hand_is_refused():
    written = json.loads(verdict_to_json(decide("adapter", "b", "a", [BAD], NOW)))
    with pytest.raises(DatasetError, match="changed by hand"):
        verdict_from_json(json.dumps(written | {"decision": "PROMOTE"}))
    with pytest.raises(DatasetError, match="No check"):
        verdict_from_json(json.dumps(written | {"decision": "PROMOTE", "checks": []}))
    with pytest.raises(DatasetError, match="true or false"):
        verdict_from_json(json.dumps(written | {"checks": [written["checks"][0] | {"passed": "yes"}]}))


def test_the_page_is_self_contained_and_escaped():
    page = verdict_html(decide("adapter", "<b>", None, [Check("<i>", False, 1.0, 0.0, "a < b & c")], NOW))
    assert "<b>" not in page and "&lt;b&gt;" in page and "a &lt; b &amp; c" in page
    assert "REJECT" in page and "no champion yet" in page
    assert "http" not in page and "<script" not in page
