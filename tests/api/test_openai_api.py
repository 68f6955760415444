"""The OpenAI-compatible API, asked by OpenAI's own client over a real socket."""

import threading
import time

import httpx
import openai
import pytest
import uvicorn
from api_parts import SENTENCES

from llmflow.errors import ModelUnavailable

TEXT = f"{SENTENCES[0]} [1] {SENTENCES[1]} [1]"
ASKED = [{"role": "user", "content": "How much leave is there?"}]


@pytest.fixture(scope="module")
def address(site):
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < until and thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def client(site, address):
    site.answering.asked.clear()
    site.answering.error = None
    with openai.OpenAI(base_url=f"{address}/v1", api_key="-", default_headers={"who": "kim"}, max_retries=0) as found:
        yield found


def test_the_model_is_listed(client):
    assert [model.id for model in client.models.list()] == ["llmflow"]
    assert client.models.retrieve("llmflow").owned_by == "llmflow"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4")


def test_a_completion_carries_text_usage_and_citations(client):
    done = client.chat.completions.create(model="llmflow", messages=ASKED, temperature=0.2, max_tokens=100, user="u")
    assert done.choices[0].message.content == TEXT and done.choices[0].finish_reason == "stop"
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (30, 12, 42)
    assert done.citations[0]["quote"] == SENTENCES[0] and done.found is True and done.answered_by == "tiny"


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_has_the_role_the_pieces_the_end_and_usage_where_asked(client, usage):
    options = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = list(client.chat.completions.create(model="llmflow", messages=ASKED, stream=True, **options))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    ends = [chunk for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert [end.choices[0].finish_reason for end in ends] == ["stop"] and ends[0].citations[0]["chunk_id"] == "c1"
    assert len({chunk.id for chunk in chunks}) == 1
    if usage:
        assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 42
    else:
        assert all(chunk.usage is None for chunk in chunks)


def test_the_conversation_is_what_the_request_holds(client, site):
    messages = [
        {"role": "developer", "content": "Answer briefly."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": [{"type": "text", "text": "How much"}, {"type": "text", "text": "leave?"}]},
    ]
    client.chat.completions.create(model="llmflow", messages=messages)
    question, principal, session_id, history, _ = site.answering.asked[-1]
    assert (question, principal.user, session_id) == ("How much\nleave?", "kim", "")
    assert [(turn.role, turn.content) for turn in history] == [("user", "Hello"), ("assistant", "Hello.")]


@pytest.mark.parametrize(
    ("wrong", "error", "param"),
    [
        ({"model": "gpt-4"}, openai.NotFoundError, "model"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, openai.BadRequestError, "messages.0.role"),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "tool", "content": "y", "tool_call_id": "1"}]},
         openai.BadRequestError, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]},
         openai.BadRequestError, None),
        ({"n": 2}, openai.BadRequestError, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, openai.BadRequestError, "tools"),
        ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "response_format"),
        ({"temperature": 3}, openai.BadRequestError, "temperature"),
        ({"extra_body": {"unheard_of": 1}}, openai.BadRequestError, "unheard_of"),
        ({"extra_headers": {"who": "stranger"}}, openai.AuthenticationError, None),
        ({"extra_headers": {"who": "fresh"}}, openai.PermissionDeniedError, None),
        ({"messages": [{"role": "user", "content": "x" * 3000}]}, openai.BadRequestError, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_those_that_the_client_knows(client, site, wrong, error, param, stream):
    with pytest.raises(error) as refused:
        client.chat.completions.create(**{"model": "llmflow", "messages": ASKED, "stream": stream, **wrong})
    assert refused.value.body["message"] and refused.value.body["type"]
    assert param is None or refused.value.body["param"] == param
    assert site.answering.asked == []


def test_a_failure_in_the_middle_of_a_stream_is_raised_by_the_client(client, site):
    site.answering.error = ModelUnavailable("The model is away.")
    stream = client.chat.completions.create(model="llmflow", messages=ASKED, stream=True)
    with pytest.raises(openai.APIError, match="The model is away"):
        list(stream)
    with pytest.raises(openai.InternalServerError, match="The model is away"):
        client.chat.completions.create(model="llmflow", messages=ASKED)


def test_the_stream_ends_as_openai_ends_it(client, address):
    body = {"model": "llmflow", "messages": ASKED, "stream": True}
    text = httpx.post(f"{address}/v1/chat/completions", json=body, headers={"who": "kim"}).text
    assert text.endswith("data: [DONE]\n\n") and all(block.startswith("data: ") for block in text.strip().split("\n\n"))
