"""Sessions and messages over HTTP: JSON and server-sent events, and what a stranger is told."""

import threading

import pytest
from api_parts import SENTENCES, events_of, told

from llmflow.errors import ModelInterrupted, ModelUnavailable

KIM, LEE, PARK = ({"who": name} for name in ("kim", "lee", "park"))
STREAM = {"accept": "text/event-stream"}
TEXT = f"{SENTENCES[0]} [1] {SENTENCES[1]} [1]"
ASK = {"content": "How much leave is there?"}


@pytest.fixture
def session(client):
    return client.post("/api/sessions", headers=KIM).json()["id"]


def test_a_conversation_from_its_first_question_to_its_end(client, session):
    answered = client.post(f"/api/sessions/{session}/messages", json=ASK, headers=KIM).json()
    assert answered["question"]["content"] == ASK["content"]
    assert (answered["message"]["content"], answered["message"]["status"]) == (TEXT, "done")
    assert answered["message"]["citations"][0]["quote"] == SENTENCES[0]
    assert [(p["chunk_id"], p["cited_as"]) for p in answered["context"]] == [("c1", 1)]
    listed = client.get("/api/sessions", params={"search": "LEAVE"}, headers=KIM).json()
    assert session in [item["id"] for item in listed["items"]] and listed["total"] >= 1
    assert client.patch(f"/api/sessions/{session}", json={"title": "Holidays"}, headers=KIM).json()["title"] == "Holidays"
    messages = client.get(f"/api/sessions/{session}/messages", headers=KIM).json()
    assert messages["total"] == 2 and messages["items"][1] == answered["message"]
    later = client.get(f"/api/sessions/{session}/messages", params={"offset": 1, "limit": 1}, headers=KIM).json()
    assert [item["ordinal"] for item in later["items"]] == [1]
    liked = client.post(f"/api/messages/{answered['message']['id']}/feedback", json={"rating": "up"}, headers=KIM).json()
    assert liked["rating"] == "up"
    assert client.get(f"/api/sessions/{session}/export", headers=KIM).text.startswith("# Holidays")
    assert client.get(f"/api/sessions/{session}/export?format=json", headers=KIM).json()["title"] == "Holidays"
    assert client.delete(f"/api/sessions/{session}", headers=KIM).status_code == 204
    assert client.get(f"/api/sessions/{session}", headers=KIM).status_code == 404


def test_the_events_of_a_stream_are_in_order_and_end_with_what_is_kept(client, session):
    response = client.post(f"/api/sessions/{session}/messages", json=ASK, headers=KIM | STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    names, data = zip(*events_of(response.text), strict=True)
    assert names[:2] == ("session_info", "stream_start") and set(names[2:-1]) == {"stream_token"} and names[-1] == "stream_end"
    assert data[0]["session"]["id"] == session and data[0]["session"]["title"] == ASK["content"]
    assert data[0]["question"]["content"] == ASK["content"] and data[0]["answer"]["status"] == "pending"
    assert "".join(piece["text"] for piece in data[2:-1]) == TEXT
    assert {piece["message_id"] for piece in data[1:-1]} == {data[0]["answer"]["id"]}
    assert data[-1]["message"] == client.get(f"/api/sessions/{session}/messages", headers=KIM).json()["items"][1]
    assert data[-1]["context"][0]["text"].startswith(SENTENCES[0])


def test_again_answers_the_same_or_an_edited_question(client, session):
    first = client.post(f"/api/sessions/{session}/messages", json=ASK, headers=KIM).json()
    path = f"/api/sessions/{session}/messages/{{}}/again"
    second = client.post(path.format(first["message"]["id"]), headers=KIM).json()
    assert second["question"]["id"] == first["question"]["id"] and second["message"]["id"] != first["message"]["id"]
    edited = client.post(path.format(first["question"]["id"]), json={"content": "zebra"}, headers=KIM | STREAM)
    assert events_of(edited.text)[-1][1]["message"]["details"]["found"] is False
    items = client.get(f"/api/sessions/{session}/messages", headers=KIM).json()["items"]
    assert [item["content"] for item in items] == ["zebra", "Nothing was found."]


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ModelUnavailable("The model is away."), 503, "The model is away."),
        (ModelInterrupted("It died."), 503, "It died."),
        (RuntimeError("internal secret"), 500, "Something failed on our side."),
    ],
)
def test_a_failure_is_told_in_three_sentences_and_hides_internals(client, session, site, error, status, said):
    site.answering.error = error
    path = f"/api/sessions/{session}/messages"
    streamed = client.post(path, json=ASK, headers=KIM | STREAM)
    name, data = events_of(streamed.text)[-1]
    assert (name, data["status"], data["error"]) == ("error", status, said)
    assert {"allowed", "next", "message_id", "trace_id"} <= set(data)
    plain = client.post(path, json=ASK, headers=KIM)
    assert (plain.status_code, plain.json()["error"]) == (status, said)
    assert "secret" not in streamed.text + plain.text
    kept = client.get(path, headers=KIM).json()["items"]
    assert [item["status"] for item in kept if item["role"] == "assistant"].count("done") == 0


