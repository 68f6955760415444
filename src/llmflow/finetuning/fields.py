"""The columns of one row, read so that every complaint names its column."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CONTROL_TOKENS = re.compile(r"<\|[A-Za-z_]{2,40}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>")
"""What chat templates mark turns with: inside a text they would forge a turn, in training and when the model has learned it."""


class Wrong(Exception):
    """A row cannot be used; caught where rows are read."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fields:
    values: Mapping[str, Any]
    fill: Mapping[str, str]

    @classmethod
    def of(cls, value: Any, fill: Mapping[str, str] | None = None) -> "Fields":
        if not isinstance(value, dict):
            raise Wrong("", f"an object of columns is expected, not {type(value).__name__}")
        return cls(value, fill or {})

    def get(self, column: str) -> Any:
        if column not in self.values:
            raise Wrong(column, f"is missing; the row has: {', '.join(map(str, self.values))}")
        return self.values[column]

    def text(self, column: str, optional: bool = False) -> str:
        """Return a text; numbers as text. `optional`: an absent or empty one is empty."""
        if optional and self.values.get(column) in (None, ""):
            return ""
        return self.checked(self.get(column), column)

    def checked(self, value: Any, column: str) -> str:
        """Return `value` as a text fit to train on, placeholders filled."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise Wrong(column, f"must be text, not {type(value).__name__}")
        for key, filled in self.fill.items():
            value = value.replace("{{" + key + "}}", filled)
        if not value.strip():
            raise Wrong(column, "is empty")
        if found := CONTROL_TOKENS.search(value):
            raise Wrong(column, f"holds the control token {found.group()!r}, which would forge a turn")
        if "\x00" in value or "\ufffd" in value:
            raise Wrong(column, "holds characters that were lost in a conversion (U+FFFD or NUL)")
        return value.strip()

    def flag(self, column: str) -> bool:
        """Return a truth value: true/false, 1/0, or those words."""
        value = self.get(column)
        known = {"true": True, "1": True, "false": False, "0": False}
        found = known.get(str(value).strip().lower())
        if found is None:
            raise Wrong(column, f"must be true or false, not {str(value)[:20]!r}")
        return found

    def pairs(self, column: str) -> list[tuple[str, str]]:
        """Return [[question, answer], ...]; an absent or empty column has none."""
        value = self.values.get(column) or []
        if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            raise Wrong(column, "must be a list of [question, answer] pairs")
        return [(self.checked(asked, column), self.checked(answered, column)) for asked, answered in value]

    def items(self, column: str) -> list[Any]:
        """Return a list that holds something; JSON text of a list is read."""
        value = self.get(column)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except json.JSONDecodeError as exc:
                raise Wrong(column, f"is text and no valid JSON ({exc.msg} at column {exc.colno})") from exc
        if not isinstance(value, list) or not value:
            raise Wrong(column, "must be a list with at least one turn")
        return value

    def time(self, column: str) -> str:
        """Return a moment as ISO 8601 in UTC; a number is seconds since 1970, a moment without zone is UTC. Empty for none."""
        value = self.values.get(column)
        if value in (None, ""):
            return ""
        try:
            moment = datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else datetime.fromisoformat(str(value))
        except (ValueError, OverflowError, OSError) as exc:
            raise Wrong(column, f"must be a moment such as 2026-11-25T09:00:00Z, not {str(value)[:30]!r}") from exc
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
