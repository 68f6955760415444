"""The HTTP API as one FastAPI application: every router, one shape of failures, documented at /openapi.json.

Pages are mounted on it by their apps; this module knows none of them.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from starlette.concurrency import run_in_threadpool

from llmflow import __version__
from llmflow.errors import LlmflowError
from llmflow.ingestion.prepare import load_masker
from llmflow.ports import EventLog, TemplateStore
from llmflow.serving.catalog import Workspace
from llmflow.serving.chat import WorkspaceChat
from llmflow.serving.conversations.conversing import Conversations, ConversingSettings
from llmflow.serving.operating.assembly import Operating, build_operating
from llmflow.serving.operating.metrics import MetricsMiddleware
from llmflow.serving.people.auth import Guard
from llmflow.serving.people.gate import add_gate
from llmflow.serving.routers import asking, chat_socket, openai, sessions, templates
from llmflow.serving.service import ChatService
from llmflow.serving.web.access_log import install_access_log
from llmflow.serving.web.http_errors import HttpProblem, install_error_handlers
from llmflow.serving.web.middleware import BodyLimit, SecurityHeaders
from llmflow.types import Answer, AskOptions, ChatTurn, Principal
from llmflow.wording import said

log = logging.getLogger(__name__)

DESCRIPTION = """Documents and conversations of one organisation. Every route but /healthz and the sign-in needs an account: a
browser's session (cookie) or a key for programs (`Authorization: Bearer lf-...`). What an answer may read follows from the
account and from nothing that a request says. Failures are JSON: `error` says what was wrong, `allowed` what is accepted, `next`
what to do."""


@dataclass(frozen=True)
class Services:
    """What stands behind the API, made once a process."""

    guard: Guard
    conversations: Conversations
    chat: ChatService
    templates: TemplateStore
    threads: ThreadPoolExecutor
    """On which answers are written and wait for their turn."""
    operating: Operating | None = None
    """Documents, jobs, operation and administration; without it the application has none of their routes."""

    def start(self) -> None:
        """Mark what a process that died left unfinished, and take up its jobs."""
        if self.operating is not None:
            self.operating.start()
        try:
            left = self.conversations.start()
        except LlmflowError as exc:
            log.error("Unfinished answers could not be looked for: %s", exc)  # whoever asks is told the same
            return
        if left:
            log.warning("%d answers were left unfinished by a process that died; what had come of them is kept", left)

    def close(self) -> None:
        """Keep what runs as interrupted, finish the jobs at hand and let the threads end; stores stay open."""
        self.conversations.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
        if self.operating is not None:
            self.operating.stop()


def open_services(workspace: Workspace, guard: Guard, settings: ConversingSettings) -> Services:
    """Return the services of a workspace, which stays the caller's to close."""
    operating, chat = build_operating(workspace), WorkspaceChat(workspace)
    conversations = make_conversations(workspace, chat, settings, operating.events)
    return Services(guard, conversations, chat, workspace.application.templates, answer_threads(settings), operating)


def answer_threads(settings: ConversingSettings) -> ThreadPoolExecutor:
    """Return threads enough for every answer that runs or waits."""
    return ThreadPoolExecutor(settings.at_once + settings.waiting, "answer")


def make_conversations(
    workspace: Workspace, chat: WorkspaceChat, settings: ConversingSettings, events: EventLog
) -> Conversations:
    """Return the conversations of a workspace: its state database, its converser, its masker."""
    store = workspace.application.conversations
    masker = load_masker(workspace.ingestion.preparation.masking)

    def answers(
        question: str,
        principal: Principal,
        session_id: str,
        history: Sequence[ChatTurn],
        language: str | None,
        options: AskOptions,
    ) -> Iterator[str | Answer]:
        return chat.converser.stream(question, principal, session_id, history, language, options)

    def forget(session_id: str) -> None:
        workspace.converser.forget(session_id)

    def disliked(tenant: str, text: str) -> None:
        workspace.converser.disliked(tenant, text)

    return Conversations(store, events, answers, masker.mask, settings, forget, disliked, workspace.application.templates)


def make_application(services: Services, title: str = "llmflow", routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the API: conversations, single questions, OpenAI-compatible routes, templates, operation, and `routers`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(services.start)
        yield
        await run_in_threadpool(services.close)

    app = FastAPI(
        title=title,
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # both would load scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
    )
    install_error_handlers(app)
    guard, threads, conversations, operating = services.guard, services.threads, services.conversations, services.operating
    for router in (
        sessions.make_router(conversations, guard, threads),
        chat_socket.make_router(conversations, guard, threads),
        openai.make_router(conversations, guard, threads),
        asking.make_router(conversations, services.chat, guard, threads),
        templates.make_router(services.templates, guard),
        *(operating.routers(guard) if operating else ()),
        *routers,
    ):
        app.include_router(router)
    app.include_router(_unknown())
    add_gate(app, guard)
    app.add_middleware(BodyLimit, elsewhere=("/api/documents", "/gradio_api/"))
    app.add_middleware(SecurityHeaders)
    if operating is not None:
        app.add_middleware(MetricsMiddleware, metrics=operating.metrics)
    install_access_log(app)
    return app


def _unknown() -> APIRouter:
    """Return the route that answers for every address under /api and /v1 that is none, before a page's mount would."""
    router = APIRouter()

    def unknown(path: str, request: Request) -> None:
        error = f"There is no {request.method} {request.url.path}."
        raise HttpProblem(404, error, said("route.known"), said("route.check"))

    for prefix in ("/api", "/v1"):
        router.add_api_route(
            prefix + "/{path:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
        )
    return router
