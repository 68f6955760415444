"""`llmflow serve-llm`: the model servers of `serving.servers`, supervised until stopped."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show, told_errors


def serve_llm(
    env: Env = "base",
    model: Annotated[str | None, typer.Option(help="Serve this folder as the chat model in place of serving.servers.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of --model.")] = 8000,
    threads: Annotated[int, typer.Option(min=0, help="OMP_NUM_THREADS of --model; 0 leaves what is set.")] = 0,
    dtype: Annotated[str, typer.Option(help="Number format of --model, as vLLM takes it.")] = "auto",
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses here once all answer.")] = None,
    as_json: Json = False,
) -> None:
    """Start vLLM for the base model and what is promoted, wait until it answers, keep it alive, end it with Ctrl-C."""
    with opened_workspace(env) as workspace:
        import json
        import sys

        from llmflow.serving.models.serve_models import chosen_servers, serve_models

        settings = chosen_servers(workspace.serving, model, port, threads, dtype)

        def ready(addresses: list[str]) -> None:
            if ready_file:
                ready_file.write_text(json.dumps(addresses) + "\n", encoding="utf-8")
            found = {"addresses": addresses}
            show(found, as_json, lambda: typer.echo(f"serving: {', '.join(addresses)} (Ctrl-C ends it)"))
            sys.stdout.flush()

        serve_models(workspace, settings, lambda line: print(line, file=sys.stderr, flush=True), ready)


def finetune_demo(
    env: Env = "test",
    home: Annotated[Path | None, typer.Option(help="Workspace of its own; data/local/finetune-demo by default.")] = None,
    keep: Annotated[bool, typer.Option(help="Go on with what an earlier run left there.")] = False,
    as_json: Json = False,
) -> None:
    """Tune a tiny model, judge it, serve it with a real vLLM, promote a second one while eight clients stream, roll back."""
    with told_errors(as_json):
        import os
        import shutil
        import sys

        from llmflow.workspace import HOME_VARIABLE, home_path

        folder = (home or Path(home_path("finetune-demo"))).resolve()
        if not keep and (folder / "finetuning").is_dir():
            shutil.rmtree(folder)
        os.environ[HOME_VARIABLE] = str(folder)
        from llmflow.serving.models.demo import run_finetune_demo
        from llmflow.serving.tables import print_demo

        report = run_finetune_demo(folder, env, lambda line: print(line, file=sys.stderr, flush=True))
        show(report.plain(), as_json, lambda: print_demo(report))
