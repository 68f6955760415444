"""All measurements: python -m benchmarks.run [--quick] [--only end-to-end,queries,evaluation] [--scale 1k,6119,10k,100k]

Whole runs take about 25 minutes on two quiet cores, of which 100,000 passages take six to make; they are kept under the workspace
(benchmarks/) for the next run. `--quick` takes a part of each corpus, one run, and up to 10,000 passages: about five minutes.
Tables go to standard output, every figure to benchmarks/out/*.json. Other work on the machine shows in the seconds and much less
in the ratios, because the systems take turns.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import end_to_end, evaluating, queries
from benchmarks.corpora import BASELINE
from llmflow.workspace import home_path

OUT = Path(__file__).resolve().parent / "out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="end-to-end,queries,evaluation", help="parts to run")
    parser.add_argument("--runs", type=int, help="runs of each system (3; quick 1)")
    parser.add_argument("--quick", action="store_true", help="smaller corpora")
    parser.add_argument("--corpora", default="sample,korean,english")
    parser.add_argument("--threads", type=int, default=1, help="OMP_NUM_THREADS of both systems")
    parser.add_argument("--scale", help="passages to query (1k,6119,10k,100k; quick 1k,6119,10k)")
    parser.add_argument("--questions", type=int, help="questions to evaluate (2000; quick 500)")
    args = parser.parse_args()
    began = time.perf_counter()
    runs = args.runs or (1 if args.quick else 3)
    home = Path(home_path("benchmarks"))
    machine = {"cores": os.cpu_count(), "load before": os.getloadavg(), "date": time.strftime("%Y-%m-%d %H:%M")}
    print(f"{machine['cores']} cores, load {machine['load before'][0]:.1f}, {machine['date']}")
    if "end-to-end" in args.only:
        if not BASELINE.exists():
            print(f"No plain pipeline at {BASELINE}: ours alone is measured.")
        found = end_to_end.compare(runs, args.quick, args.corpora.split(","), args.threads)
        _keep("end_to_end", machine, found)
        print_end_to_end(found)
    if "queries" in args.only:
        scales = args.scale or ("1k,6119,10k" if args.quick else "1k,6119,10k,100k")
        measured = {str(scale): queries.measure_scale(scale, home, _told) for scale in map(_number, scales.split(","))}
        _keep("queries", machine, measured)
        print_queries(measured)
    if "evaluation" in args.only:
        evaluated = evaluating.measure_evaluation(home, args.questions or (500 if args.quick else 2000), _told)
        if evaluated is None:
            print(f"No KorQuAD at {evaluating.SET}: evaluation is not measured.")
        else:
            _keep("evaluation", machine, evaluated)
            stages = ", ".join(f"{stage} {took:.1f}" for stage, took in evaluated["seconds"].items())
            print(f"Evaluation: {evaluated['questions_per_s']:.0f} questions/s of {evaluated['questions']} (seconds: {stages})")
    print(f"All measurements took {(time.perf_counter() - began) / 60:.1f} minutes, load now {os.getloadavg()[0]:.1f}.")


def _told(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def print_end_to_end(found: Mapping[str, Any]) -> None:
    """Print one table of both systems and one of our stages."""
    rows, stages = [], []
    for name, corpus in found.items():
        for system, m in corpus["medians"].items():
            rate = [
                f"{m['read'] / m['work_s']:.1f}",
                f"{m['chunks'] / m['work_s']:.1f}",
                f"{corpus['bytes'] / m['work_s'] / 1000:.0f}",
            ]
            rows.append([name, system, f"{m['read']:.0f}/{corpus['files']}", f"{m['chunks']:.0f}", f"{m['wall_s']:.1f}",
                         f"{m['work_s']:.1f}", f"{m['cpu_s']:.1f}", *rate, f"{m['peak_mb']:.0f}"])  # fmt: skip
        if "ratios" in corpus:
            r = corpus["ratios"]
            seconds = [f"{r[key]:.2f}x" for key in ("wall_s", "work_s", "cpu_s")]
            rows.append([name, "plain / ours", "", "", *seconds, "", "", "", f"{r['peak_mb']:.2f}x"])
        mine = corpus["medians"]["llmflow"]
        for stage in end_to_end.STAGES:
            took = mine["stages"].get(stage, 0.0)
            if took:
                stages.append([name, stage, f"{took:.2f}", f"{mine['read'] / took:.1f}", f"{mine['chunks'] / took:.1f}"])
    _table(["corpus", "system", "read", "chunks", "wall s", "work s", "cpu s", "docs/s", "chunks/s", "kB/s", "peak MB"], rows)
    print("Stages of ours; parse to analyse are worker seconds and overlap.")
    _table(["corpus", "stage", "seconds", "docs/s", "chunks/s"], stages)


def print_queries(measured: Mapping[str, Any]) -> None:
    """Print milliseconds a query by channel and scale."""
    rows = []
    for scale, found in measured.items():
        for name, summary in found["latency"].items():
            rows.append([scale, name, f"{summary['p50']:.1f}", f"{summary['p95']:.1f}"])
        rows.append([scale, "memory MB: this process, Milvus", f"{found['memory_mb']:.0f}", f"{found['server_mb']:.0f}"])
        built = found["build_s"]["all indexing"] + found["build_s"]["state"]
        rows.append([scale, "disk MB, seconds to build", f"{found['disk_mb']:.0f}", f"{built:.0f}"])
        graph = f"{found['graph_passages_per_s']:.0f}", f"{found['graph_passages_per_s_with_entities']:.0f}"
        rows.append([scale, "graph passages/s, entities found too", *graph])
    _table(["chunks", "channel", "p50 ms", "p95 ms"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print(
            " | ".join(
                cell.ljust(width) if n < 2 else cell.rjust(width) for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    print()


def _keep(name: str, machine: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, "command": sys.argv[1:], "results": found}, indent=1))
    print(f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name} written", file=sys.stderr)


def _number(text: str) -> int:
    return int(float(text.lower().removesuffix("k")) * (1000 if text.lower().endswith("k") else 1))


if __name__ == "__main__":
    main()
