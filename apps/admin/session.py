"""What one open dashboard knows: who is signed in, in which language, what was just done. It lives nowhere else."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin.client import ApiError, Away, Client, SignedOut, Transport
from apps.admin.settings import AdminSettings
from apps.admin.shapes import Me
from apps.admin.texts import Word
from llmflow.accounts.permissions import Permission

CLIENT, ME, LANGUAGE, TOLD, REFRESH = "client", "me", "language", "told", "refresh"


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of a page: who looks, through which client, in which language."""

    client: Client
    me: Me
    settings: AdminSettings

    def may(self, permission: Permission) -> bool:
        return permission in self.me.permissions

    @property
    def refresh(self) -> int | None:
        """Seconds until a page asks anew; None where that is switched off."""
        return self.settings.refresh_s if st.session_state.get(REFRESH, True) else None


def settings() -> AdminSettings:
    """Return what `llmflow admin` gave this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", default="{}")
    return AdminSettings.model_validate_json(parser.parse_known_args(sys.argv[1:])[0].settings)


def language() -> str:
    return st.session_state.get(LANGUAGE) or settings().language


def say(word: Word, **values: Any) -> str:
    """Return the word in the language of the page."""
    return word.say(language(), **values)


def named(words: dict[str, Word], code: str) -> str:
    """Return the word for a code of the API; a code that has none is shown as it is."""
    return say(words[code]) if code in words else code


@st.cache_resource
def _transport(api: str, timeout_s: float) -> Transport:
    return Transport(api, timeout_s, language=language)


def anonymous() -> Client:
    """Return a client that proves nothing yet."""
    given = settings()
    return Client(_transport(given.api, given.timeout_s))


def visit() -> Visit | None:
    """Return who looks; None where nobody is signed in."""
    client, me = st.session_state.get(CLIENT), st.session_state.get(ME)
    return Visit(client, me, settings()) if client and me else None


def enter(client: Client) -> Me:
    """Sign the page in as whoever `client` proves to be. Raises `ApiError`."""
    me = client.me()
    st.session_state[CLIENT], st.session_state[ME] = client, me
    return me


def check_still_signed_in(current: Visit) -> Visit | None:
    """Return the visit with what the account may do now; None where its sign-in has ended.

    An API that is away changes nothing.
    """
    try:
        enter(current.client)
    except SignedOut:
        leave(texts.EXPIRED)
    except ApiError:
        return current  # the page says what is wrong
    return visit()


def leave(word: Word) -> None:
    """Forget everything of this person; the next run shows the sign-in page with `word`."""
    for key in list(st.session_state):
        if key not in (LANGUAGE, REFRESH):
            del st.session_state[key]
    st.session_state[TOLD] = ("info", word)


def tell(kind: str, text: str | Word) -> None:
    """Keep a sentence for the top of the next run: `success`, `info`, `warning` or `error`."""
    st.session_state[TOLD] = (kind, text)


def show_told() -> None:
    """Show once what was kept."""
    kind, text = st.session_state.pop(TOLD, ("", ""))
    if kind:
        getattr(st, kind)(say(text) if isinstance(text, Word) else text)


def show_error(exc: ApiError) -> None:
    """Show what went wrong, what is allowed and what to do next, as sentences of their own."""
    first = say(texts.AWAY) if isinstance(exc, Away) else say(texts.FORBIDDEN) if exc.status == 403 else ""
    last = say(texts.AWAY_NEXT) if isinstance(exc, Away) else ""
    st.error("\n\n".join(plain(part) for part in (first, *exc.sentences, last) if part))


def guarded(show: Callable[..., None]) -> Callable[..., None]:
    """Return `show` with failures of the API on the page instead of in the log; an ended sign-in leads back to its page."""

    @wraps(show)
    def shown(*given: Any, **named_values: Any) -> None:
        try:
            show(*given, **named_values)
        except SignedOut:
            leave(texts.EXPIRED)
            st.rerun()
        except ApiError as exc:
            show_error(exc)
            st.button(say(texts.AGAIN), key=f"again {show.__name__}", icon=":material/refresh:")

    return shown


def refreshed(show: Callable[..., None], *given: Any, stamped: bool = True) -> None:
    """Show something that is read anew every few seconds while the page is open; `stamped` with the time it was read."""
    current = visit()

    @wraps(show)
    def body() -> None:
        show(*given)
        if stamped:
            st.caption(say(texts.UPDATED, time=datetime.now(UTC).strftime("%H:%M:%S")))

    st.fragment(guarded(body), run_every=current.refresh if current else None)()


def plain(text: str) -> str:
    """Return text in which Markdown, HTML and Streamlit's directives mean nothing: what people wrote stays what they wrote."""
    for sign in "\\`*_[]<>#|~$:":
        text = text.replace(sign, "\\" + sign)
    return text
