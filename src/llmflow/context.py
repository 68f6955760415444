"""Which request this thread works for: its trace id and who asked. Logs, traces and error bodies read it."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class RequestContext:
    """One request. Copies of a thread's context share this object, so what one thread notes the others see."""

    trace_id: str
    account_id: str = ""
    tenant: str = ""
    language: str = "en"
    """What the reader wants sentences of llmflow in, by `Accept-Language`."""
    extra: dict[str, str | int | float] = field(default_factory=dict)
    """More for the access log, such as the session id; no names and no text."""


_current: ContextVar[RequestContext | None] = ContextVar("llmflow_request", default=None)


def new_trace_id() -> str:
    """Return 32 hexadecimal digits that are not all zero, as W3C Trace Context and OpenTelemetry want them."""
    while True:
        trace_id = secrets.token_hex(16)
        if trace_id.strip("0"):
            return trace_id


def trace_id_of(traceparent: str) -> str:
    """Return the trace id of a W3C `traceparent` header; a new one where the header is absent or malformed."""
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    return match.group(1) if match and match.group(1).strip("0") else new_trace_id()


def current_request() -> RequestContext | None:
    """Return the request that this thread works for; None outside of requests."""
    return _current.get()


def current_trace_id() -> str:
    """Return the request's trace id; empty outside of requests."""
    request = _current.get()
    return request.trace_id if request else ""


def current_language() -> str:
    """Return the language that the reader wants sentences in; English outside of requests."""
    request = _current.get()
    return request.language if request else "en"


def note_account(account_id: str, tenant: str) -> None:
    """Say who asked, once it is known. Nothing happens outside of requests."""
    request = _current.get()
    if request is not None:
        request.account_id, request.tenant = account_id, tenant


@contextmanager
def request_context(trace_id: str = "", account_id: str = "", tenant: str = "") -> Iterator[RequestContext]:
    """Work for one request or job inside the block; the one outside is back afterwards."""
    request = RequestContext(trace_id if _TRACE_ID.fullmatch(trace_id) else new_trace_id(), account_id, tenant)
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)
