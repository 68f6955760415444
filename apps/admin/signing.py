"""Signing in and out, and the password of one's own that a one-time password asks for."""

import streamlit as st

from apps.admin import texts
from apps.admin.choosing import choose
from apps.admin.client import ApiError, Client, SignedOut
from apps.admin.session import CLIENT, anonymous, enter, leave, say, settings, show_error, show_told


def signs_in_alone() -> bool:
    """Return whether the API asks nobody who they are (single-user mode), and sign in if so. Asked once a session."""
    if st.session_state.get("asked alone"):
        return False
    try:
        enter(anonymous())
    except SignedOut:
        st.session_state["asked alone"] = True
        return False
    except ApiError:
        return False
    return True


def show_sign_in() -> None:
    """The page of somebody who is not signed in."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(say(texts.TITLE), anchor=False)
        show_told()
        st.markdown(say(texts.SIGN_IN_INTRO))
        way = choose(texts.WAY, texts.WAYS, "password", "way")
        with st.form("sign in"):
            if way == "key":
                key = st.text_input(say(texts.KEY), type="password", key="sign key")
                st.caption(say(texts.KEY_HELP, address=settings().browser_address))
                given = (key,)
            else:
                name = st.text_input(say(texts.NAME), key="sign name", autocomplete="username")
                password = st.text_input(
                    say(texts.PASSWORD), type="password", key="sign password", autocomplete="current-password"
                )
                tenant = st.text_input(say(texts.TENANT), key="sign tenant", autocomplete="organization")
                given = (name.strip(), password, tenant.strip())
            submitted = st.form_submit_button(say(texts.SIGN_IN), key="sign in", type="primary", width="stretch")
        if submitted:
            _sign_in(given)


def _sign_in(given: tuple[str, ...]) -> None:
    if not all(given[:2]):
        st.warning(say(texts.FILL_IN))
        return
    try:
        client = anonymous()
        enter(client.with_key(given[0]) if len(given) == 1 else client.sign_in(*given))
    except ApiError as exc:
        show_error(exc)
    else:
        st.rerun()


def show_change_password(client: Client) -> None:
    """The page of somebody who used a one-time password: nothing else is open before."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(say(texts.CHANGE_PASSWORD), anchor=False)
        st.markdown(say(texts.CHANGE_PASSWORD_INTRO))
        with st.form("change password"):
            current = st.text_input(say(texts.CURRENT_PASSWORD), type="password", key="current", autocomplete="current-password")
            new = st.text_input(say(texts.NEW_PASSWORD), type="password", key="new", autocomplete="new-password")
            again = st.text_input(say(texts.REPEAT_PASSWORD), type="password", key="repeated", autocomplete="new-password")
            submitted = st.form_submit_button(say(texts.CHANGE_PASSWORD), key="change", type="primary", width="stretch")
        st.button(say(texts.SIGN_OUT), key="sign out", on_click=sign_out)
        if submitted:
            _change(client, current, new, again)


def _change(client: Client, current: str, new: str, again: str) -> None:
    if not (current and new and again):
        st.warning(say(texts.FILL_IN))
        return
    if new != again:
        st.warning(say(texts.DIFFERENT))
        return
    try:
        enter(client.change_password(current, new))
    except ApiError as exc:
        show_error(exc)
    else:
        st.rerun()


def sign_out() -> None:
    """End the sign-in at the API, and forget it here even where the API is away. Fit for `on_click`."""
    client = st.session_state.get(CLIENT)
    try:
        if client is not None:
            client.sign_out()
    except ApiError:
        pass  # the session of this page is forgotten either way; the API's ends by itself
    leave(texts.SIGNED_OUT)
    st.session_state["asked alone"] = True
