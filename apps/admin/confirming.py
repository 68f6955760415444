"""Actions that change something: asked for in a dialog that names the object and wants a reason, carried out once, told."""

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from apps.admin import texts
from apps.admin.client import ApiError, SignedOut
from apps.admin.session import leave, plain, say, show_error, tell

ASKED, SECRET = "asked", "secret"


@dataclass(frozen=True, slots=True)
class Act:
    """One action on one object."""

    key: str
    title: str
    name: str
    """Of the object, as the person knows it."""
    explanation: str
    """What will happen, and whether it can be undone."""
    run: Callable[[str], str]
    """Gets the reason, does it, returns the sentence that tells what was done."""
    type_name: bool = False
    """Dangerous: the object's name has to be typed."""
    fields: Callable[[], Callable[[], str]] | None = field(default=None, repr=False)
    """Draws further inputs; what it returns says what is wrong with them, or nothing."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that is shown once."""

    title: str
    text: str
    value: str


def ask(act: Act) -> None:
    """Open the dialog of `act` on this run and those after it, until it is confirmed or closed. Fit for `on_click`."""
    st.session_state[ASKED] = act


def reveal(secret: Secret) -> None:
    """Show `secret` on the next run, until its dialog is closed."""
    st.session_state[SECRET] = secret


def dialog_open() -> bool:
    return ASKED in st.session_state or SECRET in st.session_state


def show_dialogs() -> None:
    """Show what was asked for or is to be shown once. Called once a run, after the page."""
    if secret := st.session_state.get(SECRET):
        st.dialog(secret.title, on_dismiss=lambda: _forget(SECRET))(_secret)(secret)
    elif act := st.session_state.get(ASKED):
        st.dialog(act.title, on_dismiss=lambda: _forget(ASKED))(_confirm)(act)


def _forget(key: str) -> None:
    st.session_state.pop(key, None)


def _secret(secret: Secret) -> None:
    st.markdown(plain(secret.text))
    st.code(secret.value, language=None)
    if st.button(say(texts.CLOSE), key="close", type="primary"):
        _forget(SECRET)
        st.rerun()


def _confirm(act: Act) -> None:
    st.markdown(f"**{plain(act.name)}**")
    st.markdown(act.explanation)
    with st.form(f"form {act.key}", border=False):
        wrong = act.fields() if act.fields else lambda: ""
        reason = st.text_area(say(texts.REASON), key="act reason", max_chars=500, height=80)
        typed = st.text_input(say(texts.TYPE_NAME, name=plain(act.name)), key="act name") if act.type_name else act.name
        confirmed = st.form_submit_button(act.title, key="act confirm", type="primary")
    if st.button(say(texts.CANCEL), key="act cancel"):
        _forget(ASKED)
        st.rerun()
    if confirmed:
        _carry_out(act, reason.strip(), typed.strip(), wrong())


def _carry_out(act: Act, reason: str, typed: str, wrong: str) -> None:
    if fault := wrong or ("" if reason else say(texts.REASON_MISSING)) or ("" if typed == act.name else say(texts.NAME_DIFFERS)):
        st.warning(fault)
        return
    try:
        with st.spinner(act.title):
            done = act.run(reason)
    except SignedOut:
        leave(texts.EXPIRED)
        st.rerun()
    except ApiError as exc:
        show_error(exc)
        return
    _forget(ASKED)
    tell("success", done)
    st.rerun()
