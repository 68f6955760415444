"""One log event a request, and its trace id: read from `traceparent`, noted for everything that happens meanwhile, sent back."""

from time import perf_counter
from typing import Any

from fastapi import FastAPI

from llmflow.context import request_context, trace_id_of
from llmflow.wording import wanted_language

TRACE_HEADER = "X-Trace-Id"
QUIET_ROUTES = frozenset({"/healthz", "/metrics"})
"""Asked every few seconds by machines: logged only when they fail."""


def install_access_log(app: FastAPI) -> None:
    """Log every request and web socket of `app`. Add it last, so that it stands around every other middleware."""
    app.add_middleware(AccessLog)


class AccessLog:
    """ASGI middleware. What is logged of an address is its route: paths and queries may hold what people typed."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name: value for name, value in scope["headers"] if name in (b"traceparent", b"accept-language")}
        started, status, first_byte = perf_counter(), 0, 0.0
        with request_context(trace_id_of(headers.get(b"traceparent", b"").decode("latin-1"))) as request:
            request.language = wanted_language(headers.get(b"accept-language", b"").decode("latin-1"))
            scope["trace_id"] = request.trace_id  # the handler of unexpected errors runs outside of this block

            async def watched(message: dict[str, Any]) -> None:
                nonlocal status, first_byte
                if message["type"] == "http.response.start":
                    status, first_byte = message["status"], perf_counter() - started
                    message["headers"] = [*message.get("headers", ()), (TRACE_HEADER.lower().encode(), request.trace_id.encode())]
                elif message["type"] == "websocket.accept":
                    status = 101
                elif message["type"] == "websocket.close" and status == 0:
                    status = 403
                await send(message)

            failed = False
            try:
                await self._app(scope, receive, watched)
            except BaseException:
                failed = True
                raise
            finally:
                route = _route(scope)
                if failed or status >= 500 or route not in QUIET_ROUTES:
                    fields = {
                        "method": scope.get("method", "WS"),
                        "route": route,
                        "status": status or (500 if failed else 499),
                        "ms": round(1000 * (perf_counter() - started), 1),
                        "first_byte_ms": round(1000 * first_byte, 1),
                        **request.extra,
                    }
                    _write(fields)


def _write(fields: dict[str, Any]) -> None:
    import structlog

    log = structlog.stdlib.get_logger("llmflow.access")
    (log.error if fields["status"] >= 500 else log.info)("request", **fields)


def _route(scope: dict[str, Any]) -> str:
    path = getattr(scope.get("route"), "path", "")
    return f"{scope.get('root_path', '')}{path}" if path else "no route"
