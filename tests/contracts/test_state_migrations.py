"""Migrations of the state database: what they leave is what the code expects, whatever was there and whoever starts at once."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from llmflow.adapters.mlflow_opening import open_mlflow
from llmflow.adapters.sql_accounts import SqlAccountStore
from llmflow.adapters.sql_engine import open_engine, transaction
from llmflow.adapters.sql_migrations import HEAD, revision_of, upgrade
from llmflow.adapters.sql_state import SqlStateStore
from llmflow.errors import StoreCorrupt, StoreUnavailable
from llmflow.ports import PreparedChunk, PreparedDocument, SourceFile
from llmflow.types import EVERYONE, Account, Chunk, ElementKind, Principal

CORPUS = ("settings", "documents", "versions", "chunks", "removals")
STARTING = """
import sys
from llmflow.adapters.mlflow_opening import open_mlflow
from llmflow.adapters.sql_accounts import SqlAccountStore
from llmflow.types import Account, Role
store = SqlAccountStore(sys.argv[1])
print(store.create_first([(Account("admin", "acme", "admin", "Admin", Role.ADMINISTRATOR), "h")]))
"""
KILLED = """
import os, sys
from llmflow.adapters import sql_migrations
from llmflow.adapters.sql_engine import open_engine
from alembic import command
upgrade = command.upgrade
def upgrade_and_die(*arguments):
    upgrade(*arguments)
    os._exit(9)
