"""What a model may remember of sessions, in the state database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from llmflow.adapters.sql_application_tables import chat_memories
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.adapters.sql_values import ApplicationTables, now, storable
from llmflow.types import ChatTurn


class SqlChatMemory(ApplicationTables):
    """ChatMemory on SQLite or PostgreSQL. What has expired is no longer read, and is removed by the next append."""

    def __init__(self, database: StateDatabase | str, limit: int = 100, ttl_s: float = 86_400.0):
        super().__init__(database)
        self._limit = limit
        self._ttl_s = ttl_s

    def append(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        with self._write() as connection:
            connection.execute(delete(chat_memories).where(chat_memories.c.expires_at <= now()))
            row = _locked(connection, session_id)
            kept = [*row.turns, *_rows(turns)]
            cut = max(0, len(kept) - self._limit)
            covered = max(0, row.summary_turns - cut)
            summary = row.summary if covered else ""
            self._keep(connection, session_id, turns=kept[cut:], summary=summary, summary_turns=covered)

    def turns(self, session_id: str) -> list[ChatTurn] | None:
        row = self._row(session_id)
        return [ChatTurn(role, content) for role, content in row.turns] if row is not None and row.turns else None

    def summary(self, session_id: str) -> tuple[str, int]:
        row = self._row(session_id)
        return (row.summary, row.summary_turns) if row is not None else ("", 0)

    def set_summary(self, session_id: str, summary: str, turns: int) -> None:
        """Nothing happens when the session is not remembered."""
        own = update(chat_memories).where(chat_memories.c.session_id == session_id, chat_memories.c.expires_at > now())
        with self._write() as connection:
            connection.execute(own.values(summary=storable(summary), summary_turns=turns))

    def replace(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        with self._write() as connection:
            _locked(connection, session_id)
            self._keep(connection, session_id, turns=_rows(turns)[-self._limit :], summary="", summary_turns=0)

    def forget(self, session_id: str) -> None:
        with self._write() as connection:
            connection.execute(delete(chat_memories).where(chat_memories.c.session_id == session_id))

    def _keep(self, connection: Connection, session_id: str, **values: Any) -> None:
        own = update(chat_memories).where(chat_memories.c.session_id == session_id)
        connection.execute(own.values(**values, expires_at=now(self._ttl_s)))

    def _row(self, session_id: str) -> Any:
        own = (chat_memories.c.session_id == session_id) & (chat_memories.c.expires_at > now())
        with self._read() as connection:
            return connection.execute(select(chat_memories).where(own)).one_or_none()


def _locked(connection: Connection, session_id: str) -> Any:
    """Return the session's row, made where it is missing; whoever else would change it waits."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_of
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_of
    empty = {"session_id": session_id, "turns": [], "summary": "", "summary_turns": 0, "expires_at": now()}
    connection.execute(insert_of(chat_memories).values(**empty).on_conflict_do_nothing())
    return connection.execute(select(chat_memories).where(chat_memories.c.session_id == session_id).with_for_update()).one()


def _rows(turns: Sequence[ChatTurn]) -> list[list[str]]:
    return [[storable(turn.role), storable(turn.content)] for turn in turns]
