"""What people thought of answers, as rows, and the evaluation reports that lie in the workspace."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmflow.ingestion.language import detect_language
from llmflow.ports import FeedbackRow
from llmflow.serving.operating.usage import UNKNOWN_KIND, day_of
from llmflow.workspace import home_path

REPORTS = ("retrieval", "experiments", "adapter_verdict", "ingestion", "finetuning")
MAX_REPORT_BYTES = 5 * 1024**2
NO_REASON = "(none)"


@dataclass(frozen=True, slots=True)
class FeedbackCounts:
    """Judged answers of one day, language, model, settings, reason or kind of question."""

    key: str
    judged: int
    up: int
    down: int
    corrected: int
    up_share: float


@dataclass(frozen=True, slots=True)
class Report:
    """A report that an evaluation left in the workspace."""

    name: str
    at: str
    """When it was written, ISO 8601, UTC."""
    content: Any


def feedback_counts(rows: Iterable[FeedbackRow], by: str) -> list[FeedbackCounts]:
    """Return a row a `day`, `language` (of the question), `model`, `settings_id`, `reason` or `kind` of question, sorted."""
    keys: dict[str, Callable[[FeedbackRow], str]] = {
        "day": lambda row: day_of(row.at),
        "language": lambda row: detect_language(row.question),
        "model": lambda row: row.model,
        "settings_id": lambda row: row.settings_id or "conf",
        "reason": lambda row: row.reason or NO_REASON,
        "kind": lambda row: row.kind or UNKNOWN_KIND,
    }
    parts: dict[str, list[FeedbackRow]] = {}
    for row in rows:
        parts.setdefault(keys[by](row), []).append(row)
    return [_counts(key, parts[key]) for key in sorted(parts)]


def newest_reports(folder: Path | None = None) -> list[Report]:
    """Return the reports of evaluations that lie in the workspace; what is missing, unreadable or huge is left out."""
    folder = folder or Path(home_path("reports"))
    found = []
    for name in REPORTS:
        path = folder / f"{name}.json"
        try:
            status = path.stat()
            if status.st_size > MAX_REPORT_BYTES:
                continue
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found.append(Report(name, datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds"), content))
    return found


def _counts(key: str, rows: list[FeedbackRow]) -> FeedbackCounts:
    up = sum(row.rating == "up" for row in rows)
    down = sum(row.rating == "down" for row in rows)
    corrected = sum(bool(row.correction) for row in rows)
    return FeedbackCounts(key, len(rows), up, down, corrected, round(up / len(rows), 4))
