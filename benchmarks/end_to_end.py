"""From files to searchable: `llmflow ingest` beside the plain pipeline, same files, alternating, medians."""

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpora import BASELINE, ROOT, corpora, size_of
from benchmarks.processes import measure

STAGES = ("parse", "chunk", "mask", "screen", "analyse", "embed", "vectors", "full text", "graph", "optimise")
QUIET = {"OMP_NUM_THREADS": "", "UNSTRUCTURED_DISABLE_NOTICE": "1", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Run:
    """One run of one system over one corpus."""

    system: str
    wall_s: float
    """The whole process, imports included."""
    work_s: float
    """From the first file to searchable; what the system itself calls its start is left out."""
    cpu_s: float
    peak_mb: float
    chunks: int
    read: int
    """Documents that became searchable."""
    stages: Mapping[str, float]


def compare(runs: int, quick: bool, names: Sequence[str], threads: int) -> dict[str, Any]:
    """Return every run by corpus with medians and ratios (plain over ours: above 1, ours is faster)."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="llmflow-bench-") as temporary:
        work = Path(temporary)
        for name, folder in corpora(work, quick, list(names)).items():
            files, size = size_of(folder)
            print(f"{name}: {files} files, {size / 1e6:.1f} MB", file=sys.stderr, flush=True)
            found: list[Run] = []
            for number in range(runs):
                systems = (ours, plain) if number % 2 == 0 else (plain, ours)  # neither always goes first
                for system in systems if BASELINE.exists() else (ours,):
                    found.append(system(folder, work / f"{name}_{system.__name__}_{number}", threads))
                    last = found[-1]
                    print(f"  {last.system}: {last.wall_s:.1f} s, {last.peak_mb:.0f} MB", file=sys.stderr, flush=True)
            results[name] = {"files": files, "bytes": size, **_summary(found), "runs": [vars(run) for run in found]}
    return results


def ours(folder: Path, home: Path, threads: int) -> Run:
    """Ingest into an empty workspace in a fresh process: masking, full text, graph and state included."""
    home.mkdir()
    environment = {**QUIET, "OMP_NUM_THREADS": str(threads), "LLMFLOW_HOME": str(home), "LLMFLOW_PROJECT": str(ROOT)}
    command = [sys.executable, "-m", "llmflow", "ingest", str(folder), "--json"]
    measured = measure(command, environment, home.with_suffix(".log"), server_of=home)
    report = json.loads(measured.output[measured.output.index("{") :])
    ready = sum(statuses.get("ready", 0) for statuses in report["documents"].values())
    stages = {stage: report["seconds"].get(stage, 0.0) for stage in STAGES}
    return Run(
        "llmflow", measured.wall_s, report["wall_seconds"], measured.cpu_s, measured.peak_mb, report["chunks"], ready, stages
    )


def plain(folder: Path, home: Path, threads: int) -> Run:
    """Run the baseline; its one query that it times at the end is part of its wall time, not of its work."""
    home.mkdir()
    environment = {**QUIET, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, str(BASELINE), str(folder), "--work", str(home), "--limit", "1"]
    measured = measure(command, environment, home.with_suffix(".log"))
    report = json.loads(measured.output.strip().splitlines()[-1])
    seconds = report["seconds"]
    work = sum(seconds[stage] for stage in ("parse", "chunk", "embed", "index"))
    read = report["files"] - sum(report["failed"].values())
    return Run("plain", measured.wall_s, work, measured.cpu_s, measured.peak_mb, report["chunks"], read, seconds)


def _summary(runs: Sequence[Run]) -> dict[str, Any]:
    medians: dict[str, dict[str, Any]] = {}
    for system in dict.fromkeys(run.system for run in runs):
        mine = [run for run in runs if run.system == system]
        fields = ("wall_s", "work_s", "cpu_s", "peak_mb", "chunks", "read")
        medians[system] = {field: statistics.median(getattr(run, field) for run in mine) for field in fields}
        stages = {stage for run in mine for stage in run.stages}
        medians[system]["stages"] = {stage: statistics.median(run.stages.get(stage, 0.0) for run in mine) for stage in stages}
    if "plain" not in medians:
        return {"medians": medians}
    theirs, own = medians["plain"], medians["llmflow"]
    return {"medians": medians, "ratios": {key: theirs[key] / own[key] for key in ("wall_s", "work_s", "cpu_s", "peak_mb")}}
