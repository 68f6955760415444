"""Work on many files in processes that may crash, hang or hog memory without taking the rest with them.

    for item, outcome in map_files(parse, paths, processes=4, timeout_s=300, memory_bytes=6 * 1024**3):
        ...

A worker that dies costs its own file only. Workers never outlive the process that started them, even when that is killed.
"""

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from llmflow.errors import LlmflowError
from llmflow.wording import said

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT = 4  # submitted files a worker: enough to keep it busy, few enough to bound what waits in memory
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of one item: a value, or the reason why there is none, for a person."""

    value: Result | None = None
    error: str | None = None
    seconds: float = 0.0
    """Time in the worker; 0 where the worker did not live to tell."""
    details: object = None
    """What the error carried beside its reason."""

    @property
    def ok(self) -> bool:
        """Whether `value` may be used."""
        return self.error is None


def map_files(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    processes: int,
    timeout_s: float,
    memory_bytes: int,
    initializer: Callable[[], None] | None = None,
    warm: "WarmWorkers | None" = None,
) -> Iterator[tuple[Item, Outcome[Result]]]:
    """Yield every item once with its outcome, in the order in which they finish.

    `items` is read as workers become free. `function`, `initializer`, items and values must be picklable, functions
    module-level. `processes` 0 runs everything here, in order, without limits of time and memory. `memory_bytes` is
    address space a worker, shared libraries included; 0 is no limit. `warm` workers are used, with their own number and memory,
    where they are given. Errors of `function` become outcomes; only what goes wrong
    here (an item that cannot be pickled, a broken `items`) is raised.
    """
    if warm is not None:
        yield from _map_in_pool(function, items, warm.processes, timeout_s, warm.memory_bytes, warm.pool())
        return
    if processes < 1:
        if initializer:
            initializer()
        for item in items:
            yield item, _attempt(function, item)
        return
    yield from _map_in_processes(function, items, processes, timeout_s, memory_bytes, initializer)


def _map_in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    processes: int,
    timeout_s: float,
    memory_bytes: int,
    initializer: Callable[[], None] | None,
) -> Iterator[tuple[Item, Outcome[Result]]]:
    pool = _open_pool(processes, memory_bytes, initializer)
    try:
        yield from _map_in_pool(function, items, processes, timeout_s, memory_bytes, pool)
    finally:
        pool.stop()
        pool.join()


def _open_pool(processes: int, memory_bytes: int, initializer: Callable[[], None] | None) -> Any:
    from pebble import ProcessPool

    return ProcessPool(
        max_workers=processes,
        initializer=_prepare_worker,
        initargs=(os.getpid(), memory_bytes, initializer),
        context=multiprocessing.get_context("spawn"),  # a fork would copy this process's threads and locks in any state
    )


def _map_in_pool(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    processes: int,
    timeout_s: float,
    memory_bytes: int,
    pool: Any,
) -> Iterator[tuple[Item, Outcome[Result]]]:
    waiting: dict[Future[Outcome[Result]], Item] = {}
    source = iter(items)
    exhausted = False
    while waiting or not exhausted:
        while not exhausted and len(waiting) < processes * _IN_FLIGHT:
            try:
                item = next(source)
            except StopIteration:
                exhausted = True
                break
            waiting[pool.schedule(_attempt, args=(function, item), timeout=timeout_s)] = item
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield waiting.pop(future), _collect(future, timeout_s, memory_bytes)


class WarmWorkers:
    """Workers that stay between calls of `map_files`, for single files that come now and then: starting one takes seconds.

    Started with the first file; `release_idle` ends them when nothing came for a while. Safe to share between threads.
    """

    def __init__(self, processes: int, memory_bytes: int, idle_s: float = 600.0):
        self.processes = processes
        self.memory_bytes = memory_bytes
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._opened: Any = None
        self._used = 0.0

    def pool(self) -> Any:
        """Return the pool, started where it is not running."""
        with self._lock:
            if self._opened is None or not self._opened.active:
                self._opened = _open_pool(self.processes, self.memory_bytes, None)
            self._used = time.monotonic()
            return self._opened

    def begin(self, function: Callable[..., object], *arguments: object) -> None:
        """Run a picklable function in a worker without waiting for it, so that what it loads is there when a file comes."""
        self.pool().schedule(function, args=arguments)

    def release_idle(self) -> None:
        """End the workers when nothing was asked of them for `idle_s`; call it when nothing is being mapped."""
        if time.monotonic() - self._used > self._idle_s:
            self.close()

    def close(self) -> None:
        """End the workers; safe twice. The next file starts them anew."""
        with self._lock:
            pool, self._opened = self._opened, None
        if pool is not None:
            pool.stop()
            pool.join()


def _attempt(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    started = time.perf_counter()
    details: object = None
    try:
        return Outcome(value=function(item), seconds=time.perf_counter() - started)
    except LlmflowError as exc:
        reason, details = str(exc), getattr(exc, "details", None)
    except MemoryError:
        reason = said("worker.memory")
    except Exception as exc:  # one bad file must not stop the batch, whatever a library raises over it
        reason = said("worker.failed", kind=type(exc).__name__, reason=exc)
    return Outcome(error=reason, seconds=time.perf_counter() - started, details=details)


def _collect(future: "Future[Outcome[Result]]", timeout_s: float, memory_bytes: int) -> Outcome[Result]:
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        return Outcome(error=said("worker.too_slow", seconds=f"{timeout_s:g}"))
    except ProcessExpired as exc:
        number = -exc.exitcode if exc.exitcode < 0 else 0
        how = signal.strsignal(number) if number else f"exit code {exc.exitcode}"
        if memory_bytes:
            return Outcome(error=said("worker.died_of_memory", how=how, memory=f"{memory_bytes / 1024**3:.1f}"))
        return Outcome(error=said("worker.died", how=how))


def _prepare_worker(parent: int, memory_bytes: int, initializer: Callable[[], None] | None) -> None:
    """Tie the worker's life to its parent's, cap its memory, leave Ctrl-C to the parent."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if memory_bytes:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    if initializer:
        initializer()
