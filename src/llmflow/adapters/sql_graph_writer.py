"""One write to the SQL graph: everything that a call changes, inside the transaction of the connection it is given."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from llmflow.adapters.graph_rows import TITLE_ROLE, ChunkRow, DocumentRow, GraphBatch, plain_float, uid_of
from llmflow.adapters.sql_graph_tables import (
    access,
    access_group,
    chunk,
    document,
    edges_text,
    entity,
    mention,
    reach,
    relation,
    spelling,
    topic,
)
from llmflow.adapters.sql_prepared import OfConnection, Prepared
from llmflow.errors import StoreCorrupt

T = TypeVar("T")
PART = 500  # values an IN list: databases bound the variables of a statement


def in_parts(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """Yield the values in lists of at most `PART`."""
    listed = list(values)
    for start in range(0, len(listed), PART):
        yield listed[start : start + PART]


@lru_cache(maxsize=8)
def _numbers_of(table: Table) -> Prepared:
    return Prepared(select(table.c.uid, table.c.id).where(table.c.uid.in_(bindparam("uids", expanding=True))))


class GraphWriter:
    """Applies one upsert or deletion; use a new one for each transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counts: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0, 0])  # changes to graph_reach
        self._stale_documents: set[int] = set()
        self._stale_access: set[int] = set()

    def upsert(self, batch: GraphBatch) -> None:
        self._remove_chunks([row.chunk_id for row in batch.chunks])
        document_nos = self._write_documents(batch.documents)
        self._write_chunks(batch.chunks, document_nos, {row.document_id: row for row in batch.documents})
        self._settle_counts()
        self._write_links(batch.documents, document_nos)
        self._remove_empty_documents()

    def delete(self, chunk_ids: Iterable[str]) -> None:
        self._remove_chunks(chunk_ids)
        self._settle_counts()
        self._remove_empty_documents()

    # documents and who may read them

    def _write_documents(self, rows: Sequence[DocumentRow]) -> dict[str, int]:
        access_ids = self._intern_access({(row.tenant, row.groups) for row in rows})
        held = select(document.c.id, document.c.document_id, document.c.access_id, access.c.tenant).join(
            access, access.c.id == document.c.access_id
        )
        known = {row.document_id: row for row in self._select_in(held, document.c.document_id, [row.document_id for row in rows])}
        following = self._next_id(document)
        inserted, updated, moved = [], [], {}
        for row in rows:
            access_id = access_ids[row.tenant, row.groups]
            old = known.get(row.document_id)
            if old is None:
                number = following + len(inserted)
                inserted.append((number, row.document_id, access_id, row.title))
                continue
            if old.tenant != row.tenant:
                raise StoreCorrupt(
                    f"The graph holds document {row.document_id!r} for tenant {old.tenant!r}, not for {row.tenant!r}. "
                    "A document stays with its tenant: delete its chunks first, or run `llmflow doctor --repair`."
                )
            updated.append({"number": old.id, "access_id": access_id, "title": row.title})
            if old.access_id != access_id:
                moved[old.id] = access_id
                self._stale_access.add(old.access_id)
        self._insert(document, inserted)
        if updated:
            self._connection.execute(update(document).where(document.c.id == bindparam("number")), updated)
        self._move_chunks(moved)
        numbers = {name: row.id for name, row in known.items()} | {row[1]: row[0] for row in inserted}
        self._stale_documents.update(numbers.values())
        return numbers

    def _intern_access(self, pairs: Collection[tuple[str, tuple[str, ...]]]) -> dict[tuple[str, tuple[str, ...]], int]:
        uids = {uid_of(tenant, *groups): (tenant, groups) for tenant, groups in pairs}
        ids = self._lookup(access, uids)
        missing = [uid for uid in uids if uid not in ids]
        ids |= self._insert_new(access, {uid: (uids[uid][0], json.dumps(uids[uid][1])) for uid in missing})
        self._insert(access_group, [(uids[uid][0], group, ids[uid]) for uid in missing for group in uids[uid][1]])
        return {pair: ids[uid] for uid, pair in uids.items()}

    def _move_chunks(self, moved: dict[int, int]) -> None:
        """Give the chunks that documents already have the documents' new access sets."""
        for part in in_parts(moved):
            rows = self._connection.execute(
                select(mention, chunk.c.document_no)
                .join(chunk, chunk.c.id == mention.c.chunk_no)
                .where(chunk.c.document_no.in_(part))
            ).all()
            for row in rows:
                self._count(row, -1)
                self._count(row, 1, access_id=moved[row.document_no])
        for number, access_id in moved.items():
            own = select(chunk.c.id).where(chunk.c.document_no == number).scalar_subquery()
            self._connection.execute(update(mention).where(mention.c.chunk_no.in_(own)).values(access_id=access_id))
            self._connection.execute(update(chunk).where(chunk.c.document_no == number).values(access_id=access_id))

    # chunks and what they mention

    def _remove_chunks(self, chunk_ids: Iterable[str]) -> None:
        for part in in_parts(chunk_ids):
            rows = self._connection.execute(select(chunk.c.id, chunk.c.document_no).where(chunk.c.chunk_id.in_(part))).all()
            if not rows:
                continue
            numbers = [row.id for row in rows]
            self._stale_documents.update(row.document_no for row in rows)
            for edge in self._connection.execute(select(mention).where(mention.c.chunk_no.in_(numbers))):
                self._count(edge, -1)
            self._connection.execute(delete(mention).where(mention.c.chunk_no.in_(numbers)))
            self._connection.execute(delete(chunk).where(chunk.c.id.in_(numbers)))

    def _write_chunks(self, rows: Sequence[ChunkRow], numbers: dict[str, int], documents: dict[str, DocumentRow]) -> None:
        access_ids = self._intern_access({(row.tenant, row.groups) for row in documents.values()})
        entities: dict[tuple[str, str], bytes] = {}
        spellings: dict[tuple[str, str, str], bytes] = {}
        for row in rows:
            tenant = documents[row.document_id].tenant
            for found in row.mentions:
                if (tenant, found.key, found.name) not in spellings:
                    spellings[tenant, found.key, found.name] = uid_of(tenant, found.key, found.name)
                    entities.setdefault((tenant, found.key), uid_of(tenant, found.key))
        entity_nos = self._intern(entity, {uid: (key,) for (_, key), uid in entities.items()})
        spelling_nos = self._intern(
            spelling, {uid: (entity_nos[entities[tenant, key]], name) for (tenant, key, name), uid in spellings.items()}
        )
        chunk_no, mention_no = self._next_id(chunk), self._next_id(mention)
        chunks, mentions = [], []
        for row in rows:
            owner = documents[row.document_id]
            access_id = access_ids[owner.tenant, owner.groups]
            edges = edges_text((m.key, m.role, m.position, plain_float(m.confidence)) for m in row.mentions)
            chunks.append((chunk_no, row.chunk_id, numbers[row.document_id], access_id, edges))
            for found, is_counted in row.counted:
                uid = spellings[owner.tenant, found.key, found.name]
                ends = entity_nos[entities[owner.tenant, found.key]], access_id, spelling_nos[uid]
                is_title = found.role == TITLE_ROLE
                mentions.append(
                    (
                        mention_no,
                        chunk_no,
                        *ends,
                        row.chunk_id,
                        found.role,
                        is_title,
                        is_counted,
                        found.position,
                        plain_float(found.confidence),
                    )
                )
                change = self._counts[ends]
                change[0] += 1
                change[1] += is_counted
                change[2] += is_title
                mention_no += 1
            chunk_no += 1
        self._insert(chunk, chunks)
        self._insert(mention, mentions)

    # what follows from chunks: counts, and nodes that nothing mentions any more

    def _count(self, edge: Row[*tuple[Any, ...]], sign: int, access_id: int | None = None) -> None:
        change = self._counts[edge.entity_no, edge.access_id if access_id is None else access_id, edge.spelling_no]
        change[0] += sign
        change[1] += sign * edge.is_counted
        change[2] += sign * edge.is_title

    def _settle_counts(self) -> None:
        changes = [(*key, *change) for key, change in sorted(self._counts.items()) if any(change)]
        if not changes:
            return
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        new = dialect.insert(reach)
        summed = {name: reach.c[name] + new.excluded[name] for name in ("edges", "mentions", "titles")}
        self._execute_many(new.on_conflict_do_update(index_elements=list(reach.primary_key), set_=summed), reach, changes)
        losing = sorted({entity_no for entity_no, _, _, edges, *_ in changes if edges < 0})
        for part in in_parts(losing):
            self._connection.execute(delete(reach).where(reach.c.entity_no.in_(part), reach.c.edges == 0))
            self._connection.execute(
                delete(spelling).where(
                    spelling.c.entity_no.in_(part),
                    ~exists().where(reach.c.entity_no == spelling.c.entity_no, reach.c.spelling_no == spelling.c.id),
                )
            )
            gone = select(entity.c.id).where(entity.c.id.in_(part), ~exists().where(reach.c.entity_no == entity.c.id))
            numbers = list(self._connection.execute(gone).scalars())
            self._connection.execute(
                delete(relation).where(or_(relation.c.source_no.in_(numbers), relation.c.target_no.in_(numbers)))
            )
            self._connection.execute(delete(entity).where(entity.c.id.in_(numbers)))

    def _remove_empty_documents(self) -> None:
        for part in in_parts(sorted(self._stale_documents)):
            empty = select(document.c.id, document.c.access_id).where(
                document.c.id.in_(part), ~exists().where(chunk.c.document_no == document.c.id)
            )
            rows = self._connection.execute(empty).all()
            numbers = [row.id for row in rows]
            self._stale_access.update(row.access_id for row in rows)
            for table in (relation, topic):
                self._connection.execute(delete(table).where(table.c.document_no.in_(numbers)))
            self._connection.execute(delete(document).where(document.c.id.in_(numbers)))
        for part in in_parts(sorted(self._stale_access)):
            unused = select(access.c.id).where(access.c.id.in_(part), ~exists().where(document.c.access_id == access.c.id))
            numbers = list(self._connection.execute(unused).scalars())
            self._connection.execute(delete(access_group).where(access_group.c.access_id.in_(numbers)))
            self._connection.execute(delete(access).where(access.c.id.in_(numbers)))

    def _write_links(self, rows: Sequence[DocumentRow], numbers: dict[str, int]) -> None:
        for part in in_parts(numbers.values()):
            self._connection.execute(delete(relation).where(relation.c.document_no.in_(part)))
            self._connection.execute(delete(topic).where(topic.c.document_no.in_(part)))
        linked = {(row.tenant, key) for row in rows for link in row.relations for key in (link.source, link.target)}
        ends = {pair: uid_of(*pair) for pair in linked}
        entity_nos = self._lookup(entity, ends.values())
        relations = []
        for row in rows:
            for link in row.relations:
                source, target = (entity_nos.get(ends[row.tenant, key]) for key in (link.source, link.target))
                if source is not None and target is not None:
                    relations.append((numbers[row.document_id], source, target, link.relation_type, link.weight))
        self._insert(relation, relations)
        self._insert(topic, [(numbers[row.document_id], name, row.tenant) for row in rows for name in row.topics])

    # rows

    def _next_id(self, table: Table) -> int:
        """Return the first free number; no other writer can take it, since the transaction writes alone."""
        return self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one() + 1

    def _select_in(
        self, statement: Select[*tuple[Any, ...]], column: Column[Any], values: Iterable[Any]
    ) -> Iterator[Row[*tuple[Any, ...]]]:
        for part in in_parts(values):
            yield from self._connection.execute(statement.where(column.in_(part)))

    def _lookup(self, table: Table, uids: Iterable[bytes]) -> dict[bytes, int]:
        asked, connection = _numbers_of(table), OfConnection(self._connection)
        return {bytes(uid): number for part in in_parts(uids) for uid, number in asked.rows(connection, uids=part)}

    def _intern(self, table: Table, values: dict[bytes, tuple[Any, ...]]) -> dict[bytes, int]:
        """Return the number of every uid, rows made for those that have none."""
        known = self._lookup(table, values)
        return known | self._insert_new(table, {uid: row for uid, row in values.items() if uid not in known})

    def _insert_new(self, table: Table, values: dict[bytes, tuple[Any, ...]]) -> dict[bytes, int]:
        numbers = {uid: number for number, uid in enumerate(values, self._next_id(table))}
        self._insert(table, [(numbers[uid], uid, *row) for uid, row in values.items()])
        return numbers

    def _insert(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows that give every column in order."""
        self._execute_many(insert(table), table, rows)

    def _execute_many(self, statement: Insert, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows that give every column in order, past SQLAlchemy's work on each value: it would double the time."""
        if not rows:
            return
        compiled = statement.compile(dialect=self._connection.dialect)
        if compiled.positional:
            self._connection.exec_driver_sql(compiled.string, list(rows))
        else:
            names = table.columns.keys()
            self._connection.exec_driver_sql(compiled.string, [dict(zip(names, row, strict=True)) for row in rows])
