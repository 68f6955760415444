"""Sentence support worked by hand: what is said, what is invented, what is turned round, what cannot be checked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.evaluation.answer_quality import answer_quality
from llmflow.evaluation.answers import AnsweredQuestion, Judgement, summarise_answers
from llmflow.evaluation.faithfulness import faithful_share, marked_segments, sentence_support
from llmflow.evaluation.judged_sets import Evidence, JudgedQuestion
from llmflow.evaluation.quantities import missing_quantities, quantities
from llmflow.evaluation.report import answers_table
from llmflow.types import Answer, Chunk, Citation, Document, DocumentStatus, ElementKind, Hit, Principal

KOREAN = (
    "연차는 최대 5일까지 다음 해 3월 말로 이월할 수 있다. 수습 기간에는 이월할 수 없다. "
    "병가 기간에는 통상임금의 70퍼센트를 지급한다. 포상 휴가는 별도로 정한다."
)
ENGLISH = "Guests must sign in at the front desk. Badges are valid for 12 hours. Cameras are not allowed in the server room."


def answer(text: str, passage: str = KOREAN, quote: str = "", kept: bool = True) -> Answer:
    language = "ko" if passage is KOREAN else "en"
    document = Document(
        "d", "acme", ("*",), "leave.md", "휴가 규정" if passage is KOREAN else "Visitors", "md", DocumentStatus.READY
    )
    hit = Hit(Chunk("c", "d", 0, passage, ElementKind.TEXT, language), document, 1.0)
    cited = Citation(1, "c", "d", document.title, "leave.md", None, "", quote or passage[:10])
    return Answer(text, True, (cited,), (hit,) if kept else ())


@pytest.mark.parametrize(
    ("text", "passage", "reason"),
    [
        ("연차는 5일까지 이월할 수 있습니다 [1]", KOREAN, ""),
        ("연차는 최대 5일까지 다음 해 3월 말로 이월할 수 있다. [1]", KOREAN, ""),
        ("병가 중에는 통상임금의 70%를 지급합니다 [1]", KOREAN, ""),
        ("1. 병가 기간에는 통상임금의 70퍼센트를 지급합니다. [1]", KOREAN, ""),
        ("연차는 6일까지 이월할 수 있습니다 [1]", KOREAN, "numbers"),
        ("연차는 5주까지 이월할 수 있습니다 [1]", KOREAN, "numbers"),
        ("연차는 통상임금의 5퍼센트를 지급합니다 [1]", KOREAN, "numbers"),
        ("연차는 최대 5일까지 이월할 수 없습니다 [1]", KOREAN, "negation"),
        ("수습 기간에는 이월할 수 있습니다 [1]", KOREAN, "negation"),
        ("법인카드는 재무팀이 발급합니다 [1]", KOREAN, "words"),
        ("연차는 5일까지 이월할 수 있습니다", KOREAN, "uncited"),
        ("Up to 5 days can be carried over [1]", KOREAN, "other language"),
        ("Up to 6 days can be carried over [1]", KOREAN, "numbers"),
        ("A badge is valid for 12 hours [1].", ENGLISH, ""),
        ("Badges are valid for 12 days [1].", ENGLISH, "numbers"),
        ("Cameras are allowed in the server room [1].", ENGLISH, "negation"),
        ("You can't use cameras in the server room [1].", ENGLISH, ""),
        ("The cafeteria opens at noon [1].", ENGLISH, "words"),
    ],
)
def test_a_sentence_is_supported_or_the_reason_is_told(text: str, passage: str, reason: str):
    (found,) = sentence_support(answer(text, passage))
    assert (found.reason, found.supported) == (reason, None if reason == "other language" else not reason)


def test_shares_count_what_can_be_checked_and_refusals_say_nothing():
    both = answer("연차는 5일까지 이월할 수 있습니다 [1]\n수습 기간에는 30일을 쉽니다 [1]\nIt is fine [1]")
    assert [item.reason for item in sentence_support(both)] == ["", "numbers", "other language"]
    assert faithful_share(both) == 0.5
    assert faithful_share(Answer("모릅니다", False)) is None
    assert faithful_share(answer("All of it is well understood [1]")) is None, "nothing could be checked"


def test_a_quote_alone_supports_only_what_it_says():
    kept = answer("병가 기간에는 통상임금의 70퍼센트를 지급한다 [1]", quote="연차는 최대 5일까지")
    assert faithful_share(kept) == 1.0, "the whole passage is at hand"
    lost = answer("병가 기간에는 통상임금의 70퍼센트를 지급한다 [1]", quote="연차는 최대 5일까지", kept=False)
    assert faithful_share(lost) == 0.0


def test_a_mark_covers_the_text_back_to_the_mark_before():
    assert list(marked_segments("가 나 [1][2] 다. [3]\n라")) == [("가 나", (1, 2)), ("다.", (3,)), ("라", ())]
    assert list(marked_segments("[1]\n[2]")) == []


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("가나다 ab12.[]\n"), max_size=40))
def test_marked_segments_lose_no_word(text: str):
    import re

    kept = "".join(segment for segment, _ in marked_segments(text))
    letters = re.sub(r"\[\d{1,2}\]", "", text)
    assert re.sub(r"\W", "", kept) == re.sub(r"\W", "", letters)


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("250만 원", "2,500,000원", set()),
        ("2시간", "2 hours", set()),
        ("5", "5일", set()),
        ("5일", "15일", {(5.0, "day")}),
        ("10시", "10시간", {(10.0, "o'clock")}),
        ("1.5배", "1.50배", set()),
        ("03월", "3월", set()),
        ("USD 3 million", "3,000,000", set()),
        ("", "3", set()),
    ],
)
def test_quantities_meet_across_spellings(claim: str, source: str, missing: set[tuple[float, str]]):
    assert missing_quantities(claim, source) == missing


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_a_text_never_misses_its_own_quantities(text: str):
    assert missing_quantities(text, text) == set()
    assert quantities(text) == quantities(text + " ")


def asked(name: str, kind: str = "single") -> JudgedQuestion:
    return JudgedQuestion(name, "?", "ko", kind, Principal("acme"), evidence=(Evidence("leave.md", "연차"),), answer="5일")


def test_quality_lists_what_is_not_supported_and_where_the_judge_differs():
    wrong = Judgement("judge-7b", False, True, "says 6")
    answered = [
        AnsweredQuestion(asked("a"), answer("연차는 5일까지 이월할 수 있습니다 [1]"), Judgement("judge-7b", True, True, "fine")),
        AnsweredQuestion(asked("b"), answer("연차는 5일까지 이월할 수 있습니다 [1]"), wrong),
        AnsweredQuestion(asked("c", "multi"), answer("연차는 6일까지 이월할 수 있습니다 [1]")),
        AnsweredQuestion(asked("d"), Answer("모릅니다", False)),
    ]
    quality = answer_quality(answered)
    assert (quality.sentences, quality.unchecked, dict(quality.reasons)) == (3, 0, {"numbers": 1})
    assert [(item.question_id, item.reason) for item in quality.unsupported] == [("c", "numbers"), ("b", "judge: says 6")]
    assert quality.disagreements == ("b",)
    assert quality.scores.faithful == pytest.approx(2 / 3)
    assert (quality.scores.judged, quality.scores.judged_faithful, quality.scores.judged_correct) == (2, 0.5, 1.0)

    summary = summarise_answers(answered)
    assert summary.overall == quality.scores and summary.judge == "judge-7b"
    assert summary.by_kind["multi"].faithful == 0.0 and summary.by_kind["multi"].judged_faithful is None
    assert "judge judge-7b" in answers_table(summary) and "judged correct" in answers_table(summary)
    unjudged = summarise_answers([AnsweredQuestion(item.question, item.answer) for item in answered])
    assert "judged" not in answers_table(unjudged) and "faithful" in answers_table(unjudged)
