"""Three questions of the sample corpus for the first minute with llmflow."""

from typing import Any

from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.types import Answer
from llmflow.workspace import project_path

SHOWN = ("single-01", "multi-22", "unanswerable-01")
"""One looked up, one over two documents, one without an answer."""


def answer_samples(workspace: Any) -> list[tuple[str, Answer]]:
    """Return the shown questions, each answered for a person of the right department."""
    questions = load_sample_questions(project_path() / workspace.evaluation.questions)
    chosen = [question for question in questions if question.id in SHOWN]
    return [(q.text, workspace.answerer.answer(q.text, q.principal)) for q in chosen]
