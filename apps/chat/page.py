"""The Gradio page: wiring between the components and the chat service.

All state is per browser session (`gr.State`); the functions below close over the service and the settings only.
"""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.chat.conversation import Conversation
from apps.chat.render import conversation_html, passage_html
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import LANGUAGES, Texts, texts_of
from llmflow.errors import LlmflowError, PermissionDenied
from llmflow.serving.api import ResolvePrincipal, clean_question, profile_principal, question_problem
from llmflow.serving.service import ChatService
from llmflow.types import Answer, Principal

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
FLUSH_SECONDS = 0.05  # pieces that arrive closer together travel as one update

_SYSTEM_FONTS = [
    gr.themes.Font(name)
    for name in (
        "system-ui", "-apple-system", "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR",
        "NanumGothic", "sans-serif",
    )
]  # fmt: skip
_MONO_FONTS = [gr.themes.Font(name) for name in ("ui-monospace", "Menlo", "Consolas", "D2Coding", "monospace")]


def make_theme() -> gr.themes.Base:
    """Return the theme: system fonts only, since Gradio's own would be fetched or shipped."""
    return gr.themes.Base(primary_hue="indigo", neutral_hue="slate", font=_SYSTEM_FONTS, font_mono=_MONO_FONTS)


def build_page(service: ChatService, settings: ChatAppSettings, resolve_principal: ResolvePrincipal | None = None) -> gr.Blocks:
    """Return the page, not yet mounted.

    Without `resolve_principal` the visitor picks one of the configured profiles; with it the request decides and no picker is shown.
    """
    turn = _Turns(service, settings, resolve_principal)
    texts = texts_of(settings.language)
    profiles = [(profile.label, profile.name) for profile in settings.profiles]

    with gr.Blocks(title=settings.title, analytics_enabled=False, fill_width=True) as page:
        state = gr.State(Conversation())
        with gr.Row(elem_id="top"):
            gr.HTML(f'<div class="brand"><span class="brand-mark" aria-hidden="true"></span>{_escaped(settings.title)}</div>')
            profile = gr.Dropdown(
                profiles, value=profiles[0][1] if profiles else None, label=texts.profile, elem_id="profile",
                visible=resolve_principal is None, filterable=False, container=False,
            )  # fmt: skip
            language = gr.Radio(LANGUAGES, value=settings.language, label=texts.language, elem_id="language", container=False)
            clear = gr.Button(texts.clear, elem_id="clear", size="sm")
        with gr.Row(elem_id="main"):
            chat = gr.HTML(
                conversation_html(Conversation(), texts, settings.samples_in(settings.language)),
                js_on_load=(HERE / "page.js").read_text(encoding="utf-8"), elem_id="chat", apply_default_css=False,
            )  # fmt: skip
            panel = gr.HTML("", js_on_load=_CLOSE_PANEL, elem_id="panel", apply_default_css=False)
        with gr.Column(elem_id="composer"):
            notice = gr.HTML("", elem_id="notice", apply_default_css=False)
            with gr.Row(elem_id="ask"):
                question = gr.Textbox(
                    placeholder=texts.placeholder, label=texts.input_label, show_label=False, container=False, lines=1, max_lines=6,
                    elem_id="question", autofocus=True, scale=1, html_attributes=gr.InputHTMLAttributes(enterkeyhint="send"),
                )  # fmt: skip
                send = gr.Button(texts.send, elem_id="send", variant="primary", min_width=80, scale=0)
                stop = gr.Button(texts.stop, elem_id="stop", variant="stop", min_width=80, scale=0, visible=False)
            keys = gr.HTML(f"{texts.keys}", elem_id="keys", apply_default_css=False)

        # `private` keeps every handler out of Gradio's public API: the documented one is /api/ask.
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        slow: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": settings.concurrency_limit,
            "concurrency_id": "answer",
        }
        started = [state, chat, question, notice, send, stop]
        finished = [state, chat, send, stop]

        def answers(begin: Any) -> Any:
            return begin.success(turn.answer, [state, language, profile], finished, **slow)

        asked = answers(send.click(turn.begin, [question, state, language], started, **quick))
        sampled = answers(chat.sample(turn.begin_sample, [state, language], started, **quick))
        retried = answers(chat.retry(turn.begin_again, [state, language], started, **quick))
        running = [asked, sampled, retried]
        stop.click(turn.stop, [state, language], finished, cancels=running, **quick)

        fresh = [state, chat, panel, notice, send, stop]
        clear.click(turn.clear, [language], fresh, cancels=running, **quick)
        # Another person must not continue this conversation: neither the reader nor the model may see its passages.
        profile.input(turn.clear, [language], fresh, cancels=running, **quick)
        chat.cite(turn.open_passage, [state, language, profile], [panel], **quick)

        worded = [chat, panel, notice, profile, language, clear, question, send, stop, keys]
        language.input(turn.speak, [state, language], worded, js=_REMEMBER_LANGUAGE, **quick)
        page.load(turn.greet, [state, language], worded, js=_RECALL_LANGUAGE, **quick)
    page.queue(api_open=False, max_size=settings.queue_size)
    return page


