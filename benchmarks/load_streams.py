"""Clients that stream chat completions: so many streams at all times, or arrivals at fixed times whatever the server does."""

import asyncio
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_S = 300.0
KEEPALIVE_S = 3.0
"""Below the 5 s after which vLLM closes an idle connection: httpx's own 5 s made it now and then send into one just closed."""


@dataclass(frozen=True)
class System:
    """Where to ask, as whom, and what the n-th request says."""

    url: str
    people: Sequence[Mapping[str, str]]
    body: Callable[[int], Mapping[str, Any]]


@dataclass
class Streams:
    """What the clients saw; milliseconds from when a request was due to the first that can be read: a blank is no word yet."""

    ttft_ms: list[float] = field(default_factory=list)
    total_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    prompt_tokens: list[int] = field(default_factory=list)
    completion_tokens: int = 0
    seconds: float = 0.0
    first_word_ms: list[float] = field(default_factory=list)
    """Until the first word was whole: another one had begun, or the answer had ended."""

    def figures(self) -> dict[str, Any]:
        """Return counts, rates, TTFT p50 and p95, streams at once on average, tokens a prompt, and the first errors."""
        ordered = sorted(self.ttft_ms) or [float("nan")]
        return {
            "answers": len(self.ttft_ms),
            "answers_per_s": len(self.ttft_ms) / self.seconds,
            "tokens_per_s": self.completion_tokens / self.seconds,
            "at_once": sum(self.total_s) / self.seconds,
            "prompt_tokens": statistics.mean(self.prompt_tokens) if self.prompt_tokens else float("nan"),
            "ttft_p50_ms": statistics.median(ordered),
            "first_word_p50_ms": statistics.median(self.first_word_ms or [float("nan")]),
            "ttft_p95_ms": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
            "errors": len(self.errors),
            "first_errors": self.errors[:3],
        }


def poisson_arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Return the seconds at which requests are due, in order; the same for the same seed. At least one."""
    drawn, at, due = random.Random(seed), 0.0, []
    while (at := at + drawn.expovariate(rate)) < seconds:
        due.append(at)
    return due or [seconds / 2]


async def closed_loop(system: System, seconds: float) -> Streams:
    """Let every person ask again as soon as an answer has ended, for so long; answers that run are read to their end."""
    seen = Streams()
    begun = time.perf_counter()

    async def one(number: int, client: httpx.AsyncClient) -> None:
        turn = number
        while (due := time.perf_counter()) < begun + seconds:
            await _stream(client, system, turn, due, seen)
            turn += len(system.people)

    await _with_clients(system, lambda clients: [one(number, client) for number, client in enumerate(clients)])
    seen.seconds = time.perf_counter() - begun
    return seen


async def open_loop(system: System, arrivals: Sequence[float]) -> Streams:
    """Ask at the given seconds, however many answers still run. A client that comes late counts its own delay too."""
    seen = Streams()
    begun = time.perf_counter()

    async def one(number: int, at: float, client: httpx.AsyncClient) -> None:
        await asyncio.sleep(max(0.0, begun + at - time.perf_counter()))
        await _stream(client, system, number, begun + at, seen)

    await _with_clients(
        system, lambda clients: [one(number, at, clients[number % len(clients)]) for number, at in enumerate(arrivals)]
    )
    seen.seconds = time.perf_counter() - begun
    return seen


async def _with_clients(system: System, work: Callable[[list[httpx.AsyncClient]], list[Any]]) -> None:
    # A client a person: one pool for all looks through every connection at each request (docs/LOG.md, 2026-11-25).
    limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_S)
    clients = [
        httpx.AsyncClient(timeout=PATIENCE_S, limits=limits, headers=dict(headers), verify=False) for headers in system.people
    ]
    try:
        await asyncio.gather(*work(clients))
    finally:
        for client in clients:
            await client.aclose()


async def _stream(client: httpx.AsyncClient, system: System, number: int, due: float, seen: Streams) -> None:
    first, word, said, ended, usage = None, None, "", False, {}
    try:
        async with client.stream("POST", system.url, json=dict(system.body(number))) as response:
            if response.status_code != 200:
                raise ValueError(f"{response.status_code} {(await response.aread())[:120]!r}")
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    ended = ended or line == "data: [DONE]"
                    continue
                chunk = json.loads(line[6:])
                if "error" in chunk:
                    raise ValueError(str(chunk["error"])[:120])
                usage = chunk.get("usage") or usage
                piece = chunk["choices"][0]["delta"].get("content") if chunk["choices"] else ""
                if piece and first is None and not piece.isspace():
                    first = time.perf_counter()
                if piece and word is None:
                    said += piece
                    word = time.perf_counter() if re.search(r"\S\s", said) else None
        if first is None or not ended:
            raise ValueError("the stream ended early")
    except (httpx.HTTPError, ValueError) as exc:
        seen.errors.append(f"{type(exc).__name__}: {exc}")
        return
    seen.ttft_ms.append(1000 * (first - due))
    seen.first_word_ms.append(1000 * ((word or time.perf_counter()) - due))
    seen.total_s.append(time.perf_counter() - due)
    seen.prompt_tokens.append(usage.get("prompt_tokens", 0))
    seen.completion_tokens += usage.get("completion_tokens", 0)
