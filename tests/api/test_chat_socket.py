"""The chat over a WebSocket: who is let in, the five events, stop, one answer at a time, what a broken client is told."""

import json

import pytest
from api_parts import SENTENCES
from api_parts import told as sentences
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

KIM = {"who": "kim"}
ASK = {"type": "ask", "content": "How much leave is there?"}


@pytest.fixture
def session(client):
    return client.post("/api/sessions", headers=KIM).json()["id"]


def opened(client, session, headers=KIM):
    return client.websocket_connect(f"/ws/chat/{session}", headers=headers)


def until(socket, *ends: str) -> list[dict]:
    told = [socket.receive_json()]
    while told[-1]["type"] not in ends:
        told.append(socket.receive_json())
    return told


def kept(client, session) -> list[dict]:
    return client.get(f"/api/sessions/{session}/messages", headers=KIM).json()["items"]


def test_an_answer_comes_in_the_five_events(client, session):
    with opened(client, session) as socket:
        assert socket.receive_json()["session"]["id"] == session
        socket.send_json(ASK)
        told = until(socket, "stream_end")
        names = [event["type"] for event in told]
        assert names[:2] == ["session_info", "stream_start"] and set(names[2:-1]) == {"stream_token"}
        assert told[-1]["message"]["content"] == "".join(event["text"] for event in told[2:-1])
        assert told[-1]["message"]["citations"][0]["quote"] == SENTENCES[0] and told[-1]["context"][0]["cited_as"] == 1
        socket.send_json({"type": "again", "message_id": told[0]["question"]["id"], "content": "zebra"})
        assert until(socket, "stream_end")[-1]["message"]["content"] == "Nothing was found."
        socket.send_json({"type": "ping"})
        assert socket.receive_json()["type"] == "session_info"
    assert [item["content"] for item in kept(client, session)] == ["zebra", "Nothing was found."]


def test_stop_keeps_what_came_and_the_socket_goes_on(client, session, site):
    site.answering.gate.clear()
    with opened(client, session) as socket:
        socket.receive_json()
        socket.send_json(ASK)
        until(socket, "stream_token")
        socket.send_json(ASK)
        assert (busy := until(socket, "error")[-1])["status"] == 409 and busy["allowed"]
        socket.send_json({"type": "stop"})
        while kept(client, session)[1]["status"] == "pending":
            pass
        assert (kept(client, session)[1]["status"], kept(client, session)[1]["content"]) == ("stopped", f"{SENTENCES[0]} ")
        site.answering.gate.set()
        assert until(socket, "stream_end")[-1]["message"]["status"] == "stopped"
        socket.send_json(ASK)
        assert until(socket, "stream_end")[-1]["message"]["status"] == "done"


def test_a_client_that_goes_away_leaves_a_stopped_answer(client, session, site):
    site.answering.gate.clear()
    with opened(client, session) as socket:
        socket.receive_json()
        socket.send_json(ASK)
        until(socket, "stream_token")
    while kept(client, session)[1]["status"] == "pending":
        pass
    site.answering.gate.set()
    assert kept(client, session)[1]["status"] == "stopped"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"who": "fresh"}, 403),
        ({"who": "lee"}, 404),
        ({"who": "park"}, 404),
        (KIM | {"origin": "https://evil.example"}, 403),
        (KIM | {"origin": "null"}, 403),
    ],
)
def test_who_may_not_is_refused_before_the_socket_opens(client, session, site, headers, status):
    with pytest.raises(WebSocketDenialResponse) as refused, opened(client, session, headers):
        pass
    assert refused.value.status_code == status and set(sentences(refused.value)) == {"error", "allowed", "next"}
    assert site.answering.asked == []


def test_nobody_is_refused_at_the_gate(client, session):
    with pytest.raises(WebSocketDisconnect) as refused, opened(client, session, {}):
        pass
    assert refused.value.code == 4401


def test_a_page_of_the_same_origin_is_let_in(client, session):
    with opened(client, session, KIM | {"origin": "http://testserver"}) as socket:
        assert socket.receive_json()["type"] == "session_info"


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"type": "dance"}', '{"type": "ask"}', '{"type": "ask", "content": 7}', "[" * 60_000,
     '{"type": "ask", "content": "leave", "tenant": "other"}'],
)  # fmt: skip
def test_a_message_that_is_not_understood_is_told_so_and_the_socket_goes_on(client, session, site, text):
    with opened(client, session) as socket:
        socket.receive_json()
        socket.send_text(text)
        told = socket.receive_json()
        assert told["type"] == "error" and told["status"] == 422
        socket.send_json({"type": "ping"})
        assert socket.receive_json()["type"] == "session_info"
    assert site.answering.asked == []


def test_a_question_that_cannot_be_asked_is_told_why(client, session):
    with opened(client, session) as socket:
        socket.receive_json()
        for content, said in (("", "empty"), ("a\x00", "control"), ("x" * 3000, "3000 characters")):
            socket.send_json({"type": "ask", "content": content})
            assert said in until(socket, "error")[-1]["error"]
    assert kept(client, session) == []


def test_a_message_that_is_too_large_ends_the_socket(client, session):
    with opened(client, session) as socket:
        socket.receive_json()
        socket.send_text(json.dumps({"type": "ask", "content": "x" * 70_000}))
        assert "65536" in socket.receive_json()["error"]
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
    assert ended.value.code == 1009


def test_who_lost_the_right_meanwhile_is_answered_no_more(client, session, site, monkeypatch):
    from api_parts import PEOPLE

    with opened(client, session) as socket:
        socket.receive_json()
        monkeypatch.delitem(PEOPLE, "kim")
        socket.send_json(ASK)
        assert until(socket, "error")[-1]["status"] == 401
    assert site.answering.asked == []
