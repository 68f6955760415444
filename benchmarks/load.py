"""Many people at once: python -m benchmarks.load [--users 500] [--seconds 60] [--think 12], or with --vllm, or with --paced

The first starts one real `llmflow chat` over the sample corpus with the extractive answerer and lets signed-in people ask, search
and judge. The second lets people stream from vLLM (a model with random weights, on the processor) through our OpenAI-compatible
gateway and from vLLM itself with the very prompts that our gateway sends, in turns, and compares the times to the first token:
with so many streams at all times, and at arrivals of equal rates. It needs `make serving-env`. With --paced they stream through
our gateway from a server without a model, which shows what we cost alone. Figures go to benchmarks/out/load*.json too.
Everything lives under the workspace (LLMFLOW_HOME), in benchmarks/load.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.chat_process import ingest, running_chat, sample_questions, signed_in
from benchmarks.load_users import live_together
from llmflow.workspace import home_path

OUT = Path(__file__).resolve().parent / "out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, help="people at once (500; with --vllm or --paced 50)")
    parser.add_argument("--seconds", type=float, default=60, help="how long they go on; with --vllm each turn of each system")
    parser.add_argument("--think", type=float, default=12, help="mean seconds between two things that a person does")
    parser.add_argument("--vllm", action="store_true", help="streaming through our gateway against vLLM itself")
    parser.add_argument("--paced", action="store_true", help="streaming through our gateway from a server without a model")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each system with --vllm or --paced")
    parser.add_argument(
        "--model-shape", choices=("tiny", "mini", "small"), default="mini", help="with --vllm: 0.4, 18 or 128 million parameters"
    )
    parser.add_argument("--rates", type=float, nargs="*", help="with --vllm: arrivals a second (shares of vLLM's pace)")
    args = parser.parse_args()
    home = Path(home_path("benchmarks/load"))
    os.environ["LLMFLOW_HOME"] = str(home)
    if args.vllm:
        from benchmarks.load_vllm import measure_gateway

        found = measure_gateway(home, args.users or 50, args.seconds, args.rounds, args.model_shape, args.rates, _told)
        _keep("load_vllm", found)
        failed = found["errors"]
    elif args.paced:
        from benchmarks.load_paced import measure_paced

        found = measure_paced(home, args.users or 50, args.seconds, args.rounds, _told)
        _keep("load_paced", found)
        failed = found["errors"]
    else:
        found = measure_people(home, args.users or 500, args.seconds, args.think)
        _keep("load", found)
        failed = sum(found["errors"].values())
    sys.exit(1 if failed else 0)


def measure_people(home: Path, users: int, seconds: float, think_s: float) -> dict[str, Any]:
    """Run the load and print it; returns every figure."""
    _told("ingesting the sample corpus")
    ingest(home)
    _told(f"making {users} accounts")
    people = signed_in(users)
    with running_chat(home) as chat:
        _told(f"{users} people for {seconds:.0f} s against {chat.address}")
        asyncio.run(live_together(chat.address, people[:5], sample_questions(), 5, 1))  # what the first question loads
        before, begun = chat.used(), time.monotonic()
        seen = asyncio.run(live_together(chat.address, people, sample_questions(), seconds, think_s))
        took, after = time.monotonic() - begun, chat.used()
    kinds = seen.percentiles()
    done = sum(figures["count"] for kind, figures in kinds.items() if "first words" not in kind)
    answers = sum(figures["count"] for kind, figures in kinds.items() if kind.startswith("ask") and "first words" not in kind)
    found = {
        "users": users,
        "seconds": took,
        "requests": done,
        "requests_per_s": done / took,
        "answers_per_s": answers / took,
        "errors": dict(seen.errors),
        "told_to_wait": seen.told_to_wait,
        "server_cores": (after["cpu_s"] - before["cpu_s"]) / took,
        "server_rss_mb": after["rss_mb"],
        "load": os.getloadavg()[0],
        "kinds": kinds,
    }
    print(
        f"{users} users, {took:.0f} s: {done} requests ({done / took:.1f}/s, answers {answers / took:.1f}/s), "
        f"{sum(seen.errors.values())} errors, {seen.told_to_wait} told to come back; "
        f"server {found['server_cores']:.2f} cores, {found['server_rss_mb']:.0f} MB; machine load {found['load']:.1f}"
    )
    print(f"{'':28} {'count':>7} {'p50 ms':>9} {'p95 ms':>9} {'max ms':>9}")
    for kind, figures in kinds.items():
        print(f"{kind:28} {figures['count']:7d} {figures['p50_ms']:9.0f} {figures['p95_ms']:9.0f} {figures['max_ms']:9.0f}")
    for error, count in seen.errors.most_common(20):
        print(f"  {count} x {error}")
    return found


def _told(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _keep(name: str, found: dict[str, Any]) -> None:
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
