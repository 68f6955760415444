"""The second loop on one machine with no download: data, adapter, gate, a real vLLM, promotion while people ask, rollback.

Every step states what must be true and stops the demonstration where it is not.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmflow.errors import LlmflowError, ModelUnavailable, PromotionRefused
from llmflow.finetuning.types import TrainedAdapter
from llmflow.ingestion.run import run_ingestion
from llmflow.ports import ModelVersion
from llmflow.serving.catalog import open_catalog
from llmflow.serving.locks import ingestion_lock
from llmflow.serving.models.adapter_sources import trained_source
from llmflow.serving.models.demo_adapters import poisoned, sample_adapter, sample_base, sample_snapshot
from llmflow.serving.models.gate import choose_documents, measure_adapters, open_case, reach_verdict
from llmflow.serving.models.streaming_clients import StreamReport, streaming_clients

QUESTION = "VPN 비밀번호를 계속 틀리면 계정이 얼마나 잠기나요?"
"""Asked through the whole chat path: retrieval, prompt, model, citations."""
CLIENTS = 8
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoStep:
    what: str
    seconds: float
    result: str


@dataclass(slots=True)
class DemoReport:
    steps: list[DemoStep] = field(default_factory=list)
    streams: StreamReport | None = None
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return the report fit for JSON."""
        return {
            "seconds": round(self.seconds, 1),
            "steps": [asdict(step) for step in self.steps],
            "streams": asdict(self.streams) if self.streams else None,
        }


class DemoFailed(LlmflowError):
    """A step did not do what it must."""


def run_finetune_demo(home: Path, env: str, say: Say) -> DemoReport:
    """Run every step in the workspace at `home` and return what happened. Raises DemoFailed, or what a part raised."""
    report = DemoReport()
    begun = time.monotonic()
    workspace = open_catalog(env)
    try:
        for what, result, seconds in _steps(home, env, workspace, say, report):
            report.steps.append(DemoStep(what, round(seconds, 1), result))
            say(f"{seconds:6.1f} s  {what}: {result}")
    finally:
        workspace.close()
    report.seconds = time.monotonic() - begun
    return report


def _steps(home: Path, env: str, workspace: Any, say: Say, report: DemoReport) -> Iterator[tuple[str, str, float]]:
    clock = _Clock()
    models = workspace.models
    with ingestion_lock():
        ingested = run_ingestion(workspace.ingestion, workspace.stores, workspace.notifier, lambda *_: None)
    yield "documents", f"{ingested.chunks} passages of {ingested.files} files", clock.lap()
    snapshot = sample_snapshot(home)
    base = sample_base(home, snapshot)
    yield "tiny base (smoke model)", f"{snapshot.counts['train']} examples read, {snapshot.counts['test']} held out", clock.lap()
    short = sample_adapter(home, snapshot, base, "short", epochs=5)
    yield "SFT LoRA, 5 epochs", _losses(short), clock.lap()
    first = _judge(workspace, short)
    _must(first[1].promoted, f"the gate rejected the first adapter: {first[1].reasons}")
    yield "gate", f"{first[1].decision} {first[0].adapter.name}", clock.lap()

    with served_by_vllm(home, env, base, say) as address:
        yield "vLLM on the processor", f"ready at {address}", clock.lap()
        models = _again(workspace)
        before = _ask(env)
        _must(before["model"].startswith("chat "), f"the base did not answer: {before}")
        models.promote(first[0].adapter.name, "finetune-demo", "first adapter")
        answer = _ask(env)
        _must(answer["model"].startswith(first[0].adapter.name), f"the adapter did not answer: {answer}")
        yield "promote, llmflow ask", f"answered by {answer['model']} (before: {before['model']})", clock.lap()

        bad = sample_adapter(home, poisoned(home, snapshot), base, "poisoned", epochs=5)
        refused = _judge(workspace, bad)
        _must(not refused[1].promoted, "the gate promoted an adapter that was trained on shuffled answers")
        try:
            models.promote(refused[0].adapter.name, "finetune-demo", "must be refused")
        except PromotionRefused:
            pass
        else:
            raise DemoFailed("an adapter with a REJECT verdict was promoted")
        _must(models.gateway.pointer().model == first[0].adapter.name, "the champion did not stay")
        names = ", ".join(check.name for check in refused[1].failed)
        yield "poisoned adapter", f"{refused[1].decision} ({names}); {first[0].adapter.name} stays", clock.lap()

        longer = sample_adapter(home, snapshot, base, "longer", epochs=12)
        yield "SFT LoRA, 12 epochs", _losses(longer), clock.lap()
        second = _judge(workspace, longer)
        _must(second[1].promoted, f"the gate rejected the better adapter: {second[1].reasons}")
        yield "gate", f"{second[1].decision} {second[0].adapter.name}", clock.lap()

        with streaming_clients(workspace.load("chat_model"), CLIENTS) as clients:
            clients.wait_for_answers(4 * CLIENTS)
            models.promote(second[0].adapter.name, "finetune-demo", "better by the gate")
            clients.wait_for_answers(4 * CLIENTS)
            models.roll_back("finetune-demo", "to show that it is one flip")
            clients.wait_for_answers(4 * CLIENTS)
        report.streams = streams = clients.report()
        _must(streams.failed == 0, f"{streams.failed} of {streams.requests} requests failed: {streams.errors[:3]}")
        kinds = {name.removesuffix(" (smoke model)") for name in streams.by_model}
        _must(kinds == {first[0].adapter.name, second[0].adapter.name}, f"unexpected models answered: {streams.by_model}")
        shown = ", ".join(f"{count} by {name.split(' ')[0]}" for name, count in streams.by_model.items())
        yield (
            f"promote and roll back under {CLIENTS} clients",
            f"{streams.failed} of {streams.requests} failed; {shown}",
            clock.lap(),
        )
        after = _ask(env)
        _must(after["model"].startswith(first[0].adapter.name), f"the rollback did not hold: {after}")
        yield "rollback, llmflow ask", f"answered by {after['model']}", clock.lap()
    gone = _ask(env)
    _must(gone["model"] == "extractive" and bool(gone["notice"]), f"without vLLM the chat must quote and say so: {gone}")
    yield "vLLM stopped, llmflow ask", f"quoted: {gone['notice']}", clock.lap()


