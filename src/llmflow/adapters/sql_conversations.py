"""Sessions and messages in the state database: what is written of them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from llmflow.adapters.sql_application_tables import chat_memories, chat_sessions, citations, forgotten_documents, messages
from llmflow.adapters.sql_conversation_reader import COUNT, ConversationReader, messages_of, owned, session_of
from llmflow.adapters.sql_values import folded, instant, new_id, now, plain, storable
from llmflow.batches import batched
from llmflow.errors import Busy, NotFound, Refused
from llmflow.ports import ChatSession, Message, MessageStatus
from llmflow.ports.conversations import WITHDRAWN
from llmflow.types import Citation

TITLE_LENGTH = 80
RATINGS = ("up", "down", "")
FORGETTING = 0x666F72676574
"""PostgreSQL's advisory lock between answers that are finished (shared) and documents that are forgotten (alone)."""
_HANGUL = re.compile("[가-힣]")


class SqlConversationStore(ConversationReader):
    """ConversationStore on SQLite or PostgreSQL. Sessions that go take what the SQL chat memory holds of them along."""

    def create(self, tenant: str, account_id: str, title: str = "") -> ChatSession:
        at = now()
        session = ChatSession(new_id(), storable(tenant), storable(account_id), storable(title), at, at)
        values = {name: getattr(session, name) for name in ("id", "tenant", "account_id", "title", "created_at", "updated_at")}
        with self._write() as connection:
            connection.execute(insert(chat_sessions).values(**values, folded=folded(title), forgotten=session.forgotten))
        return session

    def forget(self, session_id: str, account_id: str) -> ChatSession:
        last = select(func.coalesce(func.max(messages.c.ordinal), -1)).where(messages.c.session_id == chat_sessions.c.id)
        with self._write() as connection:
            _locked(connection, session_id, account_id)
            mine = update(chat_sessions).where(owned(session_id, account_id))
            connection.execute(mine.values(forgotten=last.scalar_subquery()))
            return _session(connection, session_id, account_id)

    def rename(self, session_id: str, account_id: str, title: str) -> ChatSession:
        with self._write() as connection:
            _locked(connection, session_id, account_id)
            mine = update(chat_sessions).where(owned(session_id, account_id))
            connection.execute(mine.values(title=storable(title), folded=folded(title)))
            return _session(connection, session_id, account_id)

    def delete(self, session_id: str, account_id: str) -> bool:
        with self._write() as connection:
            gone = connection.execute(delete(chat_sessions).where(owned(session_id, account_id))).rowcount
            if gone:
                connection.execute(delete(chat_memories).where(chat_memories.c.session_id == session_id))
            return bool(gone)

    def delete_account(self, account_id: str) -> int:
        mine = chat_sessions.c.account_id == storable(account_id)
        with self._write() as connection:
            ids = select(chat_sessions.c.id).where(mine)
            connection.execute(delete(chat_memories).where(chat_memories.c.session_id.in_(ids)))
            return connection.execute(delete(chat_sessions).where(mine)).rowcount

    def begin(
        self, session_id: str, account_id: str, question: str, details: Mapping[str, Any] | None = None
    ) -> tuple[Message, Message]:
        with self._write() as connection:
            session = _free(connection, session_id, account_id)
            last = connection.execute(
                select(func.max(messages.c.ordinal)).where(messages.c.session_id == session.id)
            ).scalar_one_or_none()
            place = 0 if last is None else last + 1
            asked = _add(connection, session.id, place, "user", question, MessageStatus.DONE, details)
            pending = _add(connection, session.id, place + 1, "assistant", "", MessageStatus.PENDING)
            if not session.title:
                title = title_of(question)
                _touch(connection, session.id, title=title, folded=folded(title))
            else:
                _touch(connection, session.id)
            return _message(connection, asked), _message(connection, pending)

    def begin_again(
        self,
        session_id: str,
        account_id: str,
        question_id: str,
        content: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> tuple[Message, Message]:
        with self._write() as connection:
            session = _free(connection, session_id, account_id)
            mine = (messages.c.id == storable(question_id)) & (messages.c.session_id == session.id)
            question = connection.execute(select(messages).where(mine)).one_or_none()
            if question is None:
                raise NotFound("There is no such message in this session.")
            if question.role != "user":
                raise Refused("Only a question can be asked again. Name the question before the answer.")
            later = (messages.c.session_id == session.id) & (messages.c.ordinal > question.ordinal)
            connection.execute(delete(messages).where(later))
            if content is not None:
                text = {"content": storable(content), "folded": folded(content), "updated_at": now()}
                connection.execute(update(messages).where(mine).values(**text))
            if details is not None:
                connection.execute(update(messages).where(mine).values(details=plain(details), updated_at=now()))
            pending = _add(connection, session.id, question.ordinal + 1, "assistant", "", MessageStatus.PENDING)
            _touch(connection, session.id, forgotten=min(session.forgotten, question.ordinal - 1))
            return _message(connection, question.id), _message(connection, pending)

    def progress(self, message_id: str, account_id: str, content: str) -> None:
        with self._write() as connection:
            mine = update(messages).where(messages.c.id == storable(message_id), _of_account(account_id))
            mine = mine.where(messages.c.status == MessageStatus.PENDING)
            connection.execute(mine.values(content=storable(content), updated_at=now()))

    def finish(
        self,
        message_id: str,
        account_id: str,
        content: str,
        status: MessageStatus,
        citations: Sequence[Citation] = (),
        details: Mapping[str, Any] | None = None,
    ) -> Message:
        if status is MessageStatus.PENDING:
            raise Refused("An answer is finished as done, stopped, interrupted or failed.")
        with self._write() as connection:
            _order_with_forgetting(connection, alone=False)
            row = _answer(connection, message_id, account_id)
            if row.status not in (MessageStatus.PENDING, MessageStatus.INTERRUPTED):
                raise Refused("This answer is finished already. Ask again to have another.")
            text = {"content": storable(content), "folded": folded(content)}
            kept = update(messages).where(messages.c.id == row.id)
            connection.execute(kept.values(**text, status=str(status), details=plain(details), updated_at=now()))
            _cite(connection, row.id, citations)
            if _cites_forgotten(connection, row, citations):
                _withdraw(connection, [row.id])
            _touch(connection, row.session_id)
            return _message(connection, row.id)

    def rate(self, message_id: str, account_id: str, rating: str, reason: str = "", correction: str = "") -> Message:
        if rating not in RATINGS:
            raise Refused(f"Unknown rating '{rating[:20]}'. Choose one of: up, down, or empty to take it back.")
        with self._write() as connection:
            row = _answer(connection, message_id, account_id)
            if row.status == MessageStatus.PENDING or row.withdrawn:
                raise Refused("Only an answer that is finished and still there can be judged.")
            why, better = (storable(reason), storable(correction)) if rating else ("", "")
            judged = {"rating": rating, "reason": why, "correction": better, "rated_at": now() if rating else ""}
            connection.execute(update(messages).where(messages.c.id == row.id).values(**judged))
            _touch(connection, row.session_id)
            return _message(connection, row.id)

    def interrupt_pending(self, older_than: str) -> int:
        """Mark answers of which nothing was heard since; `progress` is a sign of life."""
        silent = (messages.c.status == MessageStatus.PENDING) & (messages.c.updated_at < instant(older_than))
        with self._write() as connection:
            content = connection.execute(select(messages.c.id, messages.c.content).where(silent).with_for_update()).all()
            for row in content:  # what had come can be searched from now on
                kept = update(messages).where(messages.c.id == row.id)
                connection.execute(kept.values(status=str(MessageStatus.INTERRUPTED), folded=folded(row.content)))
            return len(content)

    def forget_document(self, document_id: str) -> tuple[str, ...]:
        document_id = storable(document_id)
        with self._write() as connection:
            _order_with_forgetting(connection, alone=True)
            connection.execute(delete(forgotten_documents).where(forgotten_documents.c.document_id == document_id))
            connection.execute(insert(forgotten_documents).values(document_id=document_id, at=now()))
            citing = select(citations.c.message_id).where(citations.c.document_id == document_id)
            rows = connection.execute(
                select(messages.c.id, messages.c.session_id).where(messages.c.id.in_(citing), messages.c.withdrawn.is_(False))
            ).all()
            _withdraw(connection, [row.id for row in rows])
            return tuple(sorted({row.session_id for row in rows}))


def title_of(question: str) -> str:
    """Return a session's title: the question's first words on one line."""
    line = " ".join(storable(question).split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def _session(connection: Connection, session_id: str, account_id: str) -> ChatSession:
    return session_of(connection.execute(select(chat_sessions, COUNT).where(owned(session_id, account_id))).one())


def _locked(connection: Connection, session_id: str, account_id: str) -> Row[Any]:
    """Return the session; whoever else would change it waits."""
    row = connection.execute(select(chat_sessions).where(owned(session_id, account_id)).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such session.")
    return row


def _free(connection: Connection, session_id: str, account_id: str) -> Row[Any]:
    """Return the session, locked, when no answer of it is being written."""
    row = _locked(connection, session_id, account_id)
    pending = (messages.c.session_id == row.id) & (messages.c.status == MessageStatus.PENDING)
    if connection.execute(select(messages.c.id).where(pending).limit(1)).first() is not None:
        raise Busy("Another answer of this session is being written. Wait for it, or stop it.")
    return row


def _of_account(account_id: str) -> Any:
    return exists().where(chat_sessions.c.id == messages.c.session_id, chat_sessions.c.account_id == storable(account_id))


def _answer(connection: Connection, message_id: str, account_id: str) -> Row[Any]:
    """Return an answer; its session is locked first, as everywhere, so that writers never wait for each other in a ring."""
    wanted = select(messages).where(messages.c.id == storable(message_id), messages.c.role == "assistant")
    row = connection.execute(wanted.where(_of_account(account_id))).one_or_none()
    if row is not None:
        connection.execute(select(chat_sessions.c.id).where(chat_sessions.c.id == row.session_id).with_for_update())
        row = connection.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such answer.")
    return row


def _add(
    connection: Connection,
    session_id: str,
    ordinal: int,
    role: str,
    content: str,
    status: MessageStatus,
    details: Mapping[str, Any] | None = None,
) -> str:
    at = now()
    values = {
        "id": new_id(),
        "session_id": session_id,
        "ordinal": ordinal,
        "role": role,
        "content": storable(content),
        "folded": folded(content),
        "status": str(status),
        "created_at": at,
        "updated_at": at,
        "details": plain(details),
        "withdrawn": False,
        "rating": "",
        "reason": "",
        "correction": "",
        "rated_at": "",
    }
    connection.execute(insert(messages).values(**values))
    return values["id"]


def _message(connection: Connection, message_id: str) -> Message:
    [message] = messages_of(connection, select(messages).where(messages.c.id == message_id))
    return message


def _touch(connection: Connection, session_id: str, **values: Any) -> None:
    connection.execute(update(chat_sessions).where(chat_sessions.c.id == session_id).values(updated_at=now(), **values))


def _cite(connection: Connection, message_id: str, cited: Sequence[Citation]) -> None:
    connection.execute(delete(citations).where(citations.c.message_id == message_id))
    rows = [
        {
            "message_id": message_id,
            "place": place,
            "number": item.number,
            "chunk_id": item.chunk_id,
            "document_id": item.document_id,
            "title": storable(item.title),
            "source": storable(item.source),
            "page": item.page,
            "heading": storable(item.heading),
            "quote": storable(item.quote),
        }
        for place, item in enumerate(cited)
    ]
    if rows:
        connection.execute(insert(citations), rows)


def _order_with_forgetting(connection: Connection, alone: bool) -> None:
    """Let no answer be finished while a document is being forgotten; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        connection.execute(select(getattr(func, lock)(FORGETTING)))


def _cites_forgotten(connection: Connection, answer: Row[Any], cited: Sequence[Citation]) -> bool:
    """Return whether a cited document was forgotten since the answer was begun."""
    wanted = forgotten_documents.c.document_id.in_({item.document_id for item in cited})
    since = forgotten_documents.c.at >= answer.created_at
    return connection.execute(select(forgotten_documents.c.document_id).where(wanted, since).limit(1)).first() is not None


def _withdraw(connection: Connection, message_ids: Sequence[str]) -> None:
    for part in batched(message_ids, 500):
        rows = connection.execute(select(messages.c.id, messages.c.content, messages.c.details).where(messages.c.id.in_(part)))
        for row in rows.all():
            notice = WITHDRAWN["ko" if _HANGUL.search(row.content) else "en"]
            details = {key: value for key, value in row.details.items() if key != "asked"} | {"withdrawn": True}
            empty = {"rating": "", "reason": "", "correction": "", "rated_at": "", "withdrawn": True, "details": details}
            kept = update(messages).where(messages.c.id == row.id)
            connection.execute(kept.values(content=notice, folded=folded(notice), **empty))
        bare = {"title": "", "source": "", "heading": "", "quote": ""}
        connection.execute(update(citations).where(citations.c.message_id.in_(part)).values(**bare))
