"""Every route for every kind of person, and every id for whom it is none of their business."""

import pytest
from api_parts import told
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from full_site import HOME, PEOPLE, make_full_site
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from llmflow.accounts.permissions import Permission, may

NOBODY_ID = "0" * 32
OPEN, SIGNED_IN, OWN_PASSWORD, OWN_KEYS = "open", "signed in", "own password", "own keys"
"""Answers anybody; anybody who is signed in; the same from a browser; from a browser with the right to chat."""
P = Permission
MATRIX: dict[str, str | Permission] = {
    "GET /openapi.json": OPEN,
    "GET /healthz": OPEN,
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "POST /sign-in/password": OPEN,
    "POST /sign-out": OPEN,
    "POST /api/auth/sign-in": OPEN,
    "POST /api/auth/sign-out": OPEN,
    "GET /api/auth/oidc/start": OPEN,
    "GET /api/auth/oidc/callback": OPEN,
    "GET /api/auth/me": SIGNED_IN,
    "POST /api/auth/password": OWN_PASSWORD,
    "GET /api/auth/keys": OWN_KEYS,
    "POST /api/auth/keys": OWN_KEYS,
    "DELETE /api/auth/keys/{key_id}": OWN_KEYS,
    "GET /api/sessions": P.CHAT,
    "POST /api/sessions": P.CHAT,
    "GET /api/sessions/{session_id}": P.CHAT,
    "PATCH /api/sessions/{session_id}": P.CHAT,
    "DELETE /api/sessions/{session_id}": P.CHAT,
    "GET /api/sessions/{session_id}/messages": P.CHAT,
    "POST /api/sessions/{session_id}/messages": P.CHAT,
    "POST /api/sessions/{session_id}/messages/{message_id}/again": P.CHAT,
    "DELETE /api/sessions/{session_id}/memory": P.CHAT,
    "GET /api/sessions/{session_id}/export": P.CHAT,
    "POST /api/messages/{message_id}/feedback": P.CHAT,
    "WS /ws/chat/{session_id}": P.CHAT,
    "GET /v1/models": P.CHAT,
    "GET /v1/models/{name}": P.CHAT,
    "POST /v1/chat/completions": P.CHAT,
    "POST /api/ask": P.CHAT,
    "POST /api/ask/stream": P.CHAT,
    "POST /api/search": P.CHAT,
    "GET /api/passages/{chunk_id}": P.CHAT,
    "GET /api/templates": P.CHAT,
    "POST /api/templates": P.CHAT,
    "GET /api/templates/export": P.CHAT,
    "POST /api/templates/import": P.CHAT,
    "GET /api/templates/{template_id}": P.CHAT,
    "PUT /api/templates/{template_id}": P.CHAT,
    "DELETE /api/templates/{template_id}": P.CHAT,
    "GET /api/templates/{template_id}/versions": P.CHAT,
    "POST /api/templates/{template_id}/render": P.CHAT,
    "GET /api/documents": P.CHAT,
    "POST /api/documents": P.UPLOAD,
    "GET /api/documents/{document_id}": P.CHAT,
    "DELETE /api/documents/{document_id}": P.CHAT,
    "GET /api/documents/{document_id}/file": P.CHAT,
    "GET /api/documents/{document_id}/instructions": P.CHAT,
    "POST /api/documents/{document_id}/reindex": P.CHAT,
    "POST /api/documents/{document_id}/release": P.CORPUS_MANAGE,
    "DELETE /api/documents/{document_id}/release": P.CORPUS_MANAGE,
    "GET /api/jobs": P.CHAT,
    "GET /api/jobs/{job_id}": P.CHAT,
    "GET /api/health": P.HEALTH_READ,
    "GET /metrics": P.HEALTH_READ,
    "GET /api/corpus": P.CORPUS_READ,
    "GET /api/models": P.MODELS_READ,
    "POST /api/models/promote": P.MODELS_PROMOTE,
    "POST /api/models/rollback": P.MODELS_PROMOTE,
    "GET /api/retrieval": P.MODELS_READ,
    "POST /api/retrieval/promote": P.MODELS_PROMOTE,
    "POST /api/retrieval/rollback": P.MODELS_PROMOTE,
    "GET /api/users": P.PEOPLE_MANAGE,
    "POST /api/users": P.PEOPLE_MANAGE,
    "GET /api/users/{user_id}": P.PEOPLE_MANAGE,
    "PATCH /api/users/{user_id}": P.PEOPLE_MANAGE,
    "DELETE /api/users/{user_id}": P.PEOPLE_MANAGE,
    "POST /api/users/{user_id}/password-reset": P.PEOPLE_MANAGE,
    "GET /api/groups": P.PEOPLE_MANAGE,
    "POST /api/groups": P.PEOPLE_MANAGE,
    "DELETE /api/groups/{name:path}": P.PEOPLE_MANAGE,
    "GET /api/admin/usage": P.USAGE_READ,
    "GET /api/admin/conversations": P.CONVERSATIONS_REVIEW,
    "GET /api/admin/conversations/{session_id}": P.CONVERSATIONS_REVIEW,
    "POST /api/admin/conversations/export": P.CONVERSATIONS_REVIEW,
    "GET /api/admin/feedback": P.CONVERSATIONS_REVIEW,
    "GET /api/admin/quality": P.MODELS_READ,
    "GET /api/admin/audit": P.AUDIT_READ,
    "GET /api/admin/audit/verify": P.AUDIT_READ,
    "GET /api/admin/pii": P.AUDIT_READ,
}
UNKNOWN = ("/api/{path:path}", "/v1/{path:path}")
"""What answers for every other address; signed in, like everything that is not open."""
KINDS = ("nobody", "expired", "expired key", "key", *PEOPLE)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(folder / "home"))
        found = make_full_site(folder)
        yield found
        found.close()


