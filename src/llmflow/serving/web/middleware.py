"""What surrounds every request: headers of every response, and the largest body that is read.

Plain ASGI: a stream of answers passes through untouched, which Starlette's function middleware would copy piece by piece.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from llmflow.serving.web.http_errors import HttpProblem, in_words, problem, shaped
from llmflow.wording import said, wanted_language

Send = Callable[[Any], Awaitable[None]]
MAX_BODY_BYTES = 8_000_000
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_PRIVATE = ("/api/", "/v1/")
"""What answers there belongs to one account: a shared computer must not keep it."""


class SecurityHeaders:
    """ASGI middleware: headers on every response that has none of the name, HSTS where the browser used TLS.

    Streams pass through untouched.
    """

    def __init__(self, app: Any, headers: Mapping[str, str] = HEADERS) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        wanted = list(self._headers)
        if scope["path"].startswith(_PRIVATE):
            wanted.append((b"cache-control", b"no-store"))
        if scope.get("scheme") == "https":
            wanted.append((b"strict-transport-security", b"max-age=31536000"))

        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message = {**message, "headers": [*message["headers"], *(h for h in wanted if h[0] not in present)]}
            await send(message)

        await self._app(scope, receive, sent)


class BodyLimit:
    """ASGI middleware: a body of more than `limit` bytes is refused with 413, whether or not it says its length.

    Paths that begin with one of `elsewhere` have limits of their own, such as uploads.
    """

    def __init__(self, app: Any, limit: int = MAX_BODY_BYTES, elsewhere: tuple[str, ...] = ()) -> None:
        self._app = app
        self._limit = limit
        self._sentences = (said("request.too_large"), said("request.most", most=limit), said("request.less"))
        self._elsewhere = elsewhere

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._elsewhere):
            await self._app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > self._limit:
            language = wanted_language(Headers(scope=scope).get("accept-language", ""))
            body = shaped(scope["path"], 413, in_words(problem(*self._sentences), language))
            await JSONResponse(body, status_code=413)(scope, receive, send)
            return
        taken = 0

        async def received() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HttpProblem(413, *self._sentences)
            return message

        await self._app(scope, received, send)
