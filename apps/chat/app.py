"""The FastAPI application: the API, and the page mounted at the root."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from fastapi import FastAPI, Request, Response

from apps.chat.page import HERE, build_page, make_theme
from apps.chat.settings import ChatAppSettings
from llmflow.serving.access_log import install_access_log
from llmflow.serving.api import install_error_handlers, make_router
from llmflow.serving.profiles import ResolvePrincipal, profile_resolver
from llmflow.serving.service import ChatService

# 'unsafe-eval' and 'unsafe-inline' are Gradio's templates. What the policy secures is that a page can neither load from nor
# report to any other host, whatever a document contains.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

_SERVED = ("queue", "run", "heartbeat", "cancel", "reset", "theme.css", "startup-events", "app_id")
"""Gradio's own routes that the page needs. Closed: uploads, files, a proxy, and a second, undocumented API."""


def create_app(service: ChatService, settings: ChatAppSettings, resolve_principal: ResolvePrincipal | None = None) -> FastAPI:
    """Return the application.

    Without `resolve_principal` the configured profiles stand in for accounts: the page offers them, the API reads
    `X-LLMFlow-Profile`. With it, both ask that function and nothing else.
    """
    app = FastAPI(title=settings.title, docs_url=None, redoc_url=None)  # both would load scripts from a CDN
    profiles = () if resolve_principal else settings.profiles
    install_error_handlers(app, profiles)
    app.include_router(make_router(service, settings, resolve_principal or profile_resolver(profiles)))

    @app.middleware("http")
    async def guard(request: Request, call_next) -> Response:
        name = request.url.path.removeprefix("/gradio_api/")
        if name != request.url.path and name.partition("/")[0] not in _SERVED:
            return Response(status_code=404)
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    install_access_log(app)
    return gr.mount_gradio_app(
        app,
        build_page(service, settings, resolve_principal),
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
