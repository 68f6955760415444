"""A small API in the shapes of the real one, over frozen values: what the dashboard's pages are tested against."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from admin_values import (
    ANSWER,
    BROKEN,
    CORPUS,
    DAYS,
    DOCUMENT,
    ENTRY,
    FEEDBACK,
    HEALTH,
    INTACT,
    JOB,
    METRICS,
    MODELS,
    NOTHING,
    PII,
    QUALITY,
    QUESTION,
    RELEASED,
    RETRIEVAL,
    ROW,
    SESSION,
    SPEAKING,
    account,
    usage,
)
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from serving_process import wait_until

from apps.admin import shapes
from apps.admin import shapes_running as running
from llmflow.accounts.permissions import permissions_of
from llmflow.types import Account, Role

PASSWORD = "correct horse"
KEY = "lf-test-key"


@dataclass
class Told:
    """What the API was asked to do, and how it behaves."""

    role: Role = Role.ADMINISTRATOR
    empty: bool = False
    released: bool = False
    """An administrator has taken the first document as it stands."""
    expired: bool = False
    must_change_password: bool = False
    broken: int = 0
    """Entry at which the audit's chain breaks; 0: it holds."""
    acts: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path and body of every request that changes something."""
    asked: list[str] = field(default_factory=list)
    """Path and query of every reading request."""


def create_api(told: Told) -> FastAPI:
    """Return the API; it behaves as `told` says at the moment of each request."""
    app = FastAPI()

    @app.middleware("http")
    async def remember(request: Request, call_next: Any) -> Any:
        if request.method == "GET":
            told.asked.append(f"{request.url.path}?{request.url.query}")
        elif "/auth/" not in request.url.path:
            body = await request.body()
            told.acts.append((request.method, request.url.path, _read(body, request.query_params.get("reason"))))
        return await call_next(request)

    def who(request: Request) -> None:
        key = request.headers.get("authorization") == f"Bearer {KEY}"
        if told.expired or not (key or request.cookies.get("llmflow_session") == "ticket"):
            raise _Problem(401, "Nobody is signed in.", "A session or a key.", "Sign in.")

    @app.exception_handler(_Problem)
    async def problem(_request: Request, exc: _Problem) -> JSONResponse:
        return JSONResponse({"error": exc.error, "allowed": exc.allowed, "next": exc.next_step}, exc.status)

    _add_sign_in(app, told, who)
    for path, shape, value in _readings():
        _add_reading(app, path, shape, value, told, who)
    _add_acts(app, who)
    return app


class _Problem(Exception):
    def __init__(self, status: int, error: str, allowed: str, next_step: str):
        self.status, self.error, self.allowed, self.next_step = status, error, allowed, next_step


def _add_sign_in(app: FastAPI, told: Told, who: Any) -> None:
    @app.post("/api/auth/sign-in")
    def sign_in(body: dict[str, str], response: Response) -> dict[str, str]:
        if body.get("password") not in (PASSWORD, "a new password"):
            raise _Problem(401, "Name or password is wrong.", "Five tries.", "Ask an administrator.")
        response.set_cookie("llmflow_session", "ticket", httponly=True)
        return {}

    @app.post("/api/auth/sign-out", dependencies=[Depends(who)], status_code=204)
    def sign_out() -> None:
        told.acts.append(("POST", "/api/auth/sign-out", b""))

    @app.get("/api/auth/me", dependencies=[Depends(who)], response_model=shapes.Me)
    def me() -> Any:
        known = account("admin", told.role, must_change_password=told.must_change_password) | {"notice": ""}
        person = Account(known["id"], "hanbit", "admin", "admin", told.role, must_change_password=told.must_change_password)
        return known | {"permissions": sorted(permissions_of(person, "hanbit")), "mode": "accounts", "home_tenant": "hanbit"}

    @app.post("/api/auth/password", dependencies=[Depends(who)])
    def password(body: dict[str, str], response: Response) -> dict[str, str]:
        told.acts.append(("POST", "/api/auth/password", body))
        told.must_change_password = False
        response.set_cookie("llmflow_session", "ticket", httponly=True)
        return {}


def _read(body: bytes, reason: str | None) -> Any:
    """Return a body with the reason that came beside it; what is no JSON stays bytes."""
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        return body
    return read | ({"reason": reason} if reason else {})


def _listed(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "total": len(items)}


def _readings() -> list[tuple[str, Any, Any]]:
    people = _listed(account("admin", Role.ADMINISTRATOR), account("lee", groups=["hr", "it"]), account("off", disabled=True))
    entries = _listed(ENTRY, ENTRY | {"number": 1, "action": "account.sign_in", "target": ""})
    return [
        ("/api/users", shapes.Listed[shapes.Account], people),
        ("/api/groups", shapes.Listed[shapes.Group], _listed({"name": "hr", "members": 2}, {"name": "it", "members": 1})),
        ("/api/documents", shapes.Listed[shapes.Document], _listed(DOCUMENT, BROKEN)),
        ("/api/documents/d-1/instructions", shapes.Listed[shapes.Speaking], _listed(SPEAKING)),
        ("/api/jobs", shapes.Listed[shapes.Job], _listed(JOB)),
        ("/api/corpus", shapes.Corpus, CORPUS),
        ("/api/health", running.Health, HEALTH),
        ("/api/models", running.Models, MODELS),
        ("/api/retrieval", running.Retrieval, RETRIEVAL),
        ("/api/admin/usage", running.UsageReport, None),
        ("/api/admin/quality", running.Quality, QUALITY),
        ("/api/admin/conversations", shapes.Listed[shapes.Session], _listed(SESSION)),
        ("/api/admin/conversations/s-1", shapes.Listed[shapes.Message], _listed(QUESTION, ANSWER)),
        ("/api/admin/feedback", shapes.Listed[shapes.Feedback], _listed(FEEDBACK)),
        ("/api/admin/audit", shapes.Listed[shapes.Entry], entries),
        ("/api/admin/audit/verify", shapes.Verification, INTACT),
        ("/api/admin/pii", shapes.Listed[shapes.PiiCount], _listed(*PII)),
    ]


EMPTY: dict[str, Any] = {
    "/api/corpus": {key: type(value)() for key, value in CORPUS.items()},
    "/api/health": {"status": "ok", "parts": HEALTH["parts"][:1]},
    "/api/models": {"served": None, "versions": [], "history": []},
    "/api/retrieval": RETRIEVAL
    | {"served": {"id": "c0", "label": "conf", "origin": "conf"}, "previous": None, "verdicts": [], "history": []},
    "/api/admin/quality": {"answers": [], "feedback": [], "reports": []},
    "/api/admin/audit/verify": INTACT | {"entries": 0},
}


def _add_reading(app: FastAPI, path: str, shape: Any, value: Any, told: Told, who: Any) -> None:
    @app.get(path, response_model=shape, dependencies=[Depends(who)], name=path)
    def read(request: Request) -> Any:
        if path == "/api/admin/usage":
            return _usage(told, request.query_params)
        if told.broken and path == "/api/admin/audit/verify":
            return INTACT | {"ok": False, "broken": told.broken, "fault": "It was changed."}
        if told.empty:
            return EMPTY.get(path, _listed())
        if told.released and path == "/api/documents":
            return _filtered(_listed(RELEASED, BROKEN), request.query_params.get("status"))
        return _filtered(value, request.query_params.get("status")) if path in ("/api/documents", "/api/jobs") else value


def _filtered(listed: dict[str, Any], status: str | None) -> dict[str, Any]:
    return _listed(*[item for item in listed["items"] if status in (None, item["status"])])


def _usage(told: Told, asked: Any) -> dict[str, Any]:
    days = [] if told.empty else [day for day in DAYS if asked["since"] <= day["key"] < asked["until"]]
    questions = sum(day["questions"] for day in days)
    parts = {"day": days, "group": [usage("hr", 90), usage("(none)", 50)], "model": [usage("extractive", 140)]}
    rows = parts[asked["by"]] if questions else []
    items = [*rows, usage("total", questions) if questions else NOTHING]
    return {"items": items, "total": len(items), "currency": "USD"}


def _add_acts(app: FastAPI, who: Any) -> None:
    signed_in = [Depends(who)]

    @app.post("/api/users", response_model=shapes.NewAccount, dependencies=signed_in)
    def create(body: dict[str, Any]) -> Any:
        return account(body["name"], body["role"], groups=body["groups"], one_time_password="one-time-word")

    @app.post("/api/users/{user_id}/password-reset", response_model=shapes.NewPassword, dependencies=signed_in)
    def reset(user_id: str) -> Any:
        return {"one_time_password": "another-word"}

    @app.patch("/api/users/{user_id}", response_model=shapes.Account, dependencies=signed_in)
    def change(user_id: str, body: dict[str, Any]) -> Any:
        return account(user_id.removeprefix("a-"), **body)

    accepted = {"document": DOCUMENT, "job": JOB | {"status": "waiting"}}
    for method, path, shape, value in (
        ("POST", "/api/documents", shapes.Accepted, accepted),
        ("POST", "/api/documents/{id}/reindex", shapes.Accepted, accepted),
        ("POST", "/api/documents/{id}/release", shapes.Accepted, accepted),
        ("DELETE", "/api/documents/{id}/release", shapes.Accepted, accepted),
        ("DELETE", "/api/documents/{id}", shapes.Deleted, {"deleted": "d-1", "job": None}),
        ("DELETE", "/api/users/{id}", shapes.Removed, {"removed": {"sessions": 1}}),
        ("POST", "/api/groups", None, None),
        ("DELETE", "/api/groups/{name}", None, None),
        ("POST", "/api/models/promote", running.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/models/rollback", running.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/retrieval/promote", running.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/retrieval/rollback", running.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/admin/conversations/export", shapes.Snapshot, {"items": [ROW], "total": 1, "snapshot": "5a5a"}),
    ):
        app.add_api_route(path, _answering(value), methods=[method], response_model=shape, dependencies=signed_in)

    @app.get("/metrics", dependencies=signed_in)
    def metrics() -> Response:
        return Response(METRICS, media_type="text/plain")


def _answering(value: Any) -> Any:
    def answer() -> Any:
        return value

    return answer


@contextmanager
def served(told: Told) -> Iterator[str]:
    """Serve the API on a free port of the loopback interface and yield its address."""
    server = uvicorn.Server(uvicorn.Config(create_api(told), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the API to listen")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
