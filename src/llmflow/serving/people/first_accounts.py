"""The accounts that a new installation starts with, and the one account of single-user mode."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from llmflow.accounts.names import account_name, display_name, group_names
from llmflow.accounts.passwords import one_time_password
from llmflow.accounts.settings import AuthSettings
from llmflow.accounts.tokens import new_id
from llmflow.errors import NameTaken, SettingsError
from llmflow.ports.accounts import AccountStore
from llmflow.ports.operations import AuditLog
from llmflow.serving.people.password_hashing import PasswordHasher
from llmflow.types import Account

SINGLE_ISSUER = "llmflow:single"


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """An account that was just created, with the password that is told once and kept nowhere."""

    tenant: str
    name: str
    role: str
    groups: tuple[str, ...]
    one_time_password: str = field(repr=False)


def create_first_accounts(
    accounts: AccountStore, audit: AuditLog, settings: AuthSettings, passwords: PasswordHasher
) -> tuple[FirstAccount, ...]:
    """Create `first_accounts` where there is no account at all and return them with their passwords; else nothing.

    Raises `SettingsError` where nobody could ever sign in. Of two processes that start at once, one creates and returns them.
    """
    if not settings.asks_for_passwords or any(accounts.accounts(tenant, limit=1)[1] for tenant in settings.known_tenants):
        return ()
    if not settings.first_accounts:
        if settings.mode == "oidc":
            return ()
        raise SettingsError(
            "There is no account, and auth.first_accounts of chat.yml names none: nobody could sign in. Name at least an "
            "administrator there, or create one: llmflow accounts add NAME --role administrator"
        )
    created, pairs = [], []
    for named in settings.first_accounts:
        password, name = one_time_password(), account_name(named.name)
        account = Account(
            new_id(), named.tenant or settings.home_tenant, name, display_name(named.display_name, name), named.role,
            group_names(named.groups), must_change_password=True, created_at=_now(),
        )  # fmt: skip
        pairs.append((account, passwords.hash(password)))
        created.append(FirstAccount(account.tenant, name, account.role, account.groups, password))
    if not accounts.create_first(pairs):
        return ()
    for account, _ in pairs:
        details = {"name": account.name, "role": account.role, "groups": list(account.groups)}
        audit.append(account.tenant, "system", "account.created", account.id, details)
    return tuple(created)


def first_accounts_text(created: Sequence[FirstAccount]) -> list[str]:
    """Return lines for a terminal: each account with its one-time password, and what to do with it."""
    rows = [("tenant", "name", "role", "groups", "one-time password")]
    rows += [(a.tenant, a.name, a.role, ", ".join(a.groups) or "-", a.one_time_password) for a in created]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return ["These accounts were created. Their passwords are shown this once; each is replaced at its first sign-in.", *table]


def single_account(accounts: AccountStore, settings: AuthSettings) -> Account:
    """Return the account of single-user mode, created or brought up to date: one for each tenant that the settings ever named."""
    wanted = settings.single
    tenant, shown, groups = (
        wanted.tenant or settings.home_tenant,
        display_name(wanted.display_name, wanted.name),
        group_names(wanted.groups),
    )
    found = accounts.by_subject(SINGLE_ISSUER, tenant)
    if found is not None:
        return accounts.update(found.id, display_name=shown, role=wanted.role, groups=groups, disabled=False)
    account = Account(
        new_id(), tenant, account_name(wanted.name), shown, wanted.role, groups, SINGLE_ISSUER, tenant, created_at=_now()
    )
    try:
        accounts.create(account)
    except NameTaken as exc:
        known = accounts.by_subject(SINGLE_ISSUER, tenant)  # another process was quicker
        if known is None:
            raise SettingsError(f"auth.single.name is '{wanted.name}', which an account has. Choose another name.") from exc
        return known
    return account


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
