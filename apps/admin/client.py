"""What the dashboard asks of the API: one method a route, frozen shapes out, every failure an `ApiError` in sentences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from apps.admin import shapes
from apps.admin import shapes_running as running

COOKIE = "llmflow_session"
PAGE = 500
"""Rows asked for at once where everything is wanted."""
Shape = TypeVar("Shape", bound=BaseModel)


class ApiError(Exception):
    """What went wrong, what is allowed, what to do next: as the API says it, or as the network left it."""

    def __init__(self, error: str, allowed: str = "", next_step: str = "", status: int = 0):
        super().__init__(error)
        self.error, self.allowed, self.next_step, self.status = error, allowed, next_step, status

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(part for part in (self.error, self.allowed, self.next_step) if part)


class SignedOut(ApiError):
    """Nobody is signed in any more."""


class Away(ApiError):
    """The API does not answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """What proves who asks: a browser's session or a key for programs. Kept in the page's session and nowhere else."""

    value: str
    kind: str = "cookie"

    def __repr__(self) -> str:
        return f"Token(kind={self.kind!r})"


class Transport:
    """One pool of connections for everybody; it keeps no cookie, so that one person's session never asks for another."""

    def __init__(
        self, api: str, timeout_s: float, transport: httpx.BaseTransport | None = None, language: Callable[[], str] = lambda: "en"
    ):
        self.api = api
        self._language = language
        jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        # trust_env False: a proxy of the environment must not see what administrators ask inside the house
        self._http = httpx.Client(base_url=api, timeout=timeout_s, cookies=jar, transport=transport, trust_env=False)

    def send(self, method: str, path: str, token: Token | None, **given: Any) -> httpx.Response:
        """Return a successful response. Raises `ApiError`, of which `SignedOut` and `Away` are kinds."""
        headers = {
            "Accept": "application/json",
            "User-Agent": "llmflow dashboard",
            "Accept-Language": self._language(),
        } | given.pop("headers", {})
        if token is not None:
            proof = {"Authorization": f"Bearer {token.value}"} if token.kind == "key" else {"Cookie": f"{COOKIE}={token.value}"}
            headers |= proof
        try:
            response = self._http.request(method, path, headers=headers, **given)
        except httpx.TimeoutException as exc:
            raise Away(f"{self.api} did not answer in time ({type(exc).__name__}).") from exc
        except httpx.HTTPError as exc:
            raise Away(f"{self.api} cannot be reached: {exc}.") from exc
        if response.is_success:
            return response
        raise _error(response)

    def close(self) -> None:
        self._http.close()


def _error(response: httpx.Response) -> ApiError:
    try:
        told = response.json()
    except ValueError:
        told = {}
    if not isinstance(told, Mapping):
        told = {}
    error = told.get("error") or f"The API answered {response.status_code} to {response.request.url.path}."
    parts = [str(error), _told(told.get("allowed")), _told(told.get("next"))]
    kind = SignedOut if response.status_code == 401 else ApiError
    return kind(*parts, status=response.status_code)


def _told(value: object) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(map(str, value)) if isinstance(value, Sequence) else ""


