"""Three questions of the sample corpus for the first minute with llmflow."""

from typing import Any

from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.types import Answer
from llmflow.workspace import project_path

KINDS = ("single", "multi", "unanswerable")


def answer_samples(workspace: Any) -> list[tuple[str, Answer]]:
    """Return one answered question of each kind."""
    questions = load_sample_questions(project_path() / workspace.evaluation.questions)
    chosen = [next(q for q in questions if q.kind == kind) for kind in KINDS]
    return [(q.text, workspace.answerer.answer(q.text, q.principal)) for q in chosen]
