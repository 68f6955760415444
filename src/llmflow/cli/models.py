"""`llmflow models`: what is registered, what is served, promoting and rolling back."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show

models_app = typer.Typer(help="Adapters: registered, judged, promoted, rolled back.", no_args_is_help=True)
Reason = Annotated[str, typer.Option("--reason", help="The reason, kept with the record.")]
By = Annotated[str, typer.Option("--by", help="Who decides; the user of this machine by default.")]


@models_app.command("list")
def list_models(env: Env = "base", as_json: Json = False) -> None:
    """List adapters with aliases and verdicts, what is served, and the last changes."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.tables import print_models

        models = workspace.models
        versions, pointer, history = models.registry.versions(), models.gateway.pointer(), models.registry.history(10)
        found = {"served": pointer, "versions": versions, "history": list(history)}
        show(_plain(found), as_json, lambda: print_models(versions, pointer, history))


@models_app.command("register")
def register(
    folder: Annotated[Path, typer.Argument(help="Folder of a training run, or of a LoRA adapter that PEFT saved.")],
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Enter an adapter under its immutable name; it becomes the candidate."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.models.adapter_sources import adapter_source

        version = workspace.models.register(adapter_source(folder))
        show(_plain(version), as_json, lambda: typer.echo(f"candidate: {version.adapter.name}"))


@models_app.command("promote")
def promote(
    name: Annotated[str, typer.Argument(help="Name, number or alias.")] = "candidate",
    reason: Reason = "",
    by: By = "",
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Serve an adapter whose verdict allows it, on every replica, without a restart."""
    with opened_workspace(env) as workspace:
        done = workspace.models.promote(name, by or getpass.getuser(), reason)
        _audited(workspace, "model.promote", done, by, reason)
        show(_plain(done), as_json, lambda: typer.echo(_told(done)))


@models_app.command("rollback")
def roll_back(reason: Reason = "", by: By = "", env: Env = "base", as_json: Json = False) -> None:
    """Point back to what was served before; a second rollback goes forward again."""
    with opened_workspace(env) as workspace:
        done = workspace.models.roll_back(by or getpass.getuser(), reason)
        _audited(workspace, "model.rollback", done, by, reason)
        show(_plain(done), as_json, lambda: typer.echo(_told(done)))


@models_app.command("compare")
def compare(
    first: Annotated[str, typer.Argument(help="Name, number or alias.")] = "candidate",
    second: Annotated[str, typer.Argument(help="Name, number or alias.")] = "champion",
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Set two adapters side by side: metrics, base, data, verdicts with their checks."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.models.comparison import compare_models
        from llmflow.serving.tables import print_lines

        rows = compare_models(workspace.models, first, second)
        show(
            rows, as_json, lambda: print_lines("\n".join(f"{row['what']:<32} {row['first']:<28} {row['second']}" for row in rows))
        )


@models_app.command("sync")
def sync(env: Env = "base", as_json: Json = False) -> None:
    """Load champion and previous on every replica and point to the champion: after servers were started anew."""
    with opened_workspace(env) as workspace:
        pointer = workspace.models.sync()
        show(_plain(pointer), as_json, lambda: typer.echo(f"{workspace.serving.model} -> {pointer.model}"))


def _audited(workspace: Any, action: str, done: Any, by: str, reason: str) -> None:
    from llmflow.serving.operating.auditing import record_command

    details = {"before": done.before, "by": by or getpass.getuser(), "reason": reason[:500]}
    record_command(workspace, action, done.champion, details)


def _told(done: Any) -> str:
    kept = f"; still answering, unloaded later: {', '.join(done.retired.kept)}" if done.retired.kept else ""
    return f"{done.champion} answers from now on (before: {done.before}){kept}"


def _plain(value: Any) -> Any:
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
