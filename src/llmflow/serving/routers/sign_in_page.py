"""/sign-in and its forms, and the way over an identity provider: HTML that works without a script."""

import secrets
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from llmflow.accounts.passwords import normal_password, password_problem
from llmflow.errors import LlmflowError, PermissionDenied, Refused, SignInRequired, StoreUnavailable
from llmflow.serving.pages.words import Words, words_of
from llmflow.serving.people.access import Access
from llmflow.serving.people.oidc import ATTEMPT_S, cookie_of, unpack
from llmflow.serving.people.sign_in import KEY, TooManyAttempts, Who
from llmflow.serving.routers.auth import address_of, browser_of, end_session
from llmflow.serving.web.cookies import set_cookie, set_session
from llmflow.serving.web.origins import check_same_origin, local_path, origin_of
from llmflow.wording import said

CALLBACK = "/api/auth/oidc/callback"
_OIDC_PATH = "/api/auth/oidc"
_Text = Annotated[str, Form(max_length=2048)]


def make_sign_in_page(access: Access, title: str = "llmflow", language: str = "ko") -> APIRouter:
    """Return the pages. `language` is for browsers that accept neither Korean nor English."""
    router = APIRouter(include_in_schema=False)
    settings = access.settings

    def who_of(request: Request) -> Who | None:
        try:
            who = access.identity.who(request)
        except LlmflowError:
            return None
        return None if who.sign_in is not None and who.sign_in.kind == KEY else who

    def page(request: Request, step: str, words: Words, status: int = 200, **shown: Any) -> Response:
        nonce = secrets.token_urlsafe(16)
        provider = urlsplit(settings.oidc.issuer) if access.oidc is not None and settings.oidc is not None else None
        known: dict[str, Any] = {
            "title": title, "heading": words.heading, "words": words, "nonce": nonce, "step": step, "message": "", "bad": False,
            "next": "/", "account": None, "forced": False, "name": "", "tenant": settings.home_tenant, "may_change": False,
            "tenants": settings.known_tenants, "passwords": settings.asks_for_passwords, "single": settings.mode == "single",
            "provider": settings.oidc.label if provider is not None and settings.oidc is not None else None,
            "shortest": settings.password.min_length, "longest": settings.password.max_length,
        }  # fmt: skip
        known |= shown
        known["other_query"] = urlencode({"lang": words.other, "next": known["next"]})
        # A form that leads on to the provider's page is a redirect that browsers hold against form-action too.
        targets = f"'self' {provider.scheme}://{provider.netloc}" if provider is not None else "'self'"
        policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Frame-Options": "DENY"}
        return HTMLResponse(_template().render(known), status, headers)

    def sign_in_form(request: Request, words: Words, status: int = 200, **shown: Any) -> Response:
        return page(request, "sign_in", words, status, bad=status >= 400, **shown)

    def password_form(request: Request, words: Words, who: Who, wanted: str, status: int = 200, message: str = "") -> Response:
        forced = who.account.must_change_password
        return page(
            request, "password", words, status, heading=words.change_heading, account=who.account, forced=forced, next=wanted,
            message=message, bad=status >= 400,
        )  # fmt: skip

    def spoken(request: Request, chosen: str = "") -> Words:
        return words_of(chosen, request.headers.get("accept-language", ""), language)

    @router.get("/sign-in")
    def show(
        request: Request,
        wanted: Annotated[str, Query(alias="next", max_length=2000)] = "/",
        lang: Annotated[str, Query(max_length=10)] = "",
        change: Annotated[str, Query(max_length=1)] = "",
    ) -> Response:
        words, wanted, who = spoken(request, lang), local_path(wanted), who_of(request)
        if settings.mode == "single":
            return sign_in_form(request, words, next=wanted)
        if who is None:
            return sign_in_form(request, words, next=wanted)
        if who.account.must_change_password or (change and not who.account.issuer):
            return password_form(request, words, who, wanted)
        may_change = not who.account.issuer
        heading = words.signed_in_heading
        return page(request, "signed_in", words, heading=heading, account=who.account, next=wanted, may_change=may_change)

    @router.post("/sign-in")
    def sign_in(
        request: Request, name: _Text = "", password: _Text = "", tenant: _Text = "",
        wanted: Annotated[str, Form(alias="next", max_length=2048)] = "/", lang: _Text = "",
    ) -> Response:  # fmt: skip
        words, wanted, tenant = spoken(request, lang), local_path(wanted), tenant or settings.home_tenant
        again = {"next": wanted, "name": name, "tenant": tenant}
        try:
            check_same_origin(request, settings.public_url)
            if not settings.asks_for_passwords:
                raise Refused(said("auth.no_passwords"))
            token, account = access.sign_ins.sign_in(tenant, name, password, address_of(request), browser_of(request))
        except TooManyAttempts as exc:
            response = sign_in_form(request, words, 429, message=words.too_many.format(n=exc.wait_s), **again)
            response.headers["Retry-After"] = str(exc.wait_s)
            return response
        except SignInRequired:
            return sign_in_form(request, words, 401, message=words.wrong, **again)
        except PermissionDenied:
            return sign_in_form(request, words, 403, message=words.elsewhere, **again)
        except Refused:
            return sign_in_form(request, words, 422, message=words.provider_refused, **again)
        access.end_former(request)
        lead = f"/sign-in?{urlencode({'next': wanted, 'lang': words.language})}" if account.must_change_password else wanted
        response = RedirectResponse(lead, 303)
        set_session(response, request, settings, token)
        return response

    @router.post("/sign-in/password")
    def change_password(
        request: Request, current: _Text = "", new: _Text = "", again: _Text = "",
        wanted: Annotated[str, Form(alias="next", max_length=2048)] = "/", lang: _Text = "",
    ) -> Response:  # fmt: skip
        words, wanted, who = spoken(request, lang), local_path(wanted), who_of(request)
        if who is None or who.sign_in is None:
            return RedirectResponse(f"/sign-in?{urlencode({'next': wanted, 'lang': words.language})}", 303)
        refused = password_fault(new, again, who, words)
        if not refused:
            try:
                typed = None if who.account.must_change_password else current
                token = access.sign_ins.change_password(who, typed, new, address_of(request), browser_of(request))
                response = RedirectResponse(wanted, 303)
                set_session(response, request, settings, token)
                return response
            except TooManyAttempts as exc:
                refused = words.too_many.format(n=exc.wait_s)
            except Refused:
                refused = words.not_changed
        return password_form(request, words, who, wanted, 422, refused)

    def password_fault(new: str, again: str, who: Who, words: Words) -> str:
        if new != again:
            return words.differ
        if not password_problem(new, who.account.name, settings.password):
            return ""
        fits = settings.password.min_length <= len(normal_password(new)) <= settings.password.max_length
        return words.guessable if fits else words.too_short.format(n=settings.password.min_length)

    @router.post("/sign-out")
    def sign_out(request: Request, lang: _Text = "") -> Response:
        response = RedirectResponse("/sign-in", 303)
        response.headers["location"] = end_session(access, request, response)
        return response

    @router.get(f"{_OIDC_PATH}/start")
    def start(request: Request, wanted: Annotated[str, Query(alias="next", max_length=2000)] = "/") -> Response:
        words = spoken(request)
        if access.oidc is None:
            return sign_in_form(request, words, 404, message=words.provider_refused)
        try:
            url, attempt = access.oidc.start(origin_of(request, settings.public_url) + CALLBACK, wanted)
        except StoreUnavailable:
            return sign_in_form(request, words, 503, message=words.provider_away)
        response = RedirectResponse(url, 303)
        set_cookie(response, request, settings, attempt.cookie, attempt.packed(), ATTEMPT_S, _OIDC_PATH)
        return response

    @router.get(CALLBACK)
    def callback(
        request: Request,
        code: Annotated[str, Query(max_length=4096)] = "",
        state: Annotated[str, Query(max_length=200)] = "",
        iss: Annotated[str, Query(max_length=1000)] = "",
    ) -> Response:
        words = spoken(request)
        if access.oidc is None:
            return sign_in_form(request, words, 404, message=words.provider_refused)
        try:
            attempt = unpack(request.cookies.get(cookie_of(state), ""), state)
            if not code:
                raise SignInRequired(said("oidc.no_code"))
            redirect_uri = origin_of(request, settings.public_url) + CALLBACK
            account, id_token = access.oidc.finish(attempt, code, redirect_uri, iss, address_of(request))
        except StoreUnavailable:
            return sign_in_form(request, words, 503, message=words.provider_away)
        except LlmflowError:
            response = sign_in_form(request, words, 401, message=words.provider_refused)
            response.delete_cookie(cookie_of(state), path=_OIDC_PATH)
            return response
        token = access.sign_ins.begin(account, address_of(request), browser_of(request), "oidc")
        access.end_former(request)
        response = RedirectResponse(attempt.next, 303)
        response.delete_cookie(attempt.cookie, path=_OIDC_PATH)
        set_session(response, request, settings, token, id_token)
        return response

    return router


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("llmflow.serving", "pages"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("sign_in.html.jinja")
