"""The page in a FastAPI application: mounted at the root, behind the sign-in, with a strict content policy."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

from typing import Any
from urllib.parse import urlencode

import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from apps.chat import pictures
from apps.chat.backend import Backend
from apps.chat.page import build_page, head, make_theme, style
from apps.chat.running import RunningAnswers
from apps.chat.settings import ChatAppSettings
from llmflow.errors import LlmflowError

# 'unsafe-eval' and 'unsafe-inline' are Gradio's templates. What the policy secures is that a page can neither load from nor
# report to any other host, whatever a document contains.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)
"""Of every response that has none of its own."""

_SERVED = ("queue", "run", "heartbeat", "cancel", "reset", "theme.css", "startup-events", "app_id")
"""Gradio's own routes that the page needs. Closed: uploads, files, a proxy, and a second, undocumented API."""


def mount_page(app: FastAPI, backend: Backend, settings: ChatAppSettings) -> FastAPI:
    """Return `app` with the page at its root. Its routes must be there already: what they do not answer, the page does."""
    answers = RunningAnswers(settings.concurrency_limit)
    app.include_router(pictures.make_router(backend))
    app.state.page_answers = answers

    app.add_middleware(PageGuard, backend=backend)
    return gr.mount_gradio_app(
        app,
        build_page(backend, settings, answers),
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


class PageGuard:
    """ASGI middleware: the page only for who is signed in, of Gradio's routes only what the page needs, headers on the rest.

    Plain ASGI: answers stream through it untouched.
    """

    def __init__(self, app: Any, backend: Backend) -> None:
        self._app = app
        self._backend = backend

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        name = path.removeprefix("/gradio_api/")
        refused: Response | None = None
        if name != path and name.partition("/")[0] not in _SERVED:
            refused = Response(status_code=404)
        elif path == "/":
            away = await run_in_threadpool(_sign_in_address, self._backend, Request(scope))
            refused = RedirectResponse(away, status_code=303) if away else None

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                present = {header for header, _ in message["headers"]}
                message = {**message, "headers": [*message["headers"], *(one for one in _HEADERS if one[0] not in present)]}
            await send(message)

        await (refused or self._app)(scope, receive, sent)


def _sign_in_address(backend: Backend, request: Request) -> str:
    """Return where somebody who may not use the page goes first; empty for everyone else."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    try:
        account = backend.guard.identify(request)
    except LlmflowError:
        return f"/sign-in?{urlencode({'next': here})}"
    return f"/sign-in?{urlencode({'change': '1', 'next': here})}" if account.must_change_password else ""
