"""What kind of question an answer was given to: a cheap rule on what is known when it ends."""

from enum import StrEnum

from llmflow.types import Answer


class QuestionKind(StrEnum):
    NO_ANSWER = "no_answer"
    """Nothing was found."""
    FOLLOW_UP = "follow_up"
    """It was rewritten to stand alone: it leans on what was said before."""
    SEVERAL_DOCUMENTS = "several_documents"
    """The answer cites more than one document, as questions in several steps and comparisons need."""
    STAND_ALONE = "stand_alone"


def question_kind(answer: Answer | None) -> str:
    """Return the first kind that fits, in the order above; empty for what got no answer at all."""
    if answer is None:
        return ""
    if not answer.found:
        return QuestionKind.NO_ANSWER
    if answer.asked:
        return QuestionKind.FOLLOW_UP
    several = len({citation.document_id for citation in answer.citations}) > 1
    return QuestionKind.SEVERAL_DOCUMENTS if several else QuestionKind.STAND_ALONE
