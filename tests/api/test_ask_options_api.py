"""Spaces, instructions, examples and templates through every route that answers: what is asked, what is kept."""

import pytest
from api_parts import SENTENCES, events_of

from llmflow.serving.conversations.ask_options import MAX_EXAMPLES_CHARS, MAX_INSTRUCTIONS
from llmflow.types import AskOptions, Space

KIM, LEE, PARK = ({"who": name} for name in ("kim", "lee", "park"))
ASK = {"content": "How much leave is there?"}
EXAMPLES = [{"question": "And IT?", "answer": "- **15 days** [1]"}, {"question": "Call 010-1234-5678?", "answer": "- no [1]"}]
PAIRS = tuple((example["question"], example["answer"]) for example in EXAMPLES)
TEMPLATE = {"name": "leave-of", "title": "Leave", "text": "How much leave has {{team}}?", "examples": EXAMPLES}


@pytest.fixture
def asked(site):
    site.answering.options.clear()
    site.answering.asked.clear()
    return site.answering


@pytest.fixture
def session(client):
    return client.post("/api/sessions", headers=KIM).json()["id"]


@pytest.fixture
def template(client):
    found = client.post("/api/templates", json=TEMPLATE, headers=KIM).json()
    yield found["id"]
    client.delete(f"/api/templates/{found['id']}", headers=KIM)


def messages_of(client, session):
    return client.get(f"/api/sessions/{session}/messages", headers=KIM).json()["items"]


def test_a_space_is_of_one_question_kept_with_it_and_shown(client, session, asked):
    path = f"/api/sessions/{session}/messages"
    own = client.post(path, json=ASK | {"space": "own"}, headers=KIM).json()
    assert own["question"]["details"] == {"space": "own"}
    assert (own["message"]["details"]["found"], own["message"]["details"]["space"]) == (False, "own")
    plain = client.post(path, json=ASK, headers=KIM).json()
    assert plain["question"]["details"] == {} and plain["message"]["details"]["space"] == "all"
    assert [options.space for options in asked.options] == [Space.OWN, Space.ALL]
    again = client.post(f"{path}/{own['question']['id']}/again", headers=KIM).json()
    assert again["message"]["details"]["space"] == "own"
    wider = client.post(f"{path}/{own['question']['id']}/again", json={"space": "shared"}, headers=KIM).json()
    assert (wider["message"]["details"]["found"], wider["question"]["details"]) == (True, {"space": "shared"})
    assert client.post(path, json=ASK | {"space": "everything"}, headers=KIM).status_code == 422


def test_single_questions_and_searches_are_narrowed_too(client, asked):
    for space, found in (("all", True), ("own", False), ("shared", True)):
        answer = client.post("/api/ask", json={"question": ASK["content"], "space": space}, headers=KIM).json()
        assert (answer["found"], answer["space"]) == (found, space)
        hits = client.post("/api/search", json={"question": "leave", "space": space}, headers=KIM).json()["hits"]
        assert [hit["chunk_id"] for hit in hits] == (["c1"] if found else [])
    streamed = client.post("/api/ask/stream", json={"question": ASK["content"], "space": "own"}, headers=KIM).text
    assert events_of(streamed)[-1][1]["space"] == "own"


def test_documents_are_of_one_question_kept_with_it_and_shown(client, session, asked):
    path = f"/api/sessions/{session}/messages"
    body = ASK | {"documents": ["d1", "unknown", "d1"]}
    answered = client.post(path, json=body, headers=KIM).json()
    assert answered["question"]["details"] == {"documents": ["d1", "unknown"]}
    streamed = client.post(path, json=body, headers=KIM | {"accept": "text/event-stream"}).text
    assert events_of(streamed)[-1][0] == "stream_end"
    again = f"{path}/{answered['question']['id']}/again"
    client.post(again, headers=KIM)
    client.post(again, json={"documents": ["d2"]}, headers=KIM)
    wider = client.post(again, json={"documents": []}, headers=KIM).json()
    assert wider["question"]["details"] == {}
    client.post("/api/ask", json={"question": ASK["content"], "documents": ["d1"]}, headers=KIM)
    client.post("/api/ask/stream", json={"question": ASK["content"], "documents": ["d1"]}, headers=KIM)
    completion(client, {"role": "user", "content": ASK["content"]}, llmflow={"documents": ["d1"]})
    with client.websocket_connect(f"/ws/chat/{session}", headers=KIM) as socket:
        socket.receive_json()
        for message in ({"type": "ask", "content": "And in March?", "documents": ["d3"]},):
            socket.send_json(message)
            while (event := socket.receive_json())["type"] not in ("stream_end", "error"):
                pass
            assert event["type"] == "stream_end"
    both, one = ("d1", "unknown"), ("d1",)
    assert [options.documents for options in asked.options] == [both, both, both, ("d2",), (), one, one, one, ("d3",)]


