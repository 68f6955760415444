"""Time to the first token through our gateway beside vLLM's own, at equal load and with the same prompts.

Raw vLLM is sent the very prompts that our answerer makes of the same questions for the same reader, each with a mark of its own
as ours has: the same share of a prompt stands in vLLM's prefix cache for both. Both take turns, in one order and the other.
Two kinds of load: `users` streams at all times (each asks anew when an answer has ended), and arrivals at random but fixed times,
the same for both, at shares of what vLLM alone gets through. What counts as first can be read, a blank cannot. But for a first
word of Hangul the mask of personal data waits for words to end: the time to the first whole word is given for both as well.
"""

import asyncio
import os
import re
import secrets
import statistics
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chat_process import ChatProcess, ingest, running_chat, sample_questions, signed_in
from benchmarks.load_streams import Streams, System, closed_loop, open_loop, poisson_arrivals
from benchmarks.plain_speaker import speak_plainly
from llmflow.errors import LlmflowError
from llmflow.finetuning.tiny_base import TinyBaseSettings, build_tiny_base
from llmflow.ports import ChatRequest
from llmflow.serving.catalog import open_catalog
from llmflow.serving.models.demo import served_by_vllm
from llmflow.serving.models.demo_adapters import TINY, sample_snapshot
from llmflow.types import Principal

ENV = "test"
"""Two passages a prompt: what the tiny model's context holds."""
READER = ("hr", "it", "finance", "security")
SHAPES = {
    "tiny": (TINY, "float32"),
    # Weights of the shape of a Llama: reading a prompt costs what it costs such a model, what it says is plain_speaker's.
    "mini": (TinyBaseSettings(hidden=512, layers=6, heads=8, steps=0, context=4096), "bfloat16"),
    "small": (TinyBaseSettings(hidden=1024, layers=12, heads=16, steps=0, context=4096), "bfloat16"),
}
SHARES = (0.3, 0.6, 0.85)
"""Of what vLLM alone answers a second: far from full, half, nearly full."""
SYSTEMS = ("vllm", "llmflow")
_MARK = re.compile("<<([0-9a-f]{12})>>")
Told = Callable[[str], None]


class _Recording:
    """A chat model that keeps what it is asked and says one word."""

    name = "recording"

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []

    def stream(self, request: ChatRequest):
        self.requests.append(request)
        yield "-"


def measure_gateway(
    home: Path, users: int, seconds: float, rounds: int, shape: str, rates: Sequence[float] | None, told: Told
) -> dict[str, Any]:
    """Return both systems' figures for every load, the ratio of their times to the first token, and errors; prints them too.

    `rates` are arrivals a second, None stands for SHARES of what vLLM alone answers, and an empty list for no arrivals.
    """
    told(f"ingesting, and making the model of the shape '{shape}'")
    ingest(home, ENV)
    settings, dtype = SHAPES[shape]
    texts = [text for example in sample_snapshot(home).examples("train") for text in example.texts()]
    base = build_tiny_base(texts, home / "models" / f"plain-{shape}", settings)
    says = speak_plainly(base, texts)
    asked = _prompts()
    people = signed_in(users, ENV, (READER,))
    began = datetime.now(UTC).isoformat()
    found: dict[str, Any] = {"users": users, "shape": shape, "parameters": _parameters(base), "questions": len(asked)}
    with served_by_vllm(home, ENV, base, told, dtype) as vllm, running_chat(home, ENV) as chat:
        systems = _systems(vllm, chat, people, asked)
        told("warming both")
        for system in systems.values():
            asyncio.run(closed_loop(replace(system, people=system.people[:4]), 4))
        print(
            f"model: {shape}, {found['parameters'] / 1e6:.0f} million parameters that say one thing, {dtype}, one "
            f"thread; {len(asked)} questions; every answer: {says[:60]}..."
        )
        found["loads"] = []
        streams = f"{users} streams at all times"
        found["loads"].append(_in_turns(streams, systems, chat, rounds, lambda system, _: closed_loop(system, seconds)))
        alone = statistics.median(figures["answers_per_s"] for figures in found["loads"][0]["vllm"])
        for rate in [share * alone for share in SHARES] if rates is None else rates:

            def arriving(system: System, number: int, rate: float = rate) -> Coroutine[Any, Any, Streams]:
                return open_loop(system, poisson_arrivals(rate, seconds, seed=number))

            name = f"{rate:.2f} arrivals a second, {rate / alone:.0%} of vLLM's own pace"
            found["loads"].append(_in_turns(name, systems, chat, rounds, arriving))
    found["cached"] = _given_from_cache(began)
    found["errors"] = sum(load["errors"] for load in found["loads"])
    print(
        f"{found['errors']} errors in all; {found['cached']} answers given from our cache of answers; "
        f"machine load {os.getloadavg()[0]:.1f}"
    )
    return found


