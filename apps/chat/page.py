"""The Gradio page: its components, and which handler of turns.py each event calls.

Conversations and passages are rendered here, on the server, through Gradio's queue. What concerns an account's own things
(list of chats, files, templates, keys) the browser asks of the documented HTTP API, as any other client would.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio import themes

from apps.chat.backend import Backend
from apps.chat.render import welcome_html
from apps.chat.running import RunningAnswers
from apps.chat.settings import ChatAppSettings
from apps.chat.skeleton import composer_html, sidebar_html, top_html
from apps.chat.texts import texts_of
from apps.chat.turns import Turns
from apps.chat.words import words_script

HERE = Path(__file__).parent
SCRIPTS = (
    "base", "lists", "dialogs", "preferences", "sessions", "following", "conversation", "feedback", "composer", "templates",
    "template_editor", "chosen", "files", "account", "shortcuts", "start",
)  # fmt: skip
"""Parts of one script, in order: they share one scope."""
QUEUE_LOOKS_EVERY_S = 0.02
"""Gradio's queue looks for events every millisecond, for ever: a process that did nothing used 6 % of a core for it."""
QUEUE_LOOKS_UNWATCHED_S = 0.2
"""While no page is open: a process that only answers programs still spent 15 ms of processor a second on looking."""
NO_PROGRESS_LOOKS_EVERY_S = 1.0
"""Gradio looks fifty times a second for progress to tell, which no handler of this page reports."""
STYLES = ("base", "sidebar", "conversation", "passage", "composer", "dialogs", "phone")

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


def style() -> str:
    """Return the page's style sheet."""
    return "\n".join((HERE / "css" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)


def head(settings: ChatAppSettings) -> str:
    """Return what stands in the page's head: words in both languages, and the few settings that the browser needs."""
    own = f"window.llmflowSettings = {{language: '{settings.language}', dashboard: {_js(settings.dashboard_url)}}};"
    return f'<meta name="color-scheme" content="light dark"><script>{words_script()} {own}</script>'


def build_page(backend: Backend, settings: ChatAppSettings, answers: RunningAnswers) -> gr.Blocks:
    """Return the page, not yet mounted. It keeps nothing of a visitor: sessions live in the store, their id in the address."""
    turn = Turns(backend, settings, answers)
    language = settings.language
    plain: dict[str, Any] = {"apply_default_css": False, "js_on_load": None}

    with gr.Blocks(title=settings.title, analytics_enabled=False, fill_width=True) as page:
        with gr.Row(elem_id="frame"):
            gr.HTML(sidebar_html(settings.title, language), elem_id="sidebar", **plain)
            with gr.Column(elem_id="center"):
                gr.HTML(top_html(language), elem_id="top", **plain)
                with gr.Row(elem_id="main"):
                    with gr.Column(elem_id="left"):
                        with gr.Column(elem_id="scroll"):
                            welcome = welcome_html(texts_of(language), settings.samples_in(language))
                            chat = gr.HTML(welcome, elem_id="chat", apply_default_css=False, js_on_load=_script())
                            live = gr.HTML("", elem_id="live", apply_default_css=False, js_on_load=_WATCH_LIVE)
                        notice = gr.HTML("", elem_id="notice", apply_default_css=False, js_on_load=_WATCH_NOTICE)
                        gr.HTML(composer_html(language, settings.max_question_chars), elem_id="composer", **plain)
                    panel = gr.HTML("", elem_id="panel", apply_default_css=False, js_on_load=_WATCH_PANEL)

        # `private` keeps every handler out of Gradio's public API: the documented one is /api.
        events: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "trigger_mode": "multiple"}
        shown = [chat, live, notice]
        # No limit here: a handler only watches. How many answers are written at once is the business of RunningAnswers.
        chat.ask(turn.ask, None, shown, concurrency_limit=None, **events)
        chat.again(turn.again, None, shown, concurrency_limit=None, **events)
        chat.open(turn.open, None, shown, concurrency_limit=None, **events)
        chat.stop(turn.stop, None, None, queue=False, **events)
        chat.cite(turn.open_passage, None, [panel], queue=False, **events)
    page.queue(api_open=False, max_size=settings.queue_size)
    page._queue.sleep_when_free = QUEUE_LOOKS_UNWATCHED_S  # QueuePace of app.py knows when pages are open
    page._queue.progress_update_sleep_when_free = NO_PROGRESS_LOOKS_EVERY_S
    return page


def _script() -> str:
    return "\n".join((HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def _js(text: str) -> str:
    import json

    return json.dumps(text).replace("<", "\\u003c")


_WATCH_LIVE = "watch('value', () => document.dispatchEvent(new CustomEvent('llmflow:live')));"
_WATCH_NOTICE = """
document.addEventListener('llmflow:say', (event) => { props.value = event.detail; });
watch('value', () => document.dispatchEvent(new CustomEvent('llmflow:notice')));
"""
_WATCH_PANEL = """
document.addEventListener('llmflow:close-panel', () => { props.value = ''; });
watch('value', () => document.dispatchEvent(new CustomEvent('llmflow:panel')));
"""
