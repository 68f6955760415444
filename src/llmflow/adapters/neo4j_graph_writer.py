"""One write to the Neo4j graph: the statements of an upsert or a deletion, in the transaction they are given."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, LiteralString

from llmflow.adapters.graph_rows import ChunkRow, GraphBatch, plain_float, uid_of
from llmflow.errors import StoreCorrupt

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

PART = 10_000  # rows an UNWIND: larger ones win nothing and hold more of the server's memory

SCHEMA = (
    "CREATE CONSTRAINT llmflow_document IF NOT EXISTS FOR (n:Document) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT llmflow_chunk IF NOT EXISTS FOR (n:Chunk) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT llmflow_entity IF NOT EXISTS FOR (n:Entity) REQUIRE n.uid IS UNIQUE",
    "CREATE CONSTRAINT llmflow_topic IF NOT EXISTS FOR (n:Topic) REQUIRE n.uid IS UNIQUE",
    "CREATE CONSTRAINT llmflow_writer IF NOT EXISTS FOR (n:GraphWriter) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX llmflow_relation IF NOT EXISTS FOR ()-[r:RELATED_TO]-() ON (r.document_id)",
    "CALL db.awaitIndexes(60)",
)


def entity_uid(tenant: str, key: str) -> str:
    """Return the identity of an entity or topic: unlike a key of any length it always fits an index."""
    return uid_of(tenant, key).hex()


def write_batch(tx: "ManagedTransaction", batch: GraphBatch) -> None:
    """Apply an upsert."""
    _lock(tx)
    owners = {row.document_id: row for row in batch.documents}
    chunks = _changed_chunks(tx, batch)
    documents, entities = _remove_chunks(tx, list(chunks))
    _write_documents(tx, batch)
    _run(
        tx,
        """
        UNWIND $rows AS row
        MATCH (d:Document {id: row.document_id})
        CREATE (d)-[:HAS_CHUNK]->(:Chunk {id: row.id, tenant: d.tenant, groups: d.groups, content: row.content})
        """,
        ({"id": row.chunk_id, "document_id": row.document_id, "content": content} for row, content in chunks.values()),
    )
    keys = {(owners[row.document_id].tenant, found.key) for row, _ in chunks.values() for found in row.mentions}
    uids = {pair: entity_uid(*pair) for pair in sorted(keys)}
    _run(
        tx,
        "UNWIND $rows AS row MERGE (e:Entity {uid: row.uid}) ON CREATE SET e.key = row.key, e.tenant = row.tenant",
        ({"uid": uid, "key": key, "tenant": tenant} for (tenant, key), uid in uids.items()),
    )
    _run(
        tx,
        """
        UNWIND $rows AS row
        MATCH (c:Chunk {id: row.chunk_id})
        MATCH (e:Entity {uid: row.uid})
        CREATE (c)-[:MENTIONS {
            role: row.role, position: row.position, confidence: row.confidence, name: row.name, counted: row.counted
        }]->(e)
        """,
        (
            {
                "chunk_id": row.chunk_id,
                "uid": uids[owners[row.document_id].tenant, found.key],
                "role": found.role,
                "position": found.position,
                "confidence": plain_float(found.confidence),
                "name": found.name,
                "counted": is_counted,
            }
            for row, _ in chunks.values()
            for found, is_counted in row.counted
        ),
    )
    _remove_unmentioned(tx, entities)
    _write_links(tx, batch)
    _remove_empty_documents(tx, documents | set(owners))


def remove_chunks(tx: "ManagedTransaction", chunk_ids: Sequence[str]) -> None:
    """Apply a deletion."""
    _lock(tx)
    documents, entities = _remove_chunks(tx, chunk_ids)
    _remove_unmentioned(tx, entities)
    _remove_empty_documents(tx, documents)


def _lock(tx: "ManagedTransaction") -> None:
    # One writer at a time: an entity must not get a mention between the look for its last one and its deletion.
    tx.run("MERGE (w:GraphWriter {id: 1}) SET w.writes = coalesce(w.writes, 0) + 1").consume()


def _changed_chunks(tx: "ManagedTransaction", batch: GraphBatch) -> dict[str, tuple[ChunkRow, str]]:
    """Return the chunks of the batch that the graph does not hold just so, with a hash of their content.

    A retry then costs the server no memory for chunks that it would remove and make again.
    """
    contents = {row.chunk_id: (row, row.content_hash) for row in batch.chunks}
    query = """
        UNWIND $rows AS row
        MATCH (:Document {id: row.document_id})-[:HAS_CHUNK]->(c:Chunk {id: row.id}) WHERE c.content = row.content
        RETURN c.id AS id
        """
    rows = ({"id": row.chunk_id, "document_id": row.document_id, "content": content} for row, content in contents.values())
    same = {found["id"] for found in _run(tx, query, rows)}
    return {name: pair for name, pair in contents.items() if name not in same}


def _write_documents(tx: "ManagedTransaction", batch: GraphBatch) -> None:
    rows = [
        {"id": row.document_id, "tenant": row.tenant, "groups": list(row.groups), "title": row.title} for row in batch.documents
    ]
    others = _run(
        tx,
        """
        UNWIND $rows AS row MATCH (d:Document {id: row.id}) WHERE d.tenant <> row.tenant
        RETURN d.id AS id, d.tenant AS old, row.tenant AS new
        """,
        rows,
    )
    for row in others:
        raise StoreCorrupt(
            f"The graph holds document {row['id']!r} for tenant {row['old']!r}, not for {row['new']!r}. "
            "A document stays with its tenant: delete its chunks first, or run `llmflow doctor --repair`."
        )
    _run(
        tx,
        """
        UNWIND $rows AS row
        MERGE (d:Document {id: row.id})
        SET d.tenant = row.tenant, d.groups = row.groups, d.title = row.title
        WITH d MATCH (d)-[:HAS_CHUNK]->(c:Chunk) WHERE c.groups <> d.groups
        SET c.groups = d.groups
        """,
        rows,
    )


def _write_links(tx: "ManagedTransaction", batch: GraphBatch) -> None:
    topics = _remove_links(tx, [row.document_id for row in batch.documents])
    _run(
        tx,
        """
        UNWIND $rows AS row
        MATCH (s:Entity {uid: row.source})
        MATCH (t:Entity {uid: row.target})
        CREATE (s)-[r:RELATED_TO]->(t)
        SET r = row.link
        """,
        (
            {
                "source": entity_uid(row.tenant, link.source),
                "target": entity_uid(row.tenant, link.target),
                "link": {"relation_type": link.relation_type, "weight": link.weight, "document_id": row.document_id},
            }
            for row in batch.documents
            for link in row.relations
        ),
    )
    _run(
        tx,
        """
        UNWIND $rows AS row
        MATCH (d:Document {id: row.document_id})
        MERGE (t:Topic {uid: row.uid}) ON CREATE SET t.tenant = row.tenant, t.name = row.name
        CREATE (d)-[:ABOUT]->(t)
        """,
        (
            {"document_id": row.document_id, "uid": entity_uid(row.tenant, name), "tenant": row.tenant, "name": name}
            for row in batch.documents
            for name in row.topics
        ),
    )
    _remove_unused_topics(tx, topics)


def _remove_chunks(tx: "ManagedTransaction", chunk_ids: Sequence[str]) -> tuple[set[str], set[str]]:
    """Remove chunks; return the ids of the documents that had them and the uids of the entities that they mentioned."""
    documents = _run(
        tx, "UNWIND $rows AS id MATCH (d:Document)-[:HAS_CHUNK]->(:Chunk {id: id}) RETURN DISTINCT d.id AS id", chunk_ids
    )
    entities = _run(
        tx, "UNWIND $rows AS id MATCH (:Chunk {id: id})-[:MENTIONS]->(e:Entity) RETURN DISTINCT e.uid AS id", chunk_ids
    )
    _run(tx, "UNWIND $rows AS id MATCH (c:Chunk {id: id}) DETACH DELETE c", chunk_ids)
    return {row["id"] for row in documents}, {row["id"] for row in entities}


def _remove_unmentioned(tx: "ManagedTransaction", uids: Iterable[str]) -> None:
    query = "UNWIND $rows AS uid MATCH (e:Entity {uid: uid}) WHERE NOT EXISTS { (e)<-[:MENTIONS]-() } DETACH DELETE e"
    _run(tx, query, sorted(uids))


def _remove_empty_documents(tx: "ManagedTransaction", ids: Iterable[str]) -> None:
    query = "UNWIND $rows AS id MATCH (d:Document {id: id}) WHERE NOT EXISTS { (d)-[:HAS_CHUNK]->() } RETURN d.id AS id"
    empty = [row["id"] for row in _run(tx, query, sorted(ids))]
    topics = _remove_links(tx, empty)
    _run(tx, "UNWIND $rows AS id MATCH (d:Document {id: id}) DETACH DELETE d", empty)
    _remove_unused_topics(tx, topics)


def _remove_links(tx: "ManagedTransaction", document_ids: Sequence[str]) -> set[str]:
    """Remove relations and topic links of documents; return the uids of the topics they had."""
    _run(tx, "UNWIND $rows AS id MATCH ()-[r:RELATED_TO {document_id: id}]->() DELETE r", document_ids)
    query = "UNWIND $rows AS id MATCH (:Document {id: id})-[a:ABOUT]->(t:Topic) DELETE a RETURN DISTINCT t.uid AS uid"
    return {row["uid"] for row in _run(tx, query, document_ids)}


def _remove_unused_topics(tx: "ManagedTransaction", uids: Iterable[str]) -> None:
    _run(tx, "UNWIND $rows AS uid MATCH (t:Topic {uid: uid}) WHERE NOT EXISTS { (t)<-[:ABOUT]-() } DELETE t", sorted(uids))


def _run(tx: "ManagedTransaction", query: LiteralString, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Run a statement over rows in parts and return the records of all parts."""
    return [record for part in _parts(rows) for record in tx.run(query, rows=part).data()]


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while part := list(islice(iterator, PART)):
        yield part
