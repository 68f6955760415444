"""Conversations as a service: the one path of the chat page, server-sent events, WebSocket and the OpenAI-compatible API.

A question and its pending answer are kept before anything is generated, what comes is kept about once a second, and an answer
ends as done, stopped (the reader closed it), interrupted (model or server ended in the middle) or failed.
"""

import logging
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import AnswerPending, Busy, NotFound, Refused
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.masking import MaskedText
from llmflow.ports import ChatSession, ConversationStore, EventLog, Message, MessageStatus, TemplateStore
from llmflow.serving.conversations.answer_keeping import ANSWER, Asked, CountingKeeper, SessionKeeper, turns_of
from llmflow.serving.conversations.answer_run import AnswerRun
from llmflow.serving.conversations.answer_slots import AnswerSlots
from llmflow.serving.conversations.ask_options import (
    TemplateUse,
    checked_documents,
    checked_options,
    kept_options,
    masked_options,
    options_in,
    with_template,
)
from llmflow.serving.conversations.export import as_json, as_markdown
from llmflow.serving.questions import checked_question
from llmflow.types import Account, Answer, AskOptions, ChatTurn, Principal, Space
from llmflow.wording import said

log = logging.getLogger(__name__)

Channel = Literal["chat", "api", "websocket", "openai"]
Mask = Callable[[str], MaskedText]
RATINGS = ("up", "down", "")
MAX_TITLE = 200
MAX_REMARK = 4000
"""Characters of a reason or a correction."""


class ConversingSettings(Settings):
    max_question_chars: int = Field(default=2000, ge=1)
    at_once: int = Field(default=64, ge=1)
    """Answers that one process writes at once."""
    waiting: int = Field(default=256, ge=0)
    """Questions that may wait for their turn; more are told to come back."""
    per_account: int = Field(default=4, ge=1)
    """Answers of one account that run or wait."""
    wait_s: float = Field(default=60, gt=0)
    progress_s: float = Field(default=1.0, gt=0)
    history_messages: int = Field(default=100, ge=0)
    """Messages of a session that are remembered at all."""
    abandoned_s: float = Field(default=0, ge=0)
    """Age at which an unfinished answer is taken for one of a dead process when a process starts. 0: at once, right where a
    workspace has only one serving process."""


class Answers(Protocol):
    """What answers, as `llmflow.answering.conversing.Converser.stream` does."""

    def __call__(  # the question as it was written: the answerer masks it, and must know that it had to
        self,
        question: str,
        principal: Principal,
        session_id: str,
        history: Sequence[ChatTurn],
        language: str | None,
        options: AskOptions,
    ) -> Iterator[str | Answer]: ...


class SessionAnswer(AnswerRun[Message]):
    """An answer of a session; the last item is the kept message."""

    question: Message
    pending: Message


