"""Keeps a snapshot of a SQLite graph in memory for as long as nobody writes, and takes another when writers have paused."""

import logging
import sqlite3
import threading
import time
from contextlib import closing

from pydantic import Field

from llmflow.adapters.sql_graph_snapshot import GraphSnapshot, read_snapshot
from llmflow.config import Settings

LOOK_S = 0.005
"""Other questions look for microseconds; whoever holds the connection longer is taking a snapshot."""

UNREADABLE = (sqlite3.Error, ValueError, LookupError, TypeError)
"""What a database or a row that is damaged leads to."""

log = logging.getLogger(__name__)


class GraphMemorySettings(Settings):
    """A graph in memory takes about 8 KB a passage in each process, and half a second of work after what was written."""

    max_chunks: int = Field(default=10_000, ge=0)
    """Larger graphs are read from their tables, whose cost follows the neighbourhood alone; 0 turns memory off."""
    settled_s: float = Field(default=2.0, ge=0)
    """How long nobody must have written before another snapshot is taken; meanwhile the tables are asked."""


class GraphMemory:
    """`current` never waits: while there is no snapshot of the present state, the tables are asked.

    SQLite tells by PRAGMA data_version, which a connection may compare with its own earlier answers only, that another
    connection committed: this one never writes, and both looks and reads with it.
    """

    def __init__(self, path: str, settings: GraphMemorySettings) -> None:
        self._path, self._settings = path, settings
        self._using = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._held: GraphSnapshot | None = None
        self._version: int | None = None
        """The state that `_held` is of, or for which there is none: too large, or it could not be read."""
        self._seen: tuple[int, float] | None = None
        self._loader: threading.Thread | None = None
        self._closed = False

    def current(self) -> GraphSnapshot | None:
        """Return a snapshot of what is committed now, or None; one is then taken beside, as soon as writers have paused."""
        if not self._settings.max_chunks or not self._using.acquire(timeout=LOOK_S):
            return None  # a snapshot is being taken
        try:
            version = self._look()
            if version is None or version == self._version:
                return self._held if version is not None else None
            first, now = self._seen is None, time.monotonic()
            if self._seen is None or self._seen[0] != version:
                self._seen = version, now
            settled = first or now - self._seen[1] >= self._settings.settled_s
            if settled and not (self._loader and self._loader.is_alive()):
                self._loader = threading.Thread(target=self.load, name="graph-memory", daemon=True)
                self._loader.start()
            return None
        finally:
            self._using.release()

    def load(self) -> None:
        """Take a snapshot now, and return when it is there.

        An error is logged, and the same state is not tried again: the tables are asked until somebody has written.
        """
        with self._using:
            version = self._look()
            if version in (None, self._version) or self._connection is None:
                return
            try:
                self._connection.execute("BEGIN")
                try:
                    (chunks,) = self._connection.execute("SELECT count(*) FROM graph_chunk").fetchone()
                    found = read_snapshot(self._connection) if chunks <= self._settings.max_chunks else None
                finally:
                    self._connection.execute("ROLLBACK")
            except UNREADABLE as exc:
                log.warning("The graph is not kept in memory until it changes: %s: %s", type(exc).__name__, exc)
                found = None
            if self._look() == version:  # else somebody committed meanwhile: which of the two was read is not known
                self._held, self._version = found, version

    def close(self) -> None:
        with self._using:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
            self._connection, self._held, self._version = None, None, None

    def _look(self) -> int | None:
        """Return the number of the committed state; None where the database cannot be asked."""
        if self._closed:
            return None
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
                self._version = None
            with closing(self._connection.execute("PRAGMA data_version")) as cursor:
                return cursor.fetchone()[0]
        except sqlite3.Error:
            return None
