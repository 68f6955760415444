"""Sign-in at an identity provider: what is remembered between leaving and coming back, and the account that comes of it."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, replace

from llmflow.accounts.claims import ClaimedAccount, read_claims
from llmflow.accounts.settings import OidcSettings
from llmflow.accounts.tokens import new_id, new_token
from llmflow.errors import LlmflowError, NameTaken, SignInRequired
from llmflow.ports.accounts import AccountStore
from llmflow.ports.identity import IdentityProvider, Passed
from llmflow.ports.operations import AuditLog
from llmflow.serving.web.origins import local_path
from llmflow.types import Account
from llmflow.wording import said

ATTEMPT_S = 600
"""A person has so long to sign in at the provider."""
_STARTED_ELSEWHERE = said("oidc.started_elsewhere")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that is under way: it lives in a cookie of the browser that started it, and nowhere else."""

    state: str
    nonce: str
    verifier: str
    next: str

    @property
    def cookie(self) -> str:
        """Name of its cookie: several tabs may sign in at once."""
        return cookie_of(self.state)

    def packed(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":")).encode().hex()


def cookie_of(state: str) -> str:
    return "llmflow_oidc_" + hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:16]


def unpack(packed: str, state: str) -> Attempt:
    """Return the attempt of a cookie. Raises `SignInRequired` when it is none or belongs to another `state`."""
    try:
        attempt = Attempt(**{key: str(value) for key, value in json.loads(bytes.fromhex(packed)).items()})
    except (ValueError, TypeError, AttributeError) as exc:
        raise SignInRequired(_STARTED_ELSEWHERE) from exc
    if not state or not hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace")):
        raise SignInRequired(_STARTED_ELSEWHERE)
    return replace(attempt, next=local_path(attempt.next))


class OidcSignIn:
    """Sends a browser to the provider and makes an account of what it comes back with."""

    def __init__(
        self, provider: IdentityProvider, accounts: AccountStore, audit: AuditLog, settings: OidcSettings, home: str
    ) -> None:
        """`home` is the tenant whose audit log holds sign-ins that belong to no account."""
        self.provider = provider
        self._accounts = accounts
        self._audit = audit
        self._settings = settings
        self._home = home

    def start(self, redirect_uri: str, wanted: str | None) -> tuple[str, Attempt]:
        """Return where to send the browser, and the attempt to leave in its cookie."""
        attempt = Attempt(new_token(), new_token(), new_token(), local_path(wanted))
        return self.provider.authorization_url(redirect_uri, attempt.state, attempt.nonce, attempt.verifier), attempt

    def finish(self, attempt: Attempt, code: str, redirect_uri: str, issuer: str, address: str) -> tuple[Account, str]:
        """Return the account, its role and groups as the claims say, and the id token for signing out.

        Accounts are found by issuer and subject alone: names and addresses of e-mail may be given to somebody else later.
        Raises `SignInRequired` where provider or claims do not let the person in.
        """
        try:
            passed = self.provider.redeem(code, redirect_uri, attempt.nonce, attempt.verifier, issuer)
            account = self._account(passed, read_claims(passed.claims, self._settings.claims))
        except LlmflowError as exc:
            details = {"why": str(exc)[:300], "address": address, "by": "oidc"}
            self._audit.append(self._home, "system", "account.sign_in_failed", "", details)
            raise
        return account, passed.id_token

    def _account(self, passed: Passed, claimed: ClaimedAccount) -> Account:
        known = self._accounts.by_subject(passed.issuer, claimed.subject)
        if known is None:
            return self._created(passed.issuer, claimed)
        if known.disabled:
            raise SignInRequired(said("auth.disabled"))
        if known.tenant != claimed.tenant:
            raise SignInRequired(said("claims.other_tenant", known=known.tenant, claimed=claimed.tenant))
        account = self._accounts.update(known.id, display_name=claimed.display_name, role=claimed.role, groups=claimed.groups)
        if (known.role, known.groups) != (account.role, account.groups):
            difference = {"role": account.role, "groups": list(account.groups), "left_out": list(claimed.left_out), "by": "oidc"}
            self._audit.append(account.tenant, account.id, "account.updated", account.id, difference)
        return account

    def _created(self, issuer: str, claimed: ClaimedAccount) -> Account:
        suffix = "-" + hashlib.sha256(f"{issuer}\n{claimed.subject}".encode()).hexdigest()[:8]
        for name in (claimed.name, claimed.name[: 64 - len(suffix)] + suffix):
            account = Account(
                new_id(), claimed.tenant, name, claimed.display_name, claimed.role, claimed.groups, issuer, claimed.subject
            )
            try:
                self._accounts.create(account)
            except NameTaken:
                found = self._accounts.by_subject(issuer, claimed.subject)  # the same person in another tab
                if found is not None:
                    return found
                continue
            details = {
                "name": name,
                "role": account.role,
                "groups": list(account.groups),
                "left_out": list(claimed.left_out),
                "by": "oidc",
            }
            self._audit.append(account.tenant, account.id, "account.created", account.id, details)
            return account
        raise SignInRequired(said("oidc.name_taken", name=claimed.name))
