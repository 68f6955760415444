"""`llmflow search`, `ask`, `eval`, `demo`, `chat`: questions, one at a time or by the thousand."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Groups, Json, Limit, Tenant, opened_workspace, principal, show, told_errors


def search(
    question: str, env: Env = "base", tenant: Tenant = "default", group: Groups = None, limit: Limit = 10, as_json: Json = False
) -> None:
    """Find passages, with the score of every channel."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.tables import print_hits

        hits = workspace.retriever.search(question, principal(tenant, group), limit)
        show(hits, as_json, lambda: print_hits(hits))


def ask(question: str, env: Env = "base", tenant: Tenant = "default", group: Groups = None, as_json: Json = False) -> None:
    """Answer a question with citations, or say that nothing was found."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.tables import print_answer

        answer = workspace.answerer.answer(question, principal(tenant, group))
        show(answer, as_json, lambda: print_answer(question, answer))


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
    with opened_workspace(env) as workspace:
        from llmflow.evaluation.judged_sets import load_judged_set
        from llmflow.evaluation.report import metrics_table
        from llmflow.evaluation.run_files import write_run
        from llmflow.serving.evaluation.benchmarks import run_benchmark
        from llmflow.serving.evaluation.evaluate import gain_over_hybrid
        from llmflow.serving.progress import log_progress

        judged = load_judged_set(dataset, drop_titles)
        with log_progress(quiet=as_json) as progress:
            result = run_benchmark(judged, workspace, limit, latency, progress)
        if run_file:
            write_run(run_file, result.run)
        shown = {"set": result.name, "questions": result.questions, "passages": result.passages, "rows": result.rows}
        gain = gain_over_hybrid(result)
        told = ", ".join(f"{m} {100 * g.mean:+.1f} ({100 * g.low:+.1f} to {100 * g.high:+.1f})" for m, g in gain.items())
        text = metrics_table(result.rows) + (f"\nfused over hybrid, with 95 % intervals: {told}\n" if gain else "")
        shown |= {"gain_over_hybrid": {name: asdict(interval) for name, interval in gain.items()}}
        show({**shown, "seconds_a_question": result.seconds}, as_json, lambda: typer.echo(text))


def demo(env: Env = "base", as_json: Json = False) -> None:
    """Answer three questions of the sample corpus, each asked by a person of the right department."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.corpus.demo import answer_samples
        from llmflow.serving.tables import print_answer

        pairs = answer_samples(workspace)
        show([answer for _, answer in pairs], as_json, lambda: [print_answer(q, answer) for q, answer in pairs] and None)


def chat(
    env: Env = "base",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    as_json: Json = False,
) -> None:
    """Serve the chat page and its API until stopped; --json prints the address as JSON."""
    with told_errors(as_json):
        import importlib

        try:
            page = importlib.import_module("apps.chat.main")
        except ModuleNotFoundError as exc:
            from llmflow.errors import MissingDependency

            raise MissingDependency(f"The chat needs {exc.name}. Install it: pip install 'llmflow[apps]'") from exc
        page.main(env, host, port, as_json=as_json)
