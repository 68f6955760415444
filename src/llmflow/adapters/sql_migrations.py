"""The tables of a state database, brought to what this llmflow needs: under a lock, in one transaction, by Alembic.

A database that is current is only asked for its revision: Alembic is imported where something has to be done.
"""

import threading
from typing import Any

from llmflow.adapters.sql_engine import transaction
from llmflow.errors import StoreCorrupt

HEAD = "0006"
"""The newest revision under migrations/versions."""
UNVERSIONED = "0001"
"""What databases are that were made before Alembic, as schema 1."""
ALEMBIC = threading.RLock()
"""Held by whoever runs Alembic: of its `op` and `context` there is one a process. Another library's tables, made by another
thread at that moment, would be made on our connection."""
LOCK = 0x6C6C6D666C6F77
"""PostgreSQL's advisory lock of migrations: 'llmflow' in ASCII."""


def upgrade(engine: Any) -> str | None:
    """Bring the tables to HEAD and return the revision before; None for an empty database.

    Processes that start at once wait for the first: SQLite's write lock or an advisory lock holds them, and whoever comes later
    finds nothing to do. A process that is killed leaves the revision before. Raises StoreCorrupt for a database that is newer
    than this code or not one of llmflow's.
    """
    with transaction(engine) as connection:
        found = revision_of(connection)
    if found == HEAD:
        return found
    with ALEMBIC, transaction(engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        before = revision_of(connection)
        if before == HEAD:
            return before
        config = _config(connection)
        _refuse_unknown(config, before)
        from alembic import command

        if before is None and _adoptable(connection):
            before = UNVERSIONED
            command.stamp(config, UNVERSIONED)
        command.upgrade(config, HEAD)
        return before


def revision_of(connection: Any) -> str | None:
    """Return the revision that Alembic recorded; None where it recorded none."""
    from sqlalchemy import inspect

    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def _config(connection: Any) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "llmflow.adapters:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_unknown(config: Any, revision: str | None) -> None:
    from alembic.script import ScriptDirectory

    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if revision is not None and revision not in known:
        raise StoreCorrupt(
            f"The state database has revision {revision}; this llmflow knows {min(known)} to {HEAD}. It was opened by a newer "
            "llmflow: install that version again, or restore the backup from before the upgrade."
        )


def _adoptable(connection: Any) -> bool:
    """Return whether tables were made before Alembic; False for an empty database."""
    from sqlalchemy import inspect

    if not inspect(connection).has_table("settings"):
        return False
    schema = connection.exec_driver_sql("SELECT value FROM settings WHERE key = 'schema'").scalar_one_or_none()
    if schema != "1":
        raise StoreCorrupt(
            f"The state database has schema {schema}; this llmflow needs 1, or one that it made itself. "
            "Point LLMFLOW_HOME at an empty folder and ingest again."
        )
    return True
