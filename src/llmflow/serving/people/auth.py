"""Who asks: what every router, socket and page calls before it does anything.

A router takes a `Guard` and names what a route needs:

    @router.get("/api/users")
    def users(account: Annotated[Account, Depends(guard.require(Permission.PEOPLE_MANAGE))]) -> ...:

and a WebSocket endpoint calls `guard.permit(websocket, Permission.CHAT)` in a worker thread before it accepts.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from llmflow.accounts.permissions import Permission, may, permissions_of
from llmflow.errors import PermissionDenied
from llmflow.types import Account
from llmflow.wording import said

SESSION_COOKIE = "llmflow_session"
KEY_PREFIX = "lf-"
"""Keys for programs start so: a leaked one can be found by searching for it."""

Identify = Callable[[HTTPConnection], Account]
"""Tells who sent a request or opens a WebSocket. Reads the database: call it from a worker thread.

Raises `SignInRequired` where nobody is signed in, `PermissionDenied` where a cookie comes with a write (or a WebSocket) from
another origin. The account may still have to replace a one-time password: it has no permission then, so ask a `Guard`.
"""

_COOKIE = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, scheme_name="session", description="Set by the sign-in page.")
_KEY = HTTPBearer(auto_error=False, scheme_name="key", description=f"A key for programs: `{KEY_PREFIX}...`.")


class Guard:
    """Asks for permissions of whoever `identify` says it is."""

    def __init__(self, identify: Identify, home_tenant: str) -> None:
        self.identify = identify
        self.home_tenant = home_tenant

    def permit(self, connection: HTTPConnection, permission: Permission) -> Account:
        """Return who asks. Raises `SignInRequired`, or `PermissionDenied` where the account lacks the permission."""
        account = self.identify(connection)
        if account.must_change_password:
            raise PermissionDenied(said("auth.must_change"))
        if not may(account, permission, self.home_tenant):
            raise PermissionDenied(said("permission.role", permission=permission, role=account.role))
        return account

    def permissions(self, account: Account) -> frozenset[Permission]:
        """Return all that an account may do, for a page that hides what would be refused."""
        return permissions_of(account, self.home_tenant)

    def require(self, permission: Permission) -> Callable[..., Account]:
        """Return a FastAPI dependency of HTTP routes that gives the account, as `permit` does."""

        def permitted(connection: HTTPConnection, _cookie: Annotated[object, Security(_COOKIE)] = None,
                      _key: Annotated[object, Security(_KEY)] = None) -> Account:  # fmt: skip
            return self.permit(connection, permission)

        return permitted

    def signed_in(self, connection: HTTPConnection, _cookie: Annotated[object, Security(_COOKIE)] = None,
                  _key: Annotated[object, Security(_KEY)] = None) -> Account:  # fmt: skip
        """Return who asks, whatever it may do: a dependency for what concerns the own account only."""
        return self.identify(connection)