class Client:
    """The API as one person. Raises `ApiError` from every method."""

    def __init__(self, transport: Transport, token: Token | None = None):
        self._transport = transport
        self._token = token

    # ---- asking

    def _get(self, path: str, shape: type[Shape], **parameters: Any) -> Shape:
        return self._read(shape, self._send("GET", path, params=_given(parameters)))

    def _post(self, path: str, shape: type[Shape], body: Mapping[str, Any] | None = None, method: str = "POST") -> Shape:
        return self._read(shape, self._send(method, path, json=dict(body or {})))

    def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        return self._transport.send(method, path, self._token, **given)

    def _act(self, method: str, path: str, shape: type[Shape], reason: str, body: Mapping[str, Any] | None = None) -> Shape:
        """Carry out an act; the reason stands in the audit."""
        sent = {} if body is None else {"json": dict(body)}
        return self._read(shape, self._send(method, path, params=_given({"reason": reason}), **sent))

    def _read(self, shape: type[Shape], response: httpx.Response) -> Shape:
        try:
            return TypeAdapter(shape).validate_json(response.content)
        except ValidationError as exc:
            where = f"{response.request.method} {response.request.url.path}"
            fault = exc.errors()[0]
            place = ".".join(map(str, fault["loc"]))
            raise ApiError(
                f"{where} answered in a form that this dashboard does not know ({place}: {fault['msg']}).",
                "Dashboard and API belong to one version of llmflow.",
                "Start both from the same installation.",
                response.status_code,
            ) from exc

    # ---- who asks

    def sign_in(self, name: str, password: str, tenant: str = "") -> "Client":
        """Return a client that is signed in. Raises `SignedOut` when name or password are wrong."""
        body = {"name": name, "password": password} | ({"tenant": tenant} if tenant else {})
        response = self._transport.send("POST", "/api/auth/sign-in", None, json=body)
        value = response.cookies.get(COOKIE)
        if not value:
            raise ApiError("The API accepted the password but gave no session.", "", "Look at the log of llmflow chat.")
        return Client(self._transport, Token(value))

    def with_key(self, key: str) -> "Client":
        """Return a client that proves itself with a key; nothing is asked yet."""
        return Client(self._transport, Token(key.strip(), "key"))

    def sign_out(self) -> None:
        self._send("POST", "/api/auth/sign-out")

    def me(self) -> shapes.Me:
        return self._get("/api/auth/me", shapes.Me)

    def change_password(self, current: str, new: str) -> "Client":
        """Return a client of the session that the new password begins; those before have ended."""
        response = self._send("POST", "/api/auth/password", json={"current": current, "new": new})
        value = response.cookies.get(COOKIE)
        return Client(self._transport, Token(value)) if value else self

    # ---- people

    def users(self, search: str = "", limit: int = PAGE, offset: int = 0) -> shapes.Listed[shapes.Account]:
        return self._get("/api/users", shapes.Listed[shapes.Account], search=search, limit=limit, offset=offset)

    def create_user(self, name: str, display_name: str, role: str, groups: Sequence[str], reason: str = "") -> shapes.NewAccount:
        body = {"name": name, "display_name": display_name, "role": role, "groups": list(groups)}
        return self._act("POST", "/api/users", shapes.NewAccount, reason, body)

    def change_user(self, user_id: str, reason: str = "", **changes: Any) -> shapes.Account:
        """Change role, groups, display_name or disabled: what is given."""
        return self._act("PATCH", f"/api/users/{_part(user_id)}", shapes.Account, reason, changes)

    def delete_user(self, user_id: str, reason: str = "") -> shapes.Removed:
        return self._act("DELETE", f"/api/users/{_part(user_id)}", shapes.Removed, reason)

    def reset_password(self, user_id: str, reason: str = "") -> shapes.NewPassword:
        return self._act("POST", f"/api/users/{_part(user_id)}/password-reset", shapes.NewPassword, reason)

    def groups(self) -> shapes.Listed[shapes.Group]:
        return self._get("/api/groups", shapes.Listed[shapes.Group], limit=PAGE)

    def add_group(self, name: str, reason: str = "") -> None:
        self._send("POST", "/api/groups", json={"name": name}, params=_given({"reason": reason}))

    def delete_group(self, name: str, reason: str = "") -> None:
        self._send("DELETE", f"/api/groups/{_part(name)}", params=_given({"reason": reason}))

    # ---- documents

    def documents(
        self, status: str = "", search: str = "", space: str = "all", limit: int = PAGE, offset: int = 0,
        instructions: bool = False,
    ) -> shapes.Listed[shapes.Document]:  # fmt: skip
        """List documents by source: of the tenant, those that one may read (`shared`) or one's own.

        With `instructions` those only in which something speaks to a model, or may.
        """
        asked = {"status": status, "search": search, "space": space, "limit": limit, "offset": offset}
        asked |= {"instructions": "true"} if instructions else {}
        return self._get("/api/documents", shapes.Listed[shapes.Document], **asked)

    def speaking(self, document_id: str) -> shapes.Listed[shapes.Speaking]:
        """List the passages of a readable document that speak to a model, or may."""
        return self._get(f"/api/documents/{_part(document_id)}/instructions", shapes.Listed[shapes.Speaking])

    def upload(self, name: str, content: bytes, groups: Sequence[str], reason: str = "") -> shapes.Accepted:
        given = {"files": {"file": (name, content)}, "data": {"groups": list(groups)}, "params": _given({"reason": reason})}
        return self._read(shapes.Accepted, self._send("POST", "/api/documents", **given))

    def reindex(self, document_id: str, reason: str = "") -> shapes.Accepted:
        return self._act("POST", f"/api/documents/{_part(document_id)}/reindex", shapes.Accepted, reason)

    def release(self, document_id: str, content_hash: str, reason: str = "") -> shapes.Accepted:
        """Have a document taken as it stands, if it still holds the content that was looked at."""
        body = {"content_hash": content_hash, "reason": reason}
        return self._read(shapes.Accepted, self._send("POST", f"/api/documents/{_part(document_id)}/release", json=body))

    def withdraw_release(self, document_id: str, reason: str = "") -> shapes.Accepted:
        return self._act("DELETE", f"/api/documents/{_part(document_id)}/release", shapes.Accepted, reason)

    def delete_document(self, document_id: str, reason: str = "") -> shapes.Deleted:
        return self._act("DELETE", f"/api/documents/{_part(document_id)}", shapes.Deleted, reason)

    def jobs(self, status: str = "", limit: int = 50, offset: int = 0) -> shapes.Listed[shapes.Job]:
        """List jobs of the tenant, newest first."""
        asked = {"everyone": "true", "status": status, "limit": limit, "offset": offset}
        return self._get("/api/jobs", shapes.Listed[shapes.Job], **asked)

    def corpus(self) -> shapes.Corpus:
        return self._get("/api/corpus", shapes.Corpus)

    # ---- what runs

    def health(self) -> running.Health:
        return self._get("/api/health", running.Health)

    def metrics(self) -> str:
        """Return Prometheus' text."""
        return self._send("GET", "/metrics", headers={"Accept": "text/plain"}).text

    def models(self) -> running.Models:
        return self._get("/api/models", running.Models)

    def promote_model(self, version: str, reason: str) -> running.Changed:
        return self._post("/api/models/promote", running.Changed, {"version": version, "reason": reason})

    def roll_back_model(self, reason: str) -> running.Changed:
        return self._post("/api/models/rollback", running.Changed, {"reason": reason})

    def retrieval(self) -> running.Retrieval:
        return self._get("/api/retrieval", running.Retrieval)

    def promote_retrieval(self, settings_id: str, reason: str) -> running.Changed:
        return self._post("/api/retrieval/promote", running.Changed, {"id": settings_id, "reason": reason})

    def roll_back_retrieval(self, reason: str) -> running.Changed:
        return self._post("/api/retrieval/rollback", running.Changed, {"reason": reason})

    # ---- use, quality, conversations, audit

    def usage(self, since: str, until: str = "", by: str = "day") -> running.UsageReport:
        return self._get("/api/admin/usage", running.UsageReport, since=since, until=until, by=by)

    def quality(self, since: str = "", until: str = "", by: str = "day") -> running.Quality:
        """Count by `day`, `language`, `model`, `settings_id`, `kind` of question, or judgements by `reason`."""
        return self._get("/api/admin/quality", running.Quality, since=since, until=until, by=by)

    def conversations(
        self, search: str = "", account_id: str = "", limit: int = 50, offset: int = 0
    ) -> shapes.Listed[shapes.Session]:
        asked = {"search": search, "account_id": account_id, "limit": limit, "offset": offset}
        return self._get("/api/admin/conversations", shapes.Listed[shapes.Session], **asked)

    def conversation(self, session_id: str) -> shapes.Listed[shapes.Message]:
        return self._get(f"/api/admin/conversations/{_part(session_id)}", shapes.Listed[shapes.Message])

    def export_conversations(self, since: str = "", judged_only: bool = True, reason: str = "") -> shapes.Snapshot:
        body = {"since": since, "judged_only": judged_only}
        return self._act("POST", "/api/admin/conversations/export", shapes.Snapshot, reason, body)

    def feedback(self, rating: str = "", limit: int = 100, offset: int = 0) -> shapes.Listed[shapes.Feedback]:
        return self._get("/api/admin/feedback", shapes.Listed[shapes.Feedback], rating=rating, limit=limit, offset=offset)

    def audit(
        self, action: str = "", actor: str = "", since: str = "", until: str = "", limit: int = 100, offset: int = 0
    ) -> shapes.Listed[shapes.Entry]:
        asked = {"action": action, "actor": actor, "since": since, "until": until, "limit": limit, "offset": offset}
        return self._get("/api/admin/audit", shapes.Listed[shapes.Entry], **asked)

    def verify_audit(self) -> shapes.Verification:
        return self._get("/api/admin/audit/verify", shapes.Verification)

    def pii(self, since: str = "", until: str = "") -> shapes.Listed[shapes.PiiCount]:
        return self._get("/api/admin/pii", shapes.Listed[shapes.PiiCount], since=since, until=until)


def every(listed: Callable[[int, int], shapes.Listed[shapes.Item]], limit: int = 20_000) -> Iterator[shapes.Item]:
    """Yield all items of a list, window after window; `listed(limit, offset)` asks for one."""
    offset = 0
    while offset < limit:
        window = listed(PAGE, offset)
        yield from window.items
        offset += len(window.items)
        if not window.items or offset >= window.total:
            return


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if value not in ("", None)}


def _part(value: str) -> str:
    """Return a value as one part of a path, whatever is in it."""
    return quote(value, safe="")