def _judge(workspace: Any, trained: TrainedAdapter) -> tuple[ModelVersion, Any]:
    """Register and judge an adapter as `kedro run --pipelines promotion` does, in this process."""
    models, settings = _again(workspace), workspace.promotion
    models.register(trained_source(trained))
    case = open_case(models, settings)
    answerer = workspace.answerer
    documents = choose_documents(answerer, workspace.stores.state, workspace.evaluation.questions, settings.questions)
    evidence = measure_adapters(case, settings, documents, lambda *_: None)
    verdict = reach_verdict(case, evidence, settings)
    models.keep_verdict(case.candidate, verdict)
    return case.candidate, verdict


def _again(workspace: Any) -> Any:
    """Return the acts on models over the servers that the pointer names now."""
    if "models" in workspace.__dict__:
        workspace.models.gateway.close()
        del workspace.__dict__["models"]
    return workspace.models


@contextmanager
def served_by_vllm(home: Path, env: str, base: Path, say: Say, dtype: str = "float32") -> Iterator[str]:
    """Yield the address of `llmflow serve-llm` in a process of its own; it is ended in order whatever happens."""
    port = _free_port()
    ready = home / "serving" / "ready.json"
    ready.parent.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "llmflow.cli", "serve-llm", "--env", env, "--model", str(base), "--port", str(port),
        "--threads", "1", "--dtype", dtype, "--ready-file", str(ready),
    ]  # fmt: skip
    with (home / "serving" / "serve-llm.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        begun = said = time.monotonic()
        while not ready.exists():
            if process.poll() is not None:
                raise ModelUnavailable(f"llmflow serve-llm ended:\n{Path(log.name).read_text(errors='replace')[-2000:]}")
            if time.monotonic() - said > 15:
                said = time.monotonic()
                say(f"         vLLM is starting, {said - begun:.0f} s")
            time.sleep(0.3)
        yield json.loads(ready.read_text())[0]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ask(env: str) -> dict[str, Any]:
    """Ask one question with the command line, as a person does."""
    command = [
        sys.executable,
        "-m",
        "llmflow.cli",
        "ask",
        QUESTION,
        "--env",
        env,
        "--tenant",
        "hanbit",
        "--group",
        "it",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=os.environ.copy())
    if done.returncode != 0:
        raise DemoFailed(f"llmflow ask failed: {done.stdout[-500:]} {done.stderr[-1500:]}")
    return json.loads(done.stdout)


def _losses(trained: TrainedAdapter) -> str:
    return ", ".join(f"{name} {trained.metrics[name]:.3f}" for name in ("train_loss", "eval_loss") if name in trained.metrics)


def _must(true: bool, otherwise: str) -> None:
    if not true:
        raise DemoFailed(otherwise)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Clock:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def lap(self) -> float:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        return passed
