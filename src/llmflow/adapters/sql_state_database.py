"""The open state database that its reader and its writer share."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from llmflow.adapters.sql_engine import database_errors, open_engine, transaction

if TYPE_CHECKING:
    from llmflow.adapters.sql_prepared import Reading

IN_LIST = 500
"""Ids bound in one statement; SQLite allows about a thousand."""


class StateDatabase:
    """Connects to a database URL and brings its tables up to date on first use."""

    def __init__(self, url: str):
        self._url = url
        self._engine: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    @property
    def address(self) -> str:
        """The database's address without its password."""
        from sqlalchemy.engine import make_url

        return make_url(self._url).render_as_string(hide_password=True)

    def revision(self) -> str | None:
        """Return the revision of the tables as they are, without bringing them up to date; None for an empty database."""
        from llmflow.adapters.sql_migrations import revision_of

        engine = open_engine(self._url)
        try:
            with transaction(engine) as connection:
                return revision_of(connection)
        finally:
            engine.dispose()

    def upgrade(self) -> str | None:
        """Bring the tables up to date, as the first use does anyway, and return the revision before."""
        from llmflow.adapters.sql_migrations import upgrade

        engine = open_engine(self._url)
        try:
            return upgrade(engine)
        finally:
            engine.dispose()

    def reading(self) -> AbstractContextManager[Any]:
        """Return a connection inside one transaction that only reads."""
        return transaction(self._open())

    def writing(self) -> AbstractContextManager[Any]:
        """Return a connection inside one transaction that may write."""
        return transaction(self._open(), writes=True)

    @contextlib.contextmanager
    def _ask(self, statements: int = 1) -> Iterator["Reading"]:
        from llmflow.adapters.sql_prepared import reading

        engine = self._open()
        with database_errors(engine), reading(engine, statements) as place:
            yield place

    def _read(self) -> AbstractContextManager[Any]:
        return self.reading()

    def _write(self) -> AbstractContextManager[Any]:
        return self.writing()

    def _open(self) -> Any:
        with self._lock:
            if self._engine is None:
                from llmflow.adapters.sql_migrations import upgrade

                engine = open_engine(self._url)
                try:
                    upgrade(engine)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine
