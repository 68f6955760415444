"""The graph in SQL tables: SQLite in a file (WAL, shared by processes) or PostgreSQL."""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Select, case, exists, func, make_url, select
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from llmflow.adapters.graph_rows import best_relations, digest_of, entity_order, flatten, uid_of
from llmflow.adapters.sql_graph_memory import GraphMemory, GraphMemorySettings
from llmflow.adapters.sql_graph_reads import CHUNK_EDGES, SPELLINGS, best_edges, readable_by, readers_of
from llmflow.adapters.sql_graph_snapshot import GraphSnapshot, node_of
from llmflow.adapters.sql_graph_tables import (
    access,
    chunk,
    document,
    entity,
    mention,
    open_engine,
    relation,
    spelling,
    topic,
    write_transaction,
)
from llmflow.adapters.sql_graph_writer import GraphWriter, in_parts
from llmflow.adapters.sql_prepared import Reading, reading
from llmflow.errors import StoreUnavailable
from llmflow.ports import ChunkEdges, EntityNode, GraphDocument, GraphEdge, GraphReads, GraphStatistics
from llmflow.types import Principal, Relation
from llmflow.wording import said

STREAM_ROWS = 10_000


class SqlGraphStore:
    """A `GraphStore` on `sqlite:////path/graph.db` or `postgresql+psycopg://user:password@host/database`.

    Connects and makes its tables on first use. Threads and processes may share one database: readers see the last commit
    while one writer at a time goes on, and a writer that is killed leaves nothing behind.
    """

    def __init__(self, url: str, memory: GraphMemorySettings | None = None) -> None:
        """`memory` bounds what of a SQLite file is kept in memory; PostgreSQL is always asked."""
        self._url = url
        self._memory_settings = memory or GraphMemorySettings()
        self._memory: GraphMemory | None = None
        self._engine: Engine | None = None
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return f"SqlGraphStore({self._address!r})"

    def upsert(self, documents: Sequence[GraphDocument]) -> None:
        batch = flatten(documents)
        if batch.documents:
            with self._writing() as connection:
                GraphWriter(connection).upsert(batch)

    def delete_chunks(self, chunk_ids: Sequence[str]) -> None:
        if chunk_ids:
            with self._writing() as connection:
                GraphWriter(connection).delete(sorted(set(chunk_ids)))

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        if (held := self._held()) is not None:
            return held.find_entities(keys, principal)
        spellings: dict[str, list[tuple[int, str, int, int]]] = {}
        parts = list(in_parts(_uids(keys, principal)))
        with self._asking(len(parts)) as connection:
            for part in parts:
                for key, name, edges, mentions, titles in SPELLINGS.rows(connection, uids=part, **readers_of(principal)):
                    spellings.setdefault(key, []).append((edges, name, mentions, titles))
        found = (node_of(key, spellings[key]) for key in sorted(spellings))
        return [node for node in found if node is not None]

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        if limit < 1:
            return []
        if (held := self._held()) is not None:
            return held.edges_of_entities(keys, principal, limit, role)
        edges: list[GraphEdge] = []
        parts = list(in_parts(_uids(keys, principal)))
        with self._asking(len(parts)) as connection:
            best = best_edges(role, connection.dialect.name == "postgresql")
            for part in parts:
                rows = best.rows(connection, uids=part, most=limit, **readers_of(principal))
                edges += map(GraphEdge._make, rows)
        return sorted(edges, key=entity_order)

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        if (held := self._held()) is not None:
            return held.edges_of_chunks(chunk_ids, principal)
        rows: list[tuple[Any, ...]] = []
        parts = list(in_parts(sorted(set(chunk_ids))))
        with self._asking(len(parts)) as connection:
            for part in parts:
                rows += CHUNK_EDGES.rows(connection, ids=part, **readers_of(principal))
        made = GraphEdge._make
        return [made((chunk_id, *edge)) for chunk_id, edges in sorted(rows) for edge in orjson.loads(edges)]

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        if (held := self._held()) is not None:
            return held.leads_of_chunks(chunk_ids, principal, named)
        return ChunkEdges.grouped(self.edges_of_chunks(chunk_ids, principal))

    def reads(self) -> GraphReads:
        return self._held() or self

    def relations_of(self, keys: Sequence[str], principal: Principal, limit: int) -> list[Relation]:
        target = entity.alias("target")
        statement = (
            select(entity.c.key, target.c.key, relation.c.relation_type, relation.c.weight)
            .join(relation, relation.c.source_no == entity.c.id)
            .join(target, target.c.id == relation.c.target_no)
            .join(document, document.c.id == relation.c.document_no)
            .where(document.c.access_id.in_(readable_by(principal)))
        )
        found: list[Relation] = []
        with self._reading() as connection:
            for part in in_parts(_uids(keys, principal)):
                found += [Relation(*row) for row in connection.execute(statement.where(entity.c.uid.in_(part)))]
        return best_relations(found, limit)

    def title_reach(self, sample: int) -> dict[str, float]:
        tenants = select(access.c.tenant).where(access.c.id.in_(select(chunk.c.access_id))).distinct()
        with self._reading() as connection:
            names = connection.scalars(tenants).all()
            counts = [(name, *connection.execute(_title_reach(name, sample)).one()) for name in names]
        return {name: int(leading or 0) / chunks for name, leading, chunks in counts if chunks}

    def chunk_ids(self) -> set[str]:
        with self._reading() as connection:
            return set(connection.execute(select(chunk.c.chunk_id)).scalars())

    def statistics(self) -> GraphStatistics:
        topics = select(topic.c.tenant, topic.c.name).distinct().subquery()
        tables = (document, chunk, entity, topics, mention, relation)
        with self._reading() as connection:
            counts = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
        return GraphStatistics(*counts)

    def digest(self) -> str:
        with self._reading() as connection:
            return digest_of(_contents(connection))

    def close(self) -> None:
        with self._opening:
            engine, self._engine = self._engine, None
            memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()
        if engine is not None:
            engine.dispose()

    @property
    def _address(self) -> str:
        try:
            return make_url(self._url).render_as_string(hide_password=True)
        except ArgumentError:
            return "an address that cannot be read"

    def _connected(self) -> Engine:
        with self._opening:
            if self._engine is None:
                self._engine = open_engine(self._url)
                if self._engine.dialect.name == "sqlite":
                    self._memory = GraphMemory(str(self._engine.url.database), self._memory_settings)
            return self._engine

    def _held(self) -> GraphSnapshot | None:
        """Return the graph in memory where it is there and current."""
        memory = self._memory
        return memory.current() if memory is not None else None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Yield a connection whose statements all see one state of the database."""
        with self._faults(), self._connected().connect() as connection:
            yield connection

    @contextmanager
    def _asking(self, statements: int) -> Iterator[Reading]:
        with self._faults(), reading(self._connected(), statements) as place:
            yield place

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._faults(), write_transaction(self._connected()) as connection:
            yield connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise  # our own mistake, not the database's absence
        except (DBAPIError, PoolTimeout, OSError, sqlite3.Error) as exc:
            reason = exc.orig if isinstance(exc, DBAPIError) else exc
            raise StoreUnavailable(said("graph.away", address=self._address, reason=reason)) from exc


def _title_reach(tenant: str, sample: int) -> Any:
    """Return the statement that counts (leading chunks, chunks) of one tenant; the first hit of an entity ends its search."""
    own, named, target = mention.alias("own"), mention.alias("named"), chunk.alias("target")
    picked = (
        select(chunk.c.id, chunk.c.document_no)
        .join(access, access.c.id == chunk.c.access_id)
        .where(access.c.tenant == tenant)
        .order_by(chunk.c.chunk_id)
        .limit(sample)
        .subquery()
    )
    leads = exists().where(
        own.c.chunk_no == picked.c.id,
        own.c.is_title.is_(False),
        named.c.entity_no == own.c.entity_no,
        named.c.is_title.is_(True),
        target.c.id == named.c.chunk_no,
        target.c.document_no != picked.c.document_no,
    )
    return select(func.sum(case((leads, 1), else_=0)), func.count()).select_from(picked)


def _uids(keys: Sequence[str], principal: Principal) -> list[bytes]:
    return [uid_of(principal.tenant, key) for key in sorted(set(keys))]


def _contents(connection: Connection) -> Iterator[tuple[object, ...]]:
    """Yield every row of the store in the form that `digest` hashes, in any order."""
    source, target = entity.alias("source"), entity.alias("target")

    def rows(statement: Select[*tuple[Any, ...]]) -> Iterator[Any]:
        return iter(connection.execution_options(yield_per=STREAM_ROWS).execute(statement))

    owned = select(document, access.c.tenant, access.c.groups).join(access, access.c.id == document.c.access_id)
    for row in rows(owned):
        yield "document", row.document_id, row.tenant, json.loads(row.groups), row.title
    for row in rows(select(topic.c.name, document.c.document_id).join(document, document.c.id == topic.c.document_no)):
        yield "topic", row.document_id, row.name
    for row in rows(
        select(chunk.c.chunk_id, document.c.document_id, access.c.tenant, access.c.groups)
        .join(document, document.c.id == chunk.c.document_no)
        .join(access, access.c.id == chunk.c.access_id)
    ):
        yield "chunk", row.chunk_id, row.document_id, row.tenant, json.loads(row.groups)
    for row in rows(
        select(mention.c.chunk_id, entity.c.key, mention.c.role, mention.c.position, mention.c.confidence, spelling.c.name)
        .join(entity, entity.c.id == mention.c.entity_no)
        .join(spelling, spelling.c.id == mention.c.spelling_no)
    ):
        yield "mention", *row
    for row in rows(
        select(document.c.document_id, source.c.key, target.c.key, relation.c.relation_type, relation.c.weight)
        .join(document, document.c.id == relation.c.document_no)
        .join(source, source.c.id == relation.c.source_no)
        .join(target, target.c.id == relation.c.target_no)
    ):
        yield "relation", *row
