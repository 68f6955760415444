"""The FastAPI application: the API, and the page mounted at the root."""

import os
from collections.abc import Sequence

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from fastapi import APIRouter, FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.chat.page import HERE, build_page, make_theme
from apps.chat.settings import ChatAppSettings
from llmflow.serving.access_log import install_access_log
from llmflow.serving.api import make_router
from llmflow.serving.auth import Guard
from llmflow.serving.gate import add_gate
from llmflow.serving.http_errors import install_error_handlers
from llmflow.serving.middleware import SecurityHeaders
from llmflow.serving.service import ChatService

# 'unsafe-eval' and 'unsafe-inline' are Gradio's templates. What the policy secures is that a page can neither load from nor
# report to any other host, whatever a document contains.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)

_SERVED = ("queue", "run", "heartbeat", "cancel", "reset", "theme.css", "startup-events", "app_id")
"""Gradio's own routes that the page needs. Closed: uploads, files, a proxy, and a second, undocumented API."""


def create_app(
    service: ChatService, settings: ChatAppSettings, guard: Guard, routers: Sequence[APIRouter] = (), notice: str = ""
) -> FastAPI:
    """Return the page with questions and nothing else behind it: no conversations are kept."""
    app = FastAPI(title=settings.title, docs_url=None, redoc_url=None)  # both would load scripts from a CDN
    install_error_handlers(app)
    for router in (*routers, make_router(service, settings, guard)):
        app.include_router(router)
    add_gate(app, guard)
    app.add_middleware(SecurityHeaders)
    install_access_log(app)
    return mount_page(app, service, settings, guard, notice)


def mount_page(app: FastAPI, service: ChatService, settings: ChatAppSettings, guard: Guard, notice: str = "") -> FastAPI:
    """Return `app` with the page at its root. Its routes must be there already: what they do not answer, the page does.

    Who asks is what `guard` says; `notice` is told on the page. The gate that asks for a session is the application's.
    """
    app.add_middleware(_ClosedRoutes)
    app.add_middleware(SecurityHeaders, headers={"Content-Security-Policy": _POLICY})
    return gr.mount_gradio_app(
        app,
        build_page(service, settings, guard, notice),
        path="/",
        footer_links=[],
        run_history=False,  # it would keep conversations in the browser of a shared computer
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        show_error=False,
        theme=make_theme(),
        css=(HERE / "style.css").read_text(encoding="utf-8"),
        head='<meta name="color-scheme" content="light dark">',
    )


class _ClosedRoutes:
    """ASGI middleware: what Gradio offers beyond the page is not there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get("path", "").removeprefix("/gradio_api/")
        closed = scope["type"] == "http" and name != scope["path"] and name.partition("/")[0] not in _SERVED
        await (Response(status_code=404) if closed else self._app)(scope, receive, send)
