"""`llmflow retrieval gate`, `promote`, `rollback`, `show`: which retrieval settings are served, and how they get there."""

import getpass
from dataclasses import asdict
from typing import Annotated, Any

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show

retrieval_app = typer.Typer(help="Which retrieval settings are served: judge, promote, roll back.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; kept in the history.")]
By = Annotated[str | None, typer.Option(help="Who decides; the name of the account by default.")]


@retrieval_app.command()
def gate(
    candidate: Annotated[str, typer.Option(help="A condition of conf/, a YAML or JSON file of retrieval settings, or `conf`.")],
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Hold settings against what is served on the corpus's own questions; exit status 1 when they are rejected."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.evaluation.experiment_files import write_gate_files
        from llmflow.serving.evaluation.retrieval_gate import run_gate
        from llmflow.serving.progress import log_progress
        from llmflow.serving.tables import print_experiments

        with log_progress(quiet=as_json) as progress:
            outcome = run_gate(workspace, candidate, progress)
        files = write_gate_files(outcome)
        judged, verdict = outcome.candidate, outcome.report.verdict
        assert judged is not None and verdict is not None
        shown = {"candidate": judged.id, "label": judged.label, "verdict": asdict(verdict), "page": str(files.page)}

        def text() -> None:
            print_experiments(outcome.report)
            typer.echo(f"\nReport: {files.page}")
            if verdict.promoted:
                typer.echo(f"To serve it: llmflow retrieval promote {judged.id} --reason ...")

        show(shown, as_json, text)
        if not verdict.promoted:
            raise typer.Exit(1)


@retrieval_app.command()
def promote(
    candidate: Annotated[str, typer.Argument(help="Id or label of settings that the gate has judged.")],
    reason: Reason,
    env: Env = "base",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Serve settings with a PROMOTE verdict from the next question on, in every running process."""
    with opened_workspace(env) as workspace:
        _changed(workspace, workspace.promotions.promote(candidate, by or getpass.getuser(), reason), as_json)


@retrieval_app.command()
def rollback(reason: Reason = "", env: Env = "base", by: By = None, as_json: Json = False) -> None:
    """Serve what was served before, from the next question on, in every running process."""
    with opened_workspace(env) as workspace:
        _changed(workspace, workspace.promotions.roll_back(by or getpass.getuser(), reason), as_json)


@retrieval_app.command("show")
def show_served(env: Env = "base", as_json: Json = False) -> None:
    """Show what is served, since when and why, what the gate has judged, and where conf/ says something else."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.evaluation.promotion_overview import describe, overview

        found = overview(workspace.promotions)
        show(found, as_json, lambda: typer.echo(describe(found)))


def _changed(workspace: Any, record: Any, as_json: bool) -> None:
    from llmflow.serving.evaluation.experiments import log_promotion
    from llmflow.serving.operating.auditing import record_command

    log_promotion(workspace.evaluation.experiment, record)
    change = record.history[-1]
    action = "retrieval.promote" if change.action == "promote" else "retrieval.rollback"
    record_command(workspace, action, change.id, {"before": change.before, "by": change.by, "reason": change.reason[:500]})
    text = f"{change.action}: {change.id} is served now, after {change.before}."
    show(asdict(change), as_json, lambda: typer.echo(text))