@pytest.mark.parametrize("documents", [["d"] * 20 + ["e"], [""], ["x" * 65], ["a\nb"], ["é"], "d1", [1]])
def test_what_is_no_choice_of_documents_is_refused(client, session, asked, documents):
    for path, body in ((f"/api/sessions/{session}/messages", ASK), ("/api/search", {"question": "leave"})):
        refused = client.post(path, json=body | {"documents": documents}, headers=KIM)
        assert refused.status_code == 422 and refused.json()["next"], refused.text
    user = {"role": "user", "content": ASK["content"]}
    assert completion(client, user, llmflow={"documents": documents}).status_code == 400
    assert asked.asked == []


@pytest.mark.parametrize("space", ["all", "own", "shared"])
def test_a_space_opens_nothing_to_those_who_may_not_read(client, asked, space):
    for who in (LEE, PARK):
        body = {"question": ASK["content"], "space": space}
        assert not client.post("/api/ask", json=body, headers=who).json()["found"]
        assert client.post("/api/search", json=body, headers=who).json()["hits"] == []


def test_instructions_and_examples_are_kept_masked_and_asked_again(client, session, asked):
    path = f"/api/sessions/{session}/messages"
    body = ASK | {"instructions": "As a table; mail hong@example.com", "examples": EXAMPLES}
    answered = client.post(path, json=body, headers=KIM).json()
    assert asked.options[-1] == AskOptions(Space.ALL, body["instructions"], PAIRS)
    kept = answered["question"]["details"]
    assert kept["instructions"].startswith("As a table") and "hong@" not in str(kept) and "010-1234" not in str(kept)
    assert kept["examples"][0] == list(PAIRS[0])
    client.post(f"{path}/{answered['message']['id']}/again", json={"content": "And leave in March?"}, headers=KIM)
    assert asked.asked[-1][0] == "And leave in March?"
    assert asked.options[-1].instructions == kept["instructions"] and asked.options[-1].examples[0] == PAIRS[0]
    assert messages_of(client, session)[0]["details"] == kept
    assert "hong@" not in client.get(f"/api/sessions/{session}/export?format=json", headers=KIM).text


def test_a_template_gives_its_examples_and_its_text_where_no_question_is_sent(client, session, asked, template):
    path = f"/api/sessions/{session}/messages"
    filled = client.post(path, json={"template": {"id": template, "values": {"team": "HR"}}}, headers=KIM).json()
    assert filled["question"]["content"] == "How much leave has HR?"
    assert filled["question"]["details"]["template"] == "leave-of@1"
    assert asked.options[-1] == AskOptions(Space.ALL, "", PAIRS, "leave-of@1")
    client.post(path, json=ASK | {"template": {"id": template}, "space": "shared"}, headers=KIM)
    assert asked.asked[-1][0] == ASK["content"] and asked.options[-1] == AskOptions(Space.SHARED, "", PAIRS, "leave-of@1")
    client.post("/api/ask", json={"template": {"id": template, "values": {"team": "IT"}}, "examples": EXAMPLES[:1]}, headers=KIM)
    assert asked.asked[-1][0] == "How much leave has IT?" and asked.options[-1].examples == (*PAIRS, PAIRS[0])


