"""Everything that decides who may use an application, put together once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from llmflow.accounts.settings import AuthSettings
from llmflow.errors import LlmflowError
from llmflow.ports.accounts import AccountStore
from llmflow.ports.identity import IdentityProvider
from llmflow.ports.operations import AuditLog
from llmflow.serving.people.administration import Erase, People
from llmflow.serving.people.auth import SESSION_COOKIE, Guard
from llmflow.serving.people.first_accounts import FirstAccount, create_first_accounts, single_account
from llmflow.serving.people.identity import RequestIdentity
from llmflow.serving.people.oidc import OidcSignIn
from llmflow.serving.people.sign_in import BROWSER, SignIns

SINGLE_NOTICE = "Single-user mode: whoever opens this on this machine is the administrator. There is no sign-in."


@dataclass(frozen=True)
class Access:
    """Sign-in, people and the guard of one application."""

    settings: AuthSettings
    accounts: AccountStore
    sign_ins: SignIns
    people: People
    identity: RequestIdentity
    guard: Guard
    oidc: OidcSignIn | None = None
    created: tuple[FirstAccount, ...] = ()
    """Accounts that opening it created, with the passwords to be shown once."""

    @property
    def notice(self) -> str:
        """What every page and the command line have to say of the mode; empty where people sign in."""
        return SINGLE_NOTICE if self.settings.mode == "single" else ""

    def end_former(self, connection: HTTPConnection) -> None:
        """End the session that a browser brings along when it signs in anew: an old cookie must not stay good."""
        token = connection.cookies.get(SESSION_COOKIE)
        if token:
            try:
                self.sign_ins.sign_out(self.sign_ins.resolve(token, BROWSER))
            except LlmflowError:
                return


def build_access(
    accounts: AccountStore,
    audit: AuditLog,
    settings: AuthSettings,
    provider: IdentityProvider | None = None,
    erase: Sequence[Erase] = (),
    sign_ins: SignIns | None = None,
) -> Access:
    """Return the access of an application; creates the first accounts, or that of single-user mode, where they are missing.

    `provider` is needed in mode `oidc`. Raises `SettingsError` where nobody could sign in.
    """
    sign_ins = sign_ins or SignIns(accounts, audit, settings)
    people = People(accounts, audit, settings, sign_ins.passwords, erase)
    single = single_account(accounts, settings) if settings.mode == "single" else None
    created = () if single else create_first_accounts(accounts, audit, settings, sign_ins.passwords)
    identity = RequestIdentity(sign_ins, settings, single)
    oidc = None
    if settings.mode == "oidc" and settings.oidc is not None and provider is not None:
        oidc = OidcSignIn(provider, accounts, audit, settings.oidc, settings.home_tenant)
    return Access(settings, accounts, sign_ins, people, identity, Guard(identity.account, settings.home_tenant), oidc, created)


def open_access(workspace: Any, settings: AuthSettings, erase: Sequence[Erase] = ()) -> Access:
    """Return the access of a workspace over its state database."""
    provider = None
    if settings.mode == "oidc" and settings.oidc is not None:
        provider = workspace.load("identity_provider")(settings.oidc)
    stores = workspace.application
    return build_access(stores.accounts, stores.audit, settings, provider, erase)
