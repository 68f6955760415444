"""The open state database that its reader and its writer share."""

import threading
from typing import Any

from llmflow.adapters.sql_engine import open_engine, transaction
from llmflow.errors import StoreCorrupt

IN_LIST = 500
"""Ids bound in one statement; SQLite allows about a thousand."""


class StateDatabase:
    """Connects to a database URL and makes its tables on first use."""

    def __init__(self, url: str):
        self._url = url
        self._engine: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _read(self):
        return transaction(self._open())

    def _write(self):
        return transaction(self._open(), writes=True)

    def _open(self) -> Any:
        with self._lock:
            if self._engine is None:
                from llmflow.adapters.sql_state_tables import SCHEMA_VERSION, metadata, settings

                engine = open_engine(self._url)
                with transaction(engine, writes=True) as connection:
                    metadata.create_all(connection)
                    found = connection.execute(settings.select().where(settings.c.key == "schema")).one_or_none()
                    if found is None:
                        connection.execute(settings.insert().values(key="schema", value=SCHEMA_VERSION))
                    elif found.value != SCHEMA_VERSION:
                        raise StoreCorrupt(
                            f"The state database has schema {found.value}; this llmflow needs {SCHEMA_VERSION}. "
                            "Point LLMFLOW_HOME at an empty folder and ingest again."
                        )
                self._engine = engine
            return self._engine
