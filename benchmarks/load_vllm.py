"""Time to the first token through our gateway beside vLLM's own, at equal load and with the same prompts."""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chat_process import ingest, running_chat, sample_questions, signed_in
from llmflow.errors import LlmflowError
from llmflow.finetuning.tiny_base import build_tiny_base
from llmflow.ports import ChatRequest
from llmflow.serving.catalog import open_catalog
from llmflow.serving.models.demo import served_by_vllm
from llmflow.serving.models.demo_adapters import TINY, sample_snapshot
from llmflow.types import Principal

ENV = "test"  # its prompts fit the tiny model's context
ASKER = Principal("hanbit", frozenset({"hr", "it", "finance", "security"}), "load")
PATIENCE_S = 300.0


class _Recording:
    """A chat model that keeps what it is asked and says one word."""

    name = "recording"

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []

    def stream(self, request: ChatRequest):
        self.requests.append(request)
        yield "-"


def measure_gateway(home: Path, users: int, seconds: float, rounds: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Return both systems' times to the first token, the median ratio, tokens a second and errors; prints them too."""
    told("ingesting, and making the tiny model")
    ingest(home, ENV)
    snapshot = sample_snapshot(home)
    texts = [text for example in snapshot.examples("train") for text in example.texts()]
    base = build_tiny_base(texts, home / "models" / "tiny", TINY)
    asked = _prompts()
    people = signed_in(users, ENV)
    key = os.environ.get("LLMFLOW_CHAT_KEY", "")
    found: dict[str, Any] = {"users": users, "rounds": [], "prompts": len(asked)}
    with served_by_vllm(home, ENV, base, told) as vllm, running_chat(home, ENV) as chat:
        model = httpx.get(f"{vllm}/v1/models", headers=_bearer(key)).json()["data"][0]["id"]
        raw_bodies = [_raw_body(model, request) for _, request in asked]
        our_bodies = [
            {"model": "llmflow", "stream": True, "messages": [{"role": "user", "content": question}]} for question, _ in asked
        ]
        raw = (f"{vllm}/v1/chat/completions", [_bearer(key)] * users, raw_bodies)
        ours = (f"{chat.address}/v1/chat/completions", people, our_bodies)
        for system in (raw, ours):  # warm both
            asyncio.run(_stream_together(*system, seconds=min(5.0, seconds)))
        for number in range(rounds):
            order = (("vllm", raw), ("llmflow", ours)) if number % 2 == 0 else (("llmflow", ours), ("vllm", raw))
            measured = {name: asyncio.run(_stream_together(*system, seconds=seconds)) for name, system in order}
            found["rounds"].append(measured)
            for name, figures in measured.items():
                print(f"round {number + 1} {name:8} {_line(figures)}")
    ratios = [r["llmflow"]["ttft_p50_ms"] / r["vllm"]["ttft_p50_ms"] for r in found["rounds"]]
    found["ttft_ratio"] = statistics.median(ratios)
    found["errors"] = sum(figures["errors"] for r in found["rounds"] for figures in r.values())
    print(
        f"{users} streaming: TTFT through the gateway is {found['ttft_ratio']:.3f} times vLLM's "
        f"(rounds {', '.join(f'{r:.3f}' for r in ratios)}), "
        f"{found['errors']} errors; machine load {os.getloadavg()[0]:.1f}"
    )
    return found


def _prompts() -> list[tuple[str, ChatRequest]]:
    """Return questions that something is found for, each with the request that our answerer makes of it."""
    from dataclasses import replace

    workspace = open_catalog(ENV)
    try:
        recorded = []
        for question in sample_questions():
            recording = _Recording()
            list(replace(workspace.answerer, model=recording).stream(question, ASKER))
            if recording.requests:
                recorded.append((question, recording.requests[0]))
        if not recorded:
            raise LlmflowError("No sample question reaches the model: is the corpus ingested?")
        return recorded
    finally:
        workspace.close()


def _raw_body(model: str, request: ChatRequest) -> dict[str, Any]:
    messages = [{"role": "system", "content": request.system}] if request.system else []
    messages += [{"role": turn.role, "content": turn.content} for turn in request.turns]
    return {
        "model": model,
        "messages": messages,
        "stream": True,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }


async def _stream_together(
    url: str, people: Sequence[Mapping[str, str]], bodies: Sequence[Mapping[str, Any]], seconds: float
) -> dict[str, Any]:
    """Return what `len(people)` clients saw that ask anew as soon as an answer has ended."""
    ttft: list[float] = []
    errors: list[str] = []
    pieces = 0
    until = time.monotonic() + seconds

    async def one(client: httpx.AsyncClient, number: int, headers: Mapping[str, str]) -> None:
        nonlocal pieces
        turn = number
        while time.monotonic() < until:
            body = bodies[turn % len(bodies)]
            turn += len(people)
            begun, first, ended = time.perf_counter(), None, False
            try:
                async with client.stream("POST", url, json=dict(body), headers=dict(headers)) as response:
                    if response.status_code != 200:
                        raise ValueError(f"{response.status_code} {(await response.aread())[:120]!r}")
                    async for line in response.aiter_lines():
                        if not line.startswith("data: {"):
                            ended = ended or line == "data: [DONE]"
                            continue
                        chunk = json.loads(line[6:])
                        if "error" in chunk:
                            raise ValueError(str(chunk["error"])[:120])
                        if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                            first = first or time.perf_counter()
                            pieces += 1
                if first is None or not ended:
                    raise ValueError("the stream ended early")
                ttft.append(1000 * (first - begun))
            except (httpx.HTTPError, ValueError) as exc:
                errors.append(f"{type(exc).__name__}: {exc}")

    begun = time.monotonic()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as client:
        await asyncio.gather(*(one(client, number, headers) for number, headers in enumerate(people)))
    took = time.monotonic() - begun
    ordered = sorted(ttft) or [float("nan")]
    return {
        "answers": len(ttft),
        "answers_per_s": len(ttft) / took,
        "pieces_per_s": pieces / took,
        "ttft_p50_ms": ordered[len(ordered) // 2],
        "ttft_p95_ms": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "errors": len(errors),
        "first_errors": errors[:3],
    }


def _line(figures: Mapping[str, Any]) -> str:
    return (
        f"{figures['answers']:5d} answers {figures['answers_per_s']:6.2f}/s {figures['pieces_per_s']:7.1f} pieces/s  "
        f"TTFT p50 {figures['ttft_p50_ms']:7.0f} p95 {figures['ttft_p95_ms']:7.0f} ms  {figures['errors']} errors "
        + " ".join(figures["first_errors"])
    )


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}
