"""Commands with their wall time, processor time and the memory of the whole process tree."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """One command: what it printed, seconds of wall and processor time, most memory in MB of all its processes together."""

    output: str
    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(command: Sequence[str], environment: Mapping[str, str], log: Path, server_of: Path | None = None) -> Measured:
    """Run a command to its end. `server_of`: a workspace whose Milvus server, nobody's child, is counted too.

    Processor time covers the command, its waited-for children and that server. Raises RuntimeError when it fails.
    """
    before = os.times()
    start = time.perf_counter()
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **environment}, cwd=log.parent
        )
        peak, server = [0.0], [0.0]
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, server_of, peak, server, done))
        watcher.start()
        output, _ = process.communicate()
        wall = time.perf_counter() - start
        done.set()
        watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {process.returncode}; see {log}.\n{output[-500:]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(output, wall, cpu + server[0], peak[0])


def _watch(process: int, server_of: Path | None, peak: list[float], server: list[float], done: threading.Event) -> None:
    import psutil

    while not done.wait(POLL_SECONDS):
        if server_of is not None:
            with contextlib.suppress(psutil.Error, OSError, ValueError, IndexError):
                used = psutil.Process(int((server_of / "vectors.db.port").read_text().split()[0])).cpu_times()
                server[0] = max(server[0], used.user + used.system)
        total = 0
        for member in _tree(process, server_of):
            try:
                total += member.memory_info().rss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total / 1024**2)


def _tree(process: int, server_of: Path | None):
    import psutil

    try:
        root = psutil.Process(process)
        yield root
        yield from root.children(recursive=True)
        if server_of is not None:
            yield psutil.Process(int((server_of / "vectors.db.port").read_text().split()[0]))
    except (psutil.Error, OSError, ValueError, IndexError):
        return
