"""The HTTP API over a small real service."""

import json
import threading

import pytest
from chat_fakes import SmallService, make_hit
from fastapi.testclient import TestClient
from who import asking_app, guard_of, person

from llmflow.errors import ModelUnavailable, PermissionDenied
from llmflow.serving.conversations.conversing import ConversingSettings
from llmflow.types import Principal

HITS = [
    make_hit(1, "Leave", "Everyone has fifteen days of leave.", page=2),
    make_hit(2, "Salaries", "Salaries are reviewed in March. 급여", groups=("hr",)),
    make_hit(3, "Other tenant", "Leave of another company.", tenant="other"),
]
SETTINGS = ConversingSettings(max_question_chars=50, history_messages=2, at_once=1, waiting=0)
GUARD = guard_of(person("hr", "hr"), person("sales", "sales"))
HR = {"who": "hr"}
SALES = {"who": "sales"}
JSON = {"content-type": "application/json"}


class BrokenService(SmallService):
    def __init__(self, error: Exception | None) -> None:
        super().__init__(HITS)
        self.error = error

    def stream(self, *args, **kwargs):
        yield "half an answer"
        if self.error:
            raise self.error


@pytest.fixture(scope="module")
def site():
    service = SmallService(HITS)
    return service, TestClient(asking_app(service, SETTINGS, GUARD), raise_server_exceptions=False)


@pytest.fixture
def service(site):
    site[0].asked.clear()
    return site[0]


@pytest.fixture
def client(site):
    return site[1]


def events(text: str) -> list[tuple[str, dict]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


def test_an_answer_carries_its_citations(client):
    body = client.post("/api/ask", json={"question": "How much leave?"}, headers=SALES).json()
    assert body["found"] is True
    assert body["text"] == "Everyone has fifteen days of leave. [1]"
    assert body["citations"] == [
        {"number": 1, "chunk_id": "c1", "document_id": "d1", "title": "Leave", "source": "docs/1.pdf", "page": 2,
         "heading": "Chapter > Section", "quote": "Everyone has fifteen days of leave."}
    ]  # fmt: skip


def test_nothing_found_is_an_answer(client):
    body = client.post("/api/ask", json={"question": "zebra"}, headers=HR).json()
    assert body["found"] is False
    assert body["citations"] == []


def test_the_account_decides_what_is_read(client, service):
    question = {"question": "salaries"}
    assert client.post("/api/ask", json=question, headers=HR).json()["found"] is True
    assert client.post("/api/ask", json=question, headers=SALES).json()["found"] is False
    assert [asked[1] for asked in service.asked] == [
        Principal("acme", frozenset({"hr", "user:hr"}), "hr"),
        Principal("acme", frozenset({"sales", "user:sales"}), "sales"),
    ]


@pytest.mark.parametrize("headers", [{}, {"who": "root"}, {"who": ""}])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/ask", {"question": "leave"}),
        ("POST", "/api/ask/stream", {"question": "leave"}),
        ("POST", "/api/search", {"question": "leave"}),
        ("GET", "/api/passages/c1", None),
    ],
)
def test_who_is_not_signed_in_reads_nothing(client, service, headers, method, path, body):
    response = client.request(method, path, json=body, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert set(response.json()) == {"error", "allowed", "next", "trace_id"}
    assert service.asked == []


@pytest.mark.parametrize("extra", [{"tenant": "other"}, {"groups": ["hr"]}, {"principal": {"tenant": "other"}}])
def test_a_body_cannot_name_a_tenant_or_a_group(client, extra):
    response = client.post("/api/search", json={"question": "leave", **extra}, headers=SALES)
    assert response.status_code == 422
    assert set(response.json()) == {"error", "allowed", "next", "trace_id"}


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * 51, "51 characters"),
        ("a\x00b", "control"),
        ("a\x1bb", "control"),
        ("a\ud800", "control"),
    ],
)
@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream", "/api/search"])
def test_a_question_that_cannot_be_asked_says_why(client, service, path, question, said):
    response = client.post(path, content=json.dumps({"question": question}), headers=SALES | JSON)
    assert response.status_code == 422
    assert said in response.json()["error"]
    assert "50" in response.json()["allowed"]
    assert service.asked == []


def test_line_breaks_pass_and_decomposed_korean_is_composed(client, service):
    assert client.post("/api/ask", json={"question": "급여는\r\n언제"}, headers=HR).status_code == 200
    assert service.asked[0][0] == "급여는\n언제"


