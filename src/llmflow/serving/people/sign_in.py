"""Signing in and out: passwords, browser sessions and keys for programs, with what limits guessing."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from llmflow.accounts.limits import AddressLimiter
from llmflow.accounts.names import display_name
from llmflow.accounts.passwords import password_problem
from llmflow.accounts.settings import AuthSettings
from llmflow.accounts.tokens import new_id, new_token, token_hash
from llmflow.errors import Busy, NotFound, Refused, SignInRequired
from llmflow.ports.accounts import AccountStore, SignIn
from llmflow.ports.operations import AuditLog
from llmflow.serving.people.auth import KEY_PREFIX
from llmflow.serving.people.password_hashing import PasswordHasher
from llmflow.types import Account
from llmflow.wording import said

BROWSER, KEY = "browser", "key"
MAX_KEY_DAYS = 366
_WRONG = said("sign_in.wrong")
"""Said of an unknown name, a wrong password, a locked and a disabled account alike: none can be told from another."""
_STRIPES = 8


@dataclass(frozen=True, slots=True)
class Who:
    """Whose request it is, and what proves it: None in single-user mode, where nothing has to."""

    account: Account
    sign_in: SignIn | None = None


class TooManyAttempts(Busy):
    """Too many sign-ins failed from one address; `wait_s` says when the next may be tried."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = int(wait_s) + 1
        super().__init__(said("sign_in.too_many", seconds=self.wait_s))


