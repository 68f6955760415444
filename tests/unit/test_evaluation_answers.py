"""Scores of answers, worked by hand on a handful of questions."""

from dataclasses import replace

import pytest

from llmflow.errors import DatasetError
from llmflow.evaluation.answers import (
    AnsweredQuestion,
    answer_coverage,
    citation_precision,
    citation_recall,
    contains_answer,
    leaks_of,
    summarise_answers,
)
from llmflow.evaluation.judged_sets import Evidence, JudgedQuestion
from llmflow.types import Answer, Chunk, Citation, Document, DocumentStatus, ElementKind, Hit, Principal

ANN = Principal("acme", frozenset({"hr"}))
NOTHING = Answer("Nothing was found.", found=False)
LEAVE = "휴가 규정. 연차는 15일이다. 신청은 사흘 전에 한다."


def question(**changes: object) -> JudgedQuestion:
    base = JudgedQuestion("q", "연차는?", "ko", "single", ANN, evidence=(Evidence("leave.md", "연차는 15일이다"),), answer="15일")
    return replace(base, **changes)  # type: ignore[arg-type]


def hit(source: str, text: str = "text", tenant: str = "acme", groups: tuple[str, ...] = ("hr",)) -> Hit:
    document = Document(source, tenant, groups, source, source, "md", DocumentStatus.READY)
    return Hit(Chunk(f"{source}#0", source, 0, text, ElementKind.TEXT, "ko"), document, 1.0)


def cite(source: str, quote: str) -> Citation:
    return Citation(1, f"{source}#0", source, source, source, None, "", quote)


def answered(
    text: str, *citations: Citation, hits: tuple[Hit, ...] = (), asked: JudgedQuestion | None = None
) -> AnsweredQuestion:
    return AnsweredQuestion(asked or question(), Answer(text, True, citations, hits))


@pytest.mark.parametrize(
    ("text", "expected", "held"),
    [
        ("연차는 15일입니다.", "15일", True),
        ("연차는 115일입니다.", "15일", False),
        ("연차는 1.5일이다", "5일", False),
        ("It is 12 percent", "12", True),
        ("It is 12.5 percent", "12", False),
        ("It is 12.", "12", True),
        ("모두 1,500,000원이다", "1500000원", True),
        ("The PARTY, of course", "party of course", True),
        ("The party", "art", False),
        ("서울시청에서 낸다", "서울 시청", True),
        ("채널은 #travel-desk 이다", "#travel-desk", True),
        ("ＶＰＮ으로", "VPN", True),
        ("anything", "...", False),
    ],
)
def test_expected_answers_are_found_whatever_their_dress(text: str, expected: str, held: bool):
    assert contains_answer(answered(text, asked=question(answer=expected))) is held


def test_an_alias_counts_and_a_refusal_does_not():
    asked = question(answer="fifteen days", aliases=("15일",))
    assert contains_answer(answered("연차는 15일", asked=asked))
    assert not contains_answer(AnsweredQuestion(asked, Answer("15일은 모릅니다", found=False)))
    assert answer_coverage(AnsweredQuestion(asked, Answer("15일은 모릅니다", found=False))) == 0


def test_coverage_is_the_share_of_expected_words():
    asked = question(answer="Up to 5 days, next March", aliases=("다섯 날",))
    assert answer_coverage(answered("5 days can be moved to March.", asked=asked)) == pytest.approx(4 / 6), "to 5 days march"
    assert answer_coverage(answered("다섯 날까지", asked=asked)) == 1.0
    assert answer_coverage(answered("15 birthdays", asked=asked)) == 0.0


def test_a_citation_is_right_when_its_passage_holds_the_evidence():
    kept = (hit("leave.md", LEAVE), hit("copy.md", LEAVE))
    assert citation_precision(answered("..", cite("leave.md", "신청은 사흘 전에"), hits=kept)) == 1.0, "the passage decides"
    assert citation_precision(answered("..", cite("leave.md", "신청은 사흘 전에"))) == 0.0, "only the quote is known"
    assert citation_precision(answered("..", cite("leave.md", "연차는 15일"))) == 1.0, "a part of the evidence"
    assert citation_precision(answered("..", cite("leave.md", ""))) == 0.0, "an empty quote is a part of everything"
    assert citation_precision(answered("..", cite("copy.md", "연차는 15일이다"), hits=kept)) == 0.0, "another document"


def test_citation_precision_and_recall_worked_by_hand():
    evidence = (Evidence("leave.md", "연차는 15일이다"), Evidence("pay.md", "수당은 없다"))
    item = answered(
        "..",
        cite("leave.md", "연차는 15일이다"),
        cite("x.md", "연차"),
        cite("leave.md", "15일이다"),
        asked=question(evidence=evidence),
    )
    assert citation_precision(item) == pytest.approx(2 / 3)
    assert citation_recall(item) == 0.5, "the same evidence cited twice counts once"
    assert citation_recall(AnsweredQuestion(question(evidence=evidence), replace(item.answer, found=False))) == 0.0


def test_leaks_are_forbidden_or_unreadable_sources():
    asked = question(forbidden=("pay.xlsx",))
    hits = (hit("leave.md"), hit("pay.xlsx"), hit("plan.md", groups=("board",)), hit("rival.md", tenant="other"), hit("pay.xlsx"))
    item = answered("..", cite("pay.xlsx", "x"), hits=hits, asked=asked)
    assert leaks_of(item) == ("pay.xlsx", "plan.md", "rival.md")
    assert leaks_of(answered("..", cite("pay.xlsx", "x"), asked=asked)) == ("pay.xlsx",), "a citation alone leaks too"
    assert leaks_of(answered("..", hits=(hit("all.md", groups=("*",)),), asked=asked)) == ()


def test_summary_worked_by_hand():
    right = answered("연차는 15일이다 [1]", cite("leave.md", "연차는 15일이다"))
    wrong = answered("서른 날이다")
    refused = AnsweredQuestion(question(language="en"), NOTHING)
    empty = question(kind="unanswerable", evidence=(), answer=None, answerable=False)
    silent = AnsweredQuestion(empty, NOTHING)
    invented = answered("달까지 간다", cite("pay.xlsx", "x"), asked=replace(empty, id="bad", forbidden=("pay.xlsx",)))

    summary = summarise_answers([right, wrong, refused, silent, invented])

    overall = summary.overall
    assert (overall.questions, overall.leaks, summary.leaked) == (5, 1, (("bad", "pay.xlsx"),))
    assert overall.refused_unanswerable == 1 / 2
    assert overall.wrongly_refused == pytest.approx(1 / 3)
    assert overall.uncited == pytest.approx(1 / 3), "of three given answers one cites nothing"
    assert overall.citation_precision == 1.0, "over cited answers to questions with evidence: the first only"
    assert overall.citation_recall == pytest.approx(1 / 3)
    assert overall.contains_answer == pytest.approx(1 / 3)
    assert list(summary.by_kind) == ["single", "unanswerable"]
    assert {name: scores.questions for name, scores in summary.by_language.items()} == {"en": 1, "ko": 4}
    unanswerable = summary.by_kind["unanswerable"]
    assert (unanswerable.refused_unanswerable, unanswerable.wrongly_refused) == (0.5, None)
    assert (unanswerable.citation_precision, unanswerable.contains_answer, unanswerable.answer_coverage) == (None, None, None)
    assert summary.by_language["en"].citation_precision is None, "nothing was cited, which is not a precision of 0"


def test_no_answer_to_summarise_is_refused():
    with pytest.raises(DatasetError, match="No answered question"):
        summarise_answers([])
