"""What administrators do to the people and groups of their own tenant."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from llmflow.accounts.names import account_name, display_name, group_name, group_names
from llmflow.accounts.passwords import one_time_password
from llmflow.accounts.settings import AuthSettings
from llmflow.accounts.tokens import new_id
from llmflow.errors import NotFound, Refused
from llmflow.ports.accounts import AccountStore
from llmflow.ports.operations import AuditLog
from llmflow.serving.people.password_hashing import PasswordHasher
from llmflow.types import Account, Role
from llmflow.wording import said

Erase = Callable[[Account], Mapping[str, int]]
"""Removes what an account that is being deleted left in one place, and returns how much of what. Given again it finishes."""


class People:
    """Accounts and groups. Every call names the tenant that is administered: whoever is of another one does not exist in it.

    `actor` is the account id of who does it, or `cli`; every change is audited, with the reason where one is given.
    Raises `NotFound`, `NameTaken`, and `Refused` with the rule that stands against it.
    """

    def __init__(
        self,
        accounts: AccountStore,
        audit: AuditLog,
        settings: AuthSettings,
        passwords: PasswordHasher,
        erase: Sequence[Erase] = (),
    ) -> None:
        self._accounts = accounts
        self._audit = audit
        self._settings = settings
        self._passwords = passwords
        self._erase = tuple(erase)

    def users(self, tenant: str, search: str = "", limit: int = 100, offset: int = 0) -> tuple[list[Account], int]:
        return self._accounts.accounts(tenant, search, limit, offset)

    def user(self, tenant: str, account_id: str) -> Account:
        found = self._accounts.account(account_id)
        if found is None or found.tenant != tenant:
            raise NotFound(said("user.none"))
        return found

    def named(self, tenant: str, name: str) -> Account:
        found = self._accounts.find(tenant, name)
        if found is None:
            raise NotFound(said("user.no_name", name=name, tenant=tenant))
        return found

    def create(
        self, tenant: str, actor: str, name: str, shown: str = "", role: Role = Role.USER, groups: Sequence[str] = (),
        new_groups: bool = False, reason: str = "",
    ) -> tuple[Account, str]:  # fmt: skip
        """Return the account and its one-time password. `new_groups` makes groups that the tenant lacks, else refused."""
        if not self._settings.asks_for_passwords:
            raise Refused(said("user.provider"))
        name = account_name(name)
        kept = self._known_groups(tenant, groups, new_groups)
        password = one_time_password()
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        account = Account(
            new_id(), tenant, name, display_name(shown, name), role, kept, must_change_password=True, created_at=created
        )
        self._accounts.create(account, self._passwords.hash(password), must_change=True)
        details = {"name": name, "role": role, "groups": list(kept), **_why(reason)}
        self._audit.append(tenant, actor, "account.created", account.id, details)
        return account, password

    def change(
        self,
        tenant: str,
        actor: str,
        account_id: str,
        *,
        shown: str | None = None,
        role: Role | None = None,
        groups: Sequence[str] | None = None,
        disabled: bool | None = None,
        new_groups: bool = False,
        reason: str = "",
    ) -> Account:
        """Change what is given. Takes effect at the account's next request; nobody has to sign in again for it."""
        account = self.user(tenant, account_id)
        if account.issuer and (role not in (None, account.role) or (groups is not None and set(groups) != set(account.groups))):
            raise Refused(said("user.provider_role"))
        kept = None if groups is None else self._known_groups(tenant, groups, new_groups)
        name = None if shown is None else display_name(shown, account.name)
        changed = self._accounts.update(
            account_id, display_name=name, role=role, groups=kept, disabled=disabled, keep_administrator=True
        )
        before = {
            "display_name": account.display_name,
            "role": account.role,
            "groups": list(account.groups),
            "disabled": account.disabled,
        }
        after = {
            "display_name": changed.display_name,
            "role": changed.role,
            "groups": list(changed.groups),
            "disabled": changed.disabled,
        }
        difference = {key: {"from": before[key], "to": value} for key, value in after.items() if before[key] != value}
        if difference:
            self._audit.append(tenant, actor, "account.updated", account_id, {**difference, **_why(reason)})
        return changed

    def reset_password(self, tenant: str, actor: str, account_id: str, reason: str = "") -> str:
        """Return a new one-time password. Ends the account's sessions and its lock; keys go on, until they are revoked."""
        account = self.user(tenant, account_id)
        if account.issuer:
            raise Refused(said("user.no_password"))
        password = one_time_password()
        self._accounts.set_password(account_id, self._passwords.hash(password), must_change=True)
        self._audit.append(tenant, actor, "account.password_reset", account_id, _why(reason))
        return password

    def delete(self, tenant: str, actor: str, account_id: str, reason: str = "") -> Mapping[str, int]:
        """Delete an account with its sessions, keys, conversations and own documents; returns how much of what.

        It is disabled first, so that nothing is added meanwhile; where something fails, the same call finishes it.
        """
        account = self.user(tenant, account_id)
        self._accounts.update(account_id, disabled=True, keep_administrator=True)
        removed: dict[str, int] = {}
        for erase in self._erase:
            removed |= erase(account)
        self._accounts.delete(account_id)
        self._audit.append(tenant, actor, "account.deleted", account_id, {"name": account.name, **removed, **_why(reason)})
        return removed

    def groups(self, tenant: str) -> Mapping[str, int]:
        """Return the tenant's groups with their number of members, by name."""
        return dict(sorted(self._accounts.groups(tenant).items()))

    def add_group(self, tenant: str, actor: str, name: str, reason: str = "") -> str:
        kept = group_name(name)
        self._accounts.add_group(tenant, kept)
        self._audit.append(tenant, actor, "group.created", kept, _why(reason))
        return kept

    def delete_group(self, tenant: str, actor: str, name: str, reason: str = "") -> None:
        """Delete a group and take it from its members. Documents keep its name: nobody reads them through it any more."""
        members = self._accounts.groups(tenant).get(name)
        if members is None or not self._accounts.delete_group(tenant, name):
            raise NotFound(said("group.none"))
        self._audit.append(tenant, actor, "group.deleted", name, {"members": members, **_why(reason)})

    def _known_groups(self, tenant: str, groups: Sequence[str], new_groups: bool) -> tuple[str, ...]:
        kept = group_names(tuple(groups))
        missing = [] if new_groups else sorted(set(kept) - set(self._accounts.groups(tenant)))
        if missing:
            known = ", ".join(self.groups(tenant)) or "none yet"
            raise Refused(said("group.no_name", name=missing[0], known=known))
        return kept


def _why(reason: str) -> dict[str, str]:
    """Return what the audit keeps of a reason: nothing where none was given."""
    return {"reason": reason.strip()[:500]} if reason.strip() else {}
