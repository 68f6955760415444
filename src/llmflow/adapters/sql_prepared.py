"""Statements of the query path, compiled once and run past SQLAlchemy's work on each execution.

A search asks a dozen small questions of SQLite, and keeping an answer a dozen more. Building, caching and post-processing each
of them took SQLAlchemy longer than SQLite needs to answer (docs/LOG.md, 2026-11-25 and 2026-11-26).
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import BindParameter, ClauseElement, Connection, Dialect, Engine
from sqlalchemy.sql.visitors import iterate


class Reading(Protocol):
    """Where a prepared statement is asked."""

    dialect: Dialect

    def fetch(self, text: str, arguments: Any) -> list[tuple[Any, ...]]: ...


class OfConnection:
    """Inside the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.dialect = connection, connection.dialect

    def fetch(self, text: str, arguments: Any) -> list[tuple[Any, ...]]:
        result = self._connection.exec_driver_sql(text, arguments)
        rows = result.cursor.fetchall() if result.cursor else []
        result.close()
        return list(rows)


class _OfCursor:
    """SQLite's own cursor: a statement by itself sees one state of the database without BEGIN and ROLLBACK around it."""

    def __init__(self, cursor: Any, dialect: Dialect) -> None:
        self._cursor, self.dialect = cursor, dialect

    def fetch(self, text: str, arguments: Any) -> list[tuple[Any, ...]]:
        return self._cursor.execute(text, arguments).fetchall()


@contextlib.contextmanager
def reading(engine: Engine, statements: int = 1) -> Iterator[Reading]:
    """Yield where `statements` prepared statements are asked; several of them see one state of the database.

    Errors are the driver's own or SQLAlchemy's.
    """
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            yield OfConnection(connection)
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if statements != 1:
            cursor.execute("BEGIN")
        yield _OfCursor(cursor, engine.dialect)
    finally:
        connection.close()  # the pool ends what was begun


def inside(connection: Connection) -> Reading:
    """Return where prepared statements are asked inside the transaction of a connection, beside SQLAlchemy's own.

    On SQLite errors are the driver's own.
    """
    if connection.dialect.name != "sqlite":
        return OfConnection(connection)
    return _OfCursor(connection.connection.cursor(), connection.dialect)


class Prepared:
    """A statement whose parameters are named bindparams; those with `expanding=True` take a list.

    Values go to the driver and rows come from it as they are: JSON as text (`sql_values.json_of` reads it), and on SQLite
    booleans as integers. A statement that returns no rows gives an empty list.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        found = [item for item in iterate(statement) if isinstance(item, BindParameter)]
        self._lists = tuple(dict.fromkeys(item.key for item in found if item.expanding))
        self._compiled: dict[tuple[str, tuple[int, ...]], _Compiled] = {}

    def rows(self, connection: Reading, **values: Any) -> list[tuple[Any, ...]]:
        """Return all rows; none when a list is empty. A list may hold 512 values: databases bound them."""
        sizes = tuple(len(values[name]) for name in self._lists)
        if not all(sizes):
            return []
        padded = {name: _padded(values[name]) for name in self._lists}
        key = connection.dialect.name, tuple(map(len, padded.values()))
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = _Compiled(self._statement, {**values, **padded}, connection)
        return connection.fetch(compiled.text, compiled.arguments({**values, **padded}))


class _Compiled:
    """The text for lists of certain lengths, and where each value goes."""

    def __init__(self, statement: ClauseElement, values: dict[str, Any], connection: Reading) -> None:
        compiled: Any = statement.compile(dialect=connection.dialect)
        expanded = compiled.construct_expanded_state(values)
        self.text = expanded.statement
        self._lists = expanded.parameter_expansion
        self._order = expanded.positiontup if compiled.positional else None
        own = {*values, *(name for names in self._lists.values() for name in names)}
        self._constants = {name: value for name, value in expanded.parameters.items() if name not in own}

    def arguments(self, values: dict[str, Any]) -> Any:
        named = dict(self._constants)
        for name, value in values.items():
            if name in self._lists:
                named.update(zip(self._lists[name], value, strict=True))
            else:
                named[name] = value
        return named if self._order is None else tuple([named[name] for name in self._order])


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """Repeat the last value up to a power of two: few texts for all lengths, and IN does not mind."""
    size = 1 << (len(values) - 1).bit_length()
    return values if len(values) == size else [*values, *[values[-1]] * (size - len(values))]