command.upgrade = upgrade_and_die
sql_migrations.upgrade(open_engine(sys.argv[1]))
"""


LATER = (
    *(("documents", column) for column in ("reason_said", "screening", "left_out", "content_hash", "release")),
    *(("versions", column) for column in ("screening", "left_out")),
    ("chunks", "judgement"),
)
"""Columns of these tables that came with migrations."""


def make_schema_1(engine: Engine) -> None:
    """Leave a database as llmflow made it before it had migrations, with one served document."""
    from llmflow.adapters.sql_state_tables import metadata, settings

    with transaction(engine, writes=True) as connection:
        metadata.create_all(connection, [metadata.tables[name] for name in CORPUS])
        for table, column in LATER:
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(settings.insert(), [{"key": "schema", "value": "1"}, {"key": "active_space", "value": "minilm"}])


def serve_one(store: SqlStateStore) -> None:
    file = SourceFile("d1", "acme", (EVERYONE,), "휴가.md", "/x", "h", 7, "v1", "fp")
    chunk = PreparedChunk(Chunk("c1", "d1", 0, "연차는 열다섯 날이다.", ElementKind.TEXT, "ko"), "연차")
    store.register([file])
    store.stage(PreparedDocument("d1", "v1", "fp", "휴가", "md", (chunk,)), (EVERYONE,))
    store.activate({"d1": "v1"})


class MigrationContract:
    """Subclasses give `url`: the address of an empty database."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def engine(self, url: str) -> Iterator[Engine]:
        engine = open_engine(url)
        yield engine
        engine.dispose()

    def test_the_migrated_tables_are_those_of_the_code(self, engine: Engine):
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        from llmflow.adapters.sql_application_tables import metadata

        assert upgrade(engine) is None
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
            assert compare_metadata(context, metadata) == []
            connection.execute(text("DROP INDEX jobs_by_tenant"))  # the comparison sees what is missing
            assert len(compare_metadata(context, metadata)) == 1

    def test_the_newest_revision_is_the_one_that_the_code_asks_for(self, engine: Engine):
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", "llmflow.adapters:migrations")
        assert ScriptDirectory.from_config(config).get_current_head() == HEAD
        upgrade(engine)
        with engine.connect() as connection:
            assert revision_of(connection) == HEAD

    def test_a_current_database_is_opened_without_alembic(self, url: str, engine: Engine):
        upgrade(engine)
        asked = f"import sys; from llmflow.adapters.sql_state import SqlStateStore; SqlStateStore({url!r}).documents()"
        done = run(asked + "; print('alembic' in sys.modules)")
        assert done.stdout.strip() == "False", done.stderr

    def test_a_database_from_before_migrations_keeps_everything(self, url: str, engine: Engine):
        make_schema_1(engine)
        assert upgrade(engine) == "0001" and upgrade(engine) == HEAD
        with closing(SqlStateStore(url)) as store:
            assert (store.setting("active_space"), store.setting("schema")) == ("minilm", None)
            serve_one(store)
        with closing(SqlAccountStore(url)) as accounts:
            accounts.create(Account("a", "acme", "kim", "Kim"))

    def test_a_populated_schema_1_serves_the_same_afterwards(self, url: str, engine: Engine):
        upgrade(engine)
        with closing(SqlStateStore(url)) as store:
            serve_one(store)
            before = store.digest()
        with engine.begin() as connection:  # take away what came with migrations: what is left is schema 1
            for name in reversed(inspect(connection).get_table_names()):
                if name not in CORPUS:
                    cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
                    connection.execute(text(f'DROP TABLE "{name}"{cascade}'))
            if cascade:
                connection.execute(text("DROP FUNCTION audit_only_grows"))
            for table, column in LATER:
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
            connection.execute(text("INSERT INTO settings (key, value) VALUES ('schema', '1')"))
        with closing(SqlStateStore(url)) as store:
            assert store.digest() == before
            assert store.resolve(["c1"], Principal("acme"))["c1"][0].text == "연차는 열다섯 날이다."

    @pytest.mark.parametrize("populated", [False, True])
    def test_processes_that_start_at_once_make_one_database(self, url: str, engine: Engine, populated: bool):
        if populated:
            make_schema_1(engine)
        started = [
            subprocess.Popen([sys.executable, "-c", STARTING, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        said = [process.communicate(timeout=120) for process in started]
        assert [process.returncode for process in started] == [0] * 3, said
        assert sorted(out.strip() for out, _ in said) == ["False", "False", "True"]

    def test_a_migration_that_is_killed_leaves_the_database_as_it_was(self, url: str, engine: Engine):
        make_schema_1(engine)
        engine.dispose()
        assert run(KILLED, url).returncode == 9
        with engine.connect() as connection:
            assert revision_of(connection) is None and not inspect(connection).has_table("accounts")
        assert upgrade(engine) == "0001"

    def test_a_newer_database_is_refused_and_left_alone(self, url: str, engine: Engine):
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with closing(SqlStateStore(url)) as store, pytest.raises(StoreCorrupt, match=f"revision 9999.*0001 to {HEAD}.*newer"):
            store.documents()
        with engine.connect() as connection:
            assert revision_of(connection) == "9999"

    def test_tables_of_something_else_are_refused(self, engine: Engine):
        make_schema_1(engine)
        with engine.begin() as connection:
            connection.execute(text("UPDATE settings SET value = '0' WHERE key = 'schema'"))
        with pytest.raises(StoreCorrupt, match="schema 0; this llmflow needs 1"):
            upgrade(engine)
        with engine.connect() as connection:
            assert not inspect(connection).has_table("alembic_version")


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120)


class TestSqlite(MigrationContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/state.db"

    def test_a_file_that_may_not_be_written_is_our_error(self, tmp_path: Path):
        (tmp_path / "state.db").mkdir()
        with closing(SqlStateStore(f"sqlite:///{tmp_path}/state.db")) as store, pytest.raises(StoreUnavailable):
            store.documents()


@pytest.mark.services
class TestPostgresql(MigrationContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


def test_another_library_makes_its_tables_meanwhile(tmp_path: Path):
    """MLflow runs Alembic too, in the thread that writes traces: each must find its own tables, whole."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    made = 0
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_mlflow, uri)
        while not opening.done() or made == 0:
            engine = open_engine(f"sqlite:///{tmp_path / f'{made}.db'}")
            assert upgrade(engine) is None and upgrade(engine) == HEAD
            assert "experiments" not in inspect(engine).get_table_names()
            engine.dispose()
            made += 1
        assert opening.result().search_experiments()[0].name == "Default"
