"""Stores that tests share: a Milvus Lite of one session, and state databases that are copies of a migrated one."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmflow.adapters.milvus import MilvusConnection


@pytest.fixture(scope="session")
def milvus_lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusConnection]:
    connection = MilvusConnection(str(tmp_path_factory.mktemp("milvus") / "milvus"))
    yield connection
    connection.close()


@pytest.fixture
def collection() -> str:
    """A name that no other test uses, with letters and digits only."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database without a row: tests copy it, which is faster than migrating anew."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_state_url(migrated_file: Path, tmp_path: Path) -> str:
    """Address of a state database of one test on SQLite."""
    path = tmp_path / "state.db"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """Address of a migrated database that the tests of this process share."""
    from sqlalchemy.engine import make_url

    name = f"t{uuid.uuid4().hex[:12]}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    _migrate(url)
    yield url
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_state_url(postgres_database: str) -> str:
    """Address of an empty state database on PostgreSQL."""
    from llmflow.adapters.sql_application_tables import metadata

    tables = ", ".join(table.name for table in metadata.sorted_tables)
    _administer(
        postgres_database,
        "SET session_replication_role = replica",  # as a superuser may: audit entries can then be removed
        f"TRUNCATE {tables}",
        "INSERT INTO audit_head (id, number, mac, signature) VALUES (1, 0, '', '')",
    )
    return postgres_database


def _migrate(url: str) -> None:
    from llmflow.adapters.sql_state_database import StateDatabase

    database = StateDatabase(url)
    with database.reading():
        pass
    database.close()


def _administer(server: str, *statements: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
