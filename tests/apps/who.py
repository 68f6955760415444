"""Accounts for tests of what comes after the sign-in: a request says in its header `who` which one it is of."""

from starlette.requests import HTTPConnection

from llmflow.errors import SignInRequired
from llmflow.serving.auth import Guard
from llmflow.types import Account, Role


def person(name: str, *groups: str, tenant: str = "acme", role: Role = Role.USER) -> Account:
    """Return an account whose id is its name."""
    return Account(name, tenant, name, f"{name} of {tenant}", role, groups)


def guard_of(*people: Account, home_tenant: str = "acme") -> Guard:
    known = {account.name: account for account in people}

    def identify(connection: HTTPConnection) -> Account:
        name = connection.headers.get("who", "")
        if name not in known:
            raise SignInRequired("Nobody is signed in.")
        return known[name]

    return Guard(identify, home_tenant)
