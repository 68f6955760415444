"""Promotion over replicas: all or none, flipped once, drained, undone. Against small real servers."""

import threading

import pytest
from adapters_on_disk import write_adapter
from vllm_double import VllmDouble, vllm_doubles

from llmflow.adapters.served_chat import ServedChat, ServedChatSettings
from llmflow.adapters.sql_state import SqlStateStore
from llmflow.adapters.state_pointers import StatePointers
from llmflow.adapters.vllm_server import VllmServer
from llmflow.errors import ModelInterrupted, ModelUnavailable, SettingsError, StoreCorrupt
from llmflow.finetuning.adapter_files import adapter_digest
from llmflow.ports import ChatRequest, Pointer, ServedAdapter
from llmflow.serving.models.gateway import Gateway, GatewaySettings
from llmflow.types import ChatTurn

REQUEST = ChatRequest("system", (ChatTurn("user", "question"),), 32)


OPENED = []


@pytest.fixture
def state(tmp_path):
    store = SqlStateStore(f"sqlite:///{tmp_path}/state.db")
    yield store
    while OPENED:
        OPENED.pop().close()
    store.close()


def adapter(tmp_path, number: int) -> ServedAdapter:
    folder = tmp_path / f"adapter{number}"
    if not folder.exists():
        (write_adapter(folder, seed=number) / "README.md").unlink()
    digest = adapter_digest(folder)
    return ServedAdapter(f"chat-v{number}-{digest[:8]}", str(folder), digest)


def gateway_over(doubles, state, **settings) -> Gateway:
    servers = [VllmServer(double.address, double.key) for double in doubles]
    OPENED.extend(servers)
    return Gateway(servers, StatePointers(state), "chat", GatewaySettings(poll_s=0.02, **settings))


def chat_over(state) -> ServedChat:
    chat = ServedChat(ServedChatSettings(timeout_s=20), state, VllmServer)
    OPENED.append(chat)
    return chat


def pointer(doubles, champion=None, previous=None) -> Pointer:
    return Pointer("chat", tuple(double.address for double in doubles), champion, previous)


def say(chat: ServedChat) -> str:
    return "".join(chat.stream(REQUEST))


def test_a_flip_changes_the_next_request_and_no_other(state, tmp_path):
    one, two = adapter(tmp_path, 1), adapter(tmp_path, 2)
    with vllm_doubles(1) as doubles:
        gateway, chat = gateway_over(doubles, state), chat_over(state)
        for new in (one, two):
            gateway.load(new)
        gateway.flip(pointer(doubles, one))
        doubles[0].gate = threading.Event()
        running = chat.stream(REQUEST)
        assert next(running) == f"{one.name}:"
        gateway.flip(pointer(doubles, two, one))
        doubles[0].gate.set()
        assert "".join(running) == " w0 w1 w2 w3 w4"
        assert say(chat).startswith(f"{two.name}:")
        assert doubles[0].asked[-2:] == [one.name, two.name]


def test_an_adapter_is_unloaded_only_when_nothing_runs_on_it(state, tmp_path):
    adapters = [adapter(tmp_path, number) for number in (1, 2, 3)]
    with vllm_doubles(1) as doubles:
        double, gateway, chat = doubles[0], gateway_over(doubles, state, drain_s=0.1), chat_over(state)
        for new in adapters:
            gateway.load(new)
        gateway.flip(pointer(doubles, adapters[0]))
        double.gate = threading.Event()
        running = chat.stream(REQUEST)
        next(running)
        gateway.flip(pointer(doubles, adapters[2], adapters[1]))
        assert gateway.retire().kept == (adapters[0].name,)
        assert adapters[0].name in double.adapters
        double.gate.set()
        assert "".join(running).endswith("w4")
        assert gateway_over(doubles, state).retire().unloaded == (adapters[0].name,)
        assert set(double.adapters) == {adapters[1].name, adapters[2].name}


def test_adapters_of_others_are_left_alone(state, tmp_path):
    with vllm_doubles(1) as doubles:
        doubles[0].adapters["sql-helper"] = "/elsewhere"
        gateway = gateway_over(doubles, state)
        gateway.flip(pointer(doubles))
        gateway.retire()
        assert "sql-helper" in doubles[0].adapters


@pytest.mark.parametrize("fault", ["load", "probe", "away"])
def test_a_replica_that_does_not_take_it_undoes_the_others(state, tmp_path, fault):
    new = adapter(tmp_path, 1)
    with vllm_doubles(3) as doubles:
        gateway = gateway_over(doubles, state)
        gateway.flip(pointer(doubles))
        before = StatePointers(state).read("chat")
        doubles[2].refuse_load = "no such folder" if fault == "load" else ""
        doubles[2].refuse_probe = fault == "probe"
        if fault == "away":
            doubles[2].close()
        with pytest.raises(ModelUnavailable, match=f"3 replicas, and nothing was changed.*{doubles[2].address}"):
            gateway.load(new)
        assert all(not double.adapters for double in doubles)
        assert StatePointers(state).read("chat") == before


