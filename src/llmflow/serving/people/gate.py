"""What stands before every route: nobody passes unknown."""

from collections.abc import Iterable
from urllib.parse import quote

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmflow.errors import LlmflowError, SignInRequired
from llmflow.serving.people.auth import Guard, Identify
from llmflow.serving.web.http_errors import HttpProblem, failure_response
from llmflow.wording import said

OPEN_PATHS = ("/healthz", "/sign-in", "/sign-in/", "/sign-out", "/api/auth/", "/metrics", "/openapi.json")
"""Paths that answer without a session; those that end in `/` with everything below. /api/auth and /metrics ask for themselves."""
LONGEST_OPEN_BODY = 64 * 1024
"""Bytes that anybody may send to an open path: names and passwords, nothing larger."""


class IdentityGate:
    """ASGI middleware: requests and WebSockets of nobody in particular end here, whatever route they are for.

    A page that a person opened leads to /sign-in and back; everything else gets 401, a WebSocket close code 4401. What somebody
    may do is asked by the routes themselves: they know which permission they need.
    """

    def __init__(self, app: ASGIApp, identify: Identify, open_paths: Iterable[str] = OPEN_PATHS) -> None:
        self._app = app
        self._identify = identify
        self._exact = frozenset(path for path in open_paths if not path.endswith("/"))
        self._below = tuple(path for path in open_paths if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._is_open(scope["path"]):
            await self._app(scope, _limited(receive, LONGEST_OPEN_BODY), send)
            return
        try:
            account = await run_in_threadpool(self._identify, HTTPConnection(scope))
        except LlmflowError as exc:
            await self._refuse(exc, scope, receive, send)
            return
        if account.must_change_password and _is_page(scope):
            await _to_sign_in(scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._below)

    async def _refuse(self, exc: LlmflowError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send(
                {"type": "websocket.close", "code": 4401 if isinstance(exc, SignInRequired) else 4403, "reason": str(exc)[:120]}
            )
            return
        page = isinstance(exc, SignInRequired) and _is_page(scope)
        response = _to_sign_in(scope) if page else failure_response(Request(scope), exc)
        await response(scope, receive, send)


def add_gate(app: FastAPI, guard: Guard) -> None:
    """Let nobody unknown past the open paths of `app`, whatever is mounted on it. Middleware that is added later sees all."""
    app.add_middleware(IdentityGate, identify=guard.identify)


def _limited(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that raises 413 once more than `limit` bytes of a body have come."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body") or b"")
        if seen > limit:
            raise HttpProblem(413, said("request.too_large"), said("request.most_here", most=limit), said("request.as_described"))
        return message

    return counted


def _is_page(scope: Scope) -> bool:
    """Return whether a person opened an address: a browser navigates there, or asks for HTML outside of the API."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    headers = Headers(scope=scope)
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode is not None else "text/html" in headers.get("accept", "")


def _to_sign_in(scope: Scope) -> Response:
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='/')}", status_code=303)
