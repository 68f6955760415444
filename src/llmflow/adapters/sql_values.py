"""What all tables of people and conversations share: instants, text that every database takes, search without case, counts."""

import json
import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.errors import Refused
from llmflow.wording import said

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class ApplicationTables:
    """A store over a state database that others may share; give it an address to have one of its own."""

    def __init__(self, database: StateDatabase | str):
        self._database = database if isinstance(database, StateDatabase) else StateDatabase(database)

    def close(self) -> None:
        self._database.close()

    def _read(self):
        return self._database.reading()

    def _write(self):
        return self._database.writing()


def new_id() -> str:
    return uuid.uuid4().hex


def now(offset_s: float = 0.0) -> str:
    """Return the present, or a moment so many seconds from it, in the one form that instants are kept in."""
    return _written(datetime.now(UTC) + timedelta(seconds=offset_s))


def instant(value: str) -> str:
    """Return an ISO 8601 time in the one form that instants are kept in; a time without a zone is UTC, "" stays "".

    Raises Refused for anything else.
    """
    if not value:
        return ""
    try:
        found = datetime.fromisoformat(value)
        return _written(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))
    except (ValueError, OverflowError) as exc:
        raise Refused(said("time.malformed", text=repr(value[:40]))) from exc


def earlier(moment: str, seconds: float) -> str:
    """Return the instant so many seconds before another."""
    return _written(datetime.fromisoformat(moment) - timedelta(seconds=seconds))


def storable(text: str) -> str:
    """Return text without what no database keeps (NUL, halves of surrogate pairs); U+FFFD stands in their place."""
    return _UNSTORABLE.sub("\ufffd", text)


def folded(text: str) -> str:
    """Return text as it is compared and searched: composed, without case and without differences of width."""
    return storable(unicodedata.normalize("NFKC", text).casefold())


def holds(column: ColumnElement[str], search: str, connection: Connection) -> ColumnElement[bool]:
    """Return the condition that a folded column holds `search`, letter for letter: no character of it is a wildcard."""
    position = func.strpos if connection.dialect.name == "postgresql" else func.instr
    return position(column, folded(search)) > 0


def page_of(connection: Connection, statement: Select[Any], limit: int, offset: int) -> tuple[list[Any], int]:
    """Return the rows of one page and how many there are on all pages."""
    total = connection.execute(select(func.count()).select_from(statement.order_by(None).subquery())).scalar_one()
    if limit < 1:
        return [], total
    return list(connection.execute(statement.limit(limit).offset(max(0, offset)))), total


def plain(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return details as JSON keeps them: text storable, numbers finite. Raises Refused for what is no JSON."""
    try:
        return json.loads(json.dumps(_storable(dict(values or {})), ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as exc:
        raise Refused(f"The details cannot be kept as JSON: {exc}.") from exc


def json_of(value: Any) -> Any:
    """Return the value of a JSON column that a prepared statement gave: SQLite's driver gives text."""
    return json.loads(value) if isinstance(value, (str, bytes)) else value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and not (float("-inf") < value < float("inf")):
        return None
    if isinstance(value, Mapping):
        return {storable(str(key)): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, (list, tuple, set, frozenset)) else value


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
