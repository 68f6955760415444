"""Middleware of a vLLM server: with a key, everything but liveness and metrics needs it.

vLLM 0.32 asks for its key under /v1 only, and has a second way to load adapters, /adapters, that lies outside: whoever reached
the port could have the server read any folder that it sees.
"""

import hashlib
import json
import os
import secrets

OPEN = frozenset({"/health", "/ping", "/metrics", "/version"})


class KeyGuard:
    """ASGI middleware for `--middleware llmflow_guard.KeyGuard`; reads VLLM_API_KEY, and lets everything pass without one."""

    def __init__(self, app):
        self._app = app
        key = os.environ.get("VLLM_API_KEY", "")
        self._wanted = _digest(f"Bearer {key}".encode()) if key else None

    async def __call__(self, scope, receive, send):
        if self._wanted is None or scope["type"] not in ("http", "websocket") or self._allowed(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        body = json.dumps({"error": {"message": "The key is missing or wrong.", "code": 401}}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _allowed(self, scope) -> bool:
        if scope["path"].rstrip("/") in OPEN and scope.get("method") == "GET":
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return self._wanted is not None and secrets.compare_digest(_digest(given), self._wanted)


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
