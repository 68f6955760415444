"""The chat over one WebSocket a conversation: WS /ws/chat/{session_id}.

A client sends JSON: `{"type": "ask", "content": "...", "language"?: "ko" | "en", "space"?, "documents"?, "template"?,
"instructions"?, "examples"?}`, `{"type": "again", "message_id": "...", "content"?: "...", "space"?, "documents"?}`,
`{"type": "stop"}` or `{"type": "ping"}`. It is sent the five events of `llmflow.serving.web.answer_events`, each as
`{"type": <event>, ...}`; a ping and the opening are answered by `session_info`. One answer runs at a time. Who asks is looked up
before the socket is accepted and again at every question.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from llmflow.accounts.permissions import Permission
from llmflow.context import current_language
from llmflow.errors import AnswerPending, LlmflowError, PermissionDenied, Refused
from llmflow.ports import MessageStatus
from llmflow.serving.conversations.conversing import Conversations, SessionAnswer
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.answer_events import Event, answer_events, error_event, session_info
from llmflow.serving.web.answer_feed import AnswerFeed
from llmflow.serving.web.http_errors import describe
from llmflow.serving.web.option_models import DocumentIds, OptionsIn, SpaceName, check_question
from llmflow.types import Account, Space
from llmflow.wording import said

log = logging.getLogger(__name__)

MAX_MESSAGE_CHARS = 65_536
SEND_SECONDS = 30.0
"""A client that takes nothing for so long is gone."""
TOO_BIG, GOING_AWAY, INTERNAL = 1009, 1001, 1011
_IDENTITY = ("type", "scheme", "path", "query_string", "headers", "client", "server", "root_path")


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Ask(OptionsIn):
    type: Literal["ask"]
    content: str = ""
    language: Literal["ko", "en"] | None = None

    @model_validator(mode="after")
    def _asked(self) -> Self:
        check_question(self, "content")
        return self


class _Again(_Said):
    type: Literal["again"]
    message_id: str
    content: str | None = None
    language: Literal["ko", "en"] | None = None
    space: SpaceName | None = None
    documents: DocumentIds | None = None


class _Stop(_Said):
    type: Literal["stop"]


class _Ping(_Said):
    type: Literal["ping"]


_SAID: TypeAdapter[_Ask | _Again | _Stop | _Ping] = TypeAdapter(
    Annotated[_Ask | _Again | _Stop | _Ping, Field(discriminator="type")]
)


def make_router(conversations: Conversations, guard: Guard, threads: ThreadPoolExecutor) -> APIRouter:
    """Return the WebSocket route."""
    router = APIRouter()

    @router.websocket("/ws/chat/{session_id}")
    async def chat(socket: WebSocket, session_id: str) -> None:
        try:
            account = await run_in_threadpool(_admit, guard, conversations, socket, session_id)
        except Exception as exc:
            await _deny(socket, exc)
            return
        await socket.accept()
        await _Talk(socket, session_id, conversations, guard, threads, account).run()

    return router


class _Talk:
    """One accepted socket."""

    def __init__(
        self,
        socket: WebSocket,
        session_id: str,
        conversations: Conversations,
        guard: Guard,
        threads: ThreadPoolExecutor,
        account: Account,
    ) -> None:
        self._socket = socket
        self._session_id = session_id
        self._conversations = conversations
        self._guard = guard
        self._threads = threads
        self._account = account
        self._asked_with = {name: socket.scope[name] for name in _IDENTITY if name in socket.scope}
        self._sending = asyncio.Lock()
        self._answer: asyncio.Task[None] | None = None
        self._feed: AnswerFeed[Any] | None = None

    async def run(self) -> None:
        """Read until the client goes, then stop what it had asked for."""
        try:
            await self._greet()
            while True:
                await self._hear(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        except (TimeoutError, KeyError):  # takes nothing any more; sent bytes instead of text
            await self._close(INTERNAL)
        except Exception:
            log.exception("A chat socket failed")
            await self._close(INTERNAL)
        finally:
            await self._leave()

    async def _hear(self, text: str) -> None:
        if len(text) > MAX_MESSAGE_CHARS:
            await self._send(error_event(Refused(said("chat.too_long", most=MAX_MESSAGE_CHARS))))
            await self._close(TOO_BIG)
            raise WebSocketDisconnect(TOO_BIG)
        try:
            heard = _SAID.validate_python(json.loads(text))
        except (ValueError, ValidationError, RecursionError):
            allowed = '{"type": "ask", "content"}, {"type": "again", "message_id"}, {"type": "stop"} or {"type": "ping"}'
            await self._send(error_event(Refused(said("chat.not_understood", allowed=allowed))))
            return
        if isinstance(heard, _Ping):
            await self._greet()
        elif isinstance(heard, _Stop):
            if self._feed is not None:
                self._feed.stop()
        elif self._answer is not None and not self._answer.done():
            await self._send(error_event(AnswerPending(said("chat.pending"))))
        else:
            self._answer = asyncio.create_task(self._tell(lambda: self._begin(heard)))

    def _begin(self, heard: _Ask | _Again) -> SessionAnswer:
        # Signed out or disabled meanwhile: nothing more is answered. The socket's own scope holds what was found at the opening.
        account = self._guard.permit(HTTPConnection(self._asked_with), Permission.CHAT)
        if account.id != self._account.id:
            raise PermissionDenied(said("chat.other_account"))
        if isinstance(heard, _Ask):
            wished = heard.options(), heard.used_template()
            return self._conversations.ask(account, self._session_id, heard.content, heard.language, "websocket", *wished)
        ids, narrowed = (self._session_id, heard.message_id), (Space(heard.space) if heard.space else None, heard.documents)
        return self._conversations.again(account, *ids, heard.content, heard.language, "websocket", *narrowed)

    async def _tell(self, begin: Callable[[], SessionAnswer]) -> None:
        try:
            run = await run_in_threadpool(begin)
        except Exception as exc:
            await self._send(error_event(exc))
            return
        self._feed = feed = AnswerFeed(run, self._threads)
        try:
            session = await run_in_threadpool(self._conversations.session, self._account, self._session_id)
            await self._send(session_info(session, run.question, run.pending))
            async for event in answer_events(feed, run):
                if event[0]:  # the protocol has heartbeats of its own
                    await self._send(event)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            await self._close(GOING_AWAY)
        finally:
            feed.stop()
            self._feed = None

    async def _greet(self) -> None:
        try:
            session = await run_in_threadpool(self._conversations.session, self._account, self._session_id)
        except LlmflowError as exc:
            await self._send(error_event(exc))
            return
        await self._send(session_info(session))

    async def _send(self, event: Event) -> None:
        name, data = event
        text = json.dumps({"type": name, **data}, ensure_ascii=False).encode("utf-8", "replace").decode()
        async with self._sending, asyncio.timeout(SEND_SECONDS):
            await self._socket.send_text(text)

    async def _close(self, code: int) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            if self._socket.application_state == WebSocketState.CONNECTED:
                await self._socket.close(code)

    async def _leave(self) -> None:
        if self._feed is not None:
            self._feed.stop(MessageStatus.STOPPED)
        if self._answer is not None:
            self._answer.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._answer


def _admit(guard: Guard, conversations: Conversations, socket: WebSocket, session_id: str) -> Account:
    account = guard.permit(socket, Permission.CHAT)
    origin = socket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
        raise PermissionDenied(said("chat.origin"))
    conversations.session(account, session_id)
    return account


async def _deny(socket: WebSocket, exc: Exception) -> None:
    """Refuse to open, with the body that a request would have got where the server can send one."""
    status, body = describe(exc, current_language())
    if status == 500:
        log.error("Unexpected failure while opening a chat", exc_info=exc)
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(JSONResponse(body, status_code=status))
    else:
        await socket.close(1008)
