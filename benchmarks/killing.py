"""Runs of the command line that are killed: forks of this warm process, or processes of their own.

A fork skips ten seconds of imports, so that most kills can fall where something is written. It runs the same command line; only
the loaded embedding model and the prepared documents come from memory. Processes of their own prepare in workers, as ever.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CALLS = {
    "sql_state.SqlStateStore": "register mark_processing stage fail activate delete removed set_setting",
    "tantivy_text.TantivyTextIndex": "upsert delete",
    "milvus_vectors.MilvusVectorStore": "create_space drop_space upsert delete optimise",
    "sql_graph.SqlGraphStore": "upsert delete_chunks",
    "raw_files.RawFiles": "put delete",
}
"""What writes, by adapter: a point to be killed at lies before and after each call."""


@dataclass(frozen=True)
class Kill:
    """Where a run dies: at the numbered point (after `delay_s`, which falls within the call), or after `seconds`."""

    point: int | None = None
    delay_s: float = 0.0
    seconds: float | None = None
    server: str = "spared"
    """`spared`; `too`: the Milvus server dies with the run; `alone`: only the server dies."""


@dataclass(frozen=True)
class Ran:
    """How a run ended: exit status (negative: killed), seconds, points passed (0 where not counted)."""

    status: int
    seconds: float
    points: int = 0


class Points:
    """Counts the points of this process and kills it at the chosen one."""

    def __init__(self) -> None:
        self.passed = 0
        self._kill: Kill | None = None
        self._home = Path()

    def arm(self, kill: Kill | None, home: Path) -> None:
        self.passed, self._kill, self._home = 0, kill, home

    def reach(self) -> None:
        self.passed += 1
        if self._kill is None or self._kill.point != self.passed:
            return
        if self._kill.delay_s:
            timer = threading.Timer(self._kill.delay_s, self._strike)
            timer.daemon = True
            timer.start()
        else:
            self._strike()

    def _strike(self) -> None:
        assert self._kill is not None
        if self._kill.server != "spared":
            kill_server(self._home)
        if self._kill.server != "alone":
            os.kill(os.getpid(), signal.SIGKILL)


POINTS = Points()


def watch_calls() -> None:
    """Put a point before and after every writing call of the embedded adapters, in this process and its forks."""
    import importlib

    for name, methods in CALLS.items():
        module, kind = name.split(".")
        adapter = getattr(importlib.import_module(f"llmflow.adapters.{module}"), kind)
        for method in methods.split():
            setattr(adapter, method, _watched(getattr(adapter, method)))


def _watched(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        POINTS.reach()
        result = original(*args, **kwargs)
        POINTS.reach()
        return result

    return call


def warm_up(corpora: Sequence[Path], folder: Path) -> None:
    """Load what a run needs, and let forks take the prepared documents of `corpora` from memory.

    Kiwi keeps threads that no fork inherits, so a process of its own prepares them, once.
    """
    import importlib

    from llmflow.adapters import sentence_embedder
    from llmflow.ingestion import preparing
    from llmflow.serving.catalog import open_catalog

    kept = folder / "prepared.pickle"
    subprocess.run([sys.executable, "-m", "benchmarks.killing", str(kept), *map(str, corpora)], check=True)
    documents = pickle.loads(kept.read_bytes())  # noqa: S301 - written a moment ago by the line above
    embedder = open_catalog().catalog.load("embedder")
    embedder.embed_passages(["warm"])
    loaded = embedder._load()
    sentence_embedder._load_encoder = lambda _: loaded
    preparing.prepare_file = lambda task: documents[task.file.document_id, task.file.version]
    preparing.INLINE_FILES, preparing.INLINE_BYTES = 1000, 1 << 30
    for name in ("llmflow.cli", "kedro.framework.project", "pymilvus", "sqlalchemy", "tantivy"):
        importlib.import_module(name)


def prepare_all(kept: Path, corpora: Sequence[Path]) -> None:
    """Prepare every file of `corpora` with the settings of conf/base and pickle them by (document id, version)."""
    from llmflow.ingestion.prepare import PreparationTask, prepare_file
    from llmflow.ingestion.sources import SourceSettings, find_files
    from llmflow.serving.catalog import open_catalog

    settings = open_catalog().ingestion.preparation
    files = [file for corpus in corpora for file in find_files(SourceSettings(paths=(str(corpus),)), settings)]
    wanted = {(file.document_id, file.version): file for file in files}
    kept.write_bytes(pickle.dumps({key: prepare_file(PreparationTask(file, settings)) for key, file in wanted.items()}))


def fork_run(command: Sequence[str], home: Path, project: Path, kill: Kill | None = None) -> Ran:
    """Run `llmflow <command>` in a fork and wait for it; what it said goes to `<home>.log`."""
    return _fork(lambda: _command_line(command), home, project, kill)


def fork_call(function: Callable[[], None], home: Path, project: Path) -> Ran:
    """Call `function` in a fork, so that nothing that it opens outlives it."""

    def work() -> int:
        function()
        return 0

    return _fork(work, home, project, None)


def _fork(work: Callable[[], int], home: Path, project: Path, kill: Kill | None) -> Ran:
    home.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.close(inlet)
            log = os.open(f"{home}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.environ.update(_surroundings(home, project))
            POINTS.arm(kill, home)
            status = work()
            os.write(outlet, str(POINTS.passed).encode())
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.close(outlet)
    if kill is not None and kill.seconds is not None:
        _strike_later(child, home, kill)
    _, raw = os.waitpid(child, 0)
    with os.fdopen(inlet) as pipe:
        points = pipe.read()
    return Ran(os.waitstatus_to_exitcode(raw), time.perf_counter() - start, int(points or 0))


def _command_line(command: Sequence[str]) -> int:
    from llmflow.cli import app

    sys.argv = ["llmflow", *command]
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def cold_run(command: Sequence[str], home: Path, project: Path, kill: Kill | None = None) -> Ran:
    """Run `python -m llmflow <command>` as a process of its own, workers and all; only the process itself is killed."""
    home.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with open(f"{home}.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "llmflow", *command],
            stdout=log, stderr=log, env={**os.environ, **_surroundings(home, project)},
        )  # fmt: skip
        if kill is not None and kill.seconds is not None:
            try:
                process.wait(kill.seconds)
            except subprocess.TimeoutExpired:
                _strike(process.pid, home, kill)
        return Ran(process.wait(), time.perf_counter() - start)


def kill_server(home: Path) -> bool:
    """Kill the Milvus server of `home`, if one runs; its number is checked against its command line first."""
    try:
        number = int((home / "vectors.db.port").read_text().split()[0])
        command = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return False
    if str(home / "vectors.db").encode() not in command:
        return False
    os.kill(number, signal.SIGKILL)
    return True


def _strike_later(child: int, home: Path, kill: Kill) -> None:
    deadline = time.perf_counter() + (kill.seconds or 0.0)
    while (left := deadline - time.perf_counter()) > 0:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(min(left, 0.005))
    _strike(child, home, kill)


def _strike(process: int, home: Path, kill: Kill) -> None:
    if kill.server != "spared":
        kill_server(home)
    if kill.server != "alone":
        os.kill(process, signal.SIGKILL)


def _surroundings(home: Path, project: Path) -> Mapping[str, str]:
    return {"LLMFLOW_HOME": str(home), "LLMFLOW_PROJECT": str(project)}


if __name__ == "__main__":
    prepare_all(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
