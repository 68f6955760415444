"""`llmflow worker`: does the jobs of uploads apart from the chat."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show


def worker(
    env: Env = "base",
    once: Annotated[bool, typer.Option(help="Do what is due now and end, without the queue.")] = False,
    alive: Annotated[
        Path | None, typer.Option("--alive-file", help="Touch this file at least once a minute, for a liveness probe.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read what people uploaded, index it again and delete it, until stopped; any number of workers may run."""
    with opened_workspace(env) as workspace:
        import signal
        import sys
        import threading

        from llmflow.serving.operating.assembly import build_work

        work = build_work(workspace, alive=alive.touch if alive else lambda: None)
        if once:
            try:
                done = work.do_due()
            finally:
                work.stop()
            show({"jobs": done}, as_json, lambda: typer.echo(f"{done} jobs done"))
            return
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        work.start(warm=True)
        try:
            show({"worker": work.runner.worker}, as_json, lambda: typer.echo(f"working as {work.runner.worker} (Ctrl-C ends it)"))
            sys.stdout.flush()
            stopping.wait()
        finally:
            work.stop()
