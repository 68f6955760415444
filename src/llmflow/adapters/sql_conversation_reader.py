"""What is read of sessions and messages in the state database: by their owner, for an administrator, for training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, select

from llmflow.adapters.sql_application_tables import chat_sessions, citations, messages
from llmflow.adapters.sql_conversation_statements import CITATIONS, COUNT, MESSAGES, SESSION
from llmflow.adapters.sql_state_database import IN_LIST
from llmflow.adapters.sql_values import ApplicationTables, holds, instant, json_of, page_of, storable
from llmflow.batches import batched
from llmflow.ports import ChatSession, FeedbackRow, Message, MessageStatus
from llmflow.types import Citation

EXPORTED_AT_ONCE = 200
NEWEST = chat_sessions.c.updated_at.desc(), chat_sessions.c.id


class ConversationReader(ApplicationTables):
    """The reading half of ConversationStore."""

    def sessions(self, account_id: str, search: str = "", limit: int = 50, offset: int = 0) -> tuple[list[ChatSession], int]:
        return self._sessions(chat_sessions.c.account_id == storable(account_id), search, limit, offset)

    def session(self, session_id: str, account_id: str) -> ChatSession | None:
        with self._database._ask() as reading:
            rows = SESSION.rows(reading, session_id=storable(session_id), account_id=storable(account_id))
        return ChatSession(*rows[0]) if rows else None

    def messages(self, session_id: str, account_id: str, after: int = -1, limit: int = 1000) -> list[Message]:
        own = {"session_id": storable(session_id), "account_id": storable(account_id)}
        with self._database._ask(2) as reading:
            rows = MESSAGES.rows(reading, **own, after=after, limit=max(0, limit))
            cited: dict[str, list[Citation]] = {row[0]: [] for row in rows}
            for part in batched([row[0] for row in rows if row[3] != "user"], IN_LIST):
                for message_id, *fields in CITATIONS.rows(reading, ids=list(part)):
                    cited[message_id].append(Citation(*fields))
        return [
            Message(key, place, ordinal, role, text, MessageStatus(status), at, tuple(cited[key]), json_of(details), *judged)
            for key, place, ordinal, role, text, status, at, details, *judged in rows
        ]

    def tenant_sessions(
        self, tenant: str, account_id: str = "", search: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[list[ChatSession], int]:
        wanted = chat_sessions.c.tenant == storable(tenant)
        if account_id:
            wanted &= chat_sessions.c.account_id == storable(account_id)
        return self._sessions(wanted, search, limit, offset)

    def tenant_messages(self, tenant: str, session_id: str) -> list[Message]:
        theirs = exists().where(chat_sessions.c.id == storable(session_id), chat_sessions.c.tenant == storable(tenant))
        wanted = select(messages).where(messages.c.session_id == storable(session_id), theirs)
        with self._read() as connection:
            return messages_of(connection, wanted.order_by(messages.c.ordinal))

    def feedback(self, tenant: str, rating: str = "", limit: int = 100, offset: int = 0) -> tuple[list[FeedbackRow], int]:
        asked = messages.alias("asked")
        before = (asked.c.session_id == messages.c.session_id) & (asked.c.ordinal == messages.c.ordinal - 1)
        statement = (
            select(messages, asked.c.content.label("question"))
            .join(chat_sessions, chat_sessions.c.id == messages.c.session_id)
            .join(asked, before)
            .where(chat_sessions.c.tenant == storable(tenant))
            .where(messages.c.rating == rating if rating else messages.c.rating.in_(("up", "down")))
            .order_by(messages.c.rated_at.desc(), messages.c.id)
        )
        with self._read() as connection:
            rows, total = page_of(connection, statement, limit, offset)
        return [_feedback(row) for row in rows], total

    def conversations(self, since: str = "") -> Iterator[Mapping[str, Any]]:
        later = chat_sessions.c.updated_at > instant(since)
        with self._read() as connection:
            oldest = select(chat_sessions.c.id).where(later).order_by(chat_sessions.c.updated_at, chat_sessions.c.id)
            wanted = list(connection.execute(oldest).scalars())
        for part in batched(wanted, EXPORTED_AT_ONCE):
            with self._read() as connection:
                found = {row.id: row for row in connection.execute(select(chat_sessions).where(chat_sessions.c.id.in_(part)))}
                turns: dict[str, list[Row[Any]]] = {key: [] for key in found}
                kept = select(messages).where(messages.c.session_id.in_(part)).order_by(messages.c.session_id, messages.c.ordinal)
                for row in connection.execute(kept):
                    turns[row.session_id].append(row)
            for key in part:
                if key in found and (said := _exported(turns[key])):
                    yield _conversation(found[key], said)

    def _sessions(self, wanted: ColumnElement[bool], search: str, limit: int, offset: int) -> tuple[list[ChatSession], int]:
        with self._read() as connection:
            if search:
                said = exists().where(messages.c.session_id == chat_sessions.c.id, holds(messages.c.folded, search, connection))
                wanted &= holds(chat_sessions.c.folded, search, connection) | said
            statement = select(chat_sessions, COUNT).where(wanted).order_by(*NEWEST)
            rows, total = page_of(connection, statement, limit, offset)
        return [session_of(row) for row in rows], total


def owned(session_id: str, account_id: str) -> ColumnElement[bool]:
    return (chat_sessions.c.id == storable(session_id)) & (chat_sessions.c.account_id == storable(account_id))


def session_of(row: Row[Any]) -> ChatSession:
    return ChatSession(row.id, row.tenant, row.account_id, row.title, row.created_at, row.updated_at, row.messages, row.forgotten)


def messages_of(connection: Connection, statement: Select[Any]) -> list[Message]:
    """Return the messages of a statement over their table, with citations, in its order."""
    rows = connection.execute(statement).all()
    cited: dict[str, list[Citation]] = {row.id: [] for row in rows}
    for part in batched(cited, IN_LIST):
        wanted = select(citations).where(citations.c.message_id.in_(part)).order_by(citations.c.message_id, citations.c.place)
        for row in connection.execute(wanted):
            cited[row.message_id].append(
                Citation(row.number, row.chunk_id, row.document_id, row.title, row.source, row.page, row.heading, row.quote)
            )
    return [
        Message(
            id=row.id,
            session_id=row.session_id,
            ordinal=row.ordinal,
            role=row.role,
            content=row.content,
            status=MessageStatus(row.status),
            created_at=row.created_at,
            citations=tuple(cited[row.id]),
            details=row.details,
            rating=row.rating,
            reason=row.reason,
            correction=row.correction,
        )
        for row in rows
    ]


def _feedback(row: Row[Any]) -> FeedbackRow:
    return FeedbackRow(
        message_id=row.id,
        session_id=row.session_id,
        at=row.rated_at,
        rating=row.rating,
        reason=row.reason,
        correction=row.correction,
        question=row.question,
        answer=row.content,
        model=str(row.details.get("model", "")),
        settings_id=str(row.details.get("settings_id", "")),
        confidence=float(row.details.get("confidence") or 0.0),
        kind=str(row.details.get("kind") or ""),
    )


def _exported(rows: Sequence[Row[Any]]) -> list[tuple[Row[Any], Row[Any]]]:
    """Return questions with answers that may teach something: whole ones, and cut ones that somebody judged.

    A model's answer whose form a person dictated teaches that form to questions that do not ask for it: it is left out.
    """
    pairs = zip(rows[::2], rows[1::2], strict=False)
    return [pair for pair in pairs if pair[1].content and not pair[1].withdrawn and _whole(pair[1]) and not _dictated(*pair)]


def _whole(answer: Row[Any]) -> bool:
    return answer.status == MessageStatus.DONE or (answer.status == MessageStatus.STOPPED and bool(answer.rating))


def _dictated(question: Row[Any], answer: Row[Any]) -> bool:
    wished = question.details.get("instructions") or question.details.get("examples")
    return bool(wished) and answer.details.get("model") != "extractive"


def _conversation(session: Row[Any], pairs: Sequence[tuple[Row[Any], Row[Any]]]) -> Mapping[str, Any]:
    turns: list[dict[str, Any]] = []
    for question, answer in pairs:
        turns.append({"role": "user", "content": question.content})
        judged = {"feedback": answer.rating or None} | ({"correction": answer.correction} if answer.correction else {})
        turns.append({"role": "assistant", "content": answer.content, **judged})
    return {
        "conversation": session.id,
        "tenant": session.tenant,
        "user": session.account_id,
        "time": session.updated_at,
        "messages": turns,
    }
