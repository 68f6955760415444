"""`llmflow accounts`: people, their roles, groups, passwords and keys, from the shell of whoever runs the installation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show

accounts_app = typer.Typer(help="People: add, list, roles, groups, passwords, keys.", no_args_is_help=True)
ACTOR = "cli"
"""In the audit log: whoever may open the database did it."""

Tenant = Annotated[str | None, typer.Option(help="Tenant of the account; the home tenant by default.")]
Name = Annotated[str, typer.Argument(help="What the person types to sign in.")]
RoleName = Annotated[str, typer.Argument(help="user, engineer or administrator.")]
GroupNames = Annotated[list[str] | None, typer.Option("--group", "-g", help="Group; repeatable. Made where it is missing.")]


@contextmanager
def _people(env: str, tenant: str | None) -> Iterator[tuple[Any, Any, str]]:
    """Yield people, sign-ins and the tenant that is meant."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.chat_settings import load_auth_settings
        from llmflow.serving.people.administration import People
        from llmflow.serving.people.erasing import erasers
        from llmflow.serving.people.sign_in import SignIns

        settings, stores = load_auth_settings(env), workspace.application
        sign_ins = SignIns(stores.accounts, stores.audit, settings)
        people = People(stores.accounts, stores.audit, settings, sign_ins.passwords, erasers(workspace))
        yield people, sign_ins, tenant or settings.home_tenant


@accounts_app.command("list")
def list_accounts(
    env: Env = "base",
    tenant: Tenant = None,
    search: Annotated[str, typer.Option(help="Part of a name.")] = "",
    as_json: Json = False,
) -> None:
    """List the accounts of a tenant."""
    with _people(env, tenant) as (people, _, of):
        found, total = people.users(of, search, 1000)
        rows = [_shown(account) for account in found]

        def table() -> None:
            for row in rows:
                state = (
                    "disabled" if row["disabled"] else "one-time password" if row["must_change_password"] else row["seen_at"][:16]
                )
                typer.echo(f"{row['name']:24} {row['role']:14} {', '.join(row['groups']) or '-':30} {state}")
            typer.echo(f"{total} accounts in '{of}'")

        show({"tenant": of, "total": total, "items": rows}, as_json, table)


@accounts_app.command()
def add(
    name: Name,
    env: Env = "base",
    tenant: Tenant = None,
    role: Annotated[str, typer.Option(help="user, engineer or administrator.")] = "user",
    group: GroupNames = None,
    display_name: Annotated[str, typer.Option(help="Name for people to read.")] = "",
    as_json: Json = False,
) -> None:
    """Create an account; its one-time password is printed once."""
    with _people(env, tenant) as (people, _, of):
        account, password = people.create(of, ACTOR, name, display_name, _role(role), group or (), new_groups=True)
        _tell_password(account, password, as_json)


@accounts_app.command("reset-password")
def reset_password(name: Name, env: Env = "base", tenant: Tenant = None, as_json: Json = False) -> None:
    """Give an account a new one-time password, printed once. Its sessions and its lock end."""
    with _people(env, tenant) as (people, _, of):
        account = people.named(of, name)
        _tell_password(account, people.reset_password(of, ACTOR, account.id), as_json)


@accounts_app.command()
def disable(name: Name, env: Env = "base", tenant: Tenant = None, as_json: Json = False) -> None:
    """Let an account in no more, with its sessions and keys; nothing of it is deleted."""
    _change(name, env, tenant, as_json, disabled=True)


@accounts_app.command()
def enable(name: Name, env: Env = "base", tenant: Tenant = None, as_json: Json = False) -> None:
    """Let a disabled account in again."""
    _change(name, env, tenant, as_json, disabled=False)


@accounts_app.command()
def role(name: Name, role: RoleName, env: Env = "base", tenant: Tenant = None, as_json: Json = False) -> None:
    """Set what an account may do."""
    _change(name, env, tenant, as_json, role=_role(role))


@accounts_app.command()
def groups(
    name: Name,
    group: Annotated[list[str] | None, typer.Argument(help="All groups of the account; none takes every one away.")] = None,
    env: Env = "base",
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Set the groups of an account: whose documents it reads."""
    _change(name, env, tenant, as_json, groups=tuple(group or ()), new_groups=True)


@accounts_app.command()
def delete(
    name: Name,
    env: Env = "base",
    tenant: Tenant = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete an account with its conversations, keys and own documents. There is no way back."""
    with _people(env, tenant) as (people, _, of):
        account = people.named(of, name)
        if not yes:
            typer.confirm(f"Delete '{account.name}' of '{of}' with conversations and own documents?", abort=True, err=True)
        removed = people.delete(of, ACTOR, account.id)
        text = ", ".join(f"{count} {kind}" for kind, count in removed.items())
        show(
            {"id": account.id, "name": account.name, "removed": removed}, as_json, lambda: typer.echo(f"deleted: {name} ({text})")
        )


@accounts_app.command()
def key(
    name: Name,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    days: Annotated[int, typer.Option(min=0, max=366, help="Days that it holds; 0: until it is revoked.")] = 90,
    revoke: Annotated[str | None, typer.Option(help="Id of a key to end, in place of making one.")] = None,
    list_keys: Annotated[bool, typer.Option("--list", help="List the account's keys, in place of making one.")] = False,
    env: Env = "base",
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make a key for a program, printed once; or list or revoke an account's keys."""
    with _people(env, tenant) as (people, sign_ins, of):
        account = people.named(of, name)
        if revoke is not None:
            sign_ins.revoke_key(account, revoke, ACTOR)
            show({"revoked": revoke}, as_json, lambda: typer.echo(f"revoked: {revoke}"))
            return
        if list_keys:
            keys = [asdict(one) for one in sign_ins.keys(account)]
            lines = [
                f"{one['id']}  {one['name']}  until {one['expires_at'] or 'revoked'}  used {one['used_at'] or 'never'}"
                for one in keys
            ]
            show(keys, as_json, lambda: typer.echo("\n".join(lines) or "no keys"))
            return
        made, secret = sign_ins.make_key(account, label, days or None, ACTOR)
        shown = {"id": made.id, "name": made.name, "expires_at": made.expires_at, "secret": secret}
        ends = f"It holds until {made.expires_at or 'it is revoked'}."
        text = f"{secret}\nShown this once. Programs send it as Authorization: Bearer. {ends}"
        show(shown, as_json, lambda: typer.echo(text))


def _change(name: str, env: str, tenant: str | None, as_json: bool, **wanted: Any) -> None:
    with _people(env, tenant) as (people, _, of):
        account = people.change(of, ACTOR, people.named(of, name).id, **wanted)
        state = "disabled" if account.disabled else account.role
        text = f"{account.name}: {state}, groups: {', '.join(account.groups) or 'none'}"
        show(_shown(account), as_json, lambda: typer.echo(text))


def _tell_password(account: Any, password: str, as_json: bool) -> None:
    text = (
        f"{account.tenant}/{account.name}  one-time password: {password}\nShown this once; it is replaced at the first sign-in."
    )
    show(_shown(account) | {"must_change_password": True, "one_time_password": password}, as_json, lambda: typer.echo(text))


def _shown(account: Any) -> dict[str, Any]:
    fields = ("id", "tenant", "name", "display_name", "role", "groups", "issuer", "disabled", "must_change_password", "seen_at")
    return {name: getattr(account, name) for name in fields}


def _role(text: str) -> Any:
    from llmflow.errors import Refused
    from llmflow.types import Role

    try:
        return Role(text)
    except ValueError as exc:
        raise Refused(f"Unknown role '{text}'. Choose one of: {', '.join(Role)}.") from exc