def test_a_second_question_meanwhile_is_told_to_wait(client, session, site):
    site.answering.gate.clear()
    first = threading.Thread(
        target=client.post, args=(f"/api/sessions/{session}/messages",), kwargs={"json": ASK, "headers": KIM}
    )
    first.start()
    assert site.answering.waiting.wait(60)
    second = client.post(f"/api/sessions/{session}/messages", json=ASK, headers=KIM)
    site.answering.gate.set()
    first.join(60)
    assert second.status_code == 409 and set(told(second)) == {"error", "allowed", "next"}
    assert client.get(f"/api/sessions/{session}/messages", headers=KIM).json()["total"] == 2


def routes_of_a_session(session: str, message: str):
    return [
        ("GET", f"/api/sessions/{session}", None),
        ("PATCH", f"/api/sessions/{session}", {"title": "x"}),
        ("DELETE", f"/api/sessions/{session}", None),
        ("GET", f"/api/sessions/{session}/messages", None),
        ("POST", f"/api/sessions/{session}/messages", ASK),
        ("POST", f"/api/sessions/{session}/messages/{message}/again", None),
        ("DELETE", f"/api/sessions/{session}/memory", None),
        ("GET", f"/api/sessions/{session}/export", None),
        ("POST", f"/api/messages/{message}/feedback", {"rating": "up"}),
    ]


@pytest.mark.parametrize("who", [LEE, PARK], ids=["same tenant", "other tenant"])
def test_ids_of_somebody_else_tell_nothing(client, session, who):
    message = client.post(f"/api/sessions/{session}/messages", json=ASK, headers=KIM).json()["message"]["id"]
    known = routes_of_a_session(session, message)
    nobodys = routes_of_a_session("0" * 32, "0" * 32)
    for (method, path, body), (_, random, _) in zip(known, nobodys, strict=True):
        theirs = client.request(method, path, json=body, headers=who)
        assert theirs.status_code == 404, (method, path)
        assert told(theirs) == told(client.request(method, random, json=body, headers=who))
    # own session with the message of somebody else
    mine = client.post("/api/sessions", headers=who).json()["id"]
    assert client.post(f"/api/sessions/{mine}/messages/{message}/again", headers=who).status_code == 404
    assert client.get(f"/api/sessions/{session}/messages", headers=KIM).json()["total"] == 2
    assert session not in [item["id"] for item in client.get("/api/sessions", headers=who).json()["items"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"content": ""}, "empty"),
        ({"content": "x" * 2001}, "2001 characters"),
        ({"content": "a\x00"}, "control"),
        ({"content": "a", "tenant": "other"}, "tenant"),
        ({}, "content"),
    ],
)
def test_a_message_that_cannot_be_asked_says_why(client, session, site, body, said):
    for headers in (KIM, KIM | STREAM):
        response = client.post(f"/api/sessions/{session}/messages", json=body, headers=headers)
        assert response.status_code == 422 and said in response.json()["error"]
    assert site.answering.asked == []


def test_single_questions_are_answered_and_not_kept(client):
    before = client.get("/api/sessions", headers=KIM).json()["total"]
    answer = client.post("/api/ask", json={"question": "leave?"}, headers=KIM).json()
    assert answer["text"] == TEXT and answer["citations"][0]["number"] == 1
    events = events_of(client.post("/api/ask/stream", json={"question": "leave?"}, headers=KIM).text)
    assert events[-1] == ("answer", answer) and {name for name, _ in events[:-1]} == {"piece"}
    assert client.post("/api/search", json={"question": "leave"}, headers=KIM).json()["hits"][0]["chunk_id"] == "c1"
    assert client.get("/api/sessions", headers=KIM).json()["total"] == before


def test_a_passage_that_may_not_be_read_looks_like_one_that_is_gone(client):
    assert client.get("/api/passages/c1", headers=KIM).status_code == 200
    unreadable, gone = (client.get(f"/api/passages/{name}", headers=PARK) for name in ("c1", "c9"))
    assert unreadable.status_code == gone.status_code == 404 and told(unreadable) == told(gone)
    assert client.post("/api/search", json={"question": "leave"}, headers=PARK).json() == {"hits": []}


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(client):
    def parts():
        for _ in range(100):
            yield b" " * 100_000

    for content in (b" " * 9_000_000, parts()):
        response = client.post("/api/ask", content=content, headers=KIM | {"content-type": "application/json"})
        assert response.status_code == 413 and set(told(response)) == {"error", "allowed", "next"}


@pytest.mark.parametrize("path", ["/api/nothing", "/v1/nothing", "/nothing"])
def test_an_unknown_address_says_so_in_the_shape_of_its_clients(client, path):
    body = told(client.get(path, headers=KIM))
    assert set(body) == ({"error"} if path.startswith("/v1") else {"error", "allowed", "next"})
    assert client.put("/api/ask", headers=KIM).status_code in (404, 405)


def test_responses_carry_the_headers_that_browsers_need(client):
    headers = client.get("/api/sessions", headers=KIM).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
