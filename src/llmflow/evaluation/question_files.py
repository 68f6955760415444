"""Files of judged questions that several people write: saved whole or not at all, reviews never lost."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from llmflow.errors import DatasetError
from llmflow.evaluation.json_rows import write_rows
from llmflow.evaluation.judged_questions import JudgedQuestion, Review
from llmflow.evaluation.judged_sets import load_sample_questions, sample_row

STANDINGS = ("written", "reviewed", "generated", "rejected")


def save_questions(path: Path | str, questions: Iterable[JudgedQuestion]) -> None:
    """Write questions in our own format; a reader sees the file of before or the whole new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write_rows(temporary, (sample_row(question) for question in questions))
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def change_question(path: Path | str, question_id: str, change: Callable[[JudgedQuestion], JudgedQuestion]) -> JudgedQuestion:
    """Change one question of a file and return it, whatever others have changed in the file since it was read.

    Raises DatasetError when the file lacks the question.
    """
    from filelock import FileLock

    path = Path(path)
    with FileLock(path.with_name(f".{path.name}.lock")):
        questions = load_sample_questions(path, with_rejected=True)
        changed = [change(question) if question.id == question_id else question for question in questions]
        found = [question for question in changed if question.id == question_id]
        if not found:
            raise DatasetError(f"{path}: question {question_id!r} is gone. Somebody made the file anew; read it again.")
        save_questions(path, changed)
    return found[0]


def reviewed(
    question: JudgedQuestion, decision: str, by: str, at: str, text: str | None = None, answer: str | None = None, note: str = ""
) -> JudgedQuestion:
    """Return a question with a person's decision; `text` and `answer` replace its wording where they differ."""
    wording = question.text if text is None or not text.strip() else " ".join(text.split())
    expected = question.answer if answer is None else (answer.strip() or None)
    earlier = question.review is not None and question.review.edited
    edited = earlier or (wording, expected) != (question.text, question.answer)
    return replace(question, text=wording, answer=expected, review=Review(decision, by, at, edited, note.strip()))


def undecided(question: JudgedQuestion) -> JudgedQuestion:
    """Return a question as nobody had looked at it; its wording stays."""
    return replace(question, review=None)


def merge_reviews(kept: Sequence[JudgedQuestion], new: Sequence[JudgedQuestion]) -> tuple[JudgedQuestion, ...]:
    """Return what a new generation makes of a file: every written or decided question as it is, then the new ones without them.

    So a rejected question never comes back, and one that was edited keeps its wording.
    """
    decided = [question for question in kept if question.standing != "generated"]
    known = {question.id for question in decided}
    return (*decided, *(question for question in new if question.id not in known))


def standings(questions: Iterable[JudgedQuestion]) -> Mapping[str, int]:
    """Return how many questions were written by a person, reviewed, only generated, rejected."""
    counts = Counter(question.standing for question in questions)
    return {name: counts[name] for name in STANDINGS}
