"""The page in a FastAPI application: mounted at the root, with a content policy that lets nothing in or out."""

import os
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.chat import pictures
from apps.chat.backend import Backend
from apps.chat.page import QUEUE_LOOKS_EVERY_S, QUEUE_LOOKS_UNWATCHED_S, build_page, head, make_theme, style
from apps.chat.running import RunningAnswers
from apps.chat.settings import ChatAppSettings
from llmflow.serving.web.middleware import SecurityHeaders

# 'unsafe-eval' and 'unsafe-inline' are Gradio's templates. What the policy secures is that a page can neither load from nor
# report to any other host, whatever a document contains.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)

_SERVED = ("queue", "run", "heartbeat", "cancel", "reset", "theme.css", "startup-events", "app_id")
"""Gradio's own routes that the page needs. Closed: uploads, files, a proxy, and a second, undocumented API."""

_WATCHED = ("/gradio_api/heartbeat/", "/gradio_api/queue/")


def mount_page(app: FastAPI, backend: Backend, settings: ChatAppSettings) -> FastAPI:
    """Return `app` with the page at its root. Its routes must be there already: what they do not answer, the page does.

    The gate that asks for a session is the application's; every handler of the page asks again who it works for.
    """
    answers = RunningAnswers(settings.conversing.at_once + settings.conversing.waiting)
    app.include_router(pictures.make_router(backend))
    page = build_page(backend, settings, answers)
    app.add_middleware(QueuePace, queue=page._queue)
    app.add_middleware(_ClosedRoutes)
    app.add_middleware(SecurityHeaders, headers={"Content-Security-Policy": _POLICY})
    return gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,  # it would keep conversations in the browser of a shared computer
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        show_error=False,
        theme=make_theme(),
        css=style(),
        head=head(settings),
    )


class QueuePace:
    """ASGI middleware: Gradio's queue looks often while a page is open (each holds a heartbeat), seldom while none is."""

    def __init__(self, app: ASGIApp, queue: Any) -> None:
        self._app = app
        self._queue = queue
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").startswith(_WATCHED):
            await self._app(scope, receive, send)
            return
        self._open += 1
        self._queue.sleep_when_free = QUEUE_LOOKS_EVERY_S
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            if not self._open:
                self._queue.sleep_when_free = QUEUE_LOOKS_UNWATCHED_S


class _ClosedRoutes:
    """ASGI middleware: what Gradio offers beyond the page is not there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get("path", "").removeprefix("/gradio_api/")
        closed = scope["type"] == "http" and name != scope["path"] and name.partition("/")[0] not in _SERVED
        await (Response(status_code=404) if closed else self._app)(scope, receive, send)
