"""The Gradio page: its components, and which handler of turns.py each event calls."""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import themes

from apps.chat.conversation import Conversation
from apps.chat.render import conversation_html
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import LANGUAGES, texts_of
from apps.chat.turns import Turns
from llmflow.serving.auth import Guard
from llmflow.serving.service import ChatService

HERE = Path(__file__).parent

_SYSTEM_FONTS = [
    themes.Font(name)
    for name in (
        "system-ui", "-apple-system", "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR",
        "NanumGothic", "sans-serif",
    )
]  # fmt: skip
_MONO_FONTS = [themes.Font(name) for name in ("ui-monospace", "Menlo", "Consolas", "D2Coding", "monospace")]


def make_theme() -> themes.Base:
    """Return the theme: system fonts only, since Gradio's own would be fetched or shipped."""
    return themes.Base(primary_hue="indigo", neutral_hue="slate", font=_SYSTEM_FONTS, font_mono=_MONO_FONTS)


def build_page(service: ChatService, settings: ChatAppSettings, guard: Guard, notice: str = "") -> gr.Blocks:
    """Return the page, not yet mounted. Who asks is what `guard` says; `notice` is told above the conversation."""
    turn = Turns(service, settings, guard)
    texts = texts_of(settings.language)

    with gr.Blocks(title=settings.title, analytics_enabled=False, fill_width=True) as page:
        state = gr.State(Conversation())
        with gr.Row(elem_id="top"):
            gr.HTML(f'<div class="brand"><span class="brand-mark" aria-hidden="true"></span>{escape(settings.title)}</div>')
            language = gr.Radio(LANGUAGES, value=settings.language, label=texts.language, elem_id="language", container=False)
            clear = gr.Button(texts.clear, elem_id="clear", size="sm")
            who = gr.HTML("", elem_id="who", apply_default_css=False)
        if notice:
            gr.HTML(f'<p class="notice" role="note">{escape(notice)}</p>', elem_id="mode", apply_default_css=False)
        with gr.Row(elem_id="main"):
            with gr.Column(elem_id="left"):
                chat = gr.HTML(
                    conversation_html(Conversation(), texts, settings.samples_in(settings.language)),
                    js_on_load=_script("page.js"), elem_id="chat", apply_default_css=False,
                )  # fmt: skip
                with gr.Column(elem_id="composer"):
                    said = gr.HTML("", elem_id="notice", apply_default_css=False)
                    with gr.Row(elem_id="ask"):
                        question = gr.Textbox(
                            placeholder=texts.placeholder, label=texts.input_label, show_label=False, container=False, lines=1,
                            max_lines=6, elem_id="question", autofocus=True, scale=1,
                            html_attributes=gr.InputHTMLAttributes(enterkeyhint="send"),
                        )  # fmt: skip
                        send = gr.Button(texts.send, elem_id="send", variant="primary", min_width=80, scale=0)
                        stop = gr.Button(texts.stop, elem_id="stop", variant="stop", min_width=80, scale=0, visible=False)
                    keys = gr.HTML(texts.keys, elem_id="keys", apply_default_css=False)
            panel = gr.HTML("", js_on_load=_script("panel.js"), elem_id="panel", apply_default_css=False)

        # `private` keeps every handler out of Gradio's public API: the documented one is /api/ask.
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        slow: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": settings.concurrency_limit,
            "concurrency_id": "answer",
        }
        started = [state, chat, question, said, send, stop]
        finished = [state, chat, send, stop]

        def answers(begin: Any) -> Any:
            return begin.success(turn.answer, [state, language], finished, **slow)

        asked = answers(send.click(turn.begin, [question, state, language], started, **quick))
        sampled = answers(chat.sample(turn.begin_sample, [state, language], started, **quick))
        retried = answers(chat.retry(turn.begin_again, [state, language], started, **quick))
        running = [asked, sampled, retried]
        stop.click(turn.stop, [state, language], finished, cancels=running, **quick)

        fresh = [state, chat, panel, said, send, stop]
        clear.click(turn.clear, [language], fresh, cancels=running, **quick)
        chat.cite(turn.open_passage, [state, language], [panel], **quick)

        worded = [chat, panel, said, language, clear, question, send, stop, keys]
        language.input(turn.speak, [state, language], worded, js=_REMEMBER_LANGUAGE, **quick)
        page.load(turn.name, [language], [who], **quick)
        page.load(turn.greet, [state, language], worded, js=_RECALL_LANGUAGE, **quick)
    page.queue(api_open=False, max_size=settings.queue_size)
    return page


def _script(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


_REMEMBER_LANGUAGE = """(state, language) => {
  try { localStorage.setItem('llmflow-language', language); } catch (_) {}
  document.documentElement.lang = language;
  return [state, language];
}"""
_RECALL_LANGUAGE = """(state, language) => {
  let kept = null;
  try { kept = localStorage.getItem('llmflow-language'); } catch (_) {}
  const spoken = !navigator.language ? language : navigator.language.startsWith('ko') ? 'ko' : 'en';
  const chosen = ['ko', 'en'].includes(kept) ? kept : spoken;
  document.documentElement.lang = chosen;
  return [state, chosen];
}"""
