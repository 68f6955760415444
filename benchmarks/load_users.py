"""Simulated people: each thinks, does one thing, and thinks again, for as long as the load lasts."""

import asyncio
import json
import random
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

MIX = {
    "ask, streamed": 40, "ask, JSON": 10, "ask anew": 4, "search": 8, "sessions": 14, "messages": 12, "feedback": 6, "passage": 4,
    "export": 2,
}  # fmt: skip
"""What people do, by weight."""
PATIENCE_S = 120.0


@dataclass
class Seen:
    """What all people saw: milliseconds by kind, what went wrong, how often they were told to come back."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    told_to_wait: int = 0

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Return count, p50, p95 and the longest by kind."""
        found = {}
        for kind, values in sorted(self.milliseconds.items()):
            ordered = sorted(values)
            found[kind] = {
                "count": len(ordered),
                "p50_ms": ordered[len(ordered) // 2],
                "p95_ms": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
                "max_ms": ordered[-1],
            }
        return found


class Person:
    """One signed-in account with a conversation of its own."""

    def __init__(
        self, client: httpx.AsyncClient, headers: Mapping[str, str], questions: Sequence[str], seen: Seen, seed: int
    ) -> None:
        self._client = client
        self._headers = dict(headers)
        self._questions = questions
        self._seen = seen
        self._random = random.Random(seed)
        self._session = ""
        self._question_id = self._answer_id = self._chunk_id = ""

    async def live(self, think_s: float, until: float) -> None:
        """Do things until the given time of the loop's clock; the first after a part of the first thought."""
        await asyncio.sleep(self._random.uniform(0, think_s))
        while time.monotonic() < until:
            (kind,) = self._random.choices(list(MIX), weights=list(MIX.values()))
            try:
                await self._do(kind)
            except (httpx.HTTPError, ValueError, KeyError) as exc:
                self._seen.errors[f"{kind}: {type(exc).__name__} {str(exc)[:80]}"] += 1
            thought = self._random.expovariate(1 / think_s)
            await asyncio.sleep(min(thought, max(0.0, until - time.monotonic())))

    async def _do(self, kind: str) -> None:
        if not self._session:
            self._session = (await self._call("new session", "POST", "/api/sessions"))["id"]
        base = f"/api/sessions/{self._session}"
        question = self._random.choice(self._questions)
        if kind == "ask, streamed":
            await self._stream(kind, f"{base}/messages", {"content": question})
        elif kind == "ask anew" and self._question_id:
            await self._stream(kind, f"{base}/messages/{self._question_id}/again", {})
        elif kind == "ask, JSON":
            await self._call(kind, "POST", "/api/ask", {"question": question})
        elif kind == "search":
            await self._call(kind, "POST", "/api/search", {"question": question})
        elif kind == "messages":
            await self._call(kind, "GET", f"{base}/messages")
        elif kind == "feedback" and self._answer_id:
            await self._call(kind, "POST", f"/api/messages/{self._answer_id}/feedback", {"rating": "up", "reason": "right"})
        elif kind == "passage" and self._chunk_id:
            await self._call(kind, "GET", f"/api/passages/{self._chunk_id}")
        elif kind == "export":
            await self._call(kind, "GET", f"{base}/export?format=json")
        else:
            await self._call("sessions", "GET", "/api/sessions")

    async def _call(self, kind: str, method: str, path: str, body: Any = None) -> Any:
        begun = time.perf_counter()
        response = await self._client.request(method, path, json=body, headers=self._headers)
        if response.status_code == 429:
            self._seen.told_to_wait += 1
            return {"id": ""}
        if response.status_code >= 400:
            raise ValueError(f"{response.status_code} {response.text[:60]}")
        self._seen.milliseconds[kind].append(1000 * (time.perf_counter() - begun))
        return response.json()

    async def _stream(self, kind: str, path: str, body: Any) -> None:
        begun = time.perf_counter()
        first, last = None, None
        headers = self._headers | {"Accept": "text/event-stream"}
        async with self._client.stream("POST", path, json=body, headers=headers) as response:
            if response.status_code == 429:
                self._seen.told_to_wait += 1
                return
            if response.status_code >= 400:
                raise ValueError(f"{response.status_code} {(await response.aread())[:60]!r}")
            name = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                    if name == "stream_token" and first is None:
                        first = time.perf_counter()
                elif line.startswith("data: ") and name in ("session_info", "stream_end", "error"):
                    last = (name, json.loads(line[6:]))
                    if name == "session_info":
                        self._question_id = last[1]["question"]["id"]
        if last is None or last[0] != "stream_end" or first is None:
            if last is not None and last[1].get("status") == 429:
                self._seen.told_to_wait += 1
                return
            raise ValueError(f"the stream ended with {last[0] if last else 'nothing'}: {str(last)[:80]}")
        self._answer_id = last[1]["message"]["id"]
        self._chunk_id = last[1]["context"][0]["chunk_id"] if last[1]["context"] else ""
        self._seen.milliseconds[kind].append(1000 * (time.perf_counter() - begun))
        self._seen.milliseconds[f"{kind}: first words"].append(1000 * (first - begun))


async def live_together(
    address: str, people: Sequence[Mapping[str, str]], questions: Sequence[str], seconds: float, think_s: float
) -> Seen:
    """Return what everybody saw in `seconds`; whoever waits for an answer then waits to its end."""
    seen = Seen()
    trusted = ssl.create_default_context()  # made once: each client would read the certificates anew
    until = time.monotonic() + seconds

    async def live(seed: int, headers: Mapping[str, str]) -> None:
        # A pool of connections that all share looks through every one of them at each request, and the people wait for that.
        limits = httpx.Limits(keepalive_expiry=60)
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S, limits=limits, verify=trusted) as client:
            await Person(client, headers, questions, seen, seed).live(think_s, until)

    await asyncio.gather(*(live(seed, headers) for seed, headers in enumerate(people)))
    return seen
