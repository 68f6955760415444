"""From an identity provider's claims to an account: its name, tenant, role and groups.

>>> claimed = read_claims({"sub": "1", "preferred_username": "kim", "groups": ["/hr", "llmflow-engineers"]},
...                       ClaimSettings(roles={"llmflow-engineers": Role.ENGINEER}))
>>> claimed.name, claimed.role.value, claimed.groups
('kim', 'engineer', ('hr', 'llmflow-engineers'))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from llmflow.accounts.names import account_name, display_name, group_name
from llmflow.config import Settings
from llmflow.errors import Refused, SignInRequired
from llmflow.types import Role
from llmflow.wording import said

MAX_GROUPS = 500
_STRENGTH = (Role.USER, Role.ENGINEER, Role.ADMINISTRATOR)


class ClaimSettings(Settings):
    """Which claims mean what. A claim's name may be a path into nested ones, such as `realm_access.roles`."""

    name: str = "preferred_username"
    display_name: str = "name"
    groups: str = "groups"
    role_claims: tuple[str, ...] = ("groups", "roles", "realm_access.roles")
    """Where values of `roles` are looked for."""
    roles: Mapping[str, Role] = Field(default_factory=dict)
    """Value of a role claim -> role; the strongest that applies. Without its slashes in front, as groups."""
    default_role: Role | None = Role.USER
    """Of whoever none of `roles` applies to; null refuses them."""
    group_prefix: str = ""
    """Take only groups that begin so, without the prefix; empty takes all."""
    group_names: Mapping[str, str] = Field(default_factory=dict)
    """Value of the groups claim -> our group, where the names differ."""
    tenant: str = "default"
    tenant_claim: str = ""
    tenants: Mapping[str, str] = Field(default_factory=dict)
    """With `tenant_claim`: its value -> our tenant. A value that is not listed may not sign in."""


@dataclass(frozen=True, slots=True)
class ClaimedAccount:
    """What the claims say of an account. `left_out` are groups that cannot be ours, such as somebody's own space."""

    subject: str
    name: str
    display_name: str
    tenant: str
    role: Role
    groups: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def read_claims(claims: Mapping[str, Any], settings: ClaimSettings) -> ClaimedAccount:
    """Return who the claims describe; groups sorted, each once.

    Raises `SignInRequired` where they describe nobody who may sign in: no subject or name, a tenant or role that is not mapped, a
    claim of another form than a text or a list of texts.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise SignInRequired(said("claims.no_subject"))
    try:
        name = account_name(_text(claims, settings.name) or subject)
    except Refused as exc:
        raise SignInRequired(said("claims.no_name", claim=settings.name, reason=exc)) from exc
    groups, left_out = _groups(claims, settings)
    shown = display_name(_text(claims, settings.display_name), name)
    return ClaimedAccount(subject, name, shown, _tenant(claims, settings), _role(claims, settings), groups, left_out)


def _groups(claims: Mapping[str, Any], settings: ClaimSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    groups, left_out = set(), []
    for value in _texts(claims, settings.groups):
        value = value.lstrip("/")  # Keycloak gives a group's path
        if not value.startswith(settings.group_prefix):
            continue
        own = settings.group_names.get(value, value.removeprefix(settings.group_prefix))
        try:
            groups.add(group_name(own))
        except Refused:
            left_out.append(value[:100])
    if len(groups) > MAX_GROUPS:
        raise SignInRequired(said("claims.too_many_groups", count=len(groups), most=MAX_GROUPS))
    return tuple(sorted(groups)), tuple(sorted(set(left_out))[:20])


def _role(claims: Mapping[str, Any], settings: ClaimSettings) -> Role:
    named = {value.lstrip("/") for claim in settings.role_claims for value in _texts(claims, claim)}
    roles = {role for value, role in settings.roles.items() if value.lstrip("/") in named}
    if roles:
        return max(roles, key=_STRENGTH.index)
    if settings.default_role is None:
        raise SignInRequired(said("claims.no_role"))
    return settings.default_role


def _tenant(claims: Mapping[str, Any], settings: ClaimSettings) -> str:
    if not settings.tenant_claim:
        return settings.tenant
    named = {settings.tenants[value] for value in _texts(claims, settings.tenant_claim) if value in settings.tenants}
    if len(named) != 1:
        raise SignInRequired(said("claims.no_tenant", claim=settings.tenant_claim))
    return named.pop()


def _value(claims: Mapping[str, Any], name: str) -> Any:
    if name in claims:  # a name may be an address with dots of its own
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = _value(claims, name)
    return value if isinstance(value, str) else ""


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    value = _value(claims, name)
    if value is None:
        return []
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(item, str) for item in values):
        raise SignInRequired(said("claims.no_texts", claim=name))
    return list(values)
