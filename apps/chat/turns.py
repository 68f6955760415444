"""What happens on each event of the page.

The browser says which session it looks at and in which language; the store is the truth of what was said. Nothing is kept
for a page between its events, except which of them came last.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from apps.chat.backend import Backend, SessionRun
from apps.chat.exchanges import Exchange, citation_in, exchanges_of, pending_exchange
from apps.chat.passages import Passage, passage_html
from apps.chat.pictures import has_picture
from apps.chat.render import live_html, log_html, notice_html, welcome_html
from apps.chat.running import Running, RunningAnswers
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import Texts, texts_of
from llmflow.accounts.permissions import Permission
from llmflow.answering.summary_requests import summary_request
from llmflow.errors import AnswerPending, Busy, LlmflowError, ModelInterrupted, NotFound, PermissionDenied, SignInRequired
from llmflow.ports.conversations import ChatSession
from llmflow.serving.conversations.ask_options import TemplateUse, options_in, space_of
from llmflow.serving.questions import clean_question, question_problem
from llmflow.types import Account, AskOptions, Citation
from llmflow.wording import in_language

log = logging.getLogger(__name__)

Shown = tuple[Any, Any, Any]
"""Values of the log, of the answer being written, and of the notice above the input."""
KEEP = (gr.skip(), gr.skip(), gr.skip())


class Turns:
    """The handlers of one app, over its backend and settings."""

    def __init__(self, backend: Backend, settings: ChatAppSettings, answers: RunningAnswers) -> None:
        self._backend = backend
        self._settings = settings
        self._answers = answers
        self._views = Views()

    async def ask(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[Shown]:
        """Ask a question in the named session, or in a new one; it is shown at once, then its answer as it comes."""
        async for shown in self._conversing(event, request, self._start_asking):
            yield shown

    async def again(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[Shown]:
        """Answer a question of the session anew, with other words where it was edited; what followed it is cut."""
        async for shown in self._conversing(event, request, self._start_again):
            yield shown

    async def open(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[Shown]:
        """Show a session, and join its answer where one is being written."""
        async for shown in self._conversing(event, request, self._start_nothing):
            yield shown

    def stop(self, event: gr.EventData, request: gr.Request) -> None:
        """End the session's answer; the handler that shows it sees the end."""
        self._answers.stop(self._account(request).id, _field(event, "session"))

    def open_passage(self, event: gr.EventData, request: gr.Request) -> str:
        """Return the panel of the clicked citation; permission is asked again, since it may have changed since the answer.

        The root carries the number of the click: passages may arrive in another order, or when the panel was closed again.
        """
        return f'<div data-asked="{_number(event, "asked")}">{self._panel(event, request)}</div>'

    def _panel(self, event: gr.EventData, request: gr.Request) -> str:
        texts = texts_of(_field(event, "language"))
        session, message, number = _field(event, "session"), _field(event, "message"), _number(event, "number")
        try:
            account = self._account(request)
            citation = citation_in(self._backend.conversations.messages(account, session), message, number)
            if citation is None:
                return ""
            return passage_html(self._passage(account, session, message, citation), texts)
        except LlmflowError as exc:
            log.warning("Passage not opened: %s", exc)
            return notice_html(self._said(exc, texts))

    def _passage(self, account: Account, session: str, message: str, citation: Citation) -> Passage:
        principal = account.principal()
        hit = self._backend.passages.passage(citation.chunk_id, principal)
        if hit is None:
            return Passage(citation, None)
        before, after = self._backend.passages.neighbours(citation.chunk_id, principal)
        picture = f"/chat/pictures/{session}/{message}/{citation.number}.png" if has_picture(hit) else ""
        return Passage(citation, hit, before, after, picture, f"/api/documents/{hit.document.id}/file")

    async def _conversing(
        self, event: gr.EventData, request: gr.Request, start: Callable[[Account, gr.EventData, Texts], "Begun"]
    ) -> AsyncIterator[Shown]:
        """Run `start` and show its session until nothing is being written in it."""
        texts = texts_of(_field(event, "language"))
        language = _field(event, "language")
        tab, turn = self._views.take(request.session_hash or "", _number(event, "turn"))
        try:
            account = await run_in_threadpool(self._account, request)
            begun = await run_in_threadpool(start, account, event, texts)
            session, notice = begun.session, begun.notice
            running = begun.running or self._answers.of(account.id, session)
            if running is not None:
                async for shown in self._watched(account, session, running, texts, begun, _wanted(event)):
                    if not self._views.is_last(tab, turn):
                        yield KEEP  # the page has gone on to another session; without it the last values would travel again
                        return
                    yield shown
                notice = self._ended(running, texts)
            elif begun.refused:
                yield gr.skip(), "", notice_html(notice, refused=True)
                return
            wanted = _wanted(event)
            finished = await run_in_threadpool(self._session_html, account, session, texts, language, notice, wanted)
            yield finished if self._views.is_last(tab, turn) else KEEP
        except LlmflowError as exc:
            log.warning("Not shown: %s", exc)
            yield gr.skip(), "", notice_html(self._said(exc, texts), refused=True)
        except Exception:
            log.exception("Unexpected failure of the page")
            yield gr.skip(), "", notice_html(f"{texts.failed}. {texts.failed_next}", refused=True)

    async def _watched(
        self, account: Account, session: str, running: Running, texts: Texts, begun: "Begun", wanted: str
    ) -> AsyncIterator[Shown]:
        """Yield the answer as it grows. The more answers are written, the more pieces travel together."""
        one, exchanges = await run_in_threadpool(self._messages, account, session)
        earlier = [exchange for exchange in exchanges if exchange.question.ordinal < running.question.ordinal]
        narrowed = options_in(running.question.details)
        log_shown = log_html(one, earlier, texts, self._settings.low_confidence, narrowed, wanted)
        yield log_shown, live_html(pending_exchange(running.question), texts), notice_html(begun.notice, begun.refused)
        shown = ""
        while not running.done:
            await asyncio.sleep(0.05 + 0.005 * len(self._answers))
            text = running.text
            if text != shown and not running.done:
                shown = text
                yield gr.skip(), live_html(pending_exchange(running.question, text), texts), gr.skip()

    def _start_asking(self, account: Account, event: gr.EventData, texts: Texts) -> "Begun":
        session, question = _field(event, "session"), clean_question(_field(event, "question"))
        problem = self._problem(question, texts)
        if problem:
            return Begun(session, problem, refused=True)
        conversations = self._backend.conversations
        unknown = [name for name in ("documents", "space") if _before_shown(event, name)]
        before = self._as_before(account, session) if unknown else AskOptions()
        documents = before.documents if "documents" in unknown else _documents(event)
        space = before.space if "space" in unknown else space_of(_field(event, "space") or "all")
        if not documents and (asked := summary_request(question)) is not None and not asked.subject:
            documents = _documents(event, "uploaded")  # "this document" is the one just brought
        options, template = AskOptions(space, documents=documents), _template(event)
        made = "" if session else conversations.create(account).id
        session = session or made
        ask = partial(conversations.ask, account, session, question, options=options, template=template)
        try:
            return self._begun(account, session, ask, texts)
        except LlmflowError:
            if made:  # nothing was asked in it, and the page never heard of it
                conversations.delete(account, made)
            raise

    def _as_before(self, account: Account, session: str) -> AskOptions:
        """Return what the last question of a session was narrowed to."""
        exchanges = self._messages(account, session)[1] if session else []
        return options_in(exchanges[-1].question.details) if exchanges else AskOptions()

    def _start_again(self, account: Account, event: gr.EventData, texts: Texts) -> "Begun":
        session, message, content = (_field(event, name) for name in ("session", "message", "content"))
        problem = self._problem(clean_question(content), texts) if content else ""
        if problem:
            return Begun(session, problem, refused=True)
        conversations = self._backend.conversations
        return self._begun(account, session, lambda: conversations.again(account, session, message, content or None), texts)

    def _start_nothing(self, account: Account, event: gr.EventData, texts: Texts) -> "Begun":
        session = _field(event, "session")
        if not session:
            return Begun("")
        try:
            self._backend.conversations.session(account, session)
        except NotFound:
            return Begun("", texts.no_chat)
        return Begun(session)

    def _begun(self, account: Account, session: str, ask: Callable[[], SessionRun], texts: Texts) -> "Begun":
        """Start an answer; where another one of the session is being written, it is shown with a word about it."""
        try:
            running = self._answers.start(account.id, session, ask())
        except AnswerPending:
            return Begun(session, texts.busy, refused=True)
        return Begun(session, running=running)

    def _problem(self, question: str, texts: Texts) -> str:
        limit = self._settings.max_question_chars
        problem = question_problem(question, limit)
        return getattr(texts, problem).format(n=len(question), limit=limit) if problem else ""

    def _session_html(self, account: Account, session: str, texts: Texts, language: str, notice: str, wanted: str) -> Shown:
        if not session:
            return self._welcome(texts, language, notice, wanted), "", ""
        one, exchanges = self._messages(account, session)
        if not exchanges:
            return self._welcome(texts, language, "", wanted), "", notice_html(notice)
        narrowed = options_in(exchanges[-1].question.details)
        return log_html(one, exchanges, texts, self._settings.low_confidence, narrowed, wanted), "", notice_html(notice)

    def _messages(self, account: Account, session: str) -> tuple[ChatSession, list[Exchange]]:
        conversations = self._backend.conversations
        return conversations.session(account, session), exchanges_of(conversations.messages(account, session))

    def _welcome(self, texts: Texts, language: str, notice: str, wanted: str) -> str:
        return welcome_html(texts, self._settings.samples_in(language), notice, wanted)

    def _account(self, request: gr.Request) -> Account:
        if request.request is None:
            raise SignInRequired("The request says nothing of who sent it.")
        return self._backend.guard.permit(request.request, Permission.CHAT)

    def _ended(self, running: Running, texts: Texts) -> str:
        """Return what to say of an answer that ended without being kept."""
        if running.failure is None:
            return ""
        if not isinstance(running.failure, LlmflowError):
            log.error("Unexpected failure while answering", exc_info=running.failure)
        return self._said(running.failure, texts)

    def _said(self, exc: Exception, texts: Texts) -> str:
        match exc:
            case SignInRequired():
                return texts.signed_out
            case PermissionDenied():
                return texts.not_allowed
            case AnswerPending():
                return texts.busy
            case Busy():
                return texts.crowded
            case ModelInterrupted():
                return texts.interrupted
            case LlmflowError():
                return in_language(str(exc), texts.language)
        return f"{texts.failed}. {texts.failed_next}"