def test_what_cannot_be_wished_says_why_and_asks_nothing(client, session, asked, template):
    path = f"/api/sessions/{session}/messages"
    long = [{"question": "q", "answer": "a" * 8000}] * (MAX_EXAMPLES_CHARS // 8000 + 1)
    for who, body, status, said in (
        (KIM, {}, 422, "content is missing"),
        (KIM, ASK | {"instructions": "x" * (MAX_INSTRUCTIONS + 1)}, 422, "instructions"),
        (KIM, ASK | {"instructions": "x\u0007"}, 422, "control characters"),
        (KIM, ASK | {"examples": [{"question": " ", "answer": "a"}]}, 422, "empty"),
        (KIM, ASK | {"examples": long}, 422, "characters together"),
        (KIM, ASK | {"examples": EXAMPLES[:1] * 21}, 422, "examples"),
        (KIM, {"template": {"id": template}}, 422, "without a value: team"),
        (KIM, {"template": {"id": "none"}}, 404, "no such template"),
        (KIM, ASK | {"template": {"id": template, "version": 9}}, 404, "no such template"),
    ):
        answer = client.post(path, json=body, headers=who)
        assert answer.status_code == status and said in answer.json()["error"], (body, answer.json())
        assert answer.json()["next"]
    assert client.post("/api/ask", json={"template": {"id": template, "values": {"team": "x"}}}, headers=LEE).status_code == 404
    assert messages_of(client, session) == [] and asked.asked == []


def test_a_socket_takes_the_same_wishes(client, session, asked, template):
    def told(socket, message):
        socket.send_json(message)
        while (event := socket.receive_json())["type"] not in ("stream_end", "error"):
            pass
        return event

    with client.websocket_connect(f"/ws/chat/{session}", headers=KIM) as socket:
        socket.receive_json()
        end = told(socket, {"type": "ask", "template": {"id": template, "values": {"team": "HR"}}, "space": "own"})
        assert end["message"]["details"]["space"] == "own"
        assert asked.options[-1] == AskOptions(Space.OWN, "", PAIRS, "leave-of@1")
        question = messages_of(client, session)[0]["id"]
        assert told(socket, {"type": "again", "message_id": question})["message"]["details"]["space"] == "own"
        assert told(socket, {"type": "again", "message_id": question, "space": "all"})["message"]["details"]["found"]
        assert told(socket, {"type": "ask"})["status"] == 422
        assert told(socket, {"type": "ask", "template": {"id": "none"}})["status"] == 404


def completion(client, *messages, **more):
    return client.post("/v1/chat/completions", json={"model": "llmflow", "messages": list(messages), **more}, headers=KIM)


def test_system_messages_are_instructions_and_named_ones_examples(client, asked, template):
    user = {"role": "user", "content": ASK["content"]}
    done = completion(
        client,
        {"role": "system", "content": "Answer briefly."},
        {"role": "system", "name": "example_user", "content": PAIRS[0][0]},
        {"role": "system", "name": "example_assistant", "content": [{"type": "text", "text": PAIRS[0][1]}]},
        {"role": "developer", "content": "As a list."},
        user,
    ).json()
    assert done["found"] and done["space"] == "all"
    assert asked.options[-1] == AskOptions(Space.ALL, "Answer briefly.\n\nAs a list.", PAIRS[:1])
    assert asked.asked[-1][3] == ()
    extra = completion(client, user, llmflow={"space": "own", "template": {"id": template}}).json()
    assert (extra["found"], extra["space"]) == (False, "own") and asked.options[-1].examples == PAIRS
    assert SENTENCES[0] not in extra["choices"][0]["message"]["content"]


def test_openai_clients_are_told_what_is_wrong_with_instructions(client, asked):
    user = {"role": "user", "content": ASK["content"]}
    half = completion(client, {"role": "system", "name": "example_user", "content": "And IT?"}, user)
    assert half.status_code == 400 and "come in pairs" in half.json()["error"]["message"]
    turned = completion(
        client,
        {"role": "system", "name": "example_assistant", "content": "a"},
        {"role": "system", "name": "example_user", "content": "b"},
        user,
    )
    assert turned.status_code == 400
    long = completion(client, {"role": "system", "content": "x" * (MAX_INSTRUCTIONS + 1)}, user)
    assert long.status_code == 400 and str(MAX_INSTRUCTIONS) in long.json()["error"]["message"]
    assert completion(client, user, llmflow={"space": "all", "groups": ["law"]}).status_code == 400
    assert asked.asked == []