class Conversations:
    """Sessions of accounts and the answers in them. Safe to share by threads; every call takes the account whose rows it sees.

    A session that is not the account's raises `NotFound`, as one that never was.
    """

    def __init__(
        self,
        store: ConversationStore,
        events: EventLog,
        answers: Answers,
        mask: Mask,
        settings: ConversingSettings,
        forget: Callable[[str], None] = lambda session_id: None,
        disliked: Callable[[str, str], None] = lambda tenant, text: None,
        templates: TemplateStore | None = None,
    ) -> None:
        self.settings = settings
        self.slots = AnswerSlots(settings.at_once, settings.waiting, settings.per_account)
        self._store = store
        self._events = events
        self._answers = answers
        self._mask = mask
        self._forget = forget
        self._disliked = disliked
        self._templates = templates
        self._running: weakref.WeakSet[AnswerRun[Any]] = weakref.WeakSet()
        self._lock = threading.Lock()

    def start(self) -> int:
        """Mark what dead processes left unfinished as interrupted and return how many; call it once, before anything is asked."""
        return self._store.interrupt_pending(_before(self.settings.abandoned_s))

    def close(self) -> None:
        """End the answers that run and keep what has come of them; stores stay open."""
        with self._lock:
            running = list(self._running)
        for run in running:
            run.close(MessageStatus.INTERRUPTED)

    # Sessions

    def sessions(self, account: Account, search: str = "", limit: int = 50, offset: int = 0) -> tuple[list[ChatSession], int]:
        return self._store.sessions(account.id, search, limit, offset)

    def create(self, account: Account, title: str = "") -> ChatSession:
        return self._store.create(account.tenant, account.id, self._title(title) if title else "")

    def session(self, account: Account, session_id: str) -> ChatSession:
        found = self._store.session(session_id, account.id)
        if found is None:
            raise _no_session()
        return found

    def rename(self, account: Account, session_id: str, title: str) -> ChatSession:
        self.session(account, session_id)
        return self._store.rename(session_id, account.id, self._title(title))

    def delete(self, account: Account, session_id: str) -> None:
        if not self._store.delete(session_id, account.id):
            raise _no_session()
        self._forget(session_id)

    def messages(self, account: Account, session_id: str, after: int = -1, limit: int = 1000) -> list[Message]:
        self.session(account, session_id)
        return self._store.messages(session_id, account.id, after, limit)

    def forget_memory(self, account: Account, session_id: str) -> ChatSession:
        """Let later answers know nothing of what was said before; it stays readable. Returns the session."""
        self.session(account, session_id)
        session = self._store.forget(session_id, account.id)
        self._forget(session_id)
        return session

    def export(self, account: Account, session_id: str, form: Literal["json", "markdown"]) -> str:
        """Return a session as JSON, or as Markdown with its citations as footnotes."""
        session = self.session(account, session_id)
        messages = self._store.messages(session_id, account.id)
        return as_json(session, messages) if form == "json" else as_markdown(session, messages)

    def rate(self, account: Account, message_id: str, rating: str, reason: str = "", correction: str = "") -> Message:
        """Judge an answer, `up` or `down`; an empty rating takes the judgement back. Reason and correction are masked."""
        if rating not in RATINGS:
            raise Refused(said("rating.unknown", rating=rating[:20]))
        for name, text in ((said("remark.reason"), reason), (said("remark.correction"), correction)):
            if len(text) > MAX_REMARK:
                raise Refused(said("remark.too_long", name=name, count=len(text), most=MAX_REMARK))
        reason, correction = (self._mask(_storable(text)).text for text in (reason, correction))
        message = self._store.rate(message_id, account.id, rating, reason, correction)
        if rating == "down":
            self._disliked(account.tenant, message.content)  # it is not given again to anybody
        return message

    # Answers

    def ask(
        self,
        account: Account,
        session_id: str,
        question: str,
        language: str | None = None,
        channel: Channel = "chat",
        options: AskOptions | None = None,
        template: TemplateUse | None = None,
    ) -> SessionAnswer:
        """Return the running answer to the next question of a session.

        `options` and the examples of a `template` are of this question, and kept with it for `again`. Raises before anything is
        kept: `NotFound`, `QuestionRefused`, `Refused` for wishes that are too long, `AnswerPending` while another answer of the
        session runs, `Busy` where too much runs at all.
        """
        session = self.session(account, session_id)
        question, wished = self._wished(account, question, options, template)

        def begin(masked: str, details: Mapping[str, Any]) -> tuple[Message, Message]:
            return self._store.begin(session_id, account.id, masked, details)

        return self._run(account, session, question, language, channel, wished, begin)

    def again(
        self,
        account: Account,
        session_id: str,
        message_id: str,
        content: str | None = None,
        language: str | None = None,
        channel: Channel = "chat",
        space: Space | None = None,
        documents: Sequence[str] | None = None,
    ) -> SessionAnswer:
        """Return a running new answer to an earlier question, with a new text where one is given; what came after it is removed.

        `message_id` is the question's or its answer's. Instructions and examples are those that it was asked with, and so are
        space and documents unless others are given. Raises as `ask`.
        """
        session = self.session(account, session_id)
        earlier = self._question_of(account, session_id, message_id)
        question = earlier.content if content is None else checked_question(content, self.settings.max_question_chars)
        wished = options_in(earlier.details)
        wished = wished if space is None else replace(wished, space=space)
        wished = wished if documents is None else replace(wished, documents=checked_documents(documents))

        def begin(masked: str, details: Mapping[str, Any]) -> tuple[Message, Message]:
            return self._store.begin_again(session_id, account.id, earlier.id, None if content is None else masked, details)

        return self._run(account, session, question, language, channel, wished, begin)

    def once(
        self,
        account: Account,
        question: str,
        history: Sequence[ChatTurn] = (),
        language: str | None = None,
        channel: Channel = "api",
        options: AskOptions | None = None,
        template: TemplateUse | None = None,
    ) -> AnswerRun[Answer]:
        """Return a running answer of which nothing is kept but the figures; the last item is the `Answer`."""
        question, wished = self._wished(account, question, options, template)
        pii = _together(self._mask(question).counts, masked_options(wished, self._mask)[1])
        asked = Asked(account, language or _spoken(question), channel, pii)
        slot = self.slots.enter(account.id)

        def source() -> Iterator[str | Answer]:
            return self._answers(question, account.principal(), "", tuple(history), language, wished)

        run = AnswerRun(
            source, CountingKeeper(asked, self._events), slot, self._mask, self.settings.wait_s, self.settings.progress_s
        )
        return self._watched(run)

    def _run(
        self,
        account: Account,
        session: ChatSession,
        asking: str,
        language: str | None,
        channel: Channel,
        wished: AskOptions,
        begin: Callable[[str, Mapping[str, Any]], tuple[Message, Message]],
    ) -> SessionAnswer:
        masked = self._mask(asking)
        kept, counts = masked_options(wished, self._mask)
        asked = Asked(account, language or _spoken(asking), channel, _together(masked.counts, counts), session.id)
        slot = self.slots.enter(account.id)
        try:
            question, pending = self._retrying(lambda: begin(masked.text, kept_options(kept)))
        except BaseException:
            slot.leave()
            raise

        def source() -> Iterator[str | Answer]:
            history = self._history(account, session, question)
            return self._answers(asking, account.principal(), session.id, history, language, wished)

        keeper = SessionKeeper(asked, self._events, self._store, pending)
        run = SessionAnswer(source, keeper, slot, self._mask, self.settings.wait_s, self.settings.progress_s)
        run.question, run.pending = question, pending
        return self._watched(run)

    def _wished(
        self, account: Account, question: str, options: AskOptions | None, template: TemplateUse | None
    ) -> tuple[str, AskOptions]:
        """Return question and options as they are asked, both checked."""
        wished = options or AskOptions()
        if template is not None:
            question, wished = with_template(self._templates, account, template, question, wished)
        return checked_question(question, self.settings.max_question_chars), checked_options(wished)

    def _watched(self, run: Any) -> Any:
        with self._lock:
            self._running.add(run)
        return run

    def _retrying(self, begin: Callable[[], tuple[Message, Message]]) -> tuple[Message, Message]:
        """Begin an answer; one that a dead process left unfinished in the way is marked first."""
        try:
            return begin()
        except Busy as exc:
            if self.settings.abandoned_s and self._store.interrupt_pending(_before(self.settings.abandoned_s)):
                return begin()
            raise AnswerPending(str(exc)) from exc

    def _question_of(self, account: Account, session_id: str, message_id: str) -> Message:
        before: Message | None = None
        for message in self._store.messages(session_id, account.id):
            if message.id == message_id:
                question = before if message.role == ANSWER else message
                if question is not None:
                    return question
            before = message
        raise NotFound(said("message.none"))

    def _history(self, account: Account, session: ChatSession, question: Message) -> tuple[ChatTurn, ...]:
        """Return the turns before a question that may be remembered."""
        after = max(session.forgotten, question.ordinal - 1 - self.settings.history_messages)
        kept = self._store.messages(session.id, account.id, after)
        return turns_of([message for message in kept if message.ordinal < question.ordinal])

    def _title(self, title: str) -> str:
        cleaned = " ".join(_storable(title).split())
        if not cleaned or len(cleaned) > MAX_TITLE:
            raise Refused(said("title.length", most=MAX_TITLE))
        return self._mask(cleaned).text


def _spoken(question: str) -> str:
    return "ko" if detect_language(question) == "ko" else "en"


def _together(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in {*one, *other}}


def _storable(text: str) -> str:
    """Return text that every database keeps: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _no_session() -> NotFound:
    return NotFound(said("chat.none"))


def _before(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")