class SignIns:
    """The one place where passwords are checked and sessions and keys are made. `now` is UTC; `monotonic` counts seconds."""

    def __init__(
        self,
        accounts: AccountStore,
        audit: AuditLog,
        settings: AuthSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._audit = audit
        self._settings = settings
        self._now = now
        self._monotonic = monotonic
        self.passwords = PasswordHasher(settings.hashing)
        self._addresses = AddressLimiter(settings.addresses)
        self._stripes = tuple(threading.Lock() for _ in range(_STRIPES))

    def sign_in(self, tenant: str, name: str, password: str, address: str = "", browser: str = "") -> tuple[str, Account]:
        """Return a new session's token and its account.

        Raises `SignInRequired` with one sentence for whatever was wrong, `TooManyAttempts` for an address that failed too often.
        Guesses at one account are made one after the other, so that a burst cannot pass the lockout.
        """
        if wait := self._addresses.wait_s(address, self._monotonic()):
            raise TooManyAttempts(wait)
        with self._stripes[hash((tenant, name.casefold())) % _STRIPES]:
            account = self._checked(tenant, name, password, address)
        return self.begin(account, address, browser, "password"), account

    def begin(self, account: Account, address: str, browser: str, how: str) -> str:
        """Return the token of a new browser session of an account that has proved who it is."""
        token, now = new_token(), self._now()
        until = now + timedelta(hours=self._settings.session_hours)
        browser = display_name(browser, "a browser")
        self._accounts.add_sign_in(SignIn(new_id(), account.id, BROWSER, browser, _iso(now), _iso(until)), token_hash(token))
        self._audit.append(account.tenant, account.id, "account.sign_in", account.id, {"by": how, "address": address})
        return token

    def resolve(self, token: str, kind: str) -> Who:
        """Return whose a session's token or a key is. Raises `SignInRequired` when it is unknown, expired, idle for too long, of
        another kind, or its account is disabled."""
        now = self._now()
        found = self._accounts.signed_in(token_hash(token), _iso(now))
        if found is None or found[1].kind != kind:
            raise SignInRequired(said("auth.ended"))
        account, sign_in = found
        if kind == BROWSER:
            used = datetime.fromisoformat(sign_in.used_at or sign_in.created_at)
            if now - used > timedelta(hours=self._settings.idle_hours):
                self._accounts.end_sign_in(sign_in.id, account.id)
                raise SignInRequired(said("auth.idle"))
        return Who(account, sign_in)

    def sign_out(self, who: Who) -> None:
        """End the session that the request came with; safe twice."""
        if who.sign_in is not None and self._accounts.end_sign_in(who.sign_in.id, who.account.id):
            self._audit.append(who.account.tenant, who.account.id, "account.sign_out", who.account.id)

    def change_password(self, who: Who, current: str | None, new: str, address: str = "", browser: str = "") -> str:
        """Replace the own password, end all sessions and return the token of a new one.

        `current` None: it was just typed to sign in, which is enough where it was given for one time. Raises `Refused` for a
        wrong current password (counted as a failed sign-in), a new one that is not taken, an account that has none here.
        """
        account = who.account
        if account.issuer:
            raise Refused(said("auth.elsewhere"))
        if wait := self._addresses.wait_s(address, self._monotonic()):
            raise TooManyAttempts(wait)
        with self._stripes[hash((account.tenant, account.name.casefold())) % _STRIPES]:
            if current is not None or not account.must_change_password:
                self._check_current(account, current or "", address)
            elif self.passwords.matches(new, self._password_hash(account)):
                raise Refused(said("password.given"))
            if problem := password_problem(new, account.name, self._settings.password):
                raise Refused(problem)
            if new == current:
                raise Refused(said("password.old"))
            self._accounts.set_password(account.id, self.passwords.hash(new), must_change=False)
        self._audit.append(account.tenant, account.id, "account.password_changed", account.id)
        return self.begin(replace(account, must_change_password=False), address, browser, "new password")

    def keys(self, account: Account) -> list[SignIn]:
        """Return the account's keys, the newest first."""
        return sorted(self._accounts.sign_ins(account.id, KEY), key=lambda key: (key.created_at, key.id), reverse=True)

    def make_key(self, account: Account, name: str, days: int | None, actor: str = "") -> tuple[SignIn, str]:
        """Return a new key and its secret, which is not kept. `days` None: it holds until it is revoked."""
        if len(self.keys(account)) >= self._settings.keys_per_account:
            raise Refused(said("key.too_many", most=self._settings.keys_per_account))
        if days is not None and not 1 <= days <= MAX_KEY_DAYS:
            raise Refused(said("key.days", most=MAX_KEY_DAYS, days=days))
        token, now = new_token(KEY_PREFIX), self._now()
        until = _iso(now + timedelta(days=days)) if days is not None else ""
        key = SignIn(new_id(), account.id, KEY, display_name(name, "a key"), _iso(now), until)
        self._accounts.add_sign_in(key, token_hash(token))
        self._note_key(account, actor, "account.key_created", key)
        return key, token

    def revoke_key(self, account: Account, key_id: str, actor: str = "") -> None:
        """End a key of the account at once. Raises `NotFound` for any other id."""
        key = next((key for key in self._accounts.sign_ins(account.id, KEY) if key.id == key_id), None)
        if key is None or not self._accounts.end_sign_in(key_id, account.id):
            raise NotFound(said("key.none"))
        self._note_key(account, actor, "account.key_revoked", key)

    def _note_key(self, account: Account, actor: str, action: str, key: SignIn) -> None:
        self._audit.append(account.tenant, actor or account.id, action, account.id, {"key": key.id, "name": key.name})

    def _checked(self, tenant: str, name: str, password: str, address: str) -> Account:
        """Return the account that the password opens. Raises `SignInRequired` after counting the failure."""
        found = self._accounts.credentials(tenant, name)
        locked = found is not None and bool(found.locked_until) and datetime.fromisoformat(found.locked_until) > self._now()
        hashed = found.password_hash if found is not None else ""
        matches = self.passwords.matches(password[: self._settings.password.max_length], hashed)  # always, and as costly
        if found is None:
            # The name itself is not kept: people type passwords into this field.
            raise self._failed(address, tenant, "", "unknown name")
        account = found.account
        if locked:
            raise self._failed(address, tenant, account.id, "locked")
        if not matches:
            lockout = self._settings.lockout
            until = self._accounts.count_failure(account.id, lockout.attempts, int(lockout.minutes * 60))
            failure = self._failed(address, tenant, account.id, "wrong password")
            if until:
                self._audit.append(tenant, account.id, "account.locked", account.id, {"until": until, "address": address})
            raise failure
        if account.disabled:
            raise self._failed(address, tenant, account.id, "disabled")
        self._accounts.clear_failures(account.id)
        if self.passwords.is_outdated(hashed) and not found.must_change:
            self._accounts.set_password(account.id, self.passwords.hash(password), must_change=False)
        return account

    def _check_current(self, account: Account, current: str, address: str) -> None:
        try:
            self._checked(account.tenant, account.name, current, address)
        except SignInRequired as exc:  # the session itself is in order
            raise Refused(said("password.wrong")) from exc

    def _password_hash(self, account: Account) -> str:
        found = self._accounts.credentials(account.tenant, account.name)
        return found.password_hash if found is not None else ""

    def _failed(self, address: str, tenant: str, account_id: str, why: str) -> SignInRequired:
        self._addresses.count(address, self._monotonic())
        details = {"why": why, "address": address}
        self._audit.append(tenant, account_id or "system", "account.sign_in_failed", account_id, details)
        return SignInRequired(_WRONG)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
