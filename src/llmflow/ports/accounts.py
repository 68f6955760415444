"""Ports of people: accounts with their groups, and the secrets that prove who signs in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmflow.types import Account, Role


@dataclass(frozen=True, slots=True)
class SignIn:
    """What proves an account on later requests: a browser's session or a key for programs. Only its hash is kept."""

    id: str
    account_id: str
    kind: str
    """`browser` or `key`."""
    name: str
    """What its owner calls a key; the browser's name for a session."""
    created_at: str
    expires_at: str
    """ISO 8601, UTC. Empty: never."""
    used_at: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against. `failures` and `locked_until` belong to the lockout."""

    account: Account
    password_hash: str
    """Argon2id in PHC form; empty for accounts that sign in elsewhere."""
    must_change: bool = False
    failures: int = 0
    locked_until: str = ""


class AccountStore(Protocol):
    """Accounts by tenant. Every method is one transaction.

    Names are unique in a tenant, compared without case. Raises `NameTaken` for a second account of a name, `NotFound` for an id
    that is not there.
    """

    def create(self, account: Account, password_hash: str = "", must_change: bool = False) -> None: ...

    def create_first(self, accounts: Sequence[tuple[Account, str]]) -> bool:
        """Create (account, password hash) pairs, to be changed at the first sign-in, only where there is no account at all.

        Returns whether they were created: of two processes that start at once, one gets False.
        """
        ...

    def account(self, account_id: str) -> Account | None: ...

    def find(self, tenant: str, name: str) -> Account | None: ...

    def by_subject(self, issuer: str, subject: str) -> Account | None:
        """Return the account of an identity provider's subject."""
        ...

    def accounts(self, tenant: str, search: str = "", limit: int = 100, offset: int = 0) -> tuple[list[Account], int]:
        """Return accounts by name whose name or display name holds `search`, and how many there are in all."""
        ...

    def update(
        self,
        account_id: str,
        *,
        display_name: str | None = None,
        role: Role | None = None,
        groups: Sequence[str] | None = None,
        disabled: bool | None = None,
        keep_administrator: bool = False,
    ) -> Account:
        """Change what is given and return the account. Disabling or changing role or groups ends nothing by itself:
        sign-ins are resolved to the account at each request.

        With `keep_administrator` raises `Refused` where the tenant would be left without an enabled administrator, whatever
        other connections do at the same time: of two that take the role from the last two, one is refused.
        """
        ...

    def delete(self, account_id: str) -> bool:
        """Remove an account with its sign-ins; what it wrote is the caller's to remove. Returns whether it was there."""
        ...

    def last_administrator(self, account_id: str) -> bool:
        """Return whether this is the tenant's only enabled administrator."""
        ...

    def credentials(self, tenant: str, name: str) -> Credentials | None: ...

    def set_password(self, account_id: str, password_hash: str, must_change: bool) -> None:
        """Replace the password and end all sign-ins of kind `browser`."""
        ...

    def count_failure(self, account_id: str, limit: int, lock_s: int) -> str:
        """Count a wrong password, atomically; at `limit` lock for `lock_s` seconds. Returns `locked_until` or empty."""
        ...

    def clear_failures(self, account_id: str) -> None: ...

    def add_sign_in(self, sign_in: SignIn, token_hash: str) -> None:
        """Keep a sign-in; the account's `seen_at` becomes its `created_at`, and what had expired by then is forgotten."""
        ...

    def signed_in(self, token_hash: str, now: str) -> tuple[Account, SignIn] | None:
        """Return who a token belongs to; None when it is unknown, expired, or its account is disabled.

        The returned `used_at` is that of the use before, for the caller to measure idleness by; it is renewed to `now` only where
        it is a minute old or more, so that reading pages does not write at every request.
        """
        ...

    def sign_ins(self, account_id: str, kind: str | None = None) -> list[SignIn]: ...

    def end_sign_in(self, sign_in_id: str, account_id: str) -> bool: ...

    def groups(self, tenant: str) -> Mapping[str, int]:
        """Return the tenant's groups by name with their number of members; groups without members too."""
        ...

    def add_group(self, tenant: str, name: str) -> None: ...

    def delete_group(self, tenant: str, name: str) -> bool:
        """Remove a group from the tenant and from its members."""
        ...

    def close(self) -> None: ...
