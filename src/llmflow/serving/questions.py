"""What counts as a question that may be asked; the API and the page share it."""

import unicodedata
from typing import Literal

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
