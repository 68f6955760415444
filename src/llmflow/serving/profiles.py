"""Demo identities, until accounts decide who asks.

A caller can only name a profile; what that profile may read stands in the configuration.
"""

from collections.abc import Callable, Sequence

from fastapi import Request
from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import PermissionDenied
from llmflow.types import Principal

PROFILE_HEADER = "X-LLMFlow-Profile"

ResolvePrincipal = Callable[[Request], Principal]
"""Tells who asks; raises `PermissionDenied` for a request that names nobody it knows."""


class Profile(Settings):
    """A demo identity: what a person of this department may read."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    label: str = Field(min_length=1)
    tenant: str = Field(min_length=1)
    groups: tuple[str, ...] = ()

    def principal(self) -> Principal:
        return Principal(tenant=self.tenant, groups=frozenset(self.groups), user=self.name)


def profile_principal(name: str, profiles: Sequence[Profile]) -> Principal:
    """Return the principal of the profile called `name`.

    Raises `PermissionDenied` for any other name.
    """
    for profile in profiles:
        if profile.name == name:
            return profile.principal()
    raise PermissionDenied(f"Unknown profile {name!r}." if name else "No profile was named.")


def profile_resolver(profiles: Sequence[Profile]) -> ResolvePrincipal:
    """Return a resolver that reads the profile's name from the `X-LLMFlow-Profile` header."""

    def resolve(request: Request) -> Principal:
        return profile_principal(request.headers.get(PROFILE_HEADER, ""), profiles)

    return resolve
