"""Conversations over HTTP: sessions, messages, answers as JSON or as server-sent events, feedback, export."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from llmflow.accounts.permissions import Permission
from llmflow.serving.conversations.conversing import Conversations, SessionAnswer
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.answer_events import EventStream, answer_events, context_of, event_schema, session_info, sse
from llmflow.serving.web.answer_feed import AnswerFeed
from llmflow.serving.web.http_errors import problems
from llmflow.serving.web.session_models import (
    AgainIn,
    AnswerMessageOut,
    ContextOut,
    FeedbackIn,
    MessageIn,
    MessageOut,
    MessagesOut,
    RenameIn,
    SessionIn,
    SessionOut,
    SessionsOut,
)
from llmflow.types import Account, Space

EVENTS = "text/event-stream"
_ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The kept answer; with `Accept: text/event-stream` the events session_info, stream_start, stream_token, "
        "stream_end and error as they come.",
        "content": event_schema("session_info", "stream_start", "stream_token", "stream_end", "error"),
    },
    **problems(401, 403, 404, 409, 422, 429, 503),
}
_EXPORTED = {
    200: {
        "content": {"application/json": {"schema": {"type": "object"}}, "text/markdown": {"schema": {"type": "string"}}},
        "description": "The conversation as a file.",
    }
}


def make_router(conversations: Conversations, guard: Guard, threads: ThreadPoolExecutor) -> APIRouter:
    """Return the routes under /api/sessions, and POST /api/messages/{message_id}/feedback."""
    router = APIRouter(tags=["sessions"], responses=problems(401, 403))
    asking = Depends(guard.require(Permission.CHAT))

    @router.get("/api/sessions")
    def sessions(
        account: Annotated[Account, asking],
        search: Annotated[str, Query(max_length=200, description="In titles and messages.")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> SessionsOut:
        """List the own conversations, the one that was used last first."""
        found, total = conversations.sessions(account, search, limit, offset)
        return SessionsOut(items=[SessionOut.of(session) for session in found], total=total)

    @router.post("/api/sessions", status_code=201, responses=problems(422))
    def create(account: Annotated[Account, asking], body: SessionIn | None = None) -> SessionOut:
        """Begin a conversation."""
        return SessionOut.of(conversations.create(account, body.title if body else ""))

    @router.get("/api/sessions/{session_id}", responses=problems(404))
    def session(session_id: str, account: Annotated[Account, asking]) -> SessionOut:
        return SessionOut.of(conversations.session(account, session_id))

    @router.patch("/api/sessions/{session_id}", responses=problems(404, 422))
    def rename(session_id: str, body: RenameIn, account: Annotated[Account, asking]) -> SessionOut:
        """Give a conversation another title."""
        return SessionOut.of(conversations.rename(account, session_id, body.title))

    @router.delete("/api/sessions/{session_id}", status_code=204, responses=problems(404))
    def delete(session_id: str, account: Annotated[Account, asking]) -> None:
        """Delete a conversation with everything in it."""
        conversations.delete(account, session_id)

    @router.get("/api/sessions/{session_id}/messages", responses=problems(404))
    def messages(
        session_id: str,
        account: Annotated[Account, asking],
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        offset: Annotated[int, Query(ge=0, le=1_000_000, description="Ordinal of the first message.")] = 0,
    ) -> MessagesOut:
        """List the messages of a conversation in order."""
        total = conversations.session(account, session_id).messages
        found = conversations.messages(account, session_id, offset - 1, limit)
        return MessagesOut(items=[MessageOut.of(message) for message in found], total=total)

    @router.post("/api/sessions/{session_id}/messages", responses=_ANSWERED, response_model=AnswerMessageOut)
    async def ask(session_id: str, body: MessageIn, account: Annotated[Account, asking], request: Request) -> Any:
        """Ask the next question. Going away before the end stops the answer, and what has come is kept."""
        wished = body.options(), body.used_template()
        run = await run_in_threadpool(conversations.ask, account, session_id, body.content, body.language, "api", *wished)
        return await answered(request, account, run)

    @router.post("/api/sessions/{session_id}/messages/{message_id}/again", responses=_ANSWERED, response_model=AnswerMessageOut)
    async def again(
        session_id: str, message_id: str, account: Annotated[Account, asking], request: Request, body: AgainIn | None = None
    ) -> Any:
        """Answer a question anew, or an edited one; what came after it is removed. The id is the question's or the answer's."""
        content, language, space = (body.content, body.language, body.space) if body else (None, None, None)
        wished = content, language, "api", Space(space) if space else None, body.documents if body else None
        run = await run_in_threadpool(conversations.again, account, session_id, message_id, *wished)
        return await answered(request, account, run)

    @router.delete("/api/sessions/{session_id}/memory", responses=problems(404))
    def forget(session_id: str, account: Annotated[Account, asking]) -> SessionOut:
        """Let later answers know nothing of what was said so far; the messages stay."""
        return SessionOut.of(conversations.forget_memory(account, session_id))

    @router.get("/api/sessions/{session_id}/export", responses={**_EXPORTED, **problems(404)}, response_class=Response)
    def export(
        session_id: str, account: Annotated[Account, asking], format: Literal["json", "markdown"] = "markdown"
    ) -> Response:
        """Download a conversation, as JSON or as Markdown with its citations as footnotes."""
        text = conversations.export(account, session_id, format)
        kind, suffix = ("application/json", "json") if format == "json" else ("text/markdown; charset=utf-8", "md")
        headers = {"Content-Disposition": f'attachment; filename="conversation.{suffix}"', "Cache-Control": "no-store"}
        return Response(text.encode("utf-8", "replace"), media_type=kind, headers=headers)

    @router.post("/api/messages/{message_id}/feedback", responses=problems(404, 422))
    def feedback(message_id: str, body: FeedbackIn, account: Annotated[Account, asking]) -> MessageOut:
        """Judge an answer; the newest judgement holds."""
        return MessageOut.of(conversations.rate(account, message_id, body.rating, body.reason, body.correction))

    async def answered(request: Request, account: Account, run: SessionAnswer) -> Any:
        feed = AnswerFeed(run, threads)
        if EVENTS in request.headers.get("accept", ""):
            opening = sse(*session_info(await run_in_threadpool(conversations.session, account, run.question.session_id),
                                        run.question, run.pending))  # fmt: skip
            return EventStream(_stream(opening, feed, run), feed)
        try:
            message = await feed.complete()
        finally:
            feed.stop()
        context = [ContextOut(**passage) for passage in context_of(run.answer)]
        return AnswerMessageOut(question=MessageOut.of(run.question), message=MessageOut.of(message), context=context)

    return router


async def _stream(opening: str, feed: AnswerFeed, run: SessionAnswer) -> AsyncIterator[str]:
    yield opening
    async for event in answer_events(feed, run):
        yield sse(*event)
