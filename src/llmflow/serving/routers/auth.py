"""/api/auth: signing in and out, who I am, my password, sign-in at an identity provider, my keys for programs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import APIKeyCookie
from pydantic import BaseModel, ConfigDict, Field

from llmflow.accounts.permissions import Permission
from llmflow.errors import PermissionDenied, Refused, StoreUnavailable
from llmflow.ports.accounts import SignIn
from llmflow.serving.people.access import Access
from llmflow.serving.people.auth import SESSION_COOKIE
from llmflow.serving.people.sign_in import KEY, MAX_KEY_DAYS, TooManyAttempts, Who
from llmflow.serving.web.cookies import HINT_COOKIE, clear_session, set_session
from llmflow.serving.web.http_errors import HttpProblem, problems
from llmflow.serving.web.origins import check_same_origin, origin_of
from llmflow.types import Account, Role
from llmflow.wording import said

DEFAULT_KEY_DAYS = 90


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInIn(_Body):
    name: str = Field(max_length=256)
    password: str = Field(max_length=2048)
    tenant: str | None = Field(default=None, max_length=64, description="Left out: the home tenant.")


class PasswordIn(_Body):
    current: str = Field(max_length=2048)
    new: str = Field(max_length=2048)


class KeyIn(_Body):
    name: str = Field(min_length=1, max_length=100, description="What it is for.")
    days: int | None = Field(default=DEFAULT_KEY_DAYS, ge=1, le=MAX_KEY_DAYS, description="null: until it is revoked.")


class MeOut(BaseModel):
    """The account that asks, and what it may do."""

    id: str
    tenant: str
    name: str
    display_name: str
    role: Role
    groups: list[str]
    must_change_password: bool
    permissions: list[str]
    mode: str
    home_tenant: str
    own_space: str
    has_password: bool
    """Whether it has a password here that it may change."""
    notice: str
    """What the mode has to say to everyone, such as that nobody signs in; usually empty."""


class NextOut(BaseModel):
    next: str
    """Where the browser should go."""


class KeyOut(BaseModel):
    id: str
    name: str
    created_at: str
    expires_at: str
    used_at: str

    @classmethod
    def of(cls, key: SignIn) -> "KeyOut":
        return cls(id=key.id, name=key.name, created_at=key.created_at, expires_at=key.expires_at, used_at=key.used_at)


class NewKeyOut(KeyOut):
    secret: str
    """Shown now and never again."""


class KeysOut(BaseModel):
    items: list[KeyOut]
    total: int


def make_auth_router(access: Access) -> APIRouter:
    """Return the routes under /api/auth that programs and pages call with JSON."""
    router = APIRouter(prefix="/api/auth", tags=["auth"])
    settings = access.settings
    cookie = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, scheme_name="session")

    def me_of(account: Account) -> MeOut:
        permissions = sorted(str(permission) for permission in access.guard.permissions(account))
        return MeOut(
            id=account.id, tenant=account.tenant, name=account.name, display_name=account.display_name, role=account.role,
            groups=list(account.groups), must_change_password=account.must_change_password, permissions=permissions,
            mode=settings.mode, home_tenant=settings.home_tenant, own_space=account.own_space,
            has_password=not account.issuer, notice=access.notice,
        )  # fmt: skip

    def in_browser(request: Request, _: Annotated[object, Security(cookie)] = None) -> Who:
        """Return who asks from a browser: a key must not be able to make others or to change the password."""
        who = access.identity.who(request)
        if who.sign_in is not None and who.sign_in.kind == KEY:
            raise PermissionDenied(said("auth.browser_only"))
        return who

    def own_keys(request: Request, who: Annotated[Who, Depends(in_browser)]) -> Who:
        access.guard.permit(request, Permission.CHAT)
        return who

    @router.post("/sign-in", responses=problems(401, 403, 422, 429))
    def sign_in(body: SignInIn, request: Request, response: Response) -> MeOut:
        """Sign in with a name and a password; the answer sets the session's cookie."""
        check_same_origin(request, settings.public_url)
        if not settings.asks_for_passwords:
            raise Refused(access.notice or "Sign in at the identity provider: /sign-in leads there.")
        tenant = body.tenant or settings.home_tenant
        try:
            token, account = access.sign_ins.sign_in(tenant, body.name, body.password, address_of(request), browser_of(request))
        except TooManyAttempts as exc:
            raise too_many(exc) from exc
        access.end_former(request)
        set_session(response, request, settings, token)
        return me_of(account)

    @router.post("/sign-out", responses=problems(403))
    def sign_out(request: Request, response: Response) -> NextOut:
        """End the session. `next` is the sign-in page, or the identity provider's where it has a session of its own to end."""
        return NextOut(next=end_session(access, request, response))

    @router.get("/me", responses=problems(401))
    def me(account: Annotated[Account, Depends(access.guard.signed_in)]) -> MeOut:
        """Return who asks and what they may do; nothing, while a one-time password has not been replaced."""
        return me_of(account)

    @router.post("/password", responses=problems(401, 403, 422, 429))
    def change_password(
        body: PasswordIn, request: Request, response: Response, who: Annotated[Who, Depends(in_browser)]
    ) -> MeOut:
        """Replace the own password. All sessions end; the answer sets the cookie of a new one."""
        try:
            token = access.sign_ins.change_password(who, body.current, body.new, address_of(request), browser_of(request))
        except TooManyAttempts as exc:
            raise too_many(exc) from exc
        set_session(response, request, settings, token)
        return me_of(access.people.user(who.account.tenant, who.account.id))

    @router.get("/keys", responses=problems(401, 403))
    def keys(who: Annotated[Who, Depends(own_keys)]) -> KeysOut:
        """Return the own keys, the newest first; their secrets are not kept."""
        found = [KeyOut.of(key) for key in access.sign_ins.keys(who.account)]
        return KeysOut(items=found, total=len(found))

    @router.post("/keys", status_code=201, responses=problems(401, 403, 422))
    def make_key(body: KeyIn, who: Annotated[Who, Depends(own_keys)]) -> NewKeyOut:
        """Make a key for a program. `secret` is shown now and never again: `Authorization: Bearer lf-...`."""
        key, secret = access.sign_ins.make_key(who.account, body.name, body.days)
        return NewKeyOut(**KeyOut.of(key).model_dump(), secret=secret)

    @router.delete("/keys/{key_id}", status_code=204, responses=problems(401, 403, 404))
    def revoke_key(key_id: str, who: Annotated[Who, Depends(own_keys)]) -> None:
        """End a key at once."""
        access.sign_ins.revoke_key(who.account, key_id)

    return router


def end_session(access: Access, request: Request, response: Response) -> str:
    """End the session of a request, clear its cookies, and return where its browser should go."""
    check_same_origin(request, access.settings.public_url)
    hint = request.cookies.get(HINT_COOKIE, "")
    access.end_former(request)
    clear_session(response)
    if access.oidc is not None and hint:
        try:
            back = origin_of(request, access.settings.public_url) + "/sign-in"
            return access.oidc.provider.logout_url(back, hint) or "/sign-in"
        except StoreUnavailable:
            return "/sign-in"
    return "/sign-in"


def address_of(request: Request) -> str:
    """Return the network address that a request came from; behind a proxy, what a trusted one says."""
    return request.client.host if request.client else ""


def browser_of(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]


def too_many(exc: TooManyAttempts) -> HttpProblem:
    return HttpProblem(429, str(exc), said("sign_in.few"), said("sign_in.wait"), {"Retry-After": str(exc.wait_s)})
