"""What happens on each event of the page.

A handler gets its session's state and returns the next one, with what its components show; nothing is kept between calls.
"""

import logging
import time
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from apps.chat.conversation import Conversation
from apps.chat.render import conversation_html, passage_html
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import texts_of
from llmflow.accounts.permissions import Permission
from llmflow.errors import LlmflowError, ModelInterrupted, PermissionDenied
from llmflow.serving.auth import Guard
from llmflow.serving.questions import clean_question, question_problem
from llmflow.serving.service import ChatService
from llmflow.types import Account, Answer, Principal

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.05  # pieces that arrive closer together travel as one update


class Turns:
    """The handlers of one app, over its service and settings."""

    def __init__(self, service: ChatService, settings: ChatAppSettings, guard: Guard) -> None:
        self._service = service
        self._settings = settings
        self._guard = guard

    def begin(self, question: str, state: Conversation, language: str) -> tuple:
        """Show the question at once, still unanswered. One that cannot be asked stays in the input, with the reason beneath."""
        _refuse_while_pending(state)
        cleaned = clean_question(question or "")
        problem = question_problem(cleaned, self._settings.max_question_chars)
        if problem is not None:
            words = getattr(texts_of(language), problem)
            return self._refused(state, language, question, words.format(n=len(cleaned), limit=self._settings.max_question_chars))
        return self._started(state.ask(cleaned), language)

    def begin_sample(self, state: Conversation, language: str, event: gr.EventData) -> tuple:
        return self.begin(_field(event, "question", str) or "", state, language)

    def begin_again(self, state: Conversation, language: str) -> tuple:
        _refuse_while_pending(state)
        return self._started(state.retry(), language)

    def answer(self, state: Conversation, language: str, request: gr.Request) -> Iterator[tuple]:
        """Stream the pending question's answer; every yield carries the whole state, so that stopping keeps what has come."""
        if not state.pending:  # the question was refused: a handler that yields nothing would blank its components
            yield self._shown(state, language, busy=False)
            return
        try:
            for step in self._steps(state, self._principal(request)):
                state = step
                yield self._shown(state, language, busy=state.pending)
        except PermissionDenied as exc:
            log.warning("Refused: %s", exc)
            state = state.last(status="failed", error=texts_of(language).denied)
        except ModelInterrupted as exc:
            log.warning("Half an answer: %s", exc)
            state = state.last(status="failed", error=texts_of(language).interrupted)
        except LlmflowError as exc:
            log.warning("No answer: %s", exc)
            state = state.last(status="failed", error=str(exc))
        except Exception:
            log.exception("Unexpected failure while answering")
            state = state.last(status="failed", error=texts_of(language).failed_next)
        if state.pending:
            state = state.last(status="failed", error=texts_of(language).failed_next)
        yield self._shown(state, language, busy=False)

    def stop(self, state: Conversation, language: str) -> tuple:
        return self._shown(state.stop(), language, busy=False)

    def clear(self, language: str) -> tuple:
        state, chat, send, stop = self._shown(Conversation(), language, busy=False)
        return state, chat, "", "", send, stop

    def open_passage(self, state: Conversation, language: str, event: gr.EventData, request: gr.Request) -> str:
        """Return the panel of the clicked citation; permission is asked again, since it may have changed since the answer."""
        citation = state.citation(_field(event, "exchange", int) or 0, _field(event, "number", int) or 0)
        if citation is None:
            return ""
        try:
            hit = self._service.passage(citation.chunk_id, self._principal(request))
        except LlmflowError as exc:
            log.warning("Passage not opened: %s", exc)
            hit = None
        return passage_html(hit, citation, texts_of(language))

    def speak(self, state: Conversation, language: str) -> tuple:
        """Return every worded component in `language`, and the panel closed."""
        texts = texts_of(language)
        return (
            self._chat(state, language),
            "",
            "",
            gr.update(label=texts.language),
            gr.update(value=texts.clear),
            gr.update(placeholder=texts.placeholder, label=texts.input_label),
            gr.update(value=texts.send),
            gr.update(value=texts.stop),
            texts.keys,
        )

    def greet(self, state: Conversation, language: str) -> tuple:
        """As `speak`, with the switch set to the language that the browser remembers or prefers."""
        worded = self.speak(state, language)
        return (*worded[:3], gr.update(label=texts_of(language).language, value=language), *worded[4:])

    def _steps(self, state: Conversation, principal: Principal) -> Iterator[Conversation]:
        flushed = time.monotonic()
        pieces = self._service.stream(
            state.exchanges[-1].question, principal, state.history(self._settings.max_history_turns), language=None
        )
        for piece in pieces:
            if isinstance(piece, Answer):
                yield state.last(text=piece.text, answer=piece, status="done")
                return
            state = state.last(text=state.exchanges[-1].text + piece)
            if time.monotonic() - flushed >= FLUSH_SECONDS:
                flushed = time.monotonic()
                yield state

    def name(self, language: str, request: gr.Request) -> str:
        """Return who is signed in, with the way to the page that signs them out."""
        try:
            account = self._account(request)
        except LlmflowError:
            return ""
        shown, words = escape(account.display_name), texts_of(language)
        return f'<a class="who" href="/sign-in?lang={language}" aria-label="{words.profile}: {shown}">{shown}</a>'

    def _principal(self, request: gr.Request) -> Principal:
        return self._account(request).principal()

    def _account(self, request: gr.Request) -> Account:
        if request.request is None:
            raise PermissionDenied("The request says nothing of who sent it.")
        return self._guard.permit(request.request, Permission.CHAT)

    def _chat(self, state: Conversation, language: str) -> str:
        return conversation_html(state, texts_of(language), self._settings.samples_in(language))

    def _started(self, state: Conversation, language: str) -> tuple:
        state, chat, send, stop = self._shown(state, language, busy=True)
        return state, chat, "", "", send, stop

    def _refused(self, state: Conversation, language: str, question: str, words: str) -> tuple:
        state, chat, send, stop = self._shown(state, language, busy=False)
        return state, chat, question, f'<p class="notice" role="alert">{words}</p>', send, stop

    def _shown(self, state: Conversation, language: str, busy: bool) -> tuple:
        return state, self._chat(state, language), gr.update(visible=not busy), gr.update(visible=busy)


def _refuse_while_pending(state: Conversation) -> None:
    """End the chain of events: a second question, however it was sent, must not run beside the first."""
    if state.pending:
        raise gr.Error("A question is being answered.", visible=False, print_exception=False)


def _field(event: gr.EventData, name: str, kind: type) -> Any:
    """Return a field that the browser sent, or None when it is missing or of another kind."""
    data = event._data if isinstance(event._data, dict) else {}
    value = data.get(name)
    return value if type(value) is kind else None