class _Turns:
    """The event handlers of one app; each call gets its session's state as an argument and returns the next one."""

    def __init__(self, service: ChatService, settings: ChatAppSettings, resolve_principal: ResolvePrincipal | None) -> None:
        self._service = service
        self._settings = settings
        self._resolve = resolve_principal

    def begin(self, question: str, state: Conversation, language: str) -> tuple:
        """Show the question at once; raises nothing and asks nothing when it cannot be asked."""
        if state.pending:
            return self._refused(state, language, question, "")
        cleaned = clean_question(question or "")
        problem = question_problem(cleaned, self._settings.max_question_chars)
        if problem is not None:
            words = getattr(texts_of(language), problem)
            return self._refused(state, language, question, words.format(n=len(cleaned), limit=self._settings.max_question_chars))
        return self._started(state.ask(cleaned), language)

    def begin_sample(self, state: Conversation, language: str, event: gr.EventData) -> tuple:
        return self.begin(_field(event, "question", str) or "", state, language)

    def begin_again(self, state: Conversation, language: str) -> tuple:
        return self._refused(state, language, gr.skip(), "") if state.pending else self._started(state.retry(), language)

    def answer(self, state: Conversation, language: str, profile: str | None, request: gr.Request) -> Iterator[tuple]:
        """Stream the pending question's answer; every yield carries the whole state, so that stopping keeps what has come."""
        if not state.pending:
            return
        try:
            for step in self._steps(state, self._principal(profile, request)):
                state = step
                yield self._shown(state, language, busy=state.pending)
        except PermissionDenied as exc:
            log.warning("Refused: %s", exc)
            state = state.last(status="failed", error=texts_of(language).denied)
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

    def open_passage(
        self, state: Conversation, language: str, profile: str | None, event: gr.EventData, request: gr.Request
    ) -> str | dict:
        """Return the panel of the clicked citation; permission is asked again, since it may have changed since the answer."""
        citation = state.citation(_field(event, "exchange", int) or 0, _field(event, "number", int) or 0)
        if citation is None:
            return gr.skip()
        try:
            hit = self._service.passage(citation.chunk_id, self._principal(profile, request))
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
            gr.update(label=texts.profile),
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
        return (*worded[:4], gr.update(label=texts_of(language).language, value=language), *worded[5:])

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

    def _principal(self, profile: str | None, request: gr.Request) -> Principal:
        if self._resolve is not None:
            return self._resolve(request.request)
        return profile_principal(profile or "", self._settings.profiles)

    def _chat(self, state: Conversation, language: str) -> str:
        return conversation_html(state, texts_of(language), self._settings.samples_in(language))

    def _started(self, state: Conversation, language: str) -> tuple:
        state, chat, send, stop = self._shown(state, language, busy=True)
        return state, chat, "", "", send, stop

    def _refused(self, state: Conversation, language: str, question: Any, words: str) -> tuple:
        notice = f'<p class="notice" role="alert">{words}</p>' if words else ""
        return state, gr.skip(), question, notice, gr.skip(), gr.skip()

    def _shown(self, state: Conversation, language: str, busy: bool) -> tuple:
        return state, self._chat(state, language), gr.update(visible=not busy), gr.update(visible=busy)


def _field(event: gr.EventData, name: str, kind: Callable[[Any], Any]) -> Any:
    """Return a field that the browser sent, or None when it is missing or of another kind."""
    data = event._data if isinstance(event._data, dict) else {}
    value = data.get(name)
    return value if type(value) is kind else None


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


_CLOSE_PANEL = "element.addEventListener('click', (e) => { if (e.target.closest('[data-act=close]')) props.value = ''; });"
_REMEMBER_LANGUAGE = """(state, language) => {
  try { localStorage.setItem('llmflow-language', language); } catch (_) {}
  document.documentElement.lang = language;
  return [state, language];
}"""
_RECALL_LANGUAGE = """(state, language) => {
  let kept = null;
  try { kept = localStorage.getItem('llmflow-language'); } catch (_) {}
  const chosen = ['ko', 'en'].includes(kept) ? kept : (navigator.language || '').startsWith('ko') ? 'ko' : navigator.language ? 'en' : language;
  document.documentElement.lang = chosen;
  return [state, chosen];
}"""
