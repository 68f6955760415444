"""`llmflow conversations export`: what people said and judged, as rows that fine-tuning reads."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show

conversations_app = typer.Typer(help="Collected conversations.", no_args_is_help=True)


@conversations_app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="JSON Lines to write; name it as a data set of `llmflow finetune`.")],
    since: Annotated[str, typer.Option(help="Only conversations that went on after this time (ISO 8601).")] = "",
    tenant: Annotated[str | None, typer.Option(help="One tenant only.")] = None,
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Write collected conversations, masked, oldest first, readable by you alone. The export is audited."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.conversations.collecting import export_masked

        count = export_masked(workspace, file, since, tenant)
        show({"file": str(file), "conversations": count}, as_json, lambda: typer.echo(f"{count} conversations in {file}"))
