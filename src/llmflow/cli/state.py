"""`llmflow state`: the tables of the state database, and bringing them to what this version needs."""

from typing import Any

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show

state_app = typer.Typer(help="The state database: its revision, and upgrading it.", no_args_is_help=True)


@state_app.command("show")
def show_state(env: Env = "base", as_json: Json = False) -> None:
    """Show where the state database is and its revision, and change nothing; exit status 1 when an upgrade is due."""
    with opened_workspace(env) as workspace:
        from llmflow.adapters.sql_migrations import HEAD

        state: Any = workspace.load("state_store")
        found = {"address": state.address, "revision": state.revision(), "needed": HEAD}
        current = found["revision"] == HEAD

        def text() -> None:
            typer.echo(f"{found['address']}\nrevision {found['revision'] or 'none'}, needed {HEAD}")
            if not current:
                typer.echo("The next start upgrades it. To do it now, after a backup: llmflow state upgrade")

        show(found, as_json, text)
        if not current:
            raise typer.Exit(1)


@state_app.command("upgrade")
def upgrade_state(env: Env = "base", as_json: Json = False) -> None:
    """Bring the tables to this version in one transaction; safe while other processes start, nothing to do twice."""
    with opened_workspace(env) as workspace:
        from llmflow.adapters.sql_migrations import HEAD

        before = workspace.load("state_store").upgrade()
        text = f"revision {HEAD} already" if before == HEAD else f"revision {before or 'none'} -> {HEAD}"
        show({"before": before, "after": HEAD}, as_json, lambda: typer.echo(text))
