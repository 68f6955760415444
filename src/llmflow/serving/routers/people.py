"""/api/users and /api/groups: an administrator's own tenant."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from llmflow.accounts.permissions import Permission
from llmflow.serving.people.administration import People
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import problems
from llmflow.types import Account, Role

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Reason = Annotated[str, Query(max_length=500, description="Kept in the audit log.")]
GroupName = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UserIn(_Body):
    name: str = Field(max_length=200, description="What is typed to sign in.")
    display_name: str = Field(default="", max_length=200)
    role: Role = Role.USER
    groups: list[GroupName] = Field(default=[], max_length=500)


class UserChangeIn(_Body):
    """What is left out or null stays as it is."""

    display_name: str | None = Field(default=None, max_length=200)
    role: Role | None = None
    groups: list[GroupName] | None = Field(default=None, max_length=500)
    disabled: bool | None = None


class GroupIn(_Body):
    name: GroupName


class UserOut(BaseModel):
    id: str
    tenant: str
    name: str
    display_name: str
    role: Role
    groups: list[str]
    issuer: str
    """Identity provider that the account comes from; empty for a local one."""
    disabled: bool
    must_change_password: bool
    created_at: str
    seen_at: str

    @classmethod
    def of(cls, account: Account) -> "UserOut":
        fields = {name: getattr(account, name) for name in cls.model_fields if name != "groups"}
        return cls(**fields, groups=list(account.groups))


class NewUserOut(UserOut):
    one_time_password: str
    """Shown now and never again; to be replaced at the first sign-in."""


class UsersOut(BaseModel):
    items: list[UserOut]
    total: int


class PasswordOut(BaseModel):
    one_time_password: str


class RemovedOut(BaseModel):
    removed: Mapping[str, int]
    """How much of what went with the account."""


class GroupOut(BaseModel):
    name: str
    members: int


class GroupsOut(BaseModel):
    items: list[GroupOut]
    total: int


def make_people_router(people: People, guard: Guard) -> APIRouter:
    """Return the routes; each needs `people.manage` and sees the tenant of who asks, and no other."""
    router = APIRouter(prefix="/api", tags=["people"])
    may = Depends(guard.require(Permission.PEOPLE_MANAGE))

    @router.get("/users", responses=problems(401, 403))
    def users(
        me: Annotated[Account, may], search: Annotated[str, Query(max_length=200)] = "", limit: Limit = 100, offset: Offset = 0
    ) -> UsersOut:
        """Return users by name whose name or display name holds `search`."""
        found, total = people.users(me.tenant, search, limit, offset)
        return UsersOut(items=[UserOut.of(account) for account in found], total=total)

    @router.post("/users", status_code=201, responses=problems(401, 403, 409, 422))
    def create(body: UserIn, me: Annotated[Account, may], reason: Reason = "") -> NewUserOut:
        """Create a user with a one-time password, which only this answer holds."""
        account, password = people.create(me.tenant, me.id, body.name, body.display_name, body.role, body.groups, reason=reason)
        return NewUserOut(**UserOut.of(account).model_dump(), one_time_password=password)

    @router.get("/users/{user_id}", responses=problems(401, 403, 404))
    def user(user_id: str, me: Annotated[Account, may]) -> UserOut:
        return UserOut.of(people.user(me.tenant, user_id))

    @router.patch("/users/{user_id}", responses=problems(401, 403, 404, 422))
    def change(user_id: str, body: UserChangeIn, me: Annotated[Account, may], reason: Reason = "") -> UserOut:
        """Change a user; it holds from their next request on. The last administrator can be neither disabled nor demoted."""
        changed = people.change(
            me.tenant,
            me.id,
            user_id,
            shown=body.display_name,
            role=body.role,
            groups=body.groups,
            disabled=body.disabled,
            reason=reason,
        )
        return UserOut.of(changed)

    @router.delete("/users/{user_id}", responses=problems(401, 403, 404, 422))
    def delete(user_id: str, me: Annotated[Account, may], reason: Reason = "") -> RemovedOut:
        """Delete a user with sessions, keys, conversations and own documents. The last administrator cannot be deleted."""
        return RemovedOut(removed=people.delete(me.tenant, me.id, user_id, reason))

    @router.post("/users/{user_id}/password-reset", responses=problems(401, 403, 404, 422))
    def reset_password(user_id: str, me: Annotated[Account, may], reason: Reason = "") -> PasswordOut:
        """Give a user a new one-time password, which only this answer holds; their sessions end."""
        return PasswordOut(one_time_password=people.reset_password(me.tenant, me.id, user_id, reason))

    @router.get("/groups", responses=problems(401, 403))
    def groups(me: Annotated[Account, may], limit: Limit = 500, offset: Offset = 0) -> GroupsOut:
        found = people.groups(me.tenant)
        page = list(found.items())[offset : offset + limit]
        return GroupsOut(items=[GroupOut(name=name, members=members) for name, members in page], total=len(found))

    @router.post("/groups", status_code=201, responses=problems(401, 403, 409, 422))
    def add_group(body: GroupIn, me: Annotated[Account, may], reason: Reason = "") -> GroupOut:
        return GroupOut(name=people.add_group(me.tenant, me.id, body.name, reason), members=0)

    @router.delete("/groups/{name:path}", status_code=204, responses=problems(401, 403, 404))
    def delete_group(name: str, me: Annotated[Account, may], reason: Reason = "") -> None:
        """Delete a group and take it from its members; documents that carry it are read through it no more."""
        people.delete_group(me.tenant, me.id, name, reason)

    return router
