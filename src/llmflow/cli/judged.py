"""`llmflow judged generate`, `review`, `check`, `evaluate`, `export`, `import`: judged questions from one's own documents."""

import json
from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Groups, Json, opened_workspace, principal, show, told_errors

judged_app = typer.Typer(help="Judged questions from your own documents.", no_args_is_help=True)
Questions = Annotated[Path, typer.Argument(help="Questions, one JSON object a line.")]
OneTenant = Annotated[str | None, typer.Option(help="One tenant only; all by default.")]


@judged_app.command("generate")
def generate(
    out: Annotated[Path, typer.Option("--out", help="File to write; what people wrote or decided in it is kept.")],
    env: Env = "base",
    tenant: OneTenant = None,
    limit: Annotated[int | None, typer.Option(min=1, max=100_000, help="Most questions to generate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, another choice.")] = None,
    model: Annotated[
        bool | None,
        typer.Option("--model/--offline", help="Ask the chat model, or templates only; the model where there is one by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make questions with evidence from what is served. They are labelled as generated until somebody reviews them."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.evaluation.judged import generate_file, with_settings
        from llmflow.serving.progress import log_progress

        settings = with_settings(workspace.evaluation.generation, limit, seed)
        with log_progress(quiet=as_json) as progress:
            written = generate_file(workspace, out, settings, tenant, model, progress)
        found = written.generation
        shown = {"file": str(out), "questions": len(written.questions), "standings": written.standings}
        shown |= {"by_template": dict(found.by_template), "facts": dict(found.facts), "dropped": dict(found.dropped)}
        show(shown, as_json, lambda: typer.echo(_lines(shown) + f"\nReview them: llmflow judged review {out}"))


@judged_app.command("review")
def review(
    file: Questions,
    by: Annotated[str, typer.Option("--by", help="Who reviews; stands with every decision.", envvar="USER")] = "",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    as_json: Json = False,
) -> None:
    """Open the page on which generated questions are accepted, edited or rejected; runs until stopped."""
    with told_errors(as_json):
        import importlib

        from llmflow.errors import MissingDependency
        from llmflow.evaluation.judged_sets import load_sample_questions

        load_sample_questions(file, with_rejected=True)
        try:
            page = importlib.import_module("apps.review.main")
            importlib.import_module("streamlit.version")
        except ModuleNotFoundError as exc:
            raise MissingDependency(f"The review page needs {exc.name}. Install it: pip install 'llmflow[apps]'") from exc
        address = f"http://127.0.0.1:{port}"
        shown = {"address": address, "file": str(file)}
        typer.echo(json.dumps(shown) if as_json else f"Review page: {address} (Ctrl+C ends it)")
        page.run(file, by, port)


@judged_app.command("check")
def check(file: Questions, env: Env = "base", as_json: Json = False) -> None:
    """Say how many questions are written, reviewed, generated or rejected, and whose evidence is no longer served."""
    with opened_workspace(env) as workspace:
        from llmflow.evaluation.judged_sets import load_sample_questions
        from llmflow.evaluation.question_files import standings
        from llmflow.serving.evaluation.judged import served_of, stale_questions

        questions = load_sample_questions(file, with_rejected=True)
        stale = stale_questions(questions, served_of(workspace, None))
        shown = {"questions": len(questions), "standings": dict(standings(questions)), "evidence_not_served": stale}
        show(shown, as_json, lambda: typer.echo(_lines(shown)))
        if stale:
            raise typer.Exit(1)


@judged_app.command("evaluate")
def evaluate(
    file: Questions,
    env: Env = "base",
    covered_only: Annotated[bool, typer.Option(help="Only questions whose sources are all served.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the questions of the served corpus, each as its own person: recall, answers, refusals, leaks."""
    with opened_workspace(env) as workspace:
        from llmflow.evaluation.judged_sets import load_sample_questions
        from llmflow.evaluation.report import answers_table, metrics_table
        from llmflow.serving.evaluation.experiments import corpus_report
        from llmflow.serving.evaluation.judged import evaluate_questions

        found = evaluate_questions(workspace, load_sample_questions(file), covered_only)

        def tables() -> None:
            if found.rows:
                typer.echo(metrics_table(found.rows))
            typer.echo(metrics_table(found.kinds, heading="kind"))
            typer.echo(answers_table(found.answers))
            typer.echo(f"questions: {_told(dict(found.standing))}")

        show(corpus_report(found), as_json, tables)


@judged_app.command("export")
def export(
    file: Questions,
    folder: Annotated[Path, typer.Argument(help="New folder for corpus.jsonl, queries.jsonl, qrels/test.tsv.")],
    env: Env = "base",
    tenant: Annotated[str, typer.Option(help="Tenant of the person whose view is exported.")] = "default",
    group: Groups = None,
    everything: Annotated[bool, typer.Option("--all", help="Every passage of every tenant; BEIR keeps no permissions.")] = False,
    as_json: Json = False,
) -> None:
    """Write the served passages and questions in BEIR's layout. Whoever gets the folder can read all of it."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.evaluation.judged import export_file

        found = export_file(workspace, file, folder, None if everything else principal(tenant, group))
        written = found.judged_set
        shown = {"folder": str(folder), "passages": len(written.passages), "questions": len(written.questions)}
        shown |= {"left_out": dict(found.left_out)}
        show(shown, as_json, lambda: typer.echo(_lines(shown)))


@judged_app.command("import")
def import_set(
    folder: Annotated[Path, typer.Argument(help="BEIR folder.")],
    file: Annotated[Path, typer.Argument(help="New file for the questions.")],
    tenant: Annotated[str, typer.Option(help="Tenant that asks foreign questions.")] = "default",
    group: Groups = None,
    documents: Annotated[Path | None, typer.Option(help="Folder for foreign passages, one file each, to be ingested.")] = None,
    as_json: Json = False,
) -> None:
    """Read a BEIR folder as questions of your own, and foreign passages as documents."""
    with told_errors(as_json):
        from llmflow.serving.evaluation.judged import import_folder

        questions, files = import_folder(folder, file, principal(tenant, group), documents)
        shown = {"file": str(file), "questions": len(questions), "documents": files}
        show(shown, as_json, lambda: typer.echo(_lines(shown)))


def _lines(values: dict[str, object]) -> str:
    return "\n".join(f"{name.replace('_', ' ')}: {_told(value)}" for name, value in values.items())


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
