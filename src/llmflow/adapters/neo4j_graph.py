"""The graph in Neo4j 5.23 or newer, over Bolt.

    (:Document {id, tenant, groups, title})-[:HAS_CHUNK]->(:Chunk {id, tenant, groups, content})
    (:Chunk)-[:MENTIONS {role, position, confidence, name, counted}]->(:Entity {uid, key, tenant})
    (:Entity)-[:RELATED_TO {relation_type, weight, document_id}]->(:Entity)
    (:Document)-[:ABOUT]->(:Topic {uid, name, tenant})

`uid` is a hash of tenant and key. An entity has no name of its own: names stand on its mentions, so that none outlives its source
and none is shown to a reader of other documents. `counted` is true on one edge a (chunk, entity); `content` is a hash
of a chunk's mentions, by which a retry leaves unchanged chunks alone.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import urlsplit

from llmflow.adapters.graph_rows import best_relations, chunk_order, digest_of, entity_order, flatten
from llmflow.adapters.neo4j_graph_writer import SCHEMA, entity_uid, remove_chunks, write_batch
from llmflow.errors import SettingsError, StoreUnavailable
from llmflow.ports import ChunkEdges, EntityNode, GraphDocument, GraphEdge, GraphReads, GraphStatistics
from llmflow.types import Principal, Relation

if TYPE_CHECKING:
    from neo4j import Driver, ManagedTransaction, Session

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")

FIND_ENTITIES = """
UNWIND $uids AS uid
MATCH (e:Entity {uid: uid})<-[m:MENTIONS]-(c:Chunk)
WHERE c.tenant = $tenant AND any(name IN c.groups WHERE name IN $groups)
WITH e.key AS key, m.name AS name, count(m) AS edges,
     sum(CASE WHEN m.counted THEN 1 ELSE 0 END) AS mentions, sum(CASE WHEN m.role = 'title' THEN 1 ELSE 0 END) AS titles
