"""Progress for people: a bar with rate and remaining time on a terminal, a line now and then elsewhere."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from time import monotonic

from llmflow.ingestion.indexing import Progress

LOG = logging.getLogger(__name__)
LINE_SECONDS = 10.0


@contextlib.contextmanager
def log_progress(quiet: bool = False) -> Iterator[Progress]:
    """Yield a callback for (stage, done, total)."""
    if quiet:
        yield lambda stage, done, total: None
    elif sys.stderr.isatty():
        with _bars() as progress:
            yield progress
    else:
        yield _lines()


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, tuple] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = (bars.add_task(stage, total=total, rate=""), monotonic())
            task, start = tasks[stage]
            rate = done / max(monotonic() - start, 1e-6)
            bars.update(task, completed=done, total=total, rate=f"{rate:.1f}/s")

        yield advance


def _lines() -> Progress:
    start: dict[str, float] = {}
    last: dict[str, float] = {}
    heard = monotonic()

    def advance(stage: str, done: int, total: int) -> None:
        nonlocal heard
        now = monotonic()
        begun = start.setdefault(stage, heard)  # the first call reports work that began where the stage before ended
        heard = now
        if done < total and now - last.get(stage, begun) < LINE_SECONDS:
            return
        last[stage] = now
        rate = done / max(now - begun, 1e-6)
        left = (total - done) / rate if rate else 0
        LOG.info("%s: %d of %d, %.1f a second, about %.0f s left", stage, done, total, rate, left)

    return advance
