"""What an answer through our gateway costs our own process, with a model server that costs next to nothing.

The time to the first token is the server's own plus what we add: search, prompt, and what the mask holds back.
"""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.chat_process import ingest, running_chat, sample_questions, signed_in
from benchmarks.load_streams import System, closed_loop
from benchmarks.paced_model import MODEL, paced_model
from llmflow.adapters.state_pointers import StatePointers
from llmflow.ports import Pointer
from llmflow.serving.catalog import open_catalog

ENV = "test"
READER = ("hr", "it", "finance", "security")
TOKENS, FIRST_S, STEP_S = 64, 0.3, 0.2
LATER_S = 2.5
"""After the last answer, for what is written behind it."""


def measure_paced(home: Path, users: int, seconds: float, rounds: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Return processor milliseconds an answer, times to the first token and errors of each round; prints them too."""
    told("ingesting")
    ingest(home, ENV)
    people, asked = signed_in(users, ENV, (READER,)), sample_questions()
    found: dict[str, Any] = {"users": users, "tokens": TOKENS, "step_s": STEP_S, "rounds": []}
    with paced_model(TOKENS, FIRST_S, STEP_S) as address:
        _point_to(address)
        with running_chat(home, ENV) as chat:

            def body(number: int) -> dict[str, Any]:
                messages = [{"role": "user", "content": asked[number % len(asked)]}]
                return {"model": "llmflow", "messages": messages, "stream": True, "stream_options": {"include_usage": True}}

            system = System(f"{chat.address}/v1/chat/completions", people, body)
            told("warming")
            asyncio.run(closed_loop(System(system.url, people[:4], body), 4))
            for number in range(rounds):
                before = chat.used()["cpu_s"]
                figures = asyncio.run(closed_loop(system, seconds)).figures()
                time.sleep(LATER_S)
                figures["chat_cpu_ms"] = 1000 * (chat.used()["cpu_s"] - before) / max(1, figures["answers"])
                found["rounds"].append(figures)
                print(
                    f"{number + 1} {figures['answers']} answers of {TOKENS} tokens, {figures['answers_per_s']:.2f}/s: "
                    f"{figures['chat_cpu_ms']:.1f} ms of CPU an answer, TTFT p50 {figures['ttft_p50_ms']:.0f} "
                    f"p95 {figures['ttft_p95_ms']:.0f} ms, {figures['errors']} errors, machine load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    found["errors"] = sum(figures["errors"] for figures in found["rounds"])
    return found


def _point_to(address: str) -> None:
    """Let the chat ask the server at this address, as a started `llmflow serve-llm` does."""
    workspace = open_catalog(ENV)
    try:
        StatePointers(workspace.stores.state).write("chat", Pointer(MODEL, (address,)))
    finally:
        workspace.close()
