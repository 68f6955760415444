"""Use, quality and personal data from events, against numbers worked by hand; and what a CSV may hold."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.ports import AnswerEvent, FeedbackRow
from llmflow.serving.conversations.question_kinds import question_kind
from llmflow.serving.operating.quality import feedback_counts, newest_reports
from llmflow.serving.operating.settings import TokenPrice
from llmflow.serving.operating.usage import PiiRow, as_csv, percentile, pii_rows, quality_rows, usage_rows
from llmflow.types import Answer, Citation

PRICES = {"chat": TokenPrice(prompt=0.5, completion=2.0)}
BASE = AnswerEvent(
    at="2026-11-24T09:00:00+00:00", tenant="t", account_id="a", groups=("hr",), session_id="s", message_id="m", model="chat",
    settings_id="s1", language="ko", status="done", found=True, cached=False, ttft_ms=100, total_ms=1000,
    prompt_tokens=1000, completion_tokens=100, confidence=0.8, pii={"phone": 1},
)  # fmt: skip
EVENTS = [
    BASE,
    replace(BASE, account_id="b", groups=("hr", "it"), ttft_ms=300, total_ms=3000, found=False, confidence=0.2, pii={}),
    replace(BASE, cached=True, ttft_ms=10, total_ms=20, language="en"),
    replace(BASE, at="2026-11-25T00:00:00+00:00", groups=(), status="failed", found=False, ttft_ms=0, total_ms=50,
            prompt_tokens=0, completion_tokens=0, pii={"phone": 2, "email": 1}),
    replace(BASE, at="2026-11-25T23:59:59+00:00", status="stopped", model="extractive", suspicious=2, pii={}),
]  # fmt: skip


def test_use_by_day():
    first, second, total = usage_rows(EVENTS, "day", PRICES)
    assert (first.key, first.questions, first.people, first.errors, first.refused, first.cached) == ("2026-11-24", 3, 2, 0, 1, 1)
    assert (first.latency_p50_ms, first.latency_p95_ms, first.ttft_p50_ms, first.ttft_p95_ms) == (1000, 3000, 100, 300)
    assert (first.prompt_tokens, first.completion_tokens) == (3000, 300)
    assert first.cost == pytest.approx(2 * (1000 * 0.5 + 100 * 2.0) / 1000)  # the cached one asked no model
    assert (second.key, second.questions, second.errors, second.stopped, second.suspicious) == ("2026-11-25", 2, 1, 1, 2)
    assert (second.latency_p50_ms, second.ttft_p50_ms, second.cost) == (0, 0, 0)  # nothing came to its end
    assert (total.key, total.questions, total.people) == ("total", 5, 2)


def test_use_by_group_counts_a_person_in_each_of_theirs():
    rows = {row.key: row.questions for row in usage_rows(EVENTS, "group", {})}
    assert rows == {"(none)": 1, "hr": 4, "it": 1, "total": 5}


def test_use_by_model():
    assert {row.key: row.questions for row in usage_rows(EVENTS, "model", {})} == {"chat": 4, "extractive": 1, "total": 5}


def test_no_use_is_a_row_of_zeros():
    (total,) = usage_rows([], "day", PRICES)
    assert (total.key, total.questions, total.latency_p95_ms, total.cost) == ("total", 0, 0, 0)


def test_quality_by_language_counts_what_came_to_its_end():
    english, korean = quality_rows(EVENTS, "language")
    assert (english.key, english.answers, english.cached_share) == ("en", 1, 1.0)
    assert (korean.key, korean.answers, korean.found_share, korean.mean_confidence) == ("ko", 2, 0.5, 0.5)


def test_personal_data_by_day_and_kind():
    assert pii_rows(EVENTS) == [
        PiiRow("2026-11-24", "phone", 2),
        PiiRow("2026-11-25", "email", 1),
        PiiRow("2026-11-25", "phone", 2),
    ]


def feedback(rating: str, question: str = "휴가는 며칠인가요?", **more) -> FeedbackRow:
    return FeedbackRow(**{
        "message_id": "m", "session_id": "s", "at": "2026-11-24T00:00:00+00:00", "rating": rating, "reason": "", "correction": "",
        "question": question, "answer": "a", "model": "chat", "settings_id": "", **more,
    })  # fmt: skip


def test_judgements_by_language_reason_and_settings():
    rows = [feedback("up"), feedback("down", reason="wrong", correction="셋"), feedback("up", "How many days off?")]
    english, korean = feedback_counts(rows, "language")
    assert (english.key, english.judged, english.up_share) == ("en", 1, 1.0)
    assert (korean.key, korean.up, korean.down, korean.corrected, korean.up_share) == ("ko", 1, 1, 1, 0.5)
    assert [(row.key, row.judged) for row in feedback_counts(rows, "reason")] == [("(none)", 2), ("wrong", 1)]
    assert [(row.key, row.judged) for row in feedback_counts(rows, "settings_id")] == [("conf", 3)]


def test_reports_are_what_lies_in_the_workspace_and_can_be_read(tmp_path):
    (tmp_path / "retrieval.json").write_text('{"R@5": 0.9}')
    (tmp_path / "experiments.json").write_text("{half")
    assert [(report.name, report.content) for report in newest_reports(tmp_path)] == [("retrieval", {"R@5": 0.9})]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.95, 4.0), (0.0, 1.0), (1.0, 4.0), (0.25, 1.0), (0.26, 2.0)])
def test_a_percentile_is_the_nearest_rank(share, expected):
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_is_one_of_the_values_and_enough_are_below_it(values, share):
    found = percentile(values, share)
    assert found in values and sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_a_csv_is_read_back_and_runs_nothing():
    rows = [PiiRow("2026-11-24", '=HYPERLINK("http://x")', 1), PiiRow("d", 'a, "b"\nc', 2)]
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert read[0]["kind"] == '\'=HYPERLINK("http://x")' and read[1] == {"day": "d", "kind": 'a, "b"\nc', "count": "2"}
    assert as_csv([]) == ""


def test_quality_is_split_by_the_kind_of_question():
    kinds = ("stand_alone", "follow_up", "follow_up", "no_answer", "")
    events = [replace(BASE, kind=kind, found=kind != "no_answer") for kind in kinds]
    counted = {row.key: (row.answers, row.found_share) for row in quality_rows(events, "kind")}
    assert counted == {"stand_alone": (1, 1.0), "follow_up": (2, 1.0), "no_answer": (1, 0.0), "unknown": (1, 1.0)}
    rows = [feedback("up", kind="follow_up"), feedback("down", kind="follow_up"), feedback("up")]
    assert [(row.key, row.judged, row.up, row.down) for row in feedback_counts(rows, "kind")] == [
        ("follow_up", 2, 1, 1), ("unknown", 1, 1, 0),
    ]  # fmt: skip


def test_the_kind_of_a_question_is_told_by_its_answer():
    def cited(*documents: str) -> tuple[Citation, ...]:
        return tuple(Citation(n, f"c{n}", d, d, d, None, "", "q") for n, d in enumerate(documents, 1))

    assert question_kind(None) == ""
    assert question_kind(Answer("", False, model="m", asked="whole")) == "no_answer"
    assert question_kind(Answer("a", True, model="m", citations=cited("d", "e"), asked="whole")) == "follow_up"
    assert question_kind(Answer("a", True, model="m", citations=cited("d", "e", "d"))) == "several_documents"
    assert question_kind(Answer("a", True, model="m", citations=cited("d", "d"))) == "stand_alone"
