"""The names that a section or a record bears, and where a text says them."""

import pytest

from llmflow.answering.subjects import said_in, subjects_of
from llmflow.types import Chunk, Document, DocumentStatus, ElementKind, Hit

RECORDS = "코드: SYS-10\n시스템명: 패스키퍼\n등급: 1등급\n\n코드: SYS-11\n시스템명: 탤런트링크\n등급: 2등급"


def hit(
    text: str = "운영한다.", headings: tuple[str, ...] = (), title: str = "안내서", kind: ElementKind = ElementKind.TEXT
) -> Hit:
    chunk = Chunk("c", "d", 0, text, kind, "ko", headings)
    return Hit(chunk, Document("d", "t", (), "d", title, "txt", DocumentStatus.READY), 0.5)


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        ((), {"안내서"}),
        (("2장", "3. 패스키퍼 (PassKeeper)"), {"패스키퍼passkeeper", "패스키퍼", "PassKeeper"}),
        (("Haymo of Faversham",), {"Haymo of Faversham"}),
        (("retention",), set()),
        (("[NAME] 팀",), set()),
        (("2026",), set()),
    ],
)
def test_a_sentence_is_about_the_nearest_heading_or_the_title(headings: tuple[str, ...], names: set[str]):
    assert subjects_of(hit(headings=headings), 0) == names


def test_a_line_of_a_record_is_about_the_record_alone():
    records = hit(RECORDS, ("목록",), kind=ElementKind.RECORD)
    assert subjects_of(records, 0) == {"SYS 10", "패스키퍼"}
    assert subjects_of(records, RECORDS.index("등급: 2")) == {"SYS 11", "탤런트링크"}


def test_a_row_is_about_nothing_that_a_name_could_lead_to():
    assert subjects_of(hit("| 부모 사망 | 5일 |", ("휴가",), kind=ElementKind.TABLE), 0) == frozenset()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("법인카드", "법인 카드로 낸다.", True),
        ("패스키퍼", "패스키퍼에서만 한다.", True),
        ("Retention", "Backups follow the retention rules.", False),
        ("Uppsala", "She was born in Uppsala.", True),
        ("Ann", "She came from Annecy.", False),
    ],
)
def test_a_name_is_said_in_korean_whatever_the_spaces_and_in_latin_with_its_capitals(name: str, text: str, said: bool):
    assert said_in(name, text) is said
