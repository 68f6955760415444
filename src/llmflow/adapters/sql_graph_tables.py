"""Tables of the SQL graph and how a database is opened for it.

Entities, spellings and access sets (a tenant and the groups of a document) are interned as integers. `graph_reach` holds,
for each entity, access set and spelling, how many edges there are: counts for a principal are sums over a few rows, also for
an entity that ten thousand chunks mention. `graph_mention` repeats the chunk's id and access set, so that the best readable
edges of an entity are the first ones of one index. `graph_chunk.edges` repeats a chunk's edges as one JSON text: a search
reads those of a hundred chunks, and thirty rows each were most of its time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.types import TypeEngine

from llmflow.errors import MissingDependency, SettingsError

BUSY_TIMEOUT_MS = 30_000
WRITER_LOCK = 7_130_417  # any number that no other part of llmflow locks in PostgreSQL

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # order by code point, as SQLite and Python do
_UID = LargeBinary(16)

metadata = MetaData()


def _column(
    name: str, kind: TypeEngine[Any], *, primary_key: bool = False, unique: bool = False, index: bool = False
) -> Column[Any]:
    return Column(name, kind, nullable=False, primary_key=primary_key, unique=unique or None, index=index or None)


def _identity() -> Column[int]:
    return Column("id", _NUMBER, primary_key=True, autoincrement=False)


access = Table(
    "graph_access",
    metadata,
    _identity(),
    _column("uid", _UID, unique=True),
    _column("tenant", _TEXT),
    _column("groups", _TEXT),  # canonical JSON, for the digest
)
access_group = Table(
    "graph_access_group",
    metadata,
    _column("tenant", _TEXT, primary_key=True),
    _column("name", _TEXT, primary_key=True),
    _column("access_id", _NUMBER, primary_key=True),
    sqlite_with_rowid=False,
)
document = Table(
    "graph_document",
    metadata,
    _identity(),
    _column("document_id", _TEXT, unique=True),
    _column("access_id", _NUMBER, index=True),
    _column("title", _TEXT),
)
chunk = Table(
    "graph_chunk",
    metadata,
    _identity(),
    _column("chunk_id", _TEXT, unique=True),
    _column("document_no", _NUMBER, index=True),
    _column("access_id", _NUMBER),
    Column("edges", _TEXT),  # [[key, role, position, confidence], ...] in the order of the port
)
entity = Table("graph_entity", metadata, _identity(), _column("uid", _UID, unique=True), _column("key", _TEXT))
spelling = Table(
    "graph_spelling",
    metadata,
    _identity(),
    _column("uid", _UID, unique=True),
    _column("entity_no", _NUMBER, index=True),
    _column("name", _TEXT),
)
mention = Table(
    "graph_mention",
    metadata,
    _identity(),
    _column("chunk_no", _NUMBER, index=True),
    _column("entity_no", _NUMBER),
    _column("access_id", _NUMBER),
    _column("spelling_no", _NUMBER),
    _column("chunk_id", _TEXT),
    _column("role", _TEXT),
    _column("is_title", Boolean(create_constraint=False)),
    _column("is_counted", Boolean(create_constraint=False)),  # once a (chunk, entity)
    _column("position", _NUMBER),
    _column("confidence", Double()),
)
Index(
    "ix_graph_mention_best",
    mention.c.entity_no,
    mention.c.is_title.desc(),
    mention.c.confidence.desc(),
    mention.c.chunk_id,
    mention.c.role,
    mention.c.access_id,
)
reach = Table(
    "graph_reach",
    metadata,
    _column("entity_no", _NUMBER, primary_key=True),
    _column("access_id", _NUMBER, primary_key=True),
    _column("spelling_no", _NUMBER, primary_key=True),
    _column("edges", _NUMBER),
    _column("mentions", _NUMBER),
    _column("titles", _NUMBER),
    sqlite_with_rowid=False,
)
relation = Table(
    "graph_relation",
    metadata,
    _column("document_no", _NUMBER, primary_key=True),
    _column("source_no", _NUMBER, primary_key=True, index=True),
    _column("target_no", _NUMBER, primary_key=True, index=True),
    _column("relation_type", _TEXT, primary_key=True),
    _column("weight", Double()),
    sqlite_with_rowid=False,
)
topic = Table(
    "graph_topic",
    metadata,
    _column("document_no", _NUMBER, primary_key=True),
    _column("name", _TEXT, primary_key=True),
    _column("tenant", _TEXT),
    sqlite_with_rowid=False,
)


def open_engine(url: str) -> Engine:
    """Return an engine with the tables in place, made if they are missing.

    Raises SettingsError for a URL that names no known database, MissingDependency without the driver's package, and what
    the driver raises when the database cannot be opened.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and address.database in {None, "", ":memory:"}:
            raise SettingsError("The graph needs a database file: give sqlite:////absolute/path/graph.db.")
        engine = create_engine(address, pool_size=8, max_overflow=24, pool_pre_ping=address.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError) as exc:
        raise SettingsError(
            "The address of the graph database is not one. Give sqlite:////absolute/path/graph.db or postgresql://user@host/database."
        ) from exc
    except ModuleNotFoundError as exc:
        raise MissingDependency(
            f"The graph database needs the package {exc.name}. Install it: pip install 'psycopg[binary]'."
        ) from exc
    if engine.dialect.name == "sqlite":
        Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with write_transaction(engine) as connection:
        metadata.create_all(connection)
        _add_edges(connection)
    return engine


def _add_edges(connection: Connection) -> None:
    """Give a graph that was written before chunks carried their edges what it lacks."""
    if "edges" in {column["name"] for column in inspect(connection).get_columns(chunk.name)}:
        return
    connection.exec_driver_sql(f"ALTER TABLE {chunk.name} ADD COLUMN edges TEXT")
    every = (
        select(mention.c.chunk_no, entity.c.key, mention.c.role, mention.c.position, mention.c.confidence)
        .join(entity, entity.c.id == mention.c.entity_no)
        .order_by(mention.c.chunk_no)
    )
    rows: dict[int, list[tuple[Any, ...]]] = {number: [] for number in connection.execute(select(chunk.c.id)).scalars()}
    for number, *edge in connection.execute(every):
        rows[number].append(tuple(edge))
    if rows:
        values = [{"number": number, "edges": edges_text(edges)} for number, edges in rows.items()]
        connection.execute(update(chunk).where(chunk.c.id == bindparam("number")), values)


def edges_text(edges: Iterable[tuple[Any, ...]]) -> str:
    """Return (key, role, position, confidence) of one chunk as `graph_chunk.edges` keeps them."""
    return orjson.dumps(sorted(edges, key=itemgetter(2, 0, 1))).decode()


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that alone may write, across processes; commits at the end, rolls back on an error."""
    with engine.connect().execution_options(graph_writer=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))
        yield connection


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred: two writers would fail instead of waiting
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "cache_size=-65536",
        "temp_store=MEMORY",
        "wal_autocheckpoint=4000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("graph_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
