"""The command line: thin over the code that pipelines and chat run. Every command has --json.

One module a subject; each module's functions are the commands.
"""

from typing import Any

import typer

from llmflow.cli import (
    accounts,
    admin,
    asking,
    audit,
    conversations,
    documents,
    finetuning,
    fusion,
    judged,
    models,
    retrieval,
    serving,
    state,
    worker,
)

app = typer.Typer(
    help="Documents in, cited answers out, inside your own network.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
app.command()(documents.ingest)
app.command()(asking.search)
app.command()(asking.ask)
app.command("eval")(asking.evaluate)
app.command()(documents.doctor)
app.command()(documents.health)
app.command()(asking.demo)
app.command()(asking.chat)
app.command()(admin.admin)
app.add_typer(accounts.accounts_app, name="accounts")
app.add_typer(documents.documents_app, name="documents")
app.add_typer(finetuning.finetune_app, name="finetune")
app.command()(worker.worker)
app.command("serve-llm")(serving.serve_llm)
app.command("finetune-demo")(serving.finetune_demo)
app.add_typer(audit.audit_app, name="audit")
app.add_typer(conversations.conversations_app, name="conversations")
app.add_typer(state.state_app, name="state")
app.add_typer(models.models_app, name="models")
app.add_typer(judged.judged_app, name="judged")
app.add_typer(retrieval.retrieval_app, name="retrieval")
retrieval.retrieval_app.command()(fusion.fit_fusion)


def main() -> None:
    app()


def __getattr__(name: str) -> Any:
    """Give Kedro, which looks for `cli` in this module, a group of its own without commands: `kedro run` stays Kedro's."""
    if name == "cli":
        import click

        return click.Group(name="llmflow")
    raise AttributeError(name)
