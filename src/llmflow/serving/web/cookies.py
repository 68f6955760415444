"""Cookies of sign-in: never readable by scripts, never sent along by another site's forms, over TLS only where there is TLS."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from llmflow.accounts.settings import AuthSettings
from llmflow.serving.people.auth import SESSION_COOKIE
from llmflow.serving.web.origins import origin_of

HINT_COOKIE = "llmflow_id_hint"
"""The id token of an identity provider, for signing out there: it opens nothing here."""
_HINT_PATH = "/api/auth/sign-out"
_LONGEST_HINT = 3500  # browsers drop cookies of more than 4,096 bytes


def set_cookie(
    response: Response,
    connection: HTTPConnection,
    settings: AuthSettings,
    name: str,
    value: str,
    age_s: float,
    path: str = "/",
) -> None:
    secure = origin_of(connection, settings.public_url).startswith("https:")
    response.set_cookie(name, value, int(age_s), path=path, secure=secure, httponly=True, samesite="lax")


def set_session(response: Response, connection: HTTPConnection, settings: AuthSettings, token: str, id_token: str = "") -> None:
    set_cookie(response, connection, settings, SESSION_COOKIE, token, settings.session_hours * 3600)
    if 0 < len(id_token) <= _LONGEST_HINT:
        for path in (_HINT_PATH, "/sign-out"):
            set_cookie(response, connection, settings, HINT_COOKIE, id_token, settings.session_hours * 3600, path)


def clear_session(response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    for path in (_HINT_PATH, "/sign-out"):
        response.delete_cookie(HINT_COOKIE, path=path, httponly=True, samesite="lax")