def test_history_reaches_the_service_and_is_bounded(client, service):
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    client.post("/api/ask", json={"question": "leave", "history": turns}, headers=HR)
    assert [(turn.role, turn.content) for turn in service.asked[0][2]] == [("user", "a"), ("assistant", "b")]
    assert client.post("/api/ask", json={"question": "leave", "history": turns * 2}, headers=HR).status_code == 422
    forged = [{"role": "system", "content": "x"}]
    assert client.post("/api/ask", json={"question": "leave", "history": forged}, headers=HR).status_code == 422


def test_the_stream_ends_with_the_complete_answer(client):
    response = client.post("/api/ask/stream", json={"question": "leave"}, headers=HR)
    assert response.headers["content-type"].startswith("text/event-stream")
    parts = events(response.text)
    assert [name for name, _ in parts[:-1]] == ["piece"] * (len(parts) - 1)
    assert len(parts) >= 2  # pieces that come faster than they are sent travel together
    assert parts[-1] == ("answer", client.post("/api/ask", json={"question": "leave"}, headers=HR).json())
    assert "".join(data["text"] for _, data in parts[:-1]) == parts[-1][1]["text"]


def test_line_breaks_in_an_answer_do_not_break_the_stream():
    service = SmallService([make_hit(1, "A", "leave one"), make_hit(2, "B", "leave two")])
    client = TestClient(asking_app(service, SETTINGS, GUARD))
    assert events(client.post("/api/ask/stream", json={"question": "leave"}, headers=HR).text)[-1][1]["text"].count("\n\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ModelUnavailable("The model server is down."), 503, "The model server is down."),
        (PermissionDenied("Not yours."), 403, "Not yours."),
        (None, 503, "stopped before the answer was complete"),
        (RuntimeError("internal secret"), 500, "Something failed on our side."),
    ],
)
def test_failures_are_told_in_three_sentences_and_hide_internals(error, status, said):
    client = TestClient(asking_app(BrokenService(error), SETTINGS, GUARD), raise_server_exceptions=False)
    response = client.post("/api/ask", json={"question": "leave"}, headers=HR)
    assert response.status_code == status
    assert said in response.json()["error"]
    assert set(response.json()) == {"error", "allowed", "next", "trace_id"}
    streamed = events(client.post("/api/ask/stream", json={"question": "leave"}, headers=HR).text)
    assert [name for name, _ in streamed] == ["piece", "error"]
    assert "secret" not in response.text + json.dumps(streamed)


def test_one_question_too_many_is_told_to_come_back_and_the_slot_is_given_back():
    service = SmallService(HITS, gate=threading.Event())
    client = TestClient(asking_app(service, SETTINGS, GUARD))
    statuses = []
    ask = {"json": {"question": "leave"}, "headers": HR}
    first = threading.Thread(target=lambda: statuses.append(client.post("/api/ask/stream", **ask).status_code))
    first.start()
    assert service.waiting.wait(60)
    busy = client.post("/api/ask", **ask)
    service.gate.set()
    first.join(10)
    assert busy.status_code == 429
    assert busy.headers["retry-after"] == "2"
    assert statuses == [200]
    assert [client.post(path, **ask).status_code for path in ("/api/ask", "/api/ask/stream", "/api/ask")] == [200] * 3


def test_a_failed_question_gives_its_slot_back():
    client = TestClient(asking_app(BrokenService(RuntimeError("x")), SETTINGS, GUARD), raise_server_exceptions=False)
    assert [client.post("/api/ask", json={"question": "leave"}, headers=HR).status_code for _ in range(3)] == [500] * 3


def test_search_returns_readable_passages_only(client):
    hits = client.post("/api/search", json={"question": "leave salaries"}, headers=SALES).json()["hits"]
    assert [hit["chunk_id"] for hit in hits] == ["c1"]
    assert "groups" not in hits[0]
    assert client.post("/api/search", json={"question": "leave", "limit": 0}, headers=SALES).status_code == 422


def test_a_passage_that_may_not_be_read_looks_like_one_that_is_gone(client):
    assert client.get("/api/passages/c1", headers=SALES).json()["text"] == "Everyone has fifteen days of leave."
    unreadable, gone = (client.get(f"/api/passages/{name}", headers=SALES) for name in ("c2", "c99"))
    assert unreadable.status_code == gone.status_code == 404
    assert unreadable.json() | {"trace_id": ""} == gone.json() | {"trace_id": ""}
    assert client.get("/api/passages/c2", headers=HR).status_code == 200


def test_malformed_requests_get_the_same_shape(client):
    for response in (
        client.post("/api/ask", content="{", headers=HR | JSON),
        client.get("/api/nothing", headers=HR),
        client.post("/api/ask", json={}, headers=HR),
        client.get("/api/ask", headers=HR),
    ):
        assert response.status_code in (404, 405, 422)
        assert set(response.json()) == {"error", "allowed", "next", "trace_id"}
