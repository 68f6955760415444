"""Measures against numbers worked by hand; evidence, leaks, latency; TREC run files."""

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.errors import DatasetError, SettingsError
from llmflow.evaluation.judged_sets import Evidence
from llmflow.evaluation.metrics import (
    MEASURES,
    collapse_to_passages,
    evaluate_run,
    evidence_recall,
    found_evidence,
    latency_summary,
    leaked_sources,
    normalise_quote,
)
from llmflow.evaluation.run_files import read_run, write_run
from llmflow.types import ScoredId


def ranked(*ids: str) -> list[ScoredId]:
    return [ScoredId(identifier, 1.0) for identifier in ids]


def test_measures_worked_by_hand():
    qrels = {"q1": {"a": 1, "b": 1}, "q2": {"c": 3, "d": 1, "x": 0}}
    run = {"q1": ranked("x", "a", "y", "z", "w", "b"), "q2": ranked("x", "c", "d")}

    metrics = evaluate_run(qrels, run)

    first = (1 / math.log2(3) + 1 / math.log2(7)) / (1 + 1 / math.log2(3))
    second = (3 / math.log2(3) + 1 / math.log2(4)) / (3 + 1 / math.log2(3))
    expected = {
        "R@1": (0, 0),
        "R@2": (0.5, 0.5),
        "R@5": (0.5, 1),
        "R@10": (1, 1),
        "nDCG@10": (first, second),
        "RR@10": (0.5, 0.5),
    }
    assert tuple(metrics.per_question) == MEASURES == tuple(metrics.means)
    for measure, (of_first, of_second) in expected.items():
        assert metrics.values(measure) == pytest.approx([of_first, of_second]), measure
        assert metrics.means[measure] == pytest.approx((of_first + of_second) / 2), measure


def test_reciprocal_rank_stops_at_its_cutoff():
    run = {"q": ranked(*(f"x{n}" for n in range(10)), "a")}
    metrics = evaluate_run({"q": {"a": 1}}, run, ["RR@10", "MRR@20", "RR@11"])
    assert dict(metrics.means) == pytest.approx({"RR@10": 0, "MRR@20": 1 / 11, "RR@11": 1 / 11})


@pytest.mark.parametrize("ids", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_ties_stay_in_the_order_of_the_run(ids: tuple[str, ...]):
    metrics = evaluate_run({"q": {"a": 1}}, {"q": ranked(*ids)}, ["R@1", "RR@10", "nDCG@10"])
    rank = ids.index("a") + 1
    assert metrics.means["R@1"] == (rank == 1)
    assert metrics.means["RR@10"] == pytest.approx(1 / rank)
    assert metrics.means["nDCG@10"] == pytest.approx(1 / math.log2(rank + 1))


def test_missing_questions_count_as_zero_and_unjudged_ones_not_at_all():
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}, "q4": {"a": 0}}
    metrics = evaluate_run(qrels, {"q2": ranked("a"), "q3": [], "other": ranked("a"), "q4": ranked("a")})
    assert metrics.question_ids == ("q1", "q2", "q3", "q4")
    for measure in MEASURES:
        assert metrics.values(measure) == [0, 1, 0, 0]
        assert metrics.means[measure] == 0.25


def test_values_are_paired_by_question_whatever_the_order_of_the_input():
    qrels = {"q2": {"a": 1}, "q10": {"b": 1}, "q1": {"a": 1}}
    forward = {"q2": ranked("a"), "q10": ranked("x"), "q1": ranked("x", "a")}
    backward = dict(reversed(forward.items()))
    one, other = evaluate_run(qrels, forward), evaluate_run(dict(reversed(qrels.items())), backward)
    assert one == other
    assert one.question_ids == ("q1", "q10", "q2")
    assert one.values("RR@10") == [0.5, 0.0, 1.0]


@pytest.mark.parametrize("measure", ["R10", "R@0", "R@-1", "ERR@10", "foo@5", "__import__('os')", ""])
def test_unknown_measures_are_refused_before_any_tool_sees_them(measure: str):
    with pytest.raises(SettingsError, match=r"Unknown measure .* such as R@5"):
        evaluate_run({"q": {"a": 1}}, {}, [measure])


def test_a_measure_that_was_not_evaluated_is_named():
    metrics = evaluate_run({"q": {"a": 1}}, {}, ["R@5"])
    with pytest.raises(SettingsError, match=r"'R@10' was not evaluated. Choose one of: R@5"):
        metrics.values("R@10")


def test_runs_that_cannot_be_judged_are_refused():
    with pytest.raises(DatasetError, match="'q' ranks 'a' twice"):
        evaluate_run({"q": {"a": 1}}, {"q": ranked("b", "a", "a")})
    with pytest.raises(DatasetError, match="No judged question"):
        evaluate_run({}, {"q": ranked("a")})
    with pytest.raises(SettingsError, match="No measure"):
        evaluate_run({"q": {"a": 1}}, {}, [])


def test_chunks_collapse_to_passages_at_their_best_place():
    chunks = [ScoredId("b1", 9.0), ScoredId("a2", 8.0), ScoredId("b2", 7.0), ScoredId("c1", 6.0), ScoredId("a1", 5.0)]
    passage_of = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c"}
    assert collapse_to_passages(chunks, passage_of) == [ScoredId("b", 9.0), ScoredId("a", 8.0), ScoredId("c", 6.0)]


