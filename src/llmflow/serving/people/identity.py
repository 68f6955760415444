"""From a request to its account: by session cookie, by key, or as the one account of single-user mode."""

from starlette.requests import HTTPConnection

from llmflow.accounts.settings import AuthSettings
from llmflow.context import note_account
from llmflow.errors import SignInRequired
from llmflow.serving.people.auth import KEY_PREFIX, SESSION_COOKIE
from llmflow.serving.people.sign_in import BROWSER, KEY, SignIns, Who
from llmflow.serving.web.origins import check_loopback_host, check_same_origin
from llmflow.types import Account
from llmflow.wording import said

_SCOPE_KEY = "llmflow.who"
"""Where a request that was looked up keeps what was found, so that its gate and its route ask the database once."""


class RequestIdentity:
    """Tells who sent a request; `account` is the application's `Identify`."""

    def __init__(self, sign_ins: SignIns, settings: AuthSettings, single: Account | None = None) -> None:
        """`single` is the account of single-user mode; None in every other mode."""
        self._sign_ins = sign_ins
        self._settings = settings
        self._single = single

    def account(self, connection: HTTPConnection) -> Account:
        return self.who(connection).account

    def who(self, connection: HTTPConnection) -> Who:
        """Return who sent it and what proves it. Raises as `llmflow.serving.people.auth.Identify` says."""
        known = connection.scope.get(_SCOPE_KEY)
        if known is None:
            known = connection.scope[_SCOPE_KEY] = self._find(connection)
        note_account(known.account.id, known.account.tenant)
        return known

    def _find(self, connection: HTTPConnection) -> Who:
        if self._single is not None:
            if not self._settings.single.allow_other_hosts:
                check_loopback_host(connection)
            check_same_origin(connection, self._settings.public_url)
            return Who(self._single)
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if not token.strip().startswith(KEY_PREFIX):
                raise SignInRequired(said("key.malformed", prefix=KEY_PREFIX))
            return self._sign_ins.resolve(token.strip(), KEY)
        token = connection.cookies.get(SESSION_COOKIE, "")
        if not token:
            raise SignInRequired(said("auth.nobody"))
        check_same_origin(connection, self._settings.public_url)
        return self._sign_ins.resolve(token, BROWSER)
