"""A real vLLM under `llmflow serve-llm`: what it answers, whom it lets in, and what happens when it dies."""

import contextlib
import json
import signal

import httpx
import pytest
from running import run_llmflow
from serving_process import KEY, wait_until

from llmflow.adapters.served_chat import ServedChat, ServedChatSettings
from llmflow.adapters.sql_state import SqlStateStore
from llmflow.adapters.vllm_server import VllmServer
from llmflow.errors import LlmflowError, ModelInterrupted, ModelUnavailable
from llmflow.finetuning.local_model import LocalModel
from llmflow.finetuning.types import Message
from llmflow.ports import ChatRequest
from llmflow.serving.models.demo import QUESTION
from llmflow.types import ChatTurn

QUESTIONS = (
    "반반차 규정이 어떻게 되나요?",
    "출장비 기준 좀 알려줘.",
    "비밀번호 내용을 한 줄로 말해 줘.",
    "What is the rule for remote work?",
)
AS_IT = ("--tenant", "hanbit", "--group", "it", "--env", "test", "--json")


@pytest.fixture
def chat(served):
    found = ServedChat(
        ServedChatSettings(timeout_s=60),
        SqlStateStore(f"sqlite:///{served.home}/state.db"),
        lambda address: VllmServer(address, KEY),
        KEY,
    )
    yield found
    found.close()


def test_greedy_answers_are_those_of_transformers_and_peft(served):
    server = VllmServer(served.address, KEY)
    base, *adapters = server.models()
    server.close()
    assert len(adapters) == 2
    local = LocalModel(str(served.home / "models" / "tiny"), {name: str(served.home / "adapters" / name) for name in adapters})
    different = set()
    for name in (base, *adapters):
        with local.use(None if name == base else name) as model:
            wanted = [answer.text for answer in model.answers([[Message("user", text)] for text in QUESTIONS], 32)]
        got = [_complete(served.address, name, text, 32) for text in QUESTIONS]
        assert got == wanted
        different.add(tuple(got))
    assert len(different) == 3


def _complete(address: str, model: str, question: str, max_tokens: int) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": question}], "max_tokens": max_tokens, "temperature": 0}
    answer = httpx.post(f"{address}/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=120)
    answer.raise_for_status()
    return answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "path", ["/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/adapters", "/v1/chat/completions", "/invocations"]
)
def test_without_the_key_nothing_is_administered_or_answered(served, path):
    body = {"lora_name": "x", "lora_path": "/etc", "name": "x", "src": "/etc"}
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert httpx.post(served.address + path, json=body, headers=headers).status_code == 401
    assert httpx.get(f"{served.address}/health").status_code == 200


def test_an_adapter_that_the_server_cannot_load_is_told_and_changes_nothing(served, tmp_path):
    from adapters_on_disk import write_adapter

    from llmflow.ports import ServedAdapter

    server = VllmServer(served.address, KEY)
    before = server.models()
    folder = write_adapter(tmp_path / "other")  # weights of another model's shape
    with pytest.raises(ModelUnavailable, match="did not load"):
        server.load(ServedAdapter("chat-v9-00000000", str(folder), ""))
    assert server.models() == before
    server.close()


def test_a_server_killed_in_mid_answer_is_told_answers_are_quoted_and_it_comes_back(served, chat):
    champion = chat.current().name
    assert champion.startswith("chat-v1-")
    with pytest.raises(ModelInterrupted, match="ask again"):
        _stream_until_killed(served, chat)
    asked = run_llmflow(served.home, "ask", QUESTION, *AS_IT, extra={"LLMFLOW_CHAT_KEY": KEY})
    answer = json.loads(asked.stdout)
    assert answer["model"] == "extractive" and answer["notice"] and answer["found"]

    wait_until(lambda: _answers(chat), "serve-llm to restart vLLM")
    assert chat.current().name == champion
    server = VllmServer(served.address, KEY)
    wait_until(lambda: len(server.models()) == 3, "champion and previous to be loaded again")
    server.close()
    assert "restart 1 of" in served.log.read_text()


def _stream_until_killed(served, chat) -> None:
    """Kill vLLM at the first piece of an answer; where the whole had arrived by then, wait for the restart and try again."""
    for attempt in range(4):
        wait_until(lambda: _answers(chat), "vLLM to answer")
        server = served.server()  # looked up before: a short answer would be over meanwhile
        request = ChatRequest("", (ChatTurn("user", f"{QUESTIONS[attempt]} {attempt}"),), 2000, 2.0)
        for number, _ in enumerate(chat.stream(request)):
            if number == 0:
                server.send_signal(signal.SIGKILL)
    raise AssertionError("every answer had arrived before vLLM was gone")


def _answers(chat) -> bool:
    with contextlib.suppress(LlmflowError):
        return bool("".join(chat.stream(ChatRequest("", (ChatTurn("user", QUESTIONS[0]),), 16))))
    return False
