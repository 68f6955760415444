"""`llmflow serve-llm`: the model servers of `serving.servers`, supervised until stopped."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show


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

        from llmflow.serving.serve_models import chosen_servers, serve_models

        settings = chosen_servers(workspace.serving, model, port, threads, dtype)

        def ready(addresses: list[str]) -> None:
            if ready_file:
                ready_file.write_text(json.dumps(addresses) + "\n", encoding="utf-8")
            found = {"addresses": addresses}
            show(found, as_json, lambda: typer.echo(f"serving: {', '.join(addresses)} (Ctrl-C ends it)"))
            sys.stdout.flush()

        serve_models(workspace, settings, lambda line: print(line, file=sys.stderr, flush=True), ready)
