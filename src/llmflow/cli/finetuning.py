"""`llmflow finetune`: check data, build snapshots, train, list runs, export."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show, told_errors

finetune_app = typer.Typer(help="Instruction data and conversations to a trained adapter.", no_args_is_help=True)
data_app = typer.Typer(help="What is trained on.", no_args_is_help=True)
finetune_app.add_typer(data_app, name="data")

Info = Annotated[Path, typer.Argument(help="A dataset_info.json, a folder with one, or a data file (json, jsonl, csv, tsv).")]


@data_app.command("check")
def check_data(
    info: Info,
    name: Annotated[list[str] | None, typer.Option("--name", "-n", help="Data sets of the description; all by default.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rejected rows to show of each.")] = 10,
    as_json: Json = False,
) -> None:
    """Read every row and say which are rejected, with row, column and reason; exit status 1 when one is."""
    with told_errors(as_json):
        from llmflow.finetuning.dataset_info import entry_as_json, load_dataset_info
        from llmflow.finetuning.formats import check_present, read_dataset, task_of

        entries = load_dataset_info(info, name or ())
        check_present(entries)
        found: list[dict[str, Any]] = []
        for entry in entries:
            result = read_dataset(entry)
            task = task_of(entry)
            found.append(
                {
                    "name": entry.name,
                    "task": task.value if task else "collected",
                    "examples": len(result.examples),
                    "rejected": [{"row": r.row, "column": r.column, "reason": r.reason} for r in result.rejected],
                    "description": entry_as_json(entry),
                }
            )

        def tell() -> None:
            for row in found:
                typer.echo(f"{row['name']}: {row['examples']} examples for {row['task']}, {len(row['rejected'])} rows rejected")
                for wrong in row["rejected"][:limit]:
                    column = f", column '{wrong['column']}'" if wrong["column"] else ""
                    typer.echo(f"  row {wrong['row']}{column}: {wrong['reason']}")

        show(found, as_json, tell)
        if any(row["rejected"] for row in found):
            raise typer.Exit(1)


@data_app.command("build")
def build_data(env: Env = "base", as_json: Json = False) -> None:
    """Clean, split and freeze the configured data in a snapshot with a card."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.models.finetuning import curate
        from llmflow.serving.progress import log_progress

        with log_progress(quiet=as_json) as progress:
            snapshot = curate(workspace.finetuning, progress)
        card = snapshot.directory / "card.md"
        row = {
            "hash": snapshot.hash,
            "task": snapshot.task.value,
            "directory": str(snapshot.directory),
            "counts": snapshot.counts,
        }
        show(row, as_json, lambda: typer.echo(card.read_text(encoding="utf-8") + f"\n{card}"))


@finetune_app.command("train")
def train(
    env: Env = "base",
    base: Annotated[str, typer.Option(help="Folder or hub name of the base, or 'tiny'; the configured one by default.")] = "",
    preset: Annotated[str, typer.Option(help="h100, h200, 24gb or cpu-smoke in place of the configured recipe.")] = "",
    max_steps: Annotated[int, typer.Option(min=0, help="Stop after so many optimiser steps; 0: as configured.")] = 0,
    as_json: Json = False,
) -> None:
    """Curate, train and export as configured; a run that was killed goes on."""
    with opened_workspace(env) as workspace:
        from llmflow.finetuning.distributed import is_main
        from llmflow.serving.models.finetuning import changed_recipe, describe_run, run_finetuning
        from llmflow.serving.progress import log_progress

        settings = changed_recipe(workspace.finetuning, preset, max_steps, base)
        with log_progress(quiet=as_json) as progress:
            run = run_finetuning(settings, workspace.serving, progress)
        if is_main():
            show(run.report(), as_json, lambda: typer.echo(describe_run(run)))


@finetune_app.command("runs")
def list_runs(env: Env = "base", as_json: Json = False) -> None:
    """List finished training runs, oldest first."""
    with opened_workspace(env):
        from dataclasses import asdict

        from llmflow.serving.models.finetuning import finished_runs

        rows = [{"run": str(folder), **asdict(trained)} for folder, trained in finished_runs()]

        def tell() -> None:
            for row in rows:
                loss = row["metrics"].get("eval_loss", row["metrics"].get("train_loss", float("nan")))
                smoke = "  smoke model" if row["smoke"] else ""
                typer.echo(f"{Path(row['run']).name}  loss {loss:.4f}  data {row['snapshot'][:12]}{smoke}")

        show(rows, as_json, tell)


@finetune_app.command("export")
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, or its name as `finetune runs` shows it.")],
    form: Annotated[list[str] | None, typer.Option("--as", help="adapter, merged or gguf; repeatable.")] = None,
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Write a run's adapter, merged weights or GGUF below its folder."""
    with opened_workspace(env):
        from llmflow.errors import SettingsError
        from llmflow.finetuning.types import TrainedAdapter
        from llmflow.serving.models.finetuning import export as export_run
        from llmflow.serving.models.finetuning import runs_folder

        forms = tuple(form or ("adapter",))
        if wrong := sorted(set(forms) - {"adapter", "merged", "gguf"}):
            raise SettingsError(f"Unknown form {', '.join(wrong)}. Choose from: adapter, merged, gguf.")
        folder = run if run.is_dir() else runs_folder() / run.name
        made = export_run(TrainedAdapter.load(folder), folder, forms)
        rows = {name: str(path) for name, path in made.items()}
        show(rows, as_json, lambda: typer.echo("\n".join(f"{name:<8} {path}" for name, path in rows.items())))