EVIDENCE = (Evidence("pay.md", "기본급은 300만 원"), Evidence("leave.md", "Annual leave: 15 days"))


def test_evidence_is_found_by_source_and_quote_within_k():
    hits = [
        ("leave.md", "Nothing of use"),
        ("pay.md", "| 항목 | 값 |\n|---|---|\n| 기본급은 | 300만  원 |"),
        ("copy.md", "Annual leave: 15 days"),
        ("leave.md", "See\nAnnual  leave： 15 days."),
    ]
    assert found_evidence(hits, EVIDENCE, 1) == (False, False), "the right document without the quote is not gold"
    assert found_evidence(hits, EVIDENCE, 2) == (True, False)
    assert found_evidence(hits, EVIDENCE, 3) == (True, False), "the quote in another document is not gold"
    assert [evidence_recall(hits, EVIDENCE, k) for k in (1, 2, 4)] == [0.0, 0.5, 1.0]
    with pytest.raises(DatasetError, match="needs evidence"):
        evidence_recall(hits, (), 5)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("| A | B |\n|:--|---:|\n|1|2|", "A B 1 2"),
        ("ＡＢＣ　①", "ABC 1"),
        ("서울\n시청은 2 층", "서울시청은 2 층"),
        ("well-known -- a - b", "well-known -- a - b"),
        ("한", "한"),
    ],
)
def test_quotes_are_compared_without_layout(text: str, normalised: str):
    assert normalise_quote(text) == normalised


@given(st.text())
def test_normalising_a_quote_twice_changes_nothing(text: str):
    assert normalise_quote(normalise_quote(text)) == normalise_quote(text)


def test_leaks_are_the_forbidden_sources_among_the_hits():
    hits = [("b", "x"), ("a", "x"), ("b", "y"), ("c", "z")]
    assert leaked_sources(hits, ("a", "b", "d")) == ("b", "a")
    assert leaked_sources(hits, ()) == ()


def test_latency_summary_worked_by_hand():
    summary = latency_summary([30.0, 10.0, 20.0, 40.0, 100.0])
    assert (summary.p50, summary.mean, summary.count) == (30.0, 40.0, 5)
    assert summary.p95 == pytest.approx(40 + 0.8 * 60), "position .95 * 4 = 3.8, between the 4th and the 5th"
    with pytest.raises(DatasetError, match="No latency"):
        latency_summary([])


IDENTIFIER = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
SCORED = st.builds(ScoredId, IDENTIFIER, st.floats(allow_nan=False, allow_infinity=False))
RUNS = st.dictionaries(IDENTIFIER, st.lists(SCORED, min_size=1, max_size=4, unique_by=lambda scored: scored.id), max_size=4)


@settings(max_examples=100, deadline=None)
@given(RUNS)
def test_trec_round_trip_keeps_ids_order_and_scores(run: dict[str, list[ScoredId]]):
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "a.trec", Path(folder) / "b.trec"
        write_run(path, run)
        read = read_run(path)
        assert read == run
        write_run(again, dict(reversed(read.items())))
        assert again.read_bytes() == path.read_bytes()


def test_trec_lines_are_what_other_tools_read(tmp_path: Path):
    path = tmp_path / "run.trec"
    write_run(path, {"q2": [ScoredId("a b%", 0.5)], "q1": [ScoredId("문서", 2.0), ScoredId("x", 2.0)], "q3": []}, tag="graph")
    expected = "q1 Q0 문서 1 2.0 graph\nq1 Q0 x 2 2.0 graph\nq2 Q0 a%20b%25 1 0.5 graph\n"
    assert path.read_text(encoding="utf-8") == expected


def test_a_foreign_run_is_ordered_by_rank(tmp_path: Path):
    path = tmp_path / "run.trec"
    path.write_text("q\tQ0\tb\t2\t1.5\tx\n\nq Q0 a 1 3 x\n")
    assert read_run(path) == {"q": [ScoredId("a", 3.0), ScoredId("b", 1.5)]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("q Q0 a 1 1.0 x\nq Q0 a 2 x\n", r"run\.trec:2: expected"),
        ("q Q0 a first 1.0 x\n", r"run\.trec:1: expected"),
        ("q Q0 a 1 1.0 x\nq Q0 a 2 0.5 x\n", r"run\.trec:2: 'a' is ranked twice"),
        ("q Q0 a 1 nan x\n", r"run\.trec:1: the score nan"),
    ],
)
def test_malformed_runs_are_named_by_file_and_line(tmp_path: Path, lines: str, message: str):
    path = tmp_path / "run.trec"
    path.write_text(lines)
    with pytest.raises(DatasetError, match=message):
        read_run(path)


@pytest.mark.parametrize(
    ("run", "tag", "message"),
    [
        ({"q": [ScoredId("", 1.0)]}, "x", "empty id"),
        ({"q": [ScoredId("a", math.inf)]}, "x", "score inf"),
        ({}, "two words", "Use one word"),
    ],
)
def test_runs_that_could_not_be_read_back_are_not_written(tmp_path: Path, run: dict[str, list[ScoredId]], tag: str, message: str):
    with pytest.raises(DatasetError, match=message):
        write_run(tmp_path / "run.trec", run, tag)
    assert not (tmp_path / "run.trec").exists()
