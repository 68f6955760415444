"""Sessions and messages in the state database: what is written of them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from llmflow.adapters import sql_conversation_statements as statements
from llmflow.adapters.sql_application_tables import chat_memories, chat_sessions, citations, forgotten_documents, messages
from llmflow.adapters.sql_conversation_reader import ConversationReader, messages_of, owned, session_of
from llmflow.adapters.sql_conversation_statements import COUNT
from llmflow.adapters.sql_prepared import Reading, inside
from llmflow.adapters.sql_values import folded, instant, new_id, now, plain, storable
from llmflow.batches import batched
from llmflow.errors import Busy, NotFound, Refused
from llmflow.ports import ChatSession, Message, MessageStatus
from llmflow.ports.conversations import WITHDRAWN
from llmflow.types import Citation
from llmflow.wording import said

TITLE_LENGTH = 80
RATINGS = ("up", "down", "")
_HANGUL = re.compile("[가-힣]")
_BEING_WRITTEN = said("session.pending")


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
            place = inside(connection)
            own = {"session_id": storable(session_id), "account_id": storable(account_id)}
            sessions = statements.LOCKED_SESSION.rows(place, **own)
            if not sessions:
                raise NotFound(said("session.none"))
            [(key, title)] = sessions
            [(last, busy)] = statements.STANDING.rows(place, session_id=key)
            if busy:
                raise Busy(_BEING_WRITTEN)
            ordinal = 0 if last is None else last + 1
            asked = _begun(place, key, ordinal, "user", question, MessageStatus.DONE, details)
            pending = _begun(place, key, ordinal + 1, "assistant", "", MessageStatus.PENDING)
            if title:
                statements.TOUCHED.rows(place, session_id=key, new_updated_at=now())
            else:
                title = title_of(question)
                named = statements.new(updated_at=now(), title=title, folded=folded(title))
                statements.TITLED.rows(place, session_id=key, **named)
            return asked, pending

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
                raise NotFound(said("message.none_here"))
            if question.role != "user":
                raise Refused(said("message.not_question"))
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
        mine = {"message_id": storable(message_id), "account_id": storable(account_id)}
        with self._write() as connection:
            kept = statements.new(content=storable(content), updated_at=now())
            statements.PROGRESS.rows(inside(connection), **mine, **kept)

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
        details = plain(details)
        with self._write() as connection:
            place = inside(connection)
            key, session_id, ordinal, created_at, before, *judged = _unfinished(place, message_id, account_id)
            if before not in (MessageStatus.PENDING, MessageStatus.INTERRUPTED):
                raise Refused(said("answer.finished"))
            text = storable(content)
            kept = {"content": text, "folded": folded(content), "status": str(status), "updated_at": now()}
            statements.FINISHED.rows(place, message_id=key, **statements.new(**kept, details=_written(details)))
            cited = _cite(place, key, citations)
            statements.TOUCHED.rows(place, session_id=session_id, new_updated_at=now())
            if _cites_forgotten(place, created_at, citations):
                _withdraw(connection, [key])
                return _message(connection, key)
            return Message(key, session_id, ordinal, "assistant", text, status, created_at, cited, details, *judged)

    def rate(self, message_id: str, account_id: str, rating: str, reason: str = "", correction: str = "") -> Message:
        if rating not in RATINGS:
            raise Refused(said("rating.unknown", rating=rating[:20]))
        with self._write() as connection:
            row = _answer(connection, message_id, account_id)
            if row.status == MessageStatus.PENDING or row.withdrawn:
                raise Refused(said("answer.unjudged"))
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
            _forgetting(connection)
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
        raise NotFound(said("session.none"))
    return row


def _free(connection: Connection, session_id: str, account_id: str) -> Row[Any]:
    """Return the session, locked, when no answer of it is being written."""
    row = _locked(connection, session_id, account_id)
    pending = (messages.c.session_id == row.id) & (messages.c.status == MessageStatus.PENDING)
    if connection.execute(select(messages.c.id).where(pending).limit(1)).first() is not None:
        raise Busy(_BEING_WRITTEN)
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
        raise NotFound(said("answer.none"))
    return row


def _add(connection: Connection, session_id: str, ordinal: int, role: str, content: str, status: MessageStatus) -> str:
    row = _new_row(session_id, ordinal, role, content, status)
    connection.execute(insert(messages).values(**row))
    return row["id"]


def _new_row(
    session_id: str,
    ordinal: int,
    role: str,
    content: str,
    status: MessageStatus,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    at = now()
    return {
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


def _message(connection: Connection, message_id: str) -> Message:
    [message] = messages_of(connection, select(messages).where(messages.c.id == message_id))
    return message


def _touch(connection: Connection, session_id: str, **values: Any) -> None:
    connection.execute(update(chat_sessions).where(chat_sessions.c.id == session_id).values(updated_at=now(), **values))


def _begun(
    place: Reading,
    session_id: str,
    ordinal: int,
    role: str,
    content: str,
    status: MessageStatus,
    details: Mapping[str, Any] | None = None,
) -> Message:
    """Add a message and return it."""
    row = _new_row(session_id, ordinal, role, content, status, details)
    statements.NEW_MESSAGE.rows(place, **statements.new(**row | {"details": _written(row["details"])}))
    return Message(row["id"], session_id, ordinal, role, row["content"], status, row["created_at"], details=row["details"])


def _unfinished(place: Reading, message_id: str, account_id: str) -> tuple[Any, ...]:
    """Return an answer's row as ANSWER gives it; who else would finish it, or forget a document that it cites, waits."""
    mine = {"message_id": storable(message_id), "account_id": storable(account_id)}
    server = place.dialect.name == "postgresql"
    if server:
        statements.NOT_WHILE_FORGETTING.rows(place)
    rows = statements.ANSWER.rows(place, **mine)
    if server and rows:  # the session first, as everywhere, so that writers never wait for each other in a ring
        statements.SESSION_LOCK.rows(place, session_id=rows[0][1])
        statements.ANSWER_LOCK.rows(place, message_id=mine["message_id"])
        rows = statements.ANSWER.rows(place, **mine)
    if not rows:
        raise NotFound(said("answer.none"))
    return rows[0]


def _cite(place: Reading, message_id: str, cited: Sequence[Citation]) -> tuple[Citation, ...]:
    """Keep what an answer cites in place of what it cited, and return it as it is kept."""
    statements.UNCITED.rows(place, message_id=message_id)
    kept = tuple(
        replace(
            item,
            title=storable(item.title),
            source=storable(item.source),
            heading=storable(item.heading),
            quote=storable(item.quote),
        )
        for item in cited
    )
    for number, item in enumerate(kept):
        row = {field.name: getattr(item, field.name) for field in fields(item)}
        statements.NEW_CITATION.rows(place, **statements.new(message_id=message_id, place=number, **row))
    return kept


def _cites_forgotten(place: Reading, since: str, cited: Sequence[Citation]) -> bool:
    """Return whether a cited document was forgotten since the answer was begun."""
    documents = sorted({item.document_id for item in cited})
    return bool(statements.FORGOTTEN_SINCE.rows(place, ids=documents, since=since))


def _written(details: Mapping[str, Any]) -> str:
    return json.dumps(details, ensure_ascii=False, allow_nan=False)


def _forgetting(connection: Connection) -> None:
    """Let no answer be finished while a document is being forgotten; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(statements.FORGETTING)))


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