RETURN key, name, edges, mentions, titles
"""
EDGES_OF_ENTITIES = """
UNWIND $uids AS uid
CALL (uid) {
    MATCH (e:Entity {uid: uid})<-[m:MENTIONS]-(c:Chunk)
    WHERE c.tenant = $tenant AND any(name IN c.groups WHERE name IN $groups) AND ($role IS NULL OR m.role = $role)
    WITH e, m, c ORDER BY m.role = 'title' DESC, m.confidence DESC, c.id, m.role LIMIT $limit
    RETURN c.id AS chunk_id, e.key AS key, m.role AS role, m.position AS position, m.confidence AS confidence
}
RETURN chunk_id, key, role, position, confidence
"""
EDGES_OF_CHUNKS = """
UNWIND $chunk_ids AS chunk_id
MATCH (c:Chunk {id: chunk_id})-[m:MENTIONS]->(e:Entity)
WHERE c.tenant = $tenant AND any(name IN c.groups WHERE name IN $groups)
RETURN chunk_id, e.key AS key, m.role AS role, m.position AS position, m.confidence AS confidence
"""
RELATIONS_OF = """
UNWIND $uids AS uid
MATCH (s:Entity {uid: uid})-[r:RELATED_TO]->(t:Entity)
MATCH (d:Document {id: r.document_id})
WHERE d.tenant = $tenant AND any(name IN d.groups WHERE name IN $groups)
RETURN s.key AS source, t.key AS target, r.relation_type AS relation_type, r.weight AS weight
"""
TITLE_REACH = """
MATCH (d:Document) WITH DISTINCT d.tenant AS tenant
CALL (tenant) {
    MATCH (d:Document {tenant: tenant})-[:HAS_CHUNK]->(c:Chunk)
    WITH d, c ORDER BY c.id LIMIT $sample
    RETURN count(c) AS chunks, sum(CASE WHEN EXISTS {
        MATCH (c)-[own:MENTIONS]->(:Entity)<-[:MENTIONS {role: 'title'}]-(:Chunk)<-[:HAS_CHUNK]-(other:Document)
        WHERE own.role <> 'title' AND other <> d
    } THEN 1 ELSE 0 END) AS leading
}
RETURN tenant, leading, chunks
"""
COUNTS: tuple[LiteralString, ...] = (
    "MATCH (n:Document) RETURN count(n) AS n",
    "MATCH (n:Chunk) RETURN count(n) AS n",
    "MATCH (n:Entity) RETURN count(n) AS n",
    "MATCH (n:Topic) RETURN count(n) AS n",
    "MATCH ()-[r:MENTIONS]->() RETURN count(r) AS n",
    "MATCH ()-[r:RELATED_TO]->() RETURN count(r) AS n",
)
CONTENTS: tuple[LiteralString, ...] = (
    "MATCH (d:Document) RETURN 'document', d.id, d.tenant, d.groups, d.title",
    "MATCH (d:Document)-[:ABOUT]->(t:Topic) RETURN 'topic', d.id, t.name",
    "MATCH (d:Document)-[:HAS_CHUNK]->(c:Chunk) RETURN 'chunk', c.id, d.id, c.tenant, c.groups",
    "MATCH (c:Chunk)-[m:MENTIONS]->(e:Entity) RETURN 'mention', c.id, e.key, m.role, m.position, m.confidence, m.name",
    "MATCH (s:Entity)-[r:RELATED_TO]->(t:Entity) RETURN 'relation', r.document_id, s.key, t.key, r.relation_type, r.weight",
)


class Neo4jGraphStore:
    """A `GraphStore` on a Neo4j server.

    Connects and makes its constraints on first use. `timeout_s` bounds connecting, waiting for a connection and retrying after a
    fault that passes; it does not cut a statement that the server works on. The password is in no message and no log.

    A call is one transaction: allow the server some 70 MB of transaction memory for each 1,000 chunks of 15 mentions in it.
    """

    def __init__(self, uri: str, user: str, password: str, database: str = "neo4j", timeout_s: float = 10) -> None:
        self._uri = uri
        self._user = user
        self._password = password
        self._database = database
        self._timeout_s = timeout_s
        self._driver: Driver | None = None
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return f"Neo4jGraphStore({self._address!r}, database={self._database!r})"

    def upsert(self, documents: Sequence[GraphDocument]) -> None:
        batch = flatten(documents)
        if batch.documents:
            self._write(lambda tx: write_batch(tx, batch))

    def delete_chunks(self, chunk_ids: Sequence[str]) -> None:
        if chunk_ids:
            self._write(lambda tx: remove_chunks(tx, sorted(set(chunk_ids))))

    def find_entities(self, keys: Sequence[str], principal: Principal) -> list[EntityNode]:
        spellings: dict[str, list[tuple[int, str, int, int]]] = {}
        for key, name, edges, mentions, titles in self._read(FIND_ENTITIES, principal, uids=_uids(keys, principal)):
            spellings.setdefault(key, []).append((-edges, name, mentions, titles))
        return [
            EntityNode(key, min(rows)[1], mentions=sum(row[2] for row in rows), titles=sum(row[3] for row in rows))
            for key, rows in sorted(spellings.items())
        ]

    def edges_of_entities(
        self, keys: Sequence[str], principal: Principal, limit: int, role: str | None = None
    ) -> list[GraphEdge]:
        if limit < 1:
            return []
        rows = self._read(EDGES_OF_ENTITIES, principal, uids=_uids(keys, principal), limit=limit, role=role)
        return sorted((GraphEdge(*row) for row in rows), key=entity_order)

    def edges_of_chunks(self, chunk_ids: Sequence[str], principal: Principal) -> list[GraphEdge]:
        rows = self._read(EDGES_OF_CHUNKS, principal, chunk_ids=sorted(set(chunk_ids)))
        return sorted((GraphEdge(*row) for row in rows), key=chunk_order)

    def leads_of_chunks(self, chunk_ids: Sequence[str], principal: Principal, named: Collection[str]) -> dict[str, ChunkEdges]:
        return ChunkEdges.grouped(self.edges_of_chunks(chunk_ids, principal))

    def reads(self) -> GraphReads:
        return self

    def relations_of(self, keys: Sequence[str], principal: Principal, limit: int) -> list[Relation]:
        rows = self._read(RELATIONS_OF, principal, uids=_uids(keys, principal))
        return best_relations((Relation(*row) for row in rows), limit)

    def title_reach(self, sample: int) -> dict[str, float]:
        with self._session() as session:
            rows = session.execute_read(lambda tx: [record.values() for record in tx.run(TITLE_REACH, {"sample": sample})])
        return {tenant: leading / chunks for tenant, leading, chunks in rows if chunks}

    def chunk_ids(self) -> set[str]:
        with self._session() as session:
            return session.execute_read(lambda tx: {record[0] for record in tx.run("MATCH (c:Chunk) RETURN c.id")})

    def statistics(self) -> GraphStatistics:
        with self._session() as session:
            return session.execute_read(lambda tx: GraphStatistics(*(tx.run(query).single(strict=True)[0] for query in COUNTS)))

    def digest(self) -> str:
        """As the port says, as long as nothing is written meanwhile: the server reads what is committed, row by row."""
        with self._session() as session:
            return session.execute_read(lambda tx: digest_of(record.values() for query in CONTENTS for record in tx.run(query)))

    def close(self) -> None:
        with self._opening:
            driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    @property
    def _address(self) -> str:
        parts = urlsplit(self._uri)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def _write(self, work: "Callable[[ManagedTransaction], None]") -> None:
        with self._session() as session:
            session.execute_write(work)

    def _read(self, query: LiteralString, principal: Principal, **parameters: Any) -> list[list[Any]]:
        parameters |= {"tenant": principal.tenant, "groups": list(principal.readable_groups)}
        with self._session() as session:
            return session.execute_read(lambda tx: [record.values() for record in tx.run(query, parameters)])

    @contextmanager
    def _session(self) -> "Iterator[Session]":
        from neo4j.exceptions import (
            AuthError,
            ConstraintError,
            CypherSyntaxError,
            CypherTypeError,
            DriverError,
            Neo4jError,
            TransientError,
        )

        try:
            with self._connected().session(database=self._database) as session:
                yield session
        except (ConstraintError, CypherSyntaxError, CypherTypeError):
            raise  # our own mistake, not the server's absence
        except AuthError as exc:
            raise StoreUnavailable(
                f"Neo4j at {self._address} does not accept the account {self._user!r}. "
                "Check the user and the password in the credentials."
            ) from exc
        except TransientError as exc:
            if "Memory" not in (exc.code or ""):
                raise self._unavailable(exc) from exc
            raise StoreUnavailable(
                f"Neo4j at {self._address} has too little memory for this call. "
                "Send fewer documents at once, or raise dbms.memory.transaction.total.max."
            ) from exc
        except (Neo4jError, DriverError, OSError) as exc:
            raise self._unavailable(exc) from exc

    def _unavailable(self, exc: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"Neo4j at {self._address}, database {self._database!r}, cannot be used: {exc}. "
            "Check that the server runs and has this database, and that the address and port are right; then try again."
        )

    def _connected(self) -> "Driver":
        from neo4j import GraphDatabase, NotificationMinimumSeverity

        with self._opening:
            if self._driver is None:
                self._check_uri()
                driver = GraphDatabase.driver(
                    self._uri,
                    auth=(self._user, self._password),
                    connection_timeout=self._timeout_s,
                    connection_acquisition_timeout=self._timeout_s,
                    max_transaction_retry_time=self._timeout_s,
                    notifications_min_severity=NotificationMinimumSeverity.OFF,
                    telemetry_disabled=True,
                )
                try:
                    for statement in SCHEMA:
                        driver.execute_query(statement, database_=self._database)
                except BaseException:
                    driver.close()
                    raise
                self._driver = driver
            return self._driver

    def _check_uri(self) -> None:
        parts = urlsplit(self._uri)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise SettingsError(
                f"The address of Neo4j {self._address!r} is not one. Give scheme://host:7687 with one of: {', '.join(SCHEMES)}."
            )
        if "@" in parts.netloc:
            raise SettingsError("The address of Neo4j holds a user or a password. Give them as settings of their own.")


def _uids(keys: Sequence[str], principal: Principal) -> list[str]:
    return [entity_uid(principal.tenant, key) for key in sorted(set(keys))]
