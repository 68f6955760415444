"""Single questions without a conversation: ask, stream, search, open a passage. Nothing of them is kept but figures."""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from llmflow.accounts.permissions import Permission
from llmflow.errors import NotFound, Refused
from llmflow.serving.conversations.answer_run import AnswerRun
from llmflow.serving.conversations.ask_options import checked_documents
from llmflow.serving.conversations.conversing import Conversations
from llmflow.serving.people.auth import Guard
from llmflow.serving.questions import checked_question
from llmflow.serving.service import ChatService
from llmflow.serving.web.answer_events import EventStream, error_event, event_schema
from llmflow.serving.web.answer_feed import AnswerFeed
from llmflow.serving.web.api_models import AnswerOut, AskIn, PassageOut, SearchIn, SearchOut
from llmflow.serving.web.http_errors import problems
from llmflow.types import Account, Answer, Hit, Space
from llmflow.wording import said

_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"content": event_schema("piece", "answer", "error"), "description": "`piece`s, then `answer` or `error`."}
}


def make_router(conversations: Conversations, service: ChatService, guard: Guard, threads: ThreadPoolExecutor) -> APIRouter:
    """Return POST /api/ask, /api/ask/stream, /api/search and GET /api/passages/{chunk_id}."""
    router = APIRouter(tags=["asking"], responses=problems(401, 403, 503))
    asking = Depends(guard.require(Permission.CHAT))

    def begun(account: Account, body: AskIn) -> AnswerRun[Answer]:
        limit = conversations.settings.history_messages
        if len(body.history) > limit:
            raise Refused(said("history.too_long", count=len(body.history), most=limit))
        wished = body.options(), body.used_template()
        return conversations.once(account, body.question, body.turns(), body.language, "api", *wished)

    def searched(account: Account, body: SearchIn) -> list[Hit]:
        question = checked_question(body.question, conversations.settings.max_question_chars)
        slot = conversations.slots.enter(account.id)
        try:
            slot.wait(conversations.settings.wait_s)
            principal = account.principal().narrowed(Space(body.space))
            return service.search(question, principal, body.limit, checked_documents(body.documents))
        finally:
            slot.leave()

    @router.post("/api/ask", responses=problems(404, 422, 429))
    async def ask(body: AskIn, account: Annotated[Account, asking]) -> AnswerOut:
        """Answer a question with numbered citations."""
        feed = AnswerFeed(await run_in_threadpool(begun, account, body), threads)
        try:
            return AnswerOut.of(await feed.complete())
        finally:
            feed.stop()

    @router.post("/api/ask/stream", responses={**_STREAMED, **problems(404, 422, 429)}, response_class=StreamingResponse)
    async def ask_stream(body: AskIn, account: Annotated[Account, asking]) -> EventStream:
        """Server-sent events: `piece` {text} as they come, then one `answer` (as /api/ask), or one `error`."""
        feed = AnswerFeed(await run_in_threadpool(begun, account, body), threads)
        return EventStream(_events(feed), feed)

    @router.post("/api/search", responses=problems(422, 429))
    async def search(body: SearchIn, account: Annotated[Account, asking]) -> SearchOut:
        """Return the readable passages nearest to the question, best first."""
        hits = await asyncio.get_running_loop().run_in_executor(threads, searched, account, body)
        return SearchOut(hits=[PassageOut.of(hit) for hit in hits])

    @router.get("/api/passages/{chunk_id}", responses=problems(404))
    def passage(chunk_id: str, account: Annotated[Account, asking]) -> PassageOut:
        """Return one passage; 404 when it is gone or not readable, without telling which."""
        hit = service.passage(chunk_id, account.principal())
        if hit is None:
            raise NotFound(said("passage.none"))
        return PassageOut.of(hit)

    return router


async def _events(feed: AnswerFeed[Answer]) -> AsyncIterator[str]:
    try:
        async for item in feed.items():
            if item is None:
                yield ": still here\n\n"
            elif isinstance(item, str):
                yield _event("piece", {"text": item})
            else:
                yield _event("answer", AnswerOut.of(item).model_dump(mode="json"))
    except Exception as exc:
        yield _event(*error_event(exc))


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
