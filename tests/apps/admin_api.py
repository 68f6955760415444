"""A small API in the shapes of the real one, over frozen values: what the dashboard's pages are tested against. It keeps what it was told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from running import free_port
from serving_process import wait_until

from apps.admin import shapes
from llmflow.accounts.permissions import permissions_of
from llmflow.types import Account, Role

PASSWORD = "correct horse"
KEY = "lf-test-key"
TODAY = datetime.now(UTC).date()


@dataclass
class Told:
    """What the API was asked to do, and how it behaves."""

    role: Role = Role.ADMINISTRATOR
    empty: bool = False
    expired: bool = False
    must_change_password: bool = False
    acts: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path and body of every request that changes something."""
    asked: list[str] = field(default_factory=list)
    """Path and query of every reading request."""


def account(name: str, role: Role = Role.USER, **more: Any) -> dict[str, Any]:
    known = {"id": f"a-{name}", "tenant": "hanbit", "name": name, "display_name": f"{name} 님", "role": role, "groups": ["hr"]}
    return known | {"created_at": "2026-11-01T09:00:00+00:00", "seen_at": "2026-11-25T09:30:00+00:00"} | more


def usage(key: str, questions: int, **more: Any) -> dict[str, Any]:
    share = {"people": 4, "errors": questions // 20, "refused": questions // 10, "cached": questions // 5}
    times = {"latency_p50_ms": 420.0, "latency_p95_ms": 2300.0, "ttft_p50_ms": 180.0, "ttft_p95_ms": 900.0}
    return {"key": key, "questions": questions, "prompt_tokens": questions * 900, "completion_tokens": questions * 120} | share | times | more


NOTHING = usage("", 0, people=0, latency_p50_ms=None, latency_p95_ms=None, ttft_p50_ms=None, ttft_p95_ms=None)
DAYS = [usage((TODAY - timedelta(days=back)).isoformat(), 20 * (back + 1)) for back in range(6, -1, -1)]
DOCUMENT = {
    "id": "d-1", "source": "hr/leave.md", "name": "leave.md", "title": "휴가 규정", "format": "md", "status": "ready", "reason": "",
    "groups": ["hr"], "space": "shared", "size": 2048, "pages": None, "chunks": 7, "pii": {"phone": 2},
    "updated_at": "2026-11-24T10:00:00+00:00",
}  # fmt: skip
BROKEN = DOCUMENT | {"id": "d-2", "source": "it/old.pdf", "name": "old.pdf", "title": "old", "format": "pdf", "status": "failed",
                     "chunks": 0, "reason": "The file is encrypted. Save it without a password."}  # fmt: skip
JOB = {"id": "j-1", "kind": "ingest", "document_id": "d-1", "source": "hr/leave.md", "status": "running", "progress": 0.4,
       "note": "2 of 5", "attempts": 1, "created_at": "2026-11-25T09:00:00+00:00", "updated_at": "2026-11-25T09:01:00+00:00"}  # fmt: skip
CHECK = {"name": "task interval", "passed": True, "value": 0.01, "limit": -0.02, "reason": "The task changes by +2.0 points."}
VERDICT = {"id": "b1", "label": "hybrid", "decision": "PROMOTE", "champion": "a0", "made_at": "2026-11-24T08:00:00+00:00", "reasons": []}
CHANGE = {"action": "promote", "id": "a0", "before": "c0", "at": "2026-11-20T08:00:00+00:00", "by": "kim", "reason": "better in Korean"}
RETRIEVAL = {
    "served": {"id": "a0", "label": "first", "origin": "promoted", "since": "2026-11-20T08:00:00+00:00", "by": "kim", "reason": "better"},
    "settings": {"channels": ["text", "dense"], "fusion": {"method": "minmax"}}, "previous": {"id": "c0", "label": "conf"},
    "configured": "c0", "not_served_from_conf": {},
    "verdicts": [VERDICT, VERDICT | {"id": "c2", "label": "ranks only", "decision": "REJECT", "reasons": ["R@5 of ko falls."]}],
    "history": [CHANGE], "problem": "",
}  # fmt: skip
VERSION = {
    "name": "chat-v2-0123abcd", "number": 2, "aliases": ["candidate"], "base_model": "tiny", "smoke": True,
    "created_at": "2026-11-23T08:00:00+00:00", "metrics": {"loss": 1.25},
    "verdict": {"decision": "PROMOTE", "made_at": "2026-11-24T08:00:00+00:00", "champion": "chat-v1-89abcdef", "reasons": ["Fine."],
                "checks": [CHECK]},
}  # fmt: skip
MODELS = {
    "served": {"model": "chat-v1-89abcdef", "base": "chat", "replicas": 1, "previous": "", "smoke": True},
    "versions": [VERSION, VERSION | {"name": "chat-v1-89abcdef", "number": 1, "aliases": ["champion"], "verdict": None}],
    "history": [{"action": "promote", "champion": "chat-v1-89abcdef", "before": "chat", "who": "kim", "why": "first", "digest": "",
                 "at": "2026-11-20T08:00:00+00:00"}],
}  # fmt: skip
SLICE = {"key": "ko", "answers": 120, "found": 100, "up": 12, "down": 3, "confidence": 0.7}
QUALITY = {
    "by_day": [SLICE | {"key": (TODAY - timedelta(days=back)).isoformat(), "down": back} for back in range(3)],
    "by_language": [SLICE, SLICE | {"key": "en", "answers": 30}],
    "by_settings": [SLICE | {"key": "a0"}],
    "reports": [{"id": "e-1", "at": "2026-11-24T08:00:00+00:00", "settings_id": "a0", "label": "champion", "measures": [
        {"set": "corpus", "slice": "all", "measure": "R@5", "value": 0.91, "questions": 200},
        {"set": "corpus", "slice": "ko", "measure": "R@5", "value": 0.89, "questions": 120},
    ]}],
}  # fmt: skip
SESSION = {"id": "s-1", "account_id": "a-lee", "account": "lee", "title": "휴가는 며칠?", "created_at": "2026-11-25T08:00:00+00:00",
           "updated_at": "2026-11-25T08:05:00+00:00", "messages": 2}  # fmt: skip
QUESTION = {"id": "m-1", "ordinal": 0, "role": "user", "content": "휴가는 며칠인가요? <b>[전화번호]</b>", "status": "done",
            "created_at": "2026-11-25T08:00:00+00:00"}  # fmt: skip
ANSWER = {"id": "m-2", "ordinal": 1, "role": "assistant", "content": "15일입니다 [1]", "status": "done", "rating": "down",
          "reason": "old", "correction": "16일", "created_at": "2026-11-25T08:00:02+00:00",
          "details": {"confidence": 0.9, "model": "extractive", "total_ms": 800}, "citations": [{"number": 1, "title": "휴가 규정"}]}  # fmt: skip
FEEDBACK = {"message_id": "m-2", "session_id": "s-1", "at": "2026-11-25T08:06:00+00:00", "rating": "down", "reason": "old",
            "correction": "16일", "question": "휴가는 며칠?", "answer": "15일", "model": "extractive", "settings_id": "a0",
            "confidence": 0.9}  # fmt: skip
ROW = {"conversation": "s-1", "tenant": "hanbit", "user": "a-lee", "time": "2026-11-25T08:00:00Z", "messages": []}
ENTRY = {"number": 2, "at": "2026-11-25T08:00:00+00:00", "actor": "a-admin", "actor_name": "admin", "action": "document.delete",
         "target": "hr/old.md", "details": {"reason": "replaced"}}  # fmt: skip
HEALTH = {"status": "failed", "parts": [
    {"name": "state database", "status": "ok", "detail": "2 documents", "remedy": ""},
    {"name": "vectors", "status": "failed", "detail": "127.0.0.1:19530 refuses connections", "remedy": "Start Milvus: make services"},
]}  # fmt: skip
CORPUS = {"documents": 2, "by_status": {"ready": 1, "failed": 1}, "by_format": {"md": 1, "pdf": 1}, "by_space": {"hr": 2}, "chunks": 7,
          "bytes": 4096, "pii": {"phone": 2}, "waiting": 0, "newest_at": "2026-11-24T10:00:00+00:00", "freshness_s": 0.0,
          "embedder": "minilm", "vector_space": "minilm"}  # fmt: skip
PII = {"items": [{"day": TODAY.isoformat(), "kind": "phone", "count": 3}, {"day": TODAY.isoformat(), "kind": "email", "count": 1}]}
METRICS = "# HELP llmflow_questions_total Questions.\n# TYPE llmflow_questions_total counter\nllmflow_questions_total 42.0\n"


def create_api(told: Told) -> FastAPI:
    """Return the API; it behaves as `told` says at the moment of each request."""
    app = FastAPI()

    @app.middleware("http")
    async def remember(request: Request, call_next: Any) -> Any:
        if request.method == "GET":
            told.asked.append(f"{request.url.path}?{request.url.query}")
        elif "/auth/" not in request.url.path:
            body = await request.body()
            told.acts.append((request.method, request.url.path, body))
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
        known = account("admin", told.role, must_change_password=told.must_change_password)
        person = Account(known["id"], "hanbit", "admin", "admin", told.role, must_change_password=told.must_change_password)
        return known | {"permissions": sorted(permissions_of(person, "hanbit")), "mode": "accounts", "home_tenant": "hanbit"}

    @app.post("/api/auth/password", dependencies=[Depends(who)], status_code=204)
    def password(body: dict[str, str]) -> None:
        told.acts.append(("POST", "/api/auth/password", body))
        told.must_change_password = False


def _listed(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "total": len(items)}


def _readings() -> list[tuple[str, Any, Any]]:
    people = _listed(account("admin", Role.ADMINISTRATOR), account("lee", groups=["hr", "it"]), account("off", disabled=True))
    entries = _listed(ENTRY, ENTRY | {"number": 1, "action": "account.sign_in", "target": ""})
    return [
        ("/api/users", shapes.Listed[shapes.Account], people),
        ("/api/groups", shapes.Listed[shapes.Group], _listed({"name": "hr", "members": 2}, {"name": "it", "members": 1})),
        ("/api/documents", shapes.Listed[shapes.Document], _listed(DOCUMENT, BROKEN)),
        ("/api/jobs", shapes.Listed[shapes.Job], _listed(JOB)),
        ("/api/corpus", shapes.Corpus, CORPUS),
        ("/api/health", shapes.Health, HEALTH),
        ("/api/models", shapes.Models, MODELS),
        ("/api/retrieval", shapes.Retrieval, RETRIEVAL),
        ("/api/admin/usage", shapes.UsageReport, None),
        ("/api/admin/quality", shapes.Quality, QUALITY),
        ("/api/admin/conversations", shapes.Listed[shapes.Session], _listed(SESSION)),
        ("/api/admin/conversations/s-1", shapes.Conversation, {"session": SESSION, "messages": [QUESTION, ANSWER]}),
        ("/api/admin/feedback", shapes.Listed[shapes.Feedback], _listed(FEEDBACK)),
        ("/api/admin/audit", shapes.Listed[shapes.Entry], entries),
        ("/api/admin/audit/verify", shapes.Verification, {"ok": True, "entries": 2}),
        ("/api/admin/pii", shapes.Pii, PII),
    ]


EMPTY: dict[str, Any] = {
    "/api/corpus": {key: type(value)() for key, value in CORPUS.items()},
    "/api/health": {"status": "ok", "parts": HEALTH["parts"][:1]},
    "/api/models": {"served": None, "versions": [], "history": []},
    "/api/retrieval": RETRIEVAL | {"served": {"id": "c0", "label": "conf", "origin": "conf"}, "previous": None, "verdicts": [], "history": []},
    "/api/admin/quality": {"by_day": [], "by_language": [], "by_settings": [], "reports": []},
    "/api/admin/audit/verify": {"ok": True, "entries": 0},
    "/api/admin/pii": {"items": []},
}


def _add_reading(app: FastAPI, path: str, shape: Any, value: Any, told: Told, who: Any) -> None:
    @app.get(path, response_model=shape, dependencies=[Depends(who)], name=path)
    def read(request: Request) -> Any:
        if path == "/api/admin/usage":
            return _usage(told, request.query_params)
        if told.empty:
            return EMPTY.get(path, _listed())
        return _filtered(value, request.query_params.get("status")) if path in ("/api/documents", "/api/jobs") else value


def _filtered(listed: dict[str, Any], status: str | None) -> dict[str, Any]:
    return _listed(*[item for item in listed["items"] if status in (None, item["status"])])


def _usage(told: Told, asked: Any) -> dict[str, Any]:
    if told.empty:
        return {"totals": NOTHING, "items": []}
    days = [day for day in DAYS if asked["since"] <= day["key"] < asked["until"]]
    questions = sum(day["questions"] for day in days)
    items = {"day": days, "group": [usage("hr", 90), usage("", 50)], "model": [usage("extractive", 140)]}
    return {"totals": usage("", questions) if questions else NOTHING, "items": items[asked["by"]]}


def _add_acts(app: FastAPI, who: Any) -> None:
    signed_in = [Depends(who)]

    @app.post("/api/users", response_model=shapes.OneTimePassword, dependencies=signed_in)
    def create(body: dict[str, Any]) -> Any:
        return {"account": account(body["name"], body["role"], groups=body["groups"]), "password": "one-time-word"}

    @app.post("/api/users/{user_id}/password-reset", response_model=shapes.OneTimePassword, dependencies=signed_in)
    def reset(user_id: str) -> Any:
        return {"account": account(user_id.removeprefix("a-")), "password": "another-word"}

    @app.patch("/api/users/{user_id}", response_model=shapes.Account, dependencies=signed_in)
    def change(user_id: str, body: dict[str, Any]) -> Any:
        return account(user_id.removeprefix("a-"), **body)

    accepted = {"document": DOCUMENT, "job": JOB | {"status": "waiting"}}
    for method, path, shape, value in (
        ("POST", "/api/documents", shapes.Accepted, accepted),
        ("POST", "/api/documents/{id}/reindex", shapes.Accepted, accepted),
        ("DELETE", "/api/documents/{id}", shapes.Deleted, {"deleted": "d-1", "job": None}),
        ("DELETE", "/api/users/{id}", None, None),
        ("POST", "/api/groups", None, None),
        ("DELETE", "/api/groups/{name}", None, None),
        ("POST", "/api/models/promote", shapes.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/models/rollback", shapes.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/retrieval/promote", shapes.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/retrieval/rollback", shapes.Changed, {"served": "b1", "before": "a0"}),
        ("POST", "/api/admin/conversations/export", shapes.Snapshot, {"items": [ROW], "total": 1}),
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
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_api(told), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the API to listen")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
