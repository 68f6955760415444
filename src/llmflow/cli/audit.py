"""`llmflow audit verify`, `audit list`: who did what, and whether the record of it is whole."""

from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, Limit, opened_workspace, show

audit_app = typer.Typer(help="Who did what, and whether the record of it is whole.", no_args_is_help=True)


@audit_app.command("verify")
def verify_audit(
    noted: Annotated[
        list[str] | None,
        typer.Option("--noted", help="NUMBER:MAC that an earlier verification printed and somebody kept elsewhere; repeatable."),
    ] = None,
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """Check every audit entry against the key and its neighbours; exit status 1, with the first broken entry, when one is wrong.

    The end of a chain that held is kept in the workspace (audit.seen), so that a database rewound as a whole is found too.
    """
    with opened_workspace(env) as workspace:
        from llmflow.serving.operating.auditing import parse_head, verify_chain

        verdict = verify_chain(workspace.application.audit, noted=[parse_head(text) for text in noted or ()])
        end = f"{verdict.head.number}:{verdict.head.mac}"
        found = {"ok": verdict.ok, "entries": verdict.entries, "broken": verdict.broken, "fault": verdict.fault, "head": end}

        def text() -> None:
            if verdict.ok:
                typer.echo(f"{verdict.entries} entries, all as they were written. To note elsewhere: {end}")
            else:
                typer.echo(f"Entry {verdict.broken} is broken. {verdict.fault}")

        show(found, as_json, text)
        if not verdict.ok:
            raise typer.Exit(1)


@audit_app.command("list")
def list_audit(
    tenant: Annotated[str | None, typer.Option(help="Tenant; the home tenant by default.")] = None,
    action: Annotated[str, typer.Option(help="How the action begins, such as document.")] = "",
    actor: Annotated[str, typer.Option(help="Account id, cli or system.")] = "",
    since: Annotated[str, typer.Option(help="From this time on (ISO 8601).")] = "",
    until: Annotated[str, typer.Option(help="Before this time (ISO 8601).")] = "",
    limit: Limit = 50,
    env: Env = "base",
    as_json: Json = False,
) -> None:
    """List audit entries, newest first."""
    with opened_workspace(env) as workspace:
        import json

        from llmflow.serving.chat_settings import load_auth_settings

        chosen = tenant or load_auth_settings(env).home_tenant
        entries, total = workspace.application.audit.entries(chosen, action, actor, since, until, limit)

        def text() -> None:
            for entry in entries:
                details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
                typer.echo(
                    f"{entry.number:>6}  {entry.at[:19]}  {entry.actor:<32}  {entry.action}  {entry.target}  {details}".rstrip()
                )
            typer.echo(f"{len(entries)} of {total} entries of {chosen}")

        show(entries, as_json, text)
