"""Workers that crash, hang or hog memory cost their own item only, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from llmflow.errors import DocumentError
from llmflow.ingestion.workers import WarmWorkers, map_files

GIB = 1024**3


def work(item: str) -> str:
    """Do what the item says, as a hostile document would."""
    if item == "exit":
        os._exit(3)
    if item == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "hang":
        signal.pause()
    if item == "hog":
        return str(len(bytearray(64 * GIB)))
    if item == "refuse":
        raise DocumentError("The file is empty.")
    if item == "bug":
        raise KeyError("oops")
    return item.upper()


def mark_start(folder: Path) -> None:
    (folder / str(os.getpid())).touch()


def _outcomes(items: list[str], processes: int, timeout_s: float = 60) -> dict[str, tuple[str | None, str | None]]:
    results = map_files(work, items, processes=processes, timeout_s=timeout_s, memory_bytes=4 * GIB)
    return {item: (outcome.value, outcome.error) for item, outcome in results}


@pytest.mark.parametrize("processes", [0, 1, 2])
def test_every_item_comes_back_once_and_errors_stay_with_their_item(processes: int) -> None:
    items = ["a", "refuse", "b", "bug", "c"]
    results = list(map_files(work, items, processes=processes, timeout_s=60, memory_bytes=0))
    assert sorted(item for item, _ in results) == sorted(items)
    found = dict(results)
    assert {item: found[item].value for item in "abc"} == {"a": "A", "b": "B", "c": "C"}
    assert all(found[item].ok for item in "abc")
    assert found["refuse"].error == "The file is empty."
    assert "KeyError" in (found["bug"].error or "")


def test_a_crash_costs_one_item() -> None:
    found = _outcomes(["a", "exit", "b", "kill", "c", "d"], processes=2)
    assert {item: found[item][0] for item in "abcd"} == {item: item.upper() for item in "abcd"}
    assert "exit code 3" in (found["exit"][1] or "")
    assert "Killed" in (found["kill"][1] or "")


def test_a_hanging_item_ends_at_its_time_limit() -> None:
    found = _outcomes(["a", "hang", "b"], processes=1, timeout_s=8)
    assert found["a"] == ("A", None)
    assert found["b"] == ("B", None)
    assert "longer than 8 s" in (found["hang"][1] or "")


def test_a_memory_hog_is_stopped() -> None:
    found = _outcomes(["hog", "a"], processes=1)
    assert "memory" in (found["hog"][1] or "")
    assert found["a"] == ("A", None)


def test_items_are_read_only_as_workers_become_free() -> None:
    read = 0

    def items() -> Iterator[str]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield f"item {number}"

    def workers() -> set[int]:
        return {child.pid for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())}

    before = workers()  # other tests of this process may keep theirs
    results = map_files(work, items(), processes=1, timeout_s=60, memory_bytes=0)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert read <= 5
    assert workers() <= before


def test_the_initializer_runs_once_in_each_worker(tmp_path: Path) -> None:
    results = list(
        map_files(work, ["a", "exit", "b"], processes=1, timeout_s=60, memory_bytes=0, initializer=partial(mark_start, tmp_path))
    )
    assert len(results) == 3
    assert len(list(tmp_path.iterdir())) == 2  # the worker that died was replaced


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="relies on the kernel's parent-death signal")
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import pathlib, os, signal
            from llmflow.ingestion.workers import map_files

            def hang(folder):
                pathlib.Path(folder, str(os.getpid())).touch()
                signal.pause()

            if __name__ == "__main__":
                list(map_files(hang, [{str(tmp_path)!r}] * 2, processes=2, timeout_s=300, memory_bytes=0))
            """
        )
    )
    parent = subprocess.Popen([sys.executable, str(script)])
    try:
        _wait_until(lambda: len([path for path in tmp_path.iterdir() if path.name.isdigit()]) == 2)
        workers = [psutil.Process(int(path.name)) for path in tmp_path.iterdir() if path.name.isdigit()]
        parent.send_signal(signal.SIGKILL)
        parent.wait(30)
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert alive == []
    finally:
        parent.kill()


def _wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the workers did not start"
        os.sched_yield()


def test_warm_workers_stay_between_calls_and_end_when_idle_or_closed():
    warm = WarmWorkers(1, 0, idle_s=3600)
    warm.begin(os.getpid)

    def pids() -> set[int]:
        return {outcome.value for _, outcome in map_files(pid_of, [1, 2], processes=4, timeout_s=60, memory_bytes=0, warm=warm)}

    first = pids()
    warm.release_idle()
    assert len(first) == 1 and pids() == first and os.getpid() not in first
    warm.close()
    warm.close()
    second = pids()
    assert second != first
    warm._idle_s = 0.0
    warm.release_idle()
    assert pids() != second
    warm.close()


def test_a_warm_worker_that_dies_costs_its_file_only():
    warm = WarmWorkers(1, 0)
    outcomes = dict(map_files(die_or_pid, [0, 1], processes=1, timeout_s=60, memory_bytes=0, warm=warm))
    assert not outcomes[0].ok and "died" in outcomes[0].error and outcomes[1].ok
    warm.close()


def pid_of(_: int) -> int:
    return os.getpid()


def die_or_pid(number: int) -> int:
    if number == 0:
        os._exit(3)
    return os.getpid()