@pytest.fixture(scope="module")
def client(site):
    return TestClient(site.app, raise_server_exceptions=False, follow_redirects=False)


def routes_of(app) -> set[str]:
    found = set()
    for route in iter_route_contexts(app.routes):
        methods = getattr(route, "methods", None)
        if route.path not in UNKNOWN:
            found |= {f"{method} {route.path}" for method in (set(methods) - {"HEAD", "OPTIONS"} if methods else {"WS"})}
    return found


def expected(site, kind: str, needs: str | Permission) -> int:
    """Return 401, 403, or 0 where the person is let in."""
    if kind in ("nobody", "expired", "expired key", "disabled"):
        return 0 if needs == OPEN else 401
    account = site.people["user" if kind == "key" else kind]
    if needs in (OPEN, SIGNED_IN) or (needs == OWN_PASSWORD and kind != "key"):
        return 0
    if kind == "key" and needs in (OWN_PASSWORD, OWN_KEYS):
        return 403
    return 0 if may(account, Permission.CHAT if needs == OWN_KEYS else Permission(needs), HOME) else 403


def test_every_route_stands_in_the_matrix_and_nothing_else_does(site):
    assert routes_of(site.app) == set(MATRIX)


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_what(site, client, kind):
    wrong = []
    for route, needs in MATRIX.items():
        method, path = route.split(" ")
        path = path.replace("{name:path}", NOBODY_ID)
        for name in ("session_id", "message_id", "template_id", "document_id", "job_id", "user_id", "key_id", "chunk_id", "name"):
            path = path.replace(f"{{{name}}}", NOBODY_ID)
        status = opened(client, path, site.headers(kind)) if method == "WS" else sent(client, method, path, site.headers(kind))
        wanted = expected(site, kind, needs)
        if status >= 500 or (needs != OPEN and (status if status in (401, 403) else 0) != wanted):
            wrong.append(f"{route}: {status}, not {wanted or 'let in'}")
    assert not wrong


def sent(client, method: str, path: str, headers, body=None) -> int:
    body = {"json": body or {}} if method in ("POST", "PUT", "PATCH") and not path.startswith("/sign-") else {}
    return client.request(method, path, headers=headers, **body).status_code


def opened(client, path: str, headers) -> int:
    try:
        with client.websocket_connect(path, headers=headers):
            return 200
    except WebSocketDenialResponse as exc:
        return exc.status_code
    except WebSocketDisconnect as exc:
        return {4401: 401, 4403: 403}.get(exc.code, 500)


