"""Pieces of an answer are masked while they stream: whatever the pieces, nothing personal is ever shown, and nothing is lost."""

from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from llmflow.answering.streaming_mask import StreamingMask, names_hangul_address
from llmflow.ingestion.masking import Masker, MaskingSettings, visible

MASKER = Masker(MaskingSettings())
VALUES = (
    "900101-1234567",
    "010-1234-5678",
    "02) 123-4567",
    "+82-10-1234-5678",
    "(02)123-4567",
    "hong.gildong@corp.local",
    "인사팀@회사.한국",
    "1234-5678-9012-3452",
    "4111 1111 1111 1111",
    "서울 12-123456-12",
    "11-22-123456-33",
    "M123A4567",
    "GB82 WEST 1234 5698 7654 32",
    "110-123-456789",
    "123 456 789012",
    "123-45-67890",
    "010 1234 5678",
    "０１０-１２３４-５６７８",
    "010‑1234‑5678",
    "900101-1******",
)
LABELS = (
    "계좌번호: ",
    "여권 ",
    "성명: 홍길동",
    "담당자: 김철수, 이영희 과장",
    "예금주 박민수 ",
    "name: John Smith\nphone: ",
    "Applicant: Jane Doe ",
    "| 성명 | 전화 |\n|---|---|\n| 홍길동 | ",
    "사업자등록번호 ",
    "면허 ",
    "카드 ",
    "전화번호는 ",
    "이름\t부서\n김철수\t인사팀\n",
)
FILLERS = (
    "연차는 15일이며 [1] ",
    "2026. 3. 2.부터 300만 원입니다. ",
    "\n",
    "\n\n",
    " ",
    "입니다",
    "은행 계좌입니다",
    ", ",
    "- ",
    "이고 카드번호입니다.",
    "The limit is 5 days [2].\n",
    "https://hr.local/a?id=12345678 ",
    "[PHONE]",
    "a",
    "서울 ",
    "\u200b",
    "|",
    "\t",
    "3",
    "12",
    "(",
    "+",
)
TEXTS = st.lists(st.sampled_from((*VALUES, *LABELS, *FILLERS)) | st.text(max_size=6), max_size=14).map("".join)


def streamed(text: str, cuts: list[int], opens_early: bool = False) -> list[str]:
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    stream = StreamingMask(MASKER, opens_early)
    shown = [stream.push(text[a:b]) for a, b in pairwise(places)]
    return [*shown, stream.finish()]


def characters(text: str) -> list[str]:
    return streamed(text, list(range(len(text))))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(0, 300), max_size=40))
@example("전화 010-1234-5678 입니다", list(range(30)))
def test_however_it_is_cut_the_pieces_are_the_masked_text(text: str, cuts: list[int]):
    assert "".join(streamed(text, cuts)) == MASKER.mask(visible(text)).text


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_character_by_character_too(text: str):
    assert "".join(characters(text)) == MASKER.mask(visible(text)).text


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("around", ["전화·계좌·카드·여권·면허 {} 입니다. 그 밖의 일은 인사팀에 물어보십시오. 감사합니다.", "{}"])
def test_no_value_is_ever_seen_in_part(value: str, around: str):
    text = around.format(value)
    masked = MASKER.mask(text).text
    if masked == text:
        pytest.skip("alone it is no personal data")
    longest = max(value.split("-") + value.split(), key=len)[-5:]
    shown = ""
    for piece in characters(text):
        shown += piece
        assert longest not in shown
    assert shown == masked


def test_what_a_masked_neighbour_lays_bare_is_neither_lost_nor_shown():
    text = "900101-1234567GB82 WEST 1234 5698 7654 32예금주 박민수 "
    assert "".join(characters(text)) == MASKER.mask(text).text


def test_plain_text_is_held_back_by_a_word_only():
    stream, text = (
        StreamingMask(MASKER),
        "연차는 최대 5일까지 다음 해 3월 말로 이월할 수 있습니다 [1]. 그 뒤에는 사라집니다.\n" * 5,
    )
    longest = 0
    for character in text:
        stream.push(character)
        longest = max(longest, stream.held)
    assert longest <= 12


@settings(max_examples=100, deadline=None)
@given(TEXTS.map(lambda text: " ".join(text.split())))
def test_what_is_held_back_is_bounded(text: str):
    stream = StreamingMask(MASKER)
    for character in text:
        stream.push(character)
        words = max(map(len, text.split()), default=0)
        assert "|" in text or "\t" in text or "<" in text or stream.held <= 260 + 2 * words


def test_what_was_masked_is_counted():
    stream = StreamingMask(MASKER)
    stream.push("010-1234-5678, a@b.co ")
    stream.finish()
    assert dict(stream.counts()) == {"EMAIL": 1, "PHONE": 1}


def test_a_mask_of_unknown_reach_shows_nothing_before_the_end():
    stream = StreamingMask(str.upper)
    assert (stream.push("abc "), stream.push("def"), stream.finish()) == ("", "", "ABC DEF")


OPENINGS = ("서울", "서", "강원도는", "성명", "연차", "인사팀", "가", "경", "담당자", " ", "\n")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(OPENINGS), max_size=3).map("".join), TEXTS, st.lists(st.integers(0, 300), max_size=40))
def test_an_early_opening_shows_the_masked_text_too(opening: str, rest: str, cuts: list[int]):
    text = opening + rest
    assume(not names_hangul_address(text))
    assert "".join(streamed(text, cuts, opens_early=True)) == MASKER.mask(visible(text)).text


def test_a_first_word_of_hangul_is_shown_as_it_grows_and_nothing_else_is():
    stream = StreamingMask(MASKER, opens_early=True)
    assert [stream.push(piece) for piece in (" 연", "차는", " 열다", "섯", " 일")] == [" 연", "차는", " ", "", "열다섯 "]
    stream = StreamingMask(MASKER, opens_early=True)
    assert [stream.push(piece) for piece in ("경", "기", " ", "12-345678-90 ")] == ["", "", "", ""]
    assert stream.finish() == "[DRIVER] "
    assert StreamingMask(MASKER, opens_early=True).push("hong") == ""
    assert StreamingMask(MASKER).push("연차는") == ""


def test_of_an_address_that_nobody_gave_only_the_hangul_is_shown():
    shown = "".join(streamed("인사팀@회사.한국 입니다", list(range(20)), opens_early=True))
    assert shown == "인사팀[EMAIL] 입니다"


@pytest.mark.parametrize(
    ("text", "held"),
    [("문의는 인사팀@회사.한국", True), ("홍 ＠회사", True), ("홍\u200b@회사", True), ("hr@corp.kr", False), ("인사팀", False)],
)
def test_what_may_be_an_address_of_hangul_is_known(text: str, held: bool):
    assert names_hangul_address(text) is held
