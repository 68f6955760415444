"""Ports of conversations: what was asked and answered, what people thought of it, and what a model may remember."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from llmflow.types import ChatTurn, Citation

WITHDRAWN = {
    "ko": "이 답변이 인용한 문서가 삭제되어 답변을 지웠습니다.",
    "en": "This answer was removed, because a document that it cited was deleted.",
}
"""What stands in place of an answer whose document was deleted; its details hold `withdrawn: True`."""


class MessageStatus(StrEnum):
    PENDING = "pending"
    """An answer that is being written; after a crash it is found so and becomes `interrupted`."""
    DONE = "done"
    STOPPED = "stopped"
    """The reader stopped it; the text is what had come."""
    INTERRUPTED = "interrupted"
    """The server or the model ended in the middle."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChatSession:
    """A conversation of one account. The schema's word is session; a browser's session is a sign-in."""

    id: str
    tenant: str
    account_id: str
    title: str
    created_at: str
    updated_at: str
    messages: int = 0
    forgotten: int = -1
    """Ordinal of the last message that a model must not be told of any more; its owner reset the memory there."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn as it was shown. Text is masked before it is kept."""

    id: str
    session_id: str
    ordinal: int
    """Position in the session, from 0, without gaps."""
    role: str
    """`user` or `assistant`."""
    content: str
    status: MessageStatus
    created_at: str
    citations: tuple[Citation, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    """Of an answer: found, model, confidence, settings_id, notice, asked, cached, suspicious, doubted, trace_id, ttft_ms,
    total_ms, space, documents, examples. Of a question: space, documents, template, instructions and examples that it was asked
    with, where they are not as always."""
    rating: str = ""
    """`up`, `down` or empty."""
    reason: str = ""
    correction: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A judged answer with the question before it, as an administrator reviews it. Texts are masked."""

    message_id: str
    session_id: str
    at: str
    rating: str
    reason: str
    correction: str
    question: str
    answer: str
    model: str
    settings_id: str
    confidence: float = 0.0
    """Of the answer, 0 to 1: a judgement that says otherwise points at what is confidently wrong."""
    kind: str = ""
    """Of the question, as `AnswerEvent` has it."""


class ConversationStore(Protocol):
    """Sessions and messages. Every method is one transaction; every method but those after `delete_account` sees the owner's rows
    only.

    A session that is not the account's own is treated like one that does not exist: None, or `NotFound` where nothing can be
    returned, so that ids tell nothing.
    """

    def create(self, tenant: str, account_id: str, title: str = "") -> ChatSession: ...

    def sessions(self, account_id: str, search: str = "", limit: int = 50, offset: int = 0) -> tuple[list[ChatSession], int]:
        """Return sessions whose title or messages hold `search`, the newest `updated_at` first, and how many there are."""
        ...

    def session(self, session_id: str, account_id: str) -> ChatSession | None: ...

    def rename(self, session_id: str, account_id: str, title: str) -> ChatSession: ...

    def delete(self, session_id: str, account_id: str) -> bool: ...

    def forget(self, session_id: str, account_id: str) -> ChatSession:
        """Set `forgotten` to the last message that there is, and return the session. What was said stays readable."""
        ...

    def messages(self, session_id: str, account_id: str, after: int = -1, limit: int = 1000) -> list[Message]:
        """Return messages with ordinals above `after`, in order."""
        ...

    def begin(
        self, session_id: str, account_id: str, question: str, details: Mapping[str, Any] | None = None
    ) -> tuple[Message, Message]:
        """Append a question with its details and its pending answer and return both. The session's title follows its first
        question when empty.

        Raises `Busy` while another answer of the session is pending.
        """
        ...

    def begin_again(
        self,
        session_id: str,
        account_id: str,
        question_id: str,
        content: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> tuple[Message, Message]:
        """Cut the session after a question, replace its text and its details where they are given, append a pending answer; as
        `begin`."""
        ...

    def progress(self, message_id: str, account_id: str, content: str) -> None:
        """Keep what has come of a pending answer, so that a crash loses little; nothing happens when it is not pending."""
        ...

    def finish(
        self,
        message_id: str,
        account_id: str,
        content: str,
        status: MessageStatus,
        citations: Sequence[Citation] = (),
        details: Mapping[str, Any] | None = None,
    ) -> Message:
        """Complete a pending answer."""
        ...

    def rate(self, message_id: str, account_id: str, rating: str, reason: str = "", correction: str = "") -> Message:
        """Judge an answer; the newest judgement holds, an empty `rating` takes it back."""
        ...

    def interrupt_pending(self, older_than: str) -> int:
        """Mark answers that have been pending since before a time (ISO 8601) as interrupted; returns how many. Run at start."""
        ...

    def delete_account(self, account_id: str) -> int:
        """Delete all sessions of an account and return how many."""
        ...

    def tenant_sessions(
        self, tenant: str, account_id: str = "", search: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[list[ChatSession], int]:
        """For an administrator: sessions of a tenant, newest first."""
        ...

    def tenant_messages(self, tenant: str, session_id: str) -> list[Message]: ...

    def feedback(self, tenant: str, rating: str = "", limit: int = 100, offset: int = 0) -> tuple[list[FeedbackRow], int]:
        """For an administrator: judged answers, newest first."""
        ...

    def forget_document(self, document_id: str) -> tuple[str, ...]:
        """Withdraw every answer that cites a document which was deleted, and return the sessions they stand in, sorted.

        Text, quotes and titles, judgement and correction go; a `WITHDRAWN` notice, number and ids stay. An answer that is being
        written meanwhile is withdrawn when it is finished.
        """
        ...

    def conversations(self, since: str = "") -> Iterable[Mapping[str, Any]]:
        """Yield rows as `llmflow.finetuning.collected` documents them, oldest first."""
        ...

    def close(self) -> None: ...


class ChatMemory(Protocol):
    """The turns of a session that a model may remember: at most `limit` messages, gone `ttl_s` seconds after the last one.

    It is a copy for speed and for forgetting: the conversation store stays the truth.
    """

    def append(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        """Remember turns in order; the oldest beyond the limit are forgotten, and the time to live starts anew."""
        ...

    def turns(self, session_id: str) -> list[ChatTurn] | None:
        """Return the turns, oldest first; None when nothing is remembered (never, expired or forgotten)."""
        ...

    def summary(self, session_id: str) -> tuple[str, int]:
        """Return a summary and how many of the oldest remembered turns it stands for; ("", 0) without one."""
        ...

    def set_summary(self, session_id: str, summary: str, turns: int) -> None: ...

    def replace(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        """Remember exactly these turns; summaries are forgotten."""
        ...

    def forget(self, session_id: str) -> None: ...

    def close(self) -> None: ...