def _in_turns(
    name: str,
    systems: Mapping[str, System],
    chat: ChatProcess,
    rounds: int,
    load: Callable[[System, int], Coroutine[Any, Any, Streams]],
) -> dict[str, Any]:
    """Run one load against both systems in turns; returns the figures of each round, their ratio and what is added."""
    print(name)
    told: dict[str, Any] = {"load": name, **{system: [] for system in SYSTEMS}}
    for number in range(rounds):
        for which in SYSTEMS if number % 2 == 0 else SYSTEMS[::-1]:
            ours, own = chat.used()["cpu_s"], time.process_time()
            figures = asyncio.run(load(systems[which], number)).figures()
            figures["client_cores"] = (time.process_time() - own) * figures["answers_per_s"] / max(1, figures["answers"])
            figures["chat_cpu_ms"] = 1000 * (chat.used()["cpu_s"] - ours) / max(1, figures["answers"])
            told[which].append(figures)
            print(f"  {number + 1} {which:8} {_line(figures)}", flush=True)
    told["errors"] = sum(figures["errors"] for which in SYSTEMS for figures in told[which])
    for key in ("ttft_p50_ms", "ttft_p95_ms", "first_word_p50_ms"):
        raw, ours = (statistics.median(figures[key] for figures in told[which]) for which in SYSTEMS)
        told[key] = {"vllm": raw, "llmflow": ours, "ratio": ours / raw, "added_ms": ours - raw}
    p50, p95, word = told["ttft_p50_ms"], told["ttft_p95_ms"], told["first_word_p50_ms"]
    print(
        f"  TTFT p50 {p50['ratio']:.3f} times vLLM's ({p50['added_ms']:+.0f} ms), p95 {p95['ratio']:.3f} times "
        f"({p95['added_ms']:+.0f} ms); to the first whole word p50 {word['ratio']:.3f} times ({word['vllm']:.0f} and "
        f"{word['llmflow']:.0f} ms), {told['errors']} errors",
        flush=True,
    )
    return told


def _systems(
    vllm: str, chat: ChatProcess, people: Sequence[Mapping[str, str]], asked: Sequence[tuple[str, ChatRequest]]
) -> dict[str, System]:
    key = os.environ.get("LLMFLOW_CHAT_KEY", "")
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    model = httpx.get(f"{vllm}/v1/models", headers=bearer).json()["data"][0]["id"]
    usage = {"stream": True, "stream_options": {"include_usage": True}}

    def raw(number: int) -> Mapping[str, Any]:
        request = asked[number % len(asked)][1]
        [mark] = set(_MARK.findall(request.system))
        messages = [{"role": "system", "content": request.system.replace(mark, secrets.token_hex(6))}]
        messages += [{"role": turn.role, "content": turn.content} for turn in request.turns]
        limits = {"max_tokens": request.max_tokens, "temperature": request.temperature}
        return {"model": model, "messages": messages, **limits, **usage}

    def ours(number: int) -> Mapping[str, Any]:
        return {"model": "llmflow", "messages": [{"role": "user", "content": asked[number % len(asked)][0]}], **usage}

    return {
        "vllm": System(f"{vllm}/v1/chat/completions", [bearer] * len(people), raw),
        "llmflow": System(f"{chat.address}/v1/chat/completions", people, ours),
    }


def _prompts() -> list[tuple[str, ChatRequest]]:
    """Return questions that something is found for, each with the request that our answerer makes of it."""
    reader = Principal("hanbit", frozenset(READER), "load")
    workspace = open_catalog(ENV)
    try:
        recorded = []
        for question in sample_questions():
            recording = _Recording()
            list(replace(workspace.answerer, model=recording).stream(question, reader))
            if recording.requests:
                recorded.append((question, recording.requests[0]))
        if not recorded:
            raise LlmflowError("No sample question reaches the model: is the corpus ingested?")
        return recorded
    finally:
        workspace.close()


def _given_from_cache(since: str) -> int:
    """Return how many answers since then the model was not asked for: they would make our times too good."""
    workspace = open_catalog(ENV)
    try:
        return sum(event.cached for event in workspace.application.events.events("hanbit", since))
    finally:
        workspace.close()


def _parameters(base: Path) -> int:
    from safetensors import safe_open

    with safe_open(base / "model.safetensors", "np") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
    total = 0
    for shape in shapes:
        size = 1
        for side in shape:
            size *= side
        total += size
    return total


def _line(figures: Mapping[str, Any]) -> str:
    return (
        f"{figures['answers']:4d} answers {figures['answers_per_s']:5.2f}/s {figures['tokens_per_s']:6.1f} tokens/s "
        f"{figures['at_once']:5.1f} at once  prompt {figures['prompt_tokens']:5.0f} tokens  "
        f"TTFT p50 {figures['ttft_p50_ms']:7.0f} p95 {figures['ttft_p95_ms']:7.0f} ms  {figures['errors']} errors  "
        f"client {figures['client_cores']:.2f} cores, chat {figures['chat_cpu_ms']:.0f} ms CPU an answer "
        + " ".join(figures["first_errors"])
    )
