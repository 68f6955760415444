"""One demonstration and one supervised vLLM for all tests that need a real server. Both are slow, so they are shared."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from running import ROOT, environment, free_port
from serving_process import KEY, Served, alive, wait_until

from llmflow.adapters.vllm_process import PYTHON_VARIABLE
from llmflow.errors import ModelUnavailable


def pytest_collection_modifyitems(items):
    reason = missing_environment()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.serving)
            item.add_marker(pytest.mark.timeout(1500))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


def missing_environment() -> str:
    """Return why no real vLLM can be started here; empty where one can."""
    python = Path(os.environ.get(PYTHON_VARIABLE, ROOT / ".venv-serving" / "bin" / "python"))
    return "" if python.exists() else f"there is no serving environment at {python}: make serving-env"


@dataclass(frozen=True)
class Demo:
    home: Path
    report: dict


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Demo:
    """What `make finetune-demo` leaves: a workspace with documents, a tiny base, adapters, verdicts, a record."""
    home = tmp_path_factory.mktemp("demo") / "home"
    command = [sys.executable, "-m", "llmflow.cli", "finetune-demo", "--home", str(home), "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment(home), capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return Demo(home, json.loads(done.stdout))


@pytest.fixture(scope="session")
def served(demo) -> Iterator[Served]:
    home, ready, log = demo.home, demo.home / "ready.json", demo.home / "served.log"
    base = home / "models" / "tiny"
    command = [
        sys.executable, "-m", "llmflow.cli", "serve-llm", "--env", "test", "--model", str(base), "--port", str(free_port()),
        "--threads", "1", "--dtype", "float32", "--ready-file", str(ready),
    ]  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(home, {"LLMFLOW_CHAT_KEY": KEY}), stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None, "vLLM to be ready")
        if not ready.exists():
            raise ModelUnavailable(log.read_text(errors="replace")[-4000:])
        yield Served(home, json.loads(ready.read_text())[0], process, log)
    finally:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)] if alive(process) else []
        process.send_signal(signal.SIGTERM)
        process.wait(90)
        left = [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        for one in left:
            one.kill()
        assert not left, f"serve-llm left processes behind: {left}"
