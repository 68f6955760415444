"""Statements that every question runs: its session, what was said in it, what is kept of it. Prepared, see sql_prepared."""

from typing import Any

from sqlalchemy import Table, bindparam, delete, exists, func, insert, select, update

from llmflow.adapters.sql_application_tables import chat_sessions, citations, forgotten_documents, messages
from llmflow.adapters.sql_prepared import Prepared
from llmflow.ports import MessageStatus

FORGETTING = 0x666F72676574
"""PostgreSQL's advisory lock between answers that are finished (shared) and documents that are forgotten (alone)."""
COUNT = select(func.count()).where(messages.c.session_id == chat_sessions.c.id).scalar_subquery().label("messages")

_own = (chat_sessions.c.id == bindparam("session_id")) & (chat_sessions.c.account_id == bindparam("account_id"))
_this = chat_sessions.c.id == bindparam("session_id")
_said_there = messages.c.session_id == bindparam("session_id")
_kept = messages.c.id == bindparam("message_id")
_of_account = exists().where(chat_sessions.c.id == messages.c.session_id, chat_sessions.c.account_id == bindparam("account_id"))


def _insert(table: Table, *left_out: str) -> Prepared:
    """Return an INSERT of one row whose parameters are its columns, each with `new_` before it."""
    names = [column.name for column in table.columns if column.name not in left_out]
    return Prepared(insert(table).values({name: bindparam(f"new_{name}") for name in names}))


def new(**values: Any) -> dict[str, Any]:
    """Return values under the names that `_insert` and the updates here give to their parameters."""
    return {f"new_{name}": value for name, value in values.items()}


SESSION = Prepared(
    select(
        chat_sessions.c.id, chat_sessions.c.tenant, chat_sessions.c.account_id, chat_sessions.c.title, chat_sessions.c.created_at,
        chat_sessions.c.updated_at, COUNT, chat_sessions.c.forgotten,
    ).where(_own)
)  # fmt: skip
"""In the order of ChatSession's fields."""
LOCKED_SESSION = Prepared(select(chat_sessions.c.id, chat_sessions.c.title).where(_own).with_for_update())
STANDING = Prepared(
    select(
        select(func.max(messages.c.ordinal)).where(_said_there).scalar_subquery(),
        exists().where(_said_there, messages.c.status == MessageStatus.PENDING),
    )
)
"""The last ordinal of a session, and whether an answer of it is being written."""
TOUCHED = Prepared(update(chat_sessions).where(_this).values(updated_at=bindparam("new_updated_at")))
TITLED = Prepared(
    update(chat_sessions)
    .where(_this)
    .values(updated_at=bindparam("new_updated_at"), title=bindparam("new_title"), folded=bindparam("new_folded"))
)
MESSAGES = Prepared(
    select(
        messages.c.id, messages.c.session_id, messages.c.ordinal, messages.c.role, messages.c.content, messages.c.status,
        messages.c.created_at, messages.c.details, messages.c.rating, messages.c.reason, messages.c.correction,
    )
    .where(_said_there, messages.c.ordinal > bindparam("after"), exists().where(_own))
    .order_by(messages.c.ordinal)
    .limit(bindparam("limit"))
)  # fmt: skip
CITATIONS = Prepared(
    select(
        citations.c.message_id, citations.c.number, citations.c.chunk_id, citations.c.document_id, citations.c.title,
        citations.c.source, citations.c.page, citations.c.heading, citations.c.quote,
    )
    .where(citations.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(citations.c.message_id, citations.c.place)
)  # fmt: skip
"""The message, then the fields of Citation in order."""
NEW_MESSAGE = _insert(messages)
NEW_CITATION = _insert(citations)
PROGRESS = Prepared(
    update(messages)
    .where(_kept, _of_account, messages.c.status == MessageStatus.PENDING)
    .values(content=bindparam("new_content"), updated_at=bindparam("new_updated_at"))
)
ANSWER = Prepared(
    select(
        messages.c.id, messages.c.session_id, messages.c.ordinal, messages.c.created_at, messages.c.status, messages.c.rating,
        messages.c.reason, messages.c.correction,
    ).where(_kept, messages.c.role == "assistant", _of_account)
)  # fmt: skip
ANSWER_LOCK = Prepared(select(messages.c.id).where(_kept).with_for_update())
SESSION_LOCK = Prepared(select(chat_sessions.c.id).where(_this).with_for_update())
FINISHED = Prepared(
    update(messages)
    .where(_kept)
    .values({name: bindparam(f"new_{name}") for name in ("content", "folded", "status", "details", "updated_at")})
)
UNCITED = Prepared(delete(citations).where(citations.c.message_id == bindparam("message_id")))
FORGOTTEN_SINCE = Prepared(
    select(forgotten_documents.c.document_id)
    .where(
        forgotten_documents.c.document_id.in_(bindparam("ids", expanding=True)), forgotten_documents.c.at >= bindparam("since")
    )
    .limit(1)
)
NOT_WHILE_FORGETTING = Prepared(select(func.pg_advisory_xact_lock_shared(FORGETTING)))
"""On PostgreSQL; SQLite has one writer at a time anyway."""
