"""Every failure over HTTP in one shape: `error` says what was wrong, `allowed` what is accepted, `next` what to do.

Under /v1 the same sentences travel in the shape that OpenAI's clients read.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException

from llmflow.context import request_context
from llmflow.errors import (
    AnswerPending,
    Busy,
    LlmflowError,
    ModelUnavailable,
    NameTaken,
    NotFound,
    PermissionDenied,
    PromotionRefused,
    Refused,
    SignInRequired,
    StoreUnavailable,
)
from llmflow.serving.web.field_faults import place, told
from llmflow.wording import in_language, said, wanted_language

log = logging.getLogger(__name__)

RETRY_SECONDS = 2
"""What a client that came too early is told to wait."""
OPENAI_PREFIX = "/v1/"


class ProblemOut(BaseModel):
    """A failure in three sentences."""

    error: str
    allowed: str
    next: str
    trace_id: str = ""
    """By which an administrator finds the request in logs and traces."""


class HttpProblem(HTTPException):
    """A failure with its three sentences, where no error of llmflow fits."""

    def __init__(self, status: int, error: str, allowed: str, then: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, problem(error, allowed, then), dict(headers) if headers else None)


def problem(error: str, allowed: str, then: str) -> dict[str, str]:
    """Return the body of a failure, in English until `in_words` makes it what the reader wants."""
    return {"error": error, "allowed": allowed, "next": then}


def in_words(body: Mapping[str, str], language: str) -> dict[str, str]:
    """Return a body in a language; lone surrogates of what was sent become question marks, since they cannot be sent back."""
    return {name: in_language(text, language).encode("utf-8", "replace").decode() for name, text in body.items()}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route's `responses=` says of its failures."""
    return {status: {"model": ProblemOut, "description": HTTPStatus(status).phrase} for status in statuses}


UNEXPECTED = problem(said("server.failed"), said("server.your_request"), said("server.again"))
_AGAIN = said("server.again")
_KINDS: tuple[tuple[type[LlmflowError], int, str, str], ...] = (
    (SignInRequired, 401, said("sign_in.allowed"), said("sign_in.next")),
    (PermissionDenied, 403, said("denied.allowed"), said("denied.next")),
    (NotFound, 404, said("none.allowed"), said("none.next")),
    (NameTaken, 409, said("taken.allowed"), said("taken.next")),
    (AnswerPending, 409, said("pending.allowed"), said("pending.next")),
    (
        PromotionRefused,
        409,
        said("promotion.allowed"),
        said("promotion.next"),
    ),
    (Busy, 429, said("busy.allowed"), said("busy.next")),
    (Refused, 422, said("refused.allowed"), said("refused.next")),
    (StoreUnavailable, 503, said("away.allowed"), _AGAIN),
    (ModelUnavailable, 503, said("away.allowed"), _AGAIN),
    (LlmflowError, 500, said("away.allowed"), _AGAIN),
)
"""The first kind that fits decides the status; an error that knows better has `allowed` and `then` of its own."""


def describe(exc: Exception, language: str = "en") -> tuple[int, dict[str, str]]:
    """Return status and body of a failure; what nobody raised on purpose tells nothing of itself."""
    status, body = _described(exc)
    return status, in_words(body, language)


def _described(exc: Exception) -> tuple[int, dict[str, str]]:
    for kind, status, allowed, then in _KINDS:
        if isinstance(exc, kind):
            return status, problem(str(exc), getattr(exc, "allowed", allowed), getattr(exc, "then", then))
    if isinstance(exc, StarletteHTTPException):
        known = exc.detail if isinstance(exc.detail, dict) else None
        return exc.status_code, known or problem(f"{exc.detail}.", said("route.known"), said("route.check_short"))
    return 500, dict(UNEXPECTED)


def failure_response(request: Request, exc: Exception) -> JSONResponse:
    """Return the answer to a request that failed."""
    status, body = describe(exc, language_of(request))
    if status == 422 and request.url.path.startswith(OPENAI_PREFIX):
        status = 400  # what OpenAI's API says of a request that it cannot carry out
    headers = dict(getattr(exc, "headers", None) or {})
    ready = getattr(exc, "body", None)
    if status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return JSONResponse(_traced(request, ready or shaped(request.url.path, status, body)), status_code=status, headers=headers)


def shaped(path: str, status: int, body: Mapping[str, str], param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """Return a failure's body as clients of `path` read it."""
    if not path.startswith(OPENAI_PREFIX):
        return dict(body)
    kinds = {401: "authentication_error", 403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    message = " ".join(body[key] for key in ("error", "next") if body.get(key))
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def install_error_handlers(app: FastAPI) -> None:
    """Make every failure of `app` answer in the one shape."""

    async def deliberate(request: Request, exc: Exception) -> JSONResponse:
        return failure_response(request, exc)

    async def malformed(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, RequestValidationError)
        status = 400 if request.url.path.startswith(OPENAI_PREFIX) else 422
        faults = exc.errors()
        language = language_of(request)
        body = problem(told(faults, language), said("fields.known"), said("refused.next"))
        param = place(faults[0]).encode("utf-8", "replace").decode() if faults else None
        return JSONResponse(
            _traced(request, shaped(request.url.path, status, in_words(body, language), param)), status_code=status
        )

    async def unexpected(request: Request, exc: Exception) -> JSONResponse:
        with request_context(request.scope.get("trace_id", "")):
            log.error("Unexpected failure of %s", request.url.path, exc_info=exc)
        return failure_response(request, exc)

    app.add_exception_handler(StarletteHTTPException, deliberate)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(LlmflowError, deliberate)
    app.add_exception_handler(Exception, unexpected)


def language_of(request: Request) -> str:
    """Return the language that a request wants its failures in."""
    return wanted_language(request.headers.get("accept-language", ""))


def _traced(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    trace_id = request.scope.get("trace_id", "")
    return {**body, "trace_id": trace_id} if trace_id else body
