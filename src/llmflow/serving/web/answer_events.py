"""What a client is told while an answer is written: the same five events over server-sent events and WebSocket.

session_info  {session, question, answer}     the session, the kept question, the pending answer
stream_start  {message_id}                    the answer begins: its first words follow
stream_token  {message_id, text}              a piece to append
stream_end    {message, context}              the kept answer, whose content replaces the pieces, and the passages it had
error         {error, allowed, next, status, message_id?, trace_id?}
"""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

from llmflow.context import current_language, current_trace_id
from llmflow.errors import LlmflowError
from llmflow.ports import ChatSession, Message
from llmflow.serving.conversations.conversing import SessionAnswer
from llmflow.serving.web.answer_feed import AnswerFeed
from llmflow.serving.web.api_models import PassageOut
from llmflow.serving.web.http_errors import describe
from llmflow.serving.web.session_models import MessageOut, SessionOut
from llmflow.types import Answer

log = logging.getLogger(__name__)

Event = tuple[str, dict[str, Any]]
CONTEXT_PASSAGES = 6
"""Of the passages that were found, how many of the best a client is shown beside those that are cited."""
BEAT: Event = ("", {})
"""Nothing new: keeps a connection from being taken for dead."""


def session_info(session: ChatSession, question: Message | None = None, answer: Message | None = None) -> Event:
    told: dict[str, Any] = {"session": SessionOut.of(session).model_dump(mode="json")}
    told |= {name: MessageOut.of(m).model_dump(mode="json") for name, m in (("question", question), ("answer", answer)) if m}
    return "session_info", told


async def answer_events(feed: AnswerFeed[Message], run: SessionAnswer) -> AsyncIterator[Event]:
    """Yield what follows `session_info`: one `stream_start`, tokens, and `stream_end`; or an `error` in place of the end."""
    message_id = run.pending.id
    begun = False
    try:
        async for item in feed.items():
            if item is None:
                yield BEAT
                continue
            if not begun:
                begun = True
                yield "stream_start", {"message_id": message_id}
            if isinstance(item, str):
                yield "stream_token", {"message_id": message_id, "text": item}
            else:
                yield "stream_end", {"message": MessageOut.of(item).model_dump(mode="json"), "context": context_of(run.answer)}
    except Exception as exc:
        yield error_event(exc, message_id)


def error_event(exc: Exception, message_id: str = "") -> Event:
    """Return what is told of a failure: the three sentences and the status that a request would have got."""
    if not isinstance(exc, LlmflowError):
        log.error("Unexpected failure while answering", exc_info=exc)
    status, body = describe(exc, current_language())
    known = {"message_id": message_id, "trace_id": current_trace_id()}
    return "error", {**body, "status": status, **{name: value for name, value in known.items() if value}}


def context_of(answer: Answer | None) -> list[dict[str, Any]]:
    """Return the passages that an answer was made from: the best that were found and all that it cites, best first."""
    if answer is None:
        return []
    cited = {citation.chunk_id: citation.number for citation in answer.citations}
    shown = [hit for place, hit in enumerate(answer.hits) if place < CONTEXT_PASSAGES or hit.chunk.id in cited]
    return [{**PassageOut.of(hit).model_dump(mode="json"), "cited_as": cited.get(hit.chunk.id)} for hit in shown]


def event_schema(*names: str) -> dict[str, Any]:
    """Return what a description of the API says of one event of a stream."""
    kinds = {"event": {"type": "string", "enum": list(names)}} if names else {}
    data = {"type": "string", "contentMediaType": "application/json"}
    schema = {"type": "object", "properties": {**kinds, "data": data}, "required": [*kinds, "data"]}
    return {"text/event-stream": {"schema": schema}}


def sse(name: str, data: dict[str, Any]) -> str:
    """Return one event of a stream; a comment for a beat."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n" if name else ": still here\n\n"


class EventStream(StreamingResponse):
    """Server-sent events of one answer, which is stopped when the reader goes away, whenever that is."""

    def __init__(self, events: AsyncIterator[str], feed: AnswerFeed[Any]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold the pieces back
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._feed = feed

    async def __call__(self, scope, receive, send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.stop()
