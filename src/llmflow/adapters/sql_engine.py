"""One way to open a SQL database: SQLite in WAL mode with foreign keys, or a server, with our errors."""

import contextlib
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmflow.errors import StoreUnavailable
from llmflow.wording import said

SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=60000",
    "mmap_size=1073741824",  # pages are read in place: a search touches hundreds of them
)

CONNECTIONS = 100
"""Most connections to a SQLite file at once: as many as threads that may ask, so that none waits for a connection."""
_writers: dict[str, threading.Lock] = {}
_turns: "weakref.WeakKeyDictionary[Any, threading.Lock]" = weakref.WeakKeyDictionary()
"""One a file and process: who waits for it wakes when it is free, where SQLite itself would look again after a while."""


def open_engine(url: str) -> Any:
    """Return an engine for `url`; the folder of a SQLite file is made."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise StoreUnavailable(
            "The database address is malformed. Write it like sqlite:///data/local/state.db or postgresql+psycopg://..."
        ) from exc
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, max_overflow=20)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    pool = {"pool_size": 10, "max_overflow": CONNECTIONS - 10} if parsed.database not in (None, "", ":memory:") else {}
    engine = create_engine(parsed, connect_args={"timeout": 60, "check_same_thread": False}, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection, _record):
        connection.isolation_level = None  # SQLAlchemy's begin event below decides, so that writers lock at once
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection):
        writes = connection.get_execution_options().get("writes")
        connection.connection.driver_connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextlib.contextmanager
def database_errors(engine: Any) -> Iterator[None]:
    """Turn driver errors into StoreUnavailable without the statement's parameters and PostgreSQL's details: both hold text."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    shown = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except PoolTimeout as exc:
        raise StoreUnavailable(said("database.busy", address=shown)) from exc
    except (DBAPIError, sqlite3.Error) as exc:
        cause = exc.orig if isinstance(exc, DBAPIError) else exc
        reason = getattr(getattr(cause, "diag", None), "message_primary", None) or cause
        raise StoreUnavailable(said("database.failed", address=shown, reason=reason)) from exc


@contextlib.contextmanager
def transaction(engine: Any, writes: bool = False) -> Iterator[Any]:
    """Yield a connection inside one transaction; a writing one takes SQLite's write lock at its start."""
    with (
        _turn_to_write(engine, writes),
        database_errors(engine),
        engine.connect().execution_options(writes=writes) as connection,
        connection.begin(),
    ):
        yield connection


def _turn_to_write(engine: Any, writes: bool) -> contextlib.AbstractContextManager[Any]:
    database = engine.url.database
    if not writes or engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
        return contextlib.nullcontext()
    turn = _turns.get(engine)
    if turn is None:  # once an engine: to resolve a path asks the disk for each folder above
        turn = _turns[engine] = _writers.setdefault(str(Path(database).resolve()), threading.Lock())
    return turn
