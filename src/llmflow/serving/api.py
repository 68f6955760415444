"""The HTTP API of the chat: ask, stream, search, open a passage, health.

Every failure is JSON with the same three keys: `error` says what was wrong, `allowed` what is accepted, `next` what to do.
Who asks is decided by the injected `Guard`; nothing in a request body can name a tenant or a group.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field

from llmflow.accounts.permissions import Permission
from llmflow.config import Settings
from llmflow.errors import LlmflowError, ModelUnavailable
from llmflow.serving.api_models import AnswerOut, AskIn, PassageOut, SearchIn, SearchOut
from llmflow.serving.auth import Guard
from llmflow.serving.http_errors import UNEXPECTED, HttpProblem, describe
from llmflow.serving.questions import QuestionProblem, clean_question, question_problem
from llmflow.serving.service import ChatService
from llmflow.types import Account, Answer, ChatTurn

log = logging.getLogger(__name__)


class ChatApiSettings(Settings):
    """Limits of the API."""

    max_question_chars: int = Field(default=2000, ge=1)
    max_history_turns: int = Field(default=20, ge=0)
    concurrency_limit: int = Field(default=8, ge=1)  # questions answered at once; more are told to come back


class _SlotStream(StreamingResponse):
    """An event stream that gives its slot back when it ends, however it ends."""

    def __init__(self, events: Iterator[str], release: Callable[[], None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold the pieces back
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._release = release

    async def __call__(self, scope, receive, send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


def make_health_router(service: ChatService) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    def health() -> JSONResponse:
        """Say whether questions can be answered: 200 with status `ok`, else 503."""
        body = {"status": "ok", **service.health()}
        return JSONResponse(body, status_code=200 if body["status"] == "ok" else 503)

    return router


def make_router(service: ChatService, settings: ChatApiSettings, guard: Guard) -> APIRouter:
    """Return the routes: GET /healthz, POST /api/ask, /api/ask/stream, /api/search, GET /api/passages/{chunk_id}.

    At most `concurrency_limit` questions run at once over all callers; the next one gets 503 with Retry-After.
    """
    router = APIRouter()
    may_ask = Depends(guard.require(Permission.CHAT))
    slots = threading.BoundedSemaphore(settings.concurrency_limit)

    def take_slot() -> None:
        if not slots.acquire(blocking=False):
            limit = settings.concurrency_limit
            raise HttpProblem(503, "Too many questions at once.", f"At most {limit} at a time.", "Ask again in a few seconds.")

    def checked(text: str) -> str:
        question = clean_question(text)
        fault = question_problem(question, settings.max_question_chars)
        if fault is not None:
            raise _refuse_question(fault, question, settings.max_question_chars)
        return question

    def checked_turns(body: AskIn) -> tuple[ChatTurn, ...]:
        if len(body.history) > settings.max_history_turns:
            limit = settings.max_history_turns
            raise HttpProblem(
                422, f"The history has {len(body.history)} turns.", f"At most {limit}.", "Send the newest turns only."
            )
        return body.turns()

    router.include_router(make_health_router(service))

    @router.post("/api/ask")
    def ask(body: AskIn, account: Annotated[Account, may_ask]) -> AnswerOut:
        """Answer a question with numbered citations."""
        question, turns = checked(body.question), checked_turns(body)
        take_slot()
        try:
            answer = _complete(service.stream(question, account.principal(), turns, body.language))
        finally:
            slots.release()
        return AnswerOut.of(answer)

    @router.post("/api/ask/stream", response_class=StreamingResponse)
    def ask_stream(body: AskIn, account: Annotated[Account, may_ask]) -> StreamingResponse:
        """Server-sent events: `piece` {text} as they come, then one `answer` (as /api/ask), or one `error`."""
        question, turns = checked(body.question), checked_turns(body)
        take_slot()
        return _SlotStream(_events(service.stream(question, account.principal(), turns, body.language)), slots.release)

    @router.post("/api/search")
    def search(body: SearchIn, account: Annotated[Account, may_ask]) -> SearchOut:
        """Return the readable passages nearest to the question, best first."""
        hits = service.search(checked(body.question), account.principal(), body.limit)
        return SearchOut(hits=[PassageOut.of(hit) for hit in hits])

    @router.get("/api/passages/{chunk_id}")
    def passage(chunk_id: str, account: Annotated[Account, may_ask]) -> PassageOut:
        """Return one passage; 404 when it is gone or not readable, without telling which."""
        hit = service.passage(chunk_id, account.principal())
        if hit is None:
            raise HttpProblem(
                404, "There is no such passage.", "Passages that you may read.", "Search again for a current passage."
            )
        return PassageOut.of(hit)

    @router.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    def unknown(path: str, request: Request) -> None:
        error = f"There is no {request.method} /api/{path}."
        raise HttpProblem(404, error, "The routes in /openapi.json.", "Check the address and the method.")

    return router


def _events(items: Iterator[str | Answer]) -> Iterator[str]:
    try:
        for item in items:
            if isinstance(item, Answer):
                yield _event("answer", AnswerOut.of(item).model_dump(mode="json"))
                return
            yield _event("piece", {"text": item})
        yield _event("error", UNEXPECTED)
    except LlmflowError as exc:
        yield _event("error", describe(exc)[1])
    except Exception:
        log.exception("Unexpected failure while streaming an answer")
        yield _event("error", UNEXPECTED)


def _event(name: str, data: dict) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _complete(items: Iterator[str | Answer]) -> Answer:
    for item in items:
        if isinstance(item, Answer):
            return item
    raise ModelUnavailable("The model stopped before the answer was complete.")


def _refuse_question(problem: QuestionProblem, question: str, limit: int) -> HttpProblem:
    allowed = f"1 to {limit} characters of text; line breaks and tabs are fine."
    match problem:
        case "empty":
            return HttpProblem(422, "The question is empty.", allowed, "Write a question.")
        case "too_long":
            return HttpProblem(422, f"The question has {len(question)} characters.", allowed, "Shorten the question.")
        case "control":
            return HttpProblem(422, "The question contains control characters.", allowed, "Remove them, or paste as plain text.")