@dataclass(frozen=True, slots=True)
class Begun:
    """What an event led to."""

    session: str
    notice: str = ""
    refused: bool = False
    """Nothing was asked: the question goes back into the input."""
    running: Running | None = None
    """The answer that was started. It may have ended already: how it failed is told all the same."""


class Views:
    """Which event of each open page came last: what an earlier one still has to show belongs to a session left behind."""

    def __init__(self, most: int = 10_000) -> None:
        self._turns: OrderedDict[str, int] = OrderedDict()
        self._most = most

    def take(self, tab: str, sent: int = 0) -> tuple[str, int]:
        """Return the event's place among those of its tab: the number that it was sent as, else after all that came before."""
        last = self._turns.pop(tab, 0)
        turn = sent if sent > 0 else last + 1
        self._turns[tab] = max(last, turn)
        while len(self._turns) > self._most:
            self._turns.popitem(last=False)
        return tab, turn

    def is_last(self, tab: str, turn: int) -> bool:
        return self._turns.get(tab, turn) == turn


def _field(event: gr.EventData, name: str) -> str:
    """Return a text that the browser sent; empty when it is missing or of another kind."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if isinstance(value, str) else ""


def _wanted(event: gr.EventData) -> str:
    """Return what the page wanted to see: a session, or the new one that this very event would begin."""
    return _field(event, "session") or f"new {_number(event, 'turn')}"


def _documents(event: gr.EventData, name: str = "documents") -> tuple[str, ...]:
    """Return the ids of the documents that the question is narrowed to. What is no list of texts is none that exists."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    if value is None:
        return ()
    return tuple(one if isinstance(one, str) else "-" for one in value) if isinstance(value, list) else ("-",)


def _before_shown(event: gr.EventData, name: str) -> bool:
    """Return whether the question was sent before the page knew to which documents or space the last one was narrowed."""
    return isinstance(event._data, dict) and event._data.get(name, ()) is None


def _template(event: gr.EventData) -> TemplateUse | None:
    """Return the template whose examples the question is asked with; its text stands in the question already."""
    name = _field(event, "template")
    return TemplateUse(name, version=_number(event, "version") or None) if name else None


def _number(event: gr.EventData, name: str) -> int:
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if type(value) is int else 0
