"""Quotations of records and tables say which record and which column a value belongs to."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.answering.evidence import EvidenceSettings, weigh_evidence
from llmflow.answering.quotations import choose_sentences
from llmflow.answering.spans import on_one_line, quotable_spans
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import Chunk, Document, DocumentStatus, ElementKind, Hit

SETTINGS, ANALYSER = EvidenceSettings(), AnalyserSettings()
SERVICES = (
    "system: Portal\nprotocol: HTTPS\ntimeout: time limit 15 seconds\nretry: twice\n\n"
    "system: Lakehouse\nprotocol: gRPC\ntimeout: time limit 120 seconds\nretry: never"
)
LIMITS = "| 지역 | 숙박 한도 | 일비 |\n| --- | :---: | --- |\n| 서울 | 1박 13만 원 | |\n| 일본 | 1박 180달러 | 하루 60달러 |"


def hit(text: str, kind: ElementKind) -> Hit:
    document = Document("d", "t", (), "d", "Some sheet", "xlsx", DocumentStatus.READY)
    return Hit(Chunk("d-0", "d", 0, text, kind, "ko" if "원" in text else "en"), document, 0.9)


def said(question: str, passage: Hit) -> list[str]:
    chosen = choose_sentences(weigh_evidence(question, [passage], SETTINGS, ANALYSER), SETTINGS, ANALYSER)
    return [on_one_line(sentence.hit, sentence.text) for sentence in chosen]


def test_the_value_of_a_record_is_quoted_with_its_own_name():
    found = said("What is the time limit of Lakehouse?", hit(SERVICES, ElementKind.RECORD))
    assert found == ["system: Lakehouse · protocol: gRPC · timeout: time limit 120 seconds"]


def test_a_record_of_which_only_the_name_was_asked_is_quoted_whole():
    found = said("Which settings has Lakehouse?", hit(SERVICES, ElementKind.RECORD))
    assert found == ["system: Lakehouse · protocol: gRPC · timeout: time limit 120 seconds · retry: never"]


def test_lines_of_a_long_record_are_judged_by_what_stands_beside_them():
    note = "note: " + "nothing to see here " * 30
    text = f"system: Portal\n{note}\ntimeout: 15 seconds\n\nsystem: Lakehouse\n{note}\ntimeout: 120 seconds"
    found = said("What is the timeout of Lakehouse?", hit(text, ElementKind.RECORD))
    assert set(found[:2]) == {"system: Lakehouse", "timeout: 120 seconds"}


def spans_of(text: str) -> list[str]:
    passage = hit(text, ElementKind.TEXT)
    return [text[slice(*span)] for span in quotable_spans(passage)]


def test_a_question_is_quoted_with_its_answer():
    text = "자주 묻는 질문\nQ. 정원은 몇 명인가요?\nA. 한 반에 30명입니다.\nQ. 수강료는 얼마인가요?\nA. 한 달에 9만 원입니다."
    assert said("수강료는 얼마인가요?", hit(text, ElementKind.TEXT)) == ["Q. 수강료는 얼마인가요? A. 한 달에 9만 원입니다."]
    assert said("정원은 몇 명인가요?", hit(text, ElementKind.TEXT)) == ["Q. 정원은 몇 명인가요? A. 한 반에 30명입니다."]


def test_the_line_before_a_list_is_quoted_with_the_list():
    text = "여권을 찾습니다.\n여권에 필요한 서류:\n신분증\n사진 두 장\n\n발급에는 나흘이 걸립니다. 창구는 1층입니다."
    found = said("여권에 필요한 서류는?", hit(text, ElementKind.TEXT))
    assert found[0] == "여권에 필요한 서류: 신분증 · 사진 두 장"
    assert spans_of(text)[1:] == ["여권에 필요한 서류:\n신분증\n사진 두 장", "발급에는 나흘이 걸립니다.", "창구는 1층입니다."]


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("Who pays?\nWho signs?\nThe head signs.", ["Who pays?", "Who signs?\nThe head signs."]),
        ("Do it as follows:\nRun(a = 1);", ["Do it as follows:", "Run(a = 1);"]),
        ("Bring:\nA " + "long sentence " * 30, ["Bring:", f"A {'long sentence ' * 30}".strip()]),
        ("Some sheet\nWhat is it?", ["What is it?"]),
    ],
)
def test_what_stands_between_two_thoughts_is_left_apart(text, alone):
    assert spans_of(text) == alone


def test_a_row_is_said_under_its_headers_and_empty_cells_are_left_out():
    assert said("일본 출장의 숙박 한도는?", hit(LIMITS, ElementKind.TABLE)) == [
        "지역: 일본 · 숙박 한도: 1박 180달러 · 일비: 하루 60달러"
    ]
    assert on_one_line(hit(LIMITS, ElementKind.TABLE), "| 서울 | 1박 13만 원 | |") == "지역: 서울 · 숙박 한도: 1박 13만 원"


@pytest.mark.parametrize(
    ("table", "row", "line"),
    [
        ("| a | b |\n| c | d |", "| c | d |", "c · d"),
        (LIMITS, "| 일본 | 1박 180달러 |", "일본 · 1박 180달러"),
        (LIMITS, "지역별 한도", "지역별 한도"),
        ("| x |\n|---|\n| a\\|b |", "| a\\|b |", "x: a\\|b"),
    ],
)
def test_rows_that_fit_no_header_keep_their_cells(table, row, line):
    assert on_one_line(hit(table, ElementKind.TABLE), row) == line


@given(st.text("ab: \n|-#", max_size=60), st.sampled_from(list(ElementKind)))
def test_spans_lie_in_order_and_what_is_said_of_them_keeps_every_letter(text, kind):
    passage = hit(text, kind)
    spans = quotable_spans(passage)
    assert spans and all(end <= start for (_, end), (start, _) in pairwise(spans))
    for start, end in spans:
        letters = [c for c in text[start:end] if c in "ab"]
        kept = [c for c in on_one_line(passage, text[start:end]) if c in "ab"]
        assert kept == letters or kind is ElementKind.TABLE


def test_a_row_said_under_its_headers_is_supported_by_its_table_and_another_value_is_not():
    from llmflow.evaluation.faithfulness import _holds_row

    assert _holds_row("지역: 일본 · 숙박 한도: 1박 180달러", LIMITS)
    assert not _holds_row("지역: 일본 · 숙박 한도: 1박 190달러", LIMITS)
    assert not _holds_row("지역: 서울 · 숙박 한도: 1박 180달러", LIMITS)  # of two rows
    assert not _holds_row("system: Portal · timeout: time limit 120 seconds", SERVICES)  # of two records
