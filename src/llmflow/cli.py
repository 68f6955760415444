"""The command line: thin over the code that pipelines and chat run. Every command has --json."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Documents in, cited answers out, inside your own network.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
documents_app = typer.Typer(help="What is in the corpus, and taking it out again.", no_args_is_help=True)
app.add_typer(documents_app, name="documents")

Env = Annotated[str, typer.Option("--env", "-e", help="Environment under conf/.", envvar="LLMFLOW_ENV")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Tenant = Annotated[str, typer.Option(help="Tenant that asks.")]
Groups = Annotated[list[str] | None, typer.Option("--group", "-g", help="Department of the person that asks; repeatable.")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders; an access.yml beside them says who may read.")],
    env: Env = "base",
    tenant: Annotated[str, typer.Option(help="Tenant where no access.yml says otherwise.")] = "default",
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="Departments that may read; all by default.")] = None,
    retry_failed: Annotated[bool, typer.Option(help="Try files again that failed with the same content.")] = False,
    as_json: Json = False,
) -> None:
    """Parse, chunk, mask and index files; what is unchanged is not done again."""
    with _workspace(env) as workspace:
        from llmflow.ingestion.access import Grant
        from llmflow.ingestion.run import run_ingestion
        from llmflow.ingestion.sources import SourceSettings
        from llmflow.serving.locks import ingestion_lock
        from llmflow.serving.progress import log_progress
        from llmflow.serving.tables import print_ingestion

        sources = SourceSettings(
            paths=tuple(map(str, paths)), access=Grant(tenant=tenant, groups=tuple(group) if group else ("*",))
        )
        settings = workspace.ingestion.model_copy(update={"sources": sources, "retry_failed": retry_failed})
        with ingestion_lock(), log_progress(quiet=as_json) as progress:
            report = run_ingestion(settings, workspace.stores, workspace.notifier, progress)
        _show(report, as_json, lambda: print_ingestion(report))


@app.command()
def search(
    question: str, env: Env = "base", tenant: Tenant = "default", group: Groups = None, limit: Limit = 10, as_json: Json = False
) -> None:
    """Find passages, with the score of every channel."""
    with _workspace(env) as workspace:
        from llmflow.serving.tables import print_hits

        hits = workspace.retriever.search(question, _principal(tenant, group), limit)
        _show(hits, as_json, lambda: print_hits(hits))


@app.command()
def ask(question: str, env: Env = "base", tenant: Tenant = "default", group: Groups = None, as_json: Json = False) -> None:
    """Answer a question with citations, or say that nothing was found."""
    with _workspace(env) as workspace:
        from llmflow.serving.tables import print_answer

        answer = workspace.answerer.answer(question, _principal(tenant, group))
        _show(answer, as_json, lambda: print_answer(question, answer))


@app.command("eval")
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv) or KorQuAD json.")],
    env: Env = "base",
    limit: Limit = 100,
    run_file: Annotated[Path | None, typer.Option(help="Write the fused ranking in TREC form.")] = None,
    drop_titles: Annotated[bool, typer.Option(help="Index the passages without their titles.")] = False,
    latency: Annotated[bool, typer.Option(help="Also time single questions, channel by channel.")] = True,
    as_json: Json = False,
) -> None:
    """Measure every channel and the fusion on a judged set, through the retriever that serves."""
    with _workspace(env) as workspace:
        from llmflow.evaluation.judged_sets import load_judged_set
        from llmflow.evaluation.report import metrics_table
        from llmflow.evaluation.run_files import write_run
        from llmflow.serving.benchmarks import run_benchmark
        from llmflow.serving.progress import log_progress

        judged = load_judged_set(dataset, drop_titles)
        with log_progress(quiet=as_json) as progress:
            result = run_benchmark(judged, workspace, limit, latency, progress)
        if run_file:
            write_run(run_file, result.run)
        shown = {"set": result.name, "questions": result.questions, "passages": result.passages, "rows": result.rows}
        _show({**shown, "seconds_a_question": result.seconds}, as_json, lambda: typer.echo(metrics_table(result.rows)))


@documents_app.command("list")
def list_documents(
    env: Env = "base",
    status: Annotated[str | None, typer.Option(help="pending, processing, ready or failed.")] = None,
    tenant: Annotated[str | None, typer.Option(help="One tenant only.")] = None,
    as_json: Json = False,
) -> None:
    """List documents with status, readers and what was masked."""
    with _workspace(env) as workspace:
        from llmflow.errors import SettingsError
        from llmflow.serving.tables import print_documents
        from llmflow.types import DocumentStatus

        if status and status not in list(DocumentStatus):
            raise SettingsError(f"Unknown status '{status}'. Choose one of: {', '.join(DocumentStatus)}.")
        found = workspace.stores.state.documents(status=DocumentStatus(status) if status else None)
        found = [document for document in found if tenant in (None, document.tenant)]
        _show(found, as_json, lambda: print_documents(found))


@documents_app.command("delete")
def delete_documents(
    names: Annotated[list[str], typer.Argument(help="Document ids, or sources as `documents list` shows them.")],
    env: Env = "base",
    tenant: Annotated[str | None, typer.Option(help="Tenant of the sources.")] = None,
    as_json: Json = False,
) -> None:
    """Delete documents from the state database, full text, vectors, graph and raw files."""
    with _workspace(env) as workspace:
        from llmflow.serving.documents import delete_by_name
        from llmflow.serving.locks import ingestion_lock

        with ingestion_lock():
            deleted = delete_by_name(workspace.stores, names, tenant)
        _show({"deleted": deleted}, as_json, lambda: typer.echo("\n".join(f"deleted {name}" for name in deleted)))


@app.command()
def doctor(
    env: Env = "base",
    repair: Annotated[bool, typer.Option(help="Bring every store back to what the state database serves.")] = False,
    as_json: Json = False,
) -> None:
    """Check that every store agrees with the state database; exit status 1 when one does not."""
    with _workspace(env) as workspace:
        from llmflow.serving import doctor as checks
        from llmflow.serving.locks import ingestion_lock

        with ingestion_lock():
            if repair:
                checks.repair(workspace.stores, workspace.ingestion.indexing)
            diagnosis = checks.diagnose(workspace.stores)
        _show({**asdict(diagnosis), "ok": diagnosis.ok}, as_json, lambda: typer.echo(checks.describe(diagnosis)))
        if not diagnosis.ok:
            raise typer.Exit(1)


@app.command()
def health(env: Env = "base", as_json: Json = False) -> None:
    """Say whether questions can be answered; exit status 1 when not."""
    with _workspace(env) as workspace:
        from llmflow.serving.chat import health as check

        found = check(workspace)
        _show(found, as_json, lambda: typer.echo("\n".join(f"{key}: {value}" for key, value in found.items())))
        if found["status"] != "ok":
            raise typer.Exit(1)


@app.command()
def demo(env: Env = "base", as_json: Json = False) -> None:
    """Answer three questions of the sample corpus, each asked by a person of the right department."""
    with _workspace(env) as workspace:
        from llmflow.serving.demo import answer_samples
        from llmflow.serving.tables import print_answer

        pairs = answer_samples(workspace)
        _show([answer for _, answer in pairs], as_json, lambda: [print_answer(q, answer) for q, answer in pairs] and None)


@app.command()
def chat(
    env: Env = "base",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    as_json: Json = False,
) -> None:
    """Serve the chat page and its API until stopped; --json prints the address as JSON."""
    with _errors(as_json):
        import importlib

        try:
            page = importlib.import_module("apps.chat.main")
        except ModuleNotFoundError as exc:
            from llmflow.errors import MissingDependency

            raise MissingDependency(f"The chat needs {exc.name}. Install it: pip install 'llmflow[apps]'") from exc
        page.main(env, host, port, as_json=as_json)


@contextmanager
def _workspace(env: str) -> Iterator[Any]:
    """Yield the opened workspace; our errors become one line and exit status 2."""
    with _errors("--json" in sys.argv):
        import logging

        from llmflow.serving.catalog import open_catalog

        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("llmflow").setLevel(logging.INFO)
        workspace = open_catalog(env)
        try:
            yield workspace
        finally:
            workspace.close()


@contextmanager
def _errors(as_json: bool) -> Iterator[None]:
    from llmflow.errors import LlmflowError

    try:
        yield
    except LlmflowError as exc:
        message = json.dumps({"error": str(exc), "kind": type(exc).__name__}, ensure_ascii=False) if as_json else f"Error: {exc}"
        typer.echo(message, err=not as_json)
        raise typer.Exit(2) from exc


def _principal(tenant: str, groups: list[str] | None) -> Any:
    from llmflow.types import Principal

    return Principal(tenant, frozenset(groups or ()), "command line")


def _show(value: Any, as_json: bool, show: Any) -> None:
    if as_json:
        typer.echo(json.dumps(_plain(value), ensure_ascii=False, indent=1, default=str))
    else:
        show()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def __getattr__(name: str) -> Any:
    """Give Kedro, which looks for `cli` in this module, a group of its own without commands: `kedro run` stays Kedro's."""
    if name == "cli":
        import click

        return click.Group(name="llmflow")
    raise AttributeError(name)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