def test_what_was_loaded_before_stays_when_a_later_load_fails(state, tmp_path):
    new = adapter(tmp_path, 1)
    with vllm_doubles(2) as doubles:
        gateway = gateway_over(doubles, state)
        doubles[0].adapters[new.name] = new.path
        doubles[1].refuse_load = "no"
        with pytest.raises(ModelUnavailable):
            gateway.load(new)
        assert new.name in doubles[0].adapters


def test_changed_weights_never_reach_a_server(state, tmp_path):
    new = adapter(tmp_path, 1)
    write_adapter(tmp_path / "other", seed=9)
    (tmp_path / "other" / "adapter_model.safetensors").replace(tmp_path / "adapter1" / "adapter_model.safetensors")
    with vllm_doubles(1) as doubles:
        with pytest.raises(ModelUnavailable, match="not what was registered"):
            gateway_over(doubles, state).load(new)
        assert doubles[0].acts == []


def test_questions_go_to_replicas_in_turn_and_past_one_that_is_down(state, tmp_path):
    with vllm_doubles(2) as doubles:
        gateway_over(doubles, state).flip(pointer(doubles))
        chat = chat_over(state)
        for _ in range(4):
            say(chat)
        assert [len(double.asked) for double in doubles] == [2, 2]
        doubles[0].close()
        assert [say(chat)[:5] for _ in range(2)] == ["chat:", "chat:"]
        assert len(doubles[1].asked) == 4


def test_a_replica_that_was_started_anew_is_given_its_adapter_again(state, tmp_path):
    new = adapter(tmp_path, 1)
    with vllm_doubles(1) as doubles:
        gateway, chat = gateway_over(doubles, state), chat_over(state)
        gateway.load(new)
        gateway.flip(pointer(doubles, new))
        doubles[0].adapters.clear()
        assert say(chat).startswith(f"{new.name}:")
        doubles[0].adapters.clear()
        gateway.restore(gateway.servers[0])
        assert new.name in doubles[0].adapters


@pytest.mark.parametrize("in_order", [False, True])
def test_a_server_that_dies_in_mid_answer_is_told_and_the_next_question_works(state, in_order):
    with vllm_doubles(1) as doubles:
        gateway_over(doubles, state).flip(pointer(doubles))
        chat = chat_over(state)
        doubles[0].cut_after, doubles[0].ends_early = 3, in_order
        pieces = []
        with pytest.raises(ModelInterrupted, match="ask again"):
            pieces.extend(chat.stream(REQUEST))
        doubles[0].cut_after = -1
        assert say(chat).endswith("w4")


def test_a_server_that_is_away_is_told_and_found_again_when_it_is_back(state):
    double = VllmDouble()
    port = int(double.address.rpartition(":")[2])
    gateway_over([double], state).flip(pointer([double]))
    chat = chat_over(state)
    assert say(chat).startswith("chat:")
    double.close()
    with pytest.raises(ModelUnavailable, match="did not answer"):
        say(chat)
    again = VllmDouble(port=port)
    try:
        assert say(chat).startswith("chat:")
    finally:
        again.close()


def test_nothing_served_is_no_model(state):
    chat = chat_over(state)
    assert chat.current() is None and chat.name == "extractive"


def test_a_smoke_model_is_labelled(state):
    with vllm_doubles(1) as doubles:
        StatePointers(state).write("chat", Pointer("chat", (doubles[0].address,), smoke=True))
        model = chat_over(state).current()
        assert model is not None and model.name == "chat (smoke model)"


def test_administration_needs_the_loopback_or_a_key():
    with pytest.raises(SettingsError, match="anybody there could load adapters"):
        VllmServer("http://vllm.internal:8000")
    VllmServer("http://vllm.internal:8000", "secret")
    for address in ("http://127.0.0.1:8000/v1", "http://localhost:8000", "http://[::1]:8000"):
        assert not VllmServer(address).address.endswith("/v1")


def test_a_wrong_key_is_told(state):
    with vllm_doubles(1, key="right") as doubles:
        right, wrong = (VllmServer(doubles[0].address, key) for key in ("right", "wrong"))
        OPENED.extend((right, wrong))
        assert right.models() == ["chat"]
        with pytest.raises(ModelUnavailable, match="refused the key"):
            wrong.models()


def test_a_pointer_that_cannot_be_read_names_the_repair(state):
    pointers = StatePointers(state)
    full = Pointer("chat", ("http://127.0.0.1:1",), ServedAdapter("a", "b", "c"), None, "fp", True)
    pointers.write("chat", full)
    assert pointers.read("chat") == full
    state.set_setting("serving.chat", "{}")
    with pytest.raises(StoreCorrupt, match="models sync"):
        pointers.read("chat")
