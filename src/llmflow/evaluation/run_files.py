"""Runs as TREC run files: `question Q0 passage rank score tag`, one line a hit, readable by every evaluation tool."""

import math
import re
from pathlib import Path
from urllib.parse import quote, unquote

from llmflow.errors import DatasetError
from llmflow.evaluation.metrics import Run
from llmflow.types import ScoredId


def write_run(path: Path | str, run: Run, tag: str = "llmflow") -> None:
    """Write `run`, questions sorted by id, hits as listed; the same run gives the same bytes.

    White space and `%` in ids are percent-encoded, since columns are parted by spaces. Questions without hits leave no line.
    Raises DatasetError for an empty id or tag, a tag with white space and a score that is no finite number.
    """
    if not tag or re.search(r"\s", tag):
        raise DatasetError(f"Run tag {tag!r} is empty or has white space. Use one word.")
    lines = [
        f"{_escape(question_id)} Q0 {_escape(scored.id)} {rank} {_finite(scored.score, f'Question {question_id!r}')!r} {tag}\n"
        for question_id in sorted(run)
        for rank, scored in enumerate(run[question_id], start=1)
    ]
    Path(path).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_run(path: Path | str) -> dict[str, list[ScoredId]]:
    """Return the run of a file, questions in the file's order, hits by rank; percent-encoded ids are decoded.

    Raises DatasetError with file and line for a malformed line, a score that is no finite number and a passage ranked twice.
    """
    ranked: dict[str, list[tuple[int, ScoredId]]] = {}
    seen: dict[str, set[str]] = {}
    for number, line in enumerate(_read_text(Path(path)).split("\n"), start=1):
        cells = line.split()
        if not cells:
            continue
        where = f"{path}:{number}"
        try:
            question_id, _, passage_id, rank, score, _ = cells
            position, value = int(rank), float(score)
        except ValueError as exc:
            raise DatasetError(f"{where}: expected `question Q0 passage rank score tag`, found {line[:80]!r}.") from exc
        question_id, passage_id = _unescape(question_id), _unescape(passage_id)
        if passage_id in seen.setdefault(question_id, set()):
            raise DatasetError(f"{where}: {passage_id!r} is ranked twice for question {question_id!r}. Keep its best line.")
        seen[question_id].add(passage_id)
        ranked.setdefault(question_id, []).append((position, ScoredId(passage_id, _finite(value, where))))
    return {
        question_id: [scored for _, scored in sorted(hits, key=lambda hit: (hit[0], -hit[1].score, hit[1].id))]
        for question_id, hits in ranked.items()
    }


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(f"{path}: cannot be read as a TREC run ({exc}). Check the file and its encoding.") from exc


def _escape(identifier: str) -> str:
    if not identifier:
        raise DatasetError("A run cannot hold an empty id. Give every question and passage an id.")
    return re.sub(r"[\s%]", lambda match: quote(match[0]), identifier)


def _unescape(identifier: str) -> str:
    return unquote(identifier) if "%" in identifier else identifier  # unquote costs ten times the rest of the line


def _finite(score: float, where: str) -> float:
    if not math.isfinite(score):
        raise DatasetError(f"{where}: the score {score} is no finite number. Correct or leave out the hit.")
    return float(score)
