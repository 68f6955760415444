"""Kill ingestions at random points, start them again, and compare every store with an undisturbed run.

    python -m benchmarks.kill_test --times 50

Exit status 1 when any round ends otherwise than the undisturbed run did.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a fork inherits no thread pools

from benchmarks.crash_corpus import DELETED, CrashProject, make_project
from benchmarks.killing import Kill, Ran, cold_run, fork_run, kill_server, warm_up, watch_calls
from benchmarks.snapshots import Snapshot, differences, take_snapshot

ROUND_KILLS = 3
COLD_SECONDS = 20.0
"""Latest kill of a process of its own: about what it takes on two cores."""
DELAY_S = 0.03
"""Longest delay behind a point: about what one write takes."""


@dataclass(frozen=True)
class Phase:
    """Commands from one settled state to the next."""

    name: str
    before: str
    """The phase whose end it starts from; empty: nothing is there."""
    commands: tuple[tuple[str, ...], ...]
    once: bool = False
    """The first command is not started again when it was killed: the others alone must lead to the end."""


@dataclass(frozen=True)
class Reference:
    """What an undisturbed phase left and what it passed, command by command."""

    home: Path
    snapshot: Snapshot
    runs: tuple[Ran, ...]


def phases(made: CrashProject) -> tuple[Phase, ...]:
    first, edited, changed = (("ingest", str(p), "--env", "crash") for p in (made.first, made.edited, made.changed))
    delete = ("documents", "delete", DELETED, "--env", "crash")
    return (
        Phase("first", "", (first,)),
        Phase("change", "first", (delete, changed)),
        Phase("delete", "change", (("documents", "delete", "nuri/hr/leave_policy.md", "--env", "crash"),)),
        Phase("back", "first", (edited, first), once=True),
        Phase("switch", "change", (("ingest", str(made.changed), "--env", "switch"),)),
    )


class KillTest:
    """The rounds over one project."""

    def __init__(self, folder: Path, seed: int):
        self._folder, self._seed = folder, seed
        self._made = make_project(folder)
        self._phases = phases(self._made)
        self._references: dict[str, Reference] = {}
        self.kills: Counter[str] = Counter()

    def prepare(self) -> None:
        """Warm up and run every phase undisturbed."""
        os.environ["LLMFLOW_PROJECT"] = str(self._made.project)
        warm_up((self._made.first, self._made.edited, self._made.changed), self._folder)
        watch_calls()
        for phase in self._phases:
            home = self._home(phase, f"undisturbed_{phase.name}")
            runs = tuple(fork_run(command, home, self._made.project) for command in phase.commands)
            if any(run.status for run in runs):
                raise SystemExit(f"The undisturbed run '{phase.name}' failed:\n{Path(f'{home}.log').read_text()[-3000:]}")
            snapshot = take_snapshot(home, self._made.project, _env(phase))
            kill_server(home)
            if not snapshot.healthy:
                raise SystemExit(f"The doctor is not satisfied with the undisturbed run '{phase.name}': {home}.log")
            self._references[phase.name] = Reference(home, snapshot, runs)

    def play(self, number: int, cold: bool = False) -> list[str]:
        """Play one round; return what differs from the undisturbed run."""
        rng = random.Random(f"{self._seed} {number}")
        phase = self._phases[number % len(self._phases)]
        home = self._home(phase, f"round_{number}")
        story: list[str] = []
        failed = False
        for at, command in enumerate(phase.commands):
            failed |= self._finish(phase, at, command, home, rng, cold, story)
        snapshot = take_snapshot(home, self._made.project, _env(phase))
        found = differences(self._references[phase.name].snapshot, snapshot)
        kill_server(home)
        if failed or found:
            return [f"round {number} ({phase.name}): {'; '.join(story)}", *found, Path(f"{home}.log").read_text()[-2000:]]
        shutil.rmtree(home)
        return []

    def _finish(
        self, phase: Phase, at: int, command: Sequence[str], home: Path, rng: random.Random, cold: bool, story: list[str]
    ) -> bool:
        """Kill a command some times, then let it end; return whether that end was a failure."""
        start = cold_run if cold else fork_run
        reference = self._references[phase.name].runs[at]
        kills = 1 if cold else rng.randint(0 if at else 1, ROUND_KILLS)
        hit, left = False, reference.points
        for _ in range(kills):
            kill = _choose(rng, reference, left, cold)
            ran = start(command, home, self._made.project, kill)
            story.append(f"{command[0]} {kill} -> {ran.status}")
            self.kills[_how(kill, ran)] += 1
            hit |= ran.status < 0
            left = max(4, left - (kill.point or left // 2))  # what was done before the kill is not done again
            if phase.once and at == 0 and hit:
                return False
        ran = start(command, home, self._made.project)
        story.append(f"{command[0]} -> {ran.status}")
        gone = command[0] == "documents" and ran.status == 2 and kills > 0  # it was deleted before the kill
        return ran.status != 0 and not gone

    def _home(self, phase: Phase, name: str) -> Path:
        home = self._folder / "homes" / name
        if phase.before:
            shutil.copytree(self._references[phase.before].home, home, ignore=shutil.ignore_patterns("vectors.db.port"))
        return home


def _choose(rng: random.Random, reference: Ran, points: int, cold: bool) -> Kill:
    server = rng.choices(("spared", "too", "alone"), (6, 3, 1))[0]
    if cold:
        return Kill(seconds=rng.uniform(0, COLD_SECONDS), server="spared" if server == "alone" else server)
    if rng.random() < 0.3:
        return Kill(seconds=rng.uniform(0, reference.seconds), server=server)
    delay = rng.choice((0.0, rng.uniform(0, DELAY_S)))
    return Kill(point=rng.randint(1, points), delay_s=delay, server=server)


def _how(kill: Kill, ran: Ran) -> str:
    if kill.server == "alone":
        return "server only"
    return ("killed with server" if kill.server == "too" else "killed") if ran.status < 0 else "ended first"


def _env(phase: Phase) -> str:
    return phase.commands[-1][-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50, help="rounds")
    parser.add_argument("--cold-every", type=int, default=10, help="every n-th round runs as processes of its own; 0: none")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--keep", type=Path, help="folder for homes and logs; a temporary one otherwise")
    args = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="llmflow-kill-") as temporary:
        test = KillTest((args.keep or Path(temporary)).resolve(), args.seed)
        test.prepare()
        bad = 0
        for number in range(args.times):
            found = test.play(number, cold=bool(args.cold_every) and number % args.cold_every == args.cold_every - 1)
            bad += bool(found)
            print("\n".join(found) if found else f"round {number}: equal", file=sys.stderr, flush=True)
    how = ", ".join(f"{count} {name}" for name, count in sorted(test.kills.items()))
    print(f"{args.times} rounds, {args.times - bad} equal to the undisturbed run; {how}; {time.perf_counter() - start:.0f} s")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