def test_a_cookie_writes_nothing_for_a_page_of_another_origin(site, client):
    headers = {**site.headers("administrator"), "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for route in MATRIX:
        method, path = route.split(" ")
        if method in ("POST", "PUT", "PATCH", "DELETE"):
            plain = path.replace("{name:path}", "x").replace("{", "").replace("}", "")
            status = sent(client, method, plain, headers, BODIES.get(route))
            assert status == 403 or (path.startswith("/sign-") and status == 303), route  # a form leads back to the sign-in
    assert opened(client, f"/ws/chat/{NOBODY_ID}", headers) == 403


def test_addresses_that_are_none_tell_nobody_anything(client):
    for path in ("/api/nothing", "/v1/nothing", "/nothing", "/docs"):
        assert client.get(path).status_code == 401


@pytest.fixture(scope="module")
def belongings(site, client):
    """Ids of things of the user, by route parameter."""
    mine = site.headers("user")
    session = client.post("/api/sessions", headers=mine).json()["id"]
    answered = client.post(f"/api/sessions/{session}/messages", json={"content": "How many days of leave?"}, headers=mine)
    assert answered.json()["message"]["details"]["found"], answered.text
    template = client.post("/api/templates", json={"name": "mine", "title": "Mine", "text": "{{a}}?"}, headers=mine).json()
    uploaded = client.post("/api/documents", files={"file": ("own.md", b"# Own\n\nMy own words.\n")}, headers=mine).json()
    site.headers("key")
    return {
        "session_id": session,
        "message_id": answered.json()["message"]["id"],
        "template_id": template["id"],
        "document_id": uploaded["document"]["id"],
        "job_id": uploaded["job"]["id"],
        "chunk_id": answered.json()["message"]["citations"][0]["chunk_id"],
        "key_id": client.get("/api/auth/keys", headers=mine).json()["items"][0]["id"],
        "user_id": site.people["user"].id,
    }


BODIES = {
    "POST /api/auth/sign-in": {"name": "user", "password": "x"},
    "PATCH /api/sessions/{session_id}": {"title": "x"},
    "POST /api/sessions/{session_id}/messages": {"content": "leave?"},
    "POST /api/messages/{message_id}/feedback": {"rating": "up"},
    "PUT /api/templates/{template_id}": {"name": "x", "title": "x", "text": "x"},
    "POST /api/templates/{template_id}/render": {"values": {}},
    "PATCH /api/users/{user_id}": {"display_name": "x"},
    "POST /api/documents/{document_id}/release": {"reason": "x"},
}


@pytest.mark.parametrize("kind", ["colleague", "engineer", "user elsewhere", "administrator elsewhere"])
def test_ids_of_somebody_else_are_ids_of_nothing(site, client, belongings, kind):
    headers = site.headers(kind)
    account = site.people[kind]
    tried = 0
    for route, needs in MATRIX.items():
        method, path = route.split(" ")
        names = [name for name in belongings if f"{{{name}}}" in path]
        if not names or method == "WS" or (isinstance(needs, Permission) and not may(account, needs, HOME)):
            continue
        if kind in ("colleague", "engineer") and "chunk_id" in names:
            continue  # documents of the tenant may be theirs to read
        if kind == "engineer" and ("document_id" in names or "job_id" in names):
            continue  # an engineer sees what there is in the tenant, though not its text
        theirs, random = path, path
        for name in names:
            theirs, random = theirs.replace(f"{{{name}}}", belongings[name]), random.replace(f"{{{name}}}", NOBODY_ID)
        answers = [client.request(method, p, json=BODIES.get(route), headers=headers) for p in (theirs, random)]
        assert answers[0].status_code == 404, (route, answers[0].text)
        assert told(answers[0]) == told(answers[1]), route
        tried += 1
    assert tried > 12
    socket = opened(client, f"/ws/chat/{belongings['session_id']}", headers)
    assert socket == opened(client, f"/ws/chat/{NOBODY_ID}", headers) == 404
    mine = site.headers("user")
    assert client.get(f"/api/sessions/{belongings['session_id']}/messages", headers=mine).json()["total"] == 2
    assert client.get(f"/api/templates/{belongings['template_id']}", headers=mine).json()["version"] == 1


def test_a_question_about_a_document_that_may_not_be_read_is_one_about_nothing(site, client):
    state = site.workspace.stores.state
    leave, vpn = (next(d.id for d in state.documents() if d.source.endswith(name)) for name in ("leave.md", "vpn.md"))
    question = "How many days of leave does everyone have?"

    def answers(kind: str, *documents: str) -> list[object]:
        headers = site.headers(kind)
        session = client.post("/api/sessions", headers=headers).json()["id"]
        body = {"documents": list(documents)}
        chat = {"model": "llmflow", "messages": [{"role": "user", "content": question}], "llmflow": body}
        asked = client.post("/api/ask", json={"question": question} | body, headers=headers).json()
        kept = client.post(f"/api/sessions/{session}/messages", json={"content": question} | body, headers=headers).json()
        completed = client.post("/v1/chat/completions", json=chat, headers=headers).json()
        hits = client.post("/api/search", json={"question": question} | body, headers=headers).json()["hits"]
        cited = [[one["document_id"] for one in found] for found in (asked["citations"], kept["message"]["citations"])]
        said = asked["text"], kept["message"]["content"], completed["choices"][0]["message"]["content"]
        assert asked["documents"] == completed["documents"] == kept["message"]["details"]["documents"] == list(documents)
        return [asked["found"], *said, cited, {hit["document_id"] for hit in hits}, kept["context"] == []]

    assert answers("user", leave, vpn)[0] is True
    assert answers("user", leave, NOBODY_ID)[-3:] == [[[leave], [leave]], {leave}, False]
    for kind in ("engineer", "administrator", "user elsewhere", "administrator elsewhere"):
        hidden = answers(kind, leave)
        assert hidden[0] is False and hidden == answers(kind, NOBODY_ID)
    assert answers("user elsewhere", vpn) == answers("user elsewhere", NOBODY_ID)
    assert answers("user", vpn)[0] is False and "fifteen" not in str(answers("user", vpn))


def test_an_engineer_sees_that_a_private_document_is_there_and_not_what_it_says(site, client, belongings):
    headers = site.headers("engineer")
    assert client.get(f"/api/documents/{belongings['document_id']}/file", headers=headers).status_code == 404
    assert client.delete(f"/api/documents/{belongings['document_id']}", headers=headers).status_code in (403, 404)
