"""Evaluation reports as rows: what `kedro run --pipeline retrieval_evaluation` wrote down, slice by slice. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value of one slice."""

    part: str
    """`channels`, `kinds` or `answers`."""
    slice: str
    measure: str
    value: float


def figures(content: Any) -> list[Figure]:
    """Return every number of a retrieval report in its order; what has another form is left out."""
    if not isinstance(content, Mapping):
        return []
    found: list[Figure] = []
    for part in ("channels", "kinds"):
        found += _of(part, "", content.get(part))
    answers = content.get("answers")
    if isinstance(answers, Mapping):
        found += _of("answers", "", {"all": answers.get("overall")})
        for name in ("by_language", "by_kind"):
            found += _of("answers", "", answers.get(name))
    return found


def _of(part: str, prefix: str, rows: Any) -> Iterator[Figure]:
    if not isinstance(rows, Mapping):
        return
    for name, row in rows.items():
        if isinstance(row, Mapping):
            for measure, value in row.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield Figure(part, f"{prefix}{name}", str(measure).replace("_", " "), float(value))


def is_share(figure: Figure) -> bool:
    """Return whether a figure is a share between 0 and 1, fit for a percent axis; counts and milliseconds are not."""
    return 0 <= figure.value <= 1 and not figure.measure.endswith(" ms") and figure.measure != "questions"
