"""Reports as tables on the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llmflow.evaluation.experiment_page import ExperimentReport
from llmflow.evaluation.gate import Verdict
from llmflow.evaluation.report import metrics_table
from llmflow.ingestion.run import IngestionReport
from llmflow.ports import ModelVersion, Pointer, PromotionEvent
from llmflow.types import Answer, Document, Hit

if TYPE_CHECKING:
    from llmflow.serving.models.demo import DemoReport


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def print_ingestion(report: IngestionReport) -> None:
    """Print documents by format and status, personal data by kind, the graph and seconds a stage."""
    from rich.table import Table

    console = _console()
    table = Table(title="Documents", title_justify="left")
    for column in ("format", "ready", "failed", "pending"):
        table.add_column(column, justify="left" if column == "format" else "right")
    for name, statuses in report.documents.items():
        waiting = statuses.get("pending", 0) + statuses.get("processing", 0)
        table.add_row(name, str(statuses.get("ready", 0)), str(statuses.get("failed", 0)), str(waiting))
    console.print(table)
    console.print(
        f"{report.files} files: {report.prepared} prepared, {report.unchanged} unchanged, {report.resumed} resumed, "
        f"{report.failed} failed, {report.failed_before} failed before; {report.chunks} chunks, {report.embedded} embedded now"
    )
    _print_counts("Personal data masked", report.pii)
    _print_counts("Passages that speak to a model", report.screening)
    _print_counts("Passages read by the language model for entities", report.extraction)
    _print_counts("Graph", report.graph)
    _print_counts("Seconds a stage (worker seconds for parse to analyse)", report.seconds)
    for failure in report.failures[:20]:
        console.print(f"failed: {failure['source']}: {failure['reason']}", markup=False)
    if len(report.failures) > 20:
        console.print(f"... and {len(report.failures) - 20} more: llmflow documents list --status failed")


def _print_counts(title: str, values: Mapping[str, object]) -> None:
    from rich.table import Table

    if not values:
        return
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in values.items():
        table.add_row(name, f"{value:.2f}" if isinstance(value, float) else str(value))
    console = _console()
    console.print(title)
    console.print(table)


def print_hits(hits: Sequence[Hit]) -> None:
    console = _console()
    for number, hit in enumerate(hits, start=1):
        channels = " ".join(f"{name}={value:.2f}" for name, value in hit.channels.items())
        place = f"p.{hit.chunk.page} " if hit.chunk.page else ""
        console.print(f"{number:>2}. {hit.score:.3f}  {hit.document.title} ({hit.document.source}) {place}", markup=False)
        console.print(f"    {' > '.join(hit.chunk.heading_path)}  [{channels}]", markup=False, style="dim")
        console.print(f"    {' '.join(hit.chunk.text.split())[:200]}", markup=False)
    if not hits:
        console.print("Nothing found.")


def print_answer(question: str, answer: Answer) -> None:
    console = _console()
    console.print(f"\nQ: {question}", style="bold", markup=False)
    console.print(answer.text, markup=False)
    if answer.notice:
        console.print(f"   {answer.notice}", markup=False, style="yellow")
    if answer.model != "extractive":
        console.print(f"   answered by {answer.model}", markup=False, style="dim")
    for item in answer.citations:
        place = f", p.{item.page}" if item.page else ""
        heading = f" > {item.heading}" if item.heading else ""
        console.print(f"   [{item.number}] {item.title}{place}{heading} ({item.source})", markup=False, style="dim")


def print_documents(documents: Sequence[Document]) -> None:
    from rich.table import Table

    table = Table()
    for column in ("id", "tenant", "groups", "source", "status", "chunks", "PII", "to a model", "reason"):
        table.add_column(column, overflow="fold")
    for item in documents:
        table.add_row(
            item.id,
            item.tenant,
            ",".join(item.groups),
            item.source,
            item.status,
            str(item.chunks),
            str(sum(item.pii.values())),
            "released" if item.released_at else " ".join(f"{name} {count}" for name, count in item.screening.items()),
            item.reason,
        )
    _console().print(table)


def print_models(versions: Sequence[ModelVersion], pointer: Pointer | None, history: Sequence[PromotionEvent]) -> None:
    from rich.table import Table

    console = _console()
    if pointer is None:
        console.print("Nothing is served: answers are quotations.")
    else:
        smoke = " (smoke model: it knows nothing)" if pointer.smoke else ""
        console.print(f"Served: {pointer.model}{smoke} on {', '.join(pointer.replicas)}", markup=False)
    table = Table()
    for column in ("adapter", "aliases", "verdict", "rank", "base", "registered"):
        table.add_column(column, overflow="fold")
    for item in versions:
        base = f"{item.base_model}{' (smoke)' if item.smoke else ''}"
        cells = (item.adapter.name, ", ".join(item.aliases), item.verdict or "-", str(item.rank), base, item.created_at)
        table.add_row(*cells)
    console.print(table)
    for event in history:
        console.print(
            f"{event.at} {event.who}: {event.action} {event.champion} (before {event.before}) {event.why}", markup=False
        )


def print_demo(report: "DemoReport") -> None:
    """Print what the demonstration of fine-tuning did, step by step."""
    from rich.table import Table

    table = Table(title="Fine-tuning, promotion and serving with a smoke model", title_justify="left")
    table.add_column("step")
    table.add_column("s", justify="right")
    table.add_column("result", overflow="fold")
    for step in report.steps:
        table.add_row(step.what, f"{step.seconds:.1f}", step.result)
    table.add_row("all", f"{report.seconds:.1f}", "")
    _console().print(table)


def print_lines(text: str) -> None:
    """Print text as it is: a table that is wider than the terminal must not be broken inside its cells."""
    print(text, flush=True)


def print_experiments(report: ExperimentReport) -> None:
    """Print each set's conditions, what was chosen and why, and the verdict."""
    for result, analysis in zip(report.results, report.analyses, strict=True):
        rows: dict[str, dict[str, float | int | None]] = {}
        for name, found in result.conditions.items():
            row, latency = analysis.rows[name], found.latency
            gain = row.comparison.difference.mean if row.comparison else None
            rows[name] = {**found.means, "change": gain, "p, %": row.p_holm, "p50 ms": latency.p50 if latency else None}
        print_lines(f"{result.name}: {len(result.questions)} questions\n{metrics_table(rows, heading='condition')}")
        for row in analysis.surprises:
            print_lines(f"{row.name}: {100 * row.interval.mean:.1f} is not the expected {100 * (row.expected or 0.0):.1f}")
    if report.choice:
        print_lines(report.choice.reason)
    if report.verdict:
        print_verdict(report.verdict)


def print_verdict(verdict: Verdict) -> None:
    """Print the decision and every check."""
    print_lines(f"{verdict.decision}: {verdict.subject} {verdict.candidate} against {verdict.champion}")
    for check in verdict.checks:
        print_lines(f"  {'ok    ' if check.passed else 'FAILED'} {check.name}: {check.reason}")
