"""What a model may remember of sessions, in the state database."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from llmflow.adapters.sql_application_tables import chat_memories
from llmflow.adapters.sql_prepared import Prepared, Reading, inside
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.adapters.sql_values import ApplicationTables, json_of, now, storable
from llmflow.types import ChatTurn

_this = chat_memories.c.session_id == bindparam("session_id")
_held = select(chat_memories.c.turns, chat_memories.c.summary, chat_memories.c.summary_turns).where(_this)
_REMEMBERED = Prepared(_held.where(chat_memories.c.expires_at > bindparam("present")))
_LOCKED = Prepared(_held.with_for_update())
_EXPIRED = Prepared(delete(chat_memories).where(chat_memories.c.expires_at <= bindparam("present")))
_KEPT = Prepared(
    update(chat_memories)
    .where(_this)
    .values({name: bindparam(f"new_{name}") for name in ("turns", "summary", "summary_turns", "expires_at")})
)
_ADDED = {
    dialect: Prepared(
        insert_of(chat_memories)
        .values({column.name: bindparam(f"new_{column.name}") for column in chat_memories.columns})
        .on_conflict_do_nothing()
    )
    for dialect, insert_of in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


class SqlChatMemory(ApplicationTables):
    """ChatMemory on SQLite or PostgreSQL. What has expired is no longer read, and is removed by the next append."""

    def __init__(self, database: StateDatabase | str, limit: int = 100, ttl_s: float = 86_400.0):
        super().__init__(database)
        self._limit = limit
        self._ttl_s = ttl_s

    def append(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        with self._write() as connection:
            place = inside(connection)
            _EXPIRED.rows(place, present=now())
            said, summary, summary_turns = _locked(place, session_id)
            kept = [*json_of(said), *_rows(turns)]
            cut = max(0, len(kept) - self._limit)
            covered = max(0, summary_turns - cut)
            self._keep(place, session_id, kept[cut:], summary if covered else "", covered)

    def turns(self, session_id: str) -> list[ChatTurn] | None:
        row = self._row(session_id)
        turns = json_of(row[0]) if row is not None else None
        return [ChatTurn(role, content) for role, content in turns] if turns else None

    def summary(self, session_id: str) -> tuple[str, int]:
        row = self._row(session_id)
        return (row[1], row[2]) if row is not None else ("", 0)

    def set_summary(self, session_id: str, summary: str, turns: int) -> None:
        """Nothing happens when the session is not remembered."""
        own = update(chat_memories).where(chat_memories.c.session_id == session_id, chat_memories.c.expires_at > now())
        with self._write() as connection:
            connection.execute(own.values(summary=storable(summary), summary_turns=turns))

    def replace(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        with self._write() as connection:
            place = inside(connection)
            _locked(place, session_id)
            self._keep(place, session_id, _rows(turns)[-self._limit :])

    def forget(self, session_id: str) -> None:
        if self._row(session_id) is None:  # as at the first question of each session; what has expired goes with the next append
            return
        with self._write() as connection:
            connection.execute(delete(chat_memories).where(chat_memories.c.session_id == session_id))

    def _keep(self, place: Reading, session_id: str, turns: list[list[str]], summary: str = "", summary_turns: int = 0) -> None:
        kept = {"turns": json.dumps(turns, ensure_ascii=False), "summary": summary, "summary_turns": summary_turns}
        kept["expires_at"] = now(self._ttl_s)
        _KEPT.rows(place, session_id=session_id, **{f"new_{name}": value for name, value in kept.items()})

    def _row(self, session_id: str) -> Any:
        with self._database._ask() as reading:
            return next(iter(_REMEMBERED.rows(reading, session_id=session_id, present=now())), None)


def _locked(place: Reading, session_id: str) -> tuple[Any, ...]:
    """Return what is held of a session, made where it is missing; whoever else would change it waits."""
    empty = {"session_id": session_id, "turns": "[]", "summary": "", "summary_turns": 0, "expires_at": now()}
    _ADDED[place.dialect.name].rows(place, **{f"new_{name}": value for name, value in empty.items()})
    [row] = _LOCKED.rows(place, session_id=session_id)
    return row


def _rows(turns: Sequence[ChatTurn]) -> list[list[str]]:
    return [[storable(turn.role), storable(turn.content)] for turn in turns]
