"""What counts as a question that may be asked; the API and the page share it."""

import unicodedata
from typing import Literal

from llmflow.errors import Refused
from llmflow.wording import said

QuestionProblem = Literal["empty", "too_long", "control"]


def clean_question(text: str) -> str:
    """Return the question composed (NFC: macOS sends Korean decomposed), with plain line ends and no outer space."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def question_problem(question: str, max_chars: int) -> QuestionProblem | None:
    """Return why a cleaned question cannot be asked, or None when it can.

    Control characters and lone surrogates are refused; line breaks and tabs are not.
    """
    if not question:
        return "empty"
    if len(question) > max_chars:
        return "too_long"
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in question):
        return "control"
    return None


class QuestionRefused(Refused):
    """A question that cannot be asked, with the kind of fault for pages that say it in their own words."""

    def __init__(self, fault: QuestionProblem, length: int, max_chars: int) -> None:
        faults = {
            "empty": (said("question.empty"), said("question.write")),
            "too_long": (said("question.too_long", count=length), said("question.shorten")),
            "control": (said("question.control"), said("question.paste")),
        }
        error, self.then = faults[fault]
        super().__init__(error)
        self.fault = fault
        self.allowed = said("question.length", most=max_chars)


def checked_question(text: str, max_chars: int) -> str:
    """Return the cleaned question. Raises `QuestionRefused` when it cannot be asked."""
    question = clean_question(text)
    fault = question_problem(question, max_chars)
    if fault is not None:
        raise QuestionRefused(fault, len(question), max_chars)
    return question
