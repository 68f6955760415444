"""Wrong answers given with confidence: the ones that do harm, listed so that a person can read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.evaluation.answers import AnsweredQuestion, citation_recall, contains_answer
from llmflow.evaluation.judged_sets import JudgedQuestion


@dataclass(frozen=True, slots=True)
class Mistake:
    question: JudgedQuestion
    said: str
    confidence: float
    why: str


def confident_mistakes(answered: Sequence[AnsweredQuestion], confident: float) -> list[Mistake]:
    """Return the wrong answers of at least this confidence, the most confident first, ties in order.

    A judge model's word counts where it was asked. Otherwise an answer is wrong when the question has no answer, or when it
    neither holds the expected answer nor cites any of the evidence.
    """
    found = []
    for item in answered:
        why = _fault(item)
        if why and item.answer.confidence >= confident:
            found.append(Mistake(item.question, item.answer.text, item.answer.confidence, why))
    return sorted(found, key=lambda mistake: -mistake.confidence)


def _fault(item: AnsweredQuestion) -> str:
    question = item.question
    if not item.answer.found:
        return ""
    if not question.answerable:
        return "The corpus does not hold an answer."
    if item.judgement is not None and item.judgement.correct is not None:
        return "" if item.judgement.correct else f"The judge says: {item.judgement.reason}"
    if question.answer and contains_answer(item):
        return ""
    if question.evidence:
        return "" if citation_recall(item) else "It cites none of the passages that hold the answer."
    return "It does not hold the expected answer." if question.answer else ""
