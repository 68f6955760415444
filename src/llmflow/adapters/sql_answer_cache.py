"""Answers that were given before, in the state database."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from llmflow.adapters.cached_answers import dump, load, text_key
from llmflow.adapters.sql_application_tables import cached_answers, cached_sources
from llmflow.adapters.sql_prepared import Prepared
from llmflow.adapters.sql_state_database import IN_LIST, StateDatabase
from llmflow.adapters.sql_values import ApplicationTables, now, storable
from llmflow.ports import CachedAnswer

CANDIDATES = 500
"""Questions of one scope that are compared; a scope with more compares the ones used last."""


_valid = cached_answers.c.expires_at > bindparam("present")
_FORMS = Prepared(
    select(cached_answers.c.id, cached_answers.c.form, cached_answers.c.question)
    .where(cached_answers.c.scope == bindparam("scope"), _valid)
    .order_by(cached_answers.c.used_at.desc(), cached_answers.c.id)
    .limit(CANDIDATES)
)
_ENTRY = Prepared(
    select(cached_answers.c.entry, cached_answers.c.used_at).where(cached_answers.c.id == bindparam("entry_id"), _valid)
)


class SqlAnswerCache(ApplicationTables):
    """AnswerCache on SQLite or PostgreSQL.

    A use is written down where the one before is `touch_s` ago: reading should stay reading.
    """

    def __init__(self, database: StateDatabase | str, limit: int = 5000, ttl_s: float = 86_400.0, touch_s: float = 60.0):
        super().__init__(database)
        self._limit = limit
        self._ttl_s = ttl_s
        self._touch_s = touch_s

    def forms(self, scope: str) -> list[tuple[str, str, str]]:
        with self._database._ask() as reading:
            return [(key, form, question) for key, form, question in _FORMS.rows(reading, scope=scope, present=now())]

    def get(self, entry_id: str) -> CachedAnswer | None:
        with self._database._ask() as reading:
            rows = _ENTRY.rows(reading, entry_id=entry_id, present=now())
        if not rows:
            return None
        [(entry, used_at)] = rows
        if used_at <= now(-self._touch_s):
            with self._write() as connection:
                connection.execute(update(cached_answers).where(cached_answers.c.id == entry_id).values(used_at=now()))
        return load(entry)

    def put(self, entry: CachedAnswer) -> None:
        row = {
            "id": entry.id,
            "scope": entry.scope,
            "tenant": entry.tenant,
            "question": storable(entry.question),
            "form": storable(entry.form),
            "text_key": text_key(entry.answer.text),
            "entry": storable(dump(entry)),
            "used_at": now(),
            "expires_at": now(self._ttl_s),
        }
        sources = {(source.document_id, source.chunk_id) for source in entry.sources}
        with self._write() as connection:
            _remove(connection, cached_answers.c.expires_at <= now())
            _remove(connection, cached_answers.c.id == entry.id)
            connection.execute(insert(cached_answers), [row])
            if sources:
                rows = [{"entry_id": entry.id, "document_id": document, "chunk_id": chunk} for document, chunk in sorted(sources)]
                connection.execute(insert(cached_sources), rows)
            count = connection.execute(select(func.count()).select_from(cached_answers)).scalar_one()
            if count > self._limit:
                oldest = select(cached_answers.c.id).order_by(cached_answers.c.used_at, cached_answers.c.id)
                _remove(connection, cached_answers.c.id.in_(oldest.limit(count - self._limit).scalar_subquery()))

    def forget_documents(self, document_ids: Sequence[str]) -> int:
        return self._forget_sources(cached_sources.c.document_id, document_ids)

    def forget_chunks(self, chunk_ids: Sequence[str]) -> int:
        return self._forget_sources(cached_sources.c.chunk_id, chunk_ids)

    def forget_answers(self, tenant: str, text: str) -> int:
        with self._write() as connection:
            own = (cached_answers.c.tenant == tenant) & (cached_answers.c.text_key == text_key(storable(text)))
            return _remove(connection, own)

    def forget_tenant(self, tenant: str) -> int:
        with self._write() as connection:
            return _remove(connection, cached_answers.c.tenant == tenant)

    def size(self) -> int:
        with self._read() as connection:
            live = select(func.count()).select_from(cached_answers).where(cached_answers.c.expires_at > now())
            return connection.execute(live).scalar_one()

    def _forget_sources(self, column: ColumnElement[str], values: Sequence[str]) -> int:
        count = 0
        with self._write() as connection:
            for start in range(0, len(values), IN_LIST):
                users = select(cached_sources.c.entry_id).where(column.in_(values[start : start + IN_LIST]))
                count += _remove(connection, cached_answers.c.id.in_(users.scalar_subquery()))
        return count


def _remove(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Remove entries; their sources go with them by the foreign key."""
    return connection.execute(delete(cached_answers).where(condition)).rowcount
