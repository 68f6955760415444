"""Accounts for tests of what comes after the sign-in: a request says in its header `who` which one it is of."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from llmflow.errors import SignInRequired
from llmflow.ingestion.masking import Masker, MaskingSettings
from llmflow.ports import AnswerEvent
from llmflow.serving.application import answer_threads
from llmflow.serving.conversations.conversing import Answers, Conversations, ConversingSettings
from llmflow.serving.people.auth import Guard
from llmflow.serving.people.gate import add_gate
from llmflow.serving.routers import asking
from llmflow.serving.web.access_log import install_access_log
from llmflow.serving.web.http_errors import install_error_handlers
from llmflow.serving.web.middleware import SecurityHeaders
from llmflow.types import Account, AskOptions, ChatTurn, Principal, Role


def person(name: str, *groups: str, tenant: str = "acme", role: Role = Role.USER) -> Account:
    """Return an account whose id is its name."""
    return Account(name, tenant, name, f"{name} of {tenant}", role, groups)


def guard_of(*people: Account, home_tenant: str = "acme") -> Guard:
    known = {account.name: account for account in people}

    def identify(connection: HTTPConnection) -> Account:
        name = connection.headers.get("who", "")
        if name not in known:
            raise SignInRequired("Nobody is signed in.")
        return known[name]

    return Guard(identify, home_tenant)


class _Uncounted:
    """An event log that keeps nothing."""

    def record(self, event: AnswerEvent) -> None:
        pass


def asking_app(service: Any, settings: ConversingSettings, guard: Guard, answers: Answers | None = None) -> FastAPI:
    """Return the routes of single questions behind the gate, with no page and no store; `service` answers itself by default."""

    def own_answers(
        question: str, principal: Principal, session_id: str, history: Sequence[ChatTurn], language: str | None,
        options: AskOptions,
    ):  # fmt: skip
        return service.stream(question, principal.narrowed(options.space), history, language)

    mask = Masker(MaskingSettings()).mask
    conversations = Conversations(None, _Uncounted(), answers or own_answers, mask, settings)  # type: ignore[arg-type]
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(asking.make_router(conversations, service, guard, answer_threads(settings)))
    add_gate(app, guard)
    app.add_middleware(SecurityHeaders)
    install_access_log(app)
    return app
