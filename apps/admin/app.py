"""The dashboard as Streamlit runs it: sign-in first, then the pages that this person may open."""

from pathlib import Path

import streamlit as st

from apps.admin import texts
from apps.admin.session import LANGUAGE, REFRESH, Visit, check_still_signed_in, named, plain, say, settings, visit
from apps.admin.signing import show_change_password, show_sign_in, sign_out, signs_in_alone
from llmflow.accounts.permissions import Permission

VIEWS = Path(__file__).with_name("views")
"""Not called pages/: Streamlit would run those by its older way, beside what st.navigation says."""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#0072B2"/>'
    '<path d="M8 23v-6M16 23V9M24 23v-10" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>'
)
"""Of the browser's tab. Streamlit would fetch the icon of the open page from a public font server instead."""
NARROW = """<style>
[data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
[data-testid="stColumn"] { min-width: min(100%, 8.5rem); }
[class*="st-key-charts"] [data-testid="stColumn"] { min-width: min(100%, 22rem); }
</style>"""
"""Columns go below each other where a tablet leaves them no room; Streamlit itself does so on telephones only."""
READABLE = """<style>
[data-testid^="stBaseButton-primary"]:enabled { color: light-dark(#fff, #0e0e0d); }
</style>"""
"""Streamlit writes white on every primary button; on the light blue of the dark theme nobody could read that."""
SECTIONS = {
    "see": (
        ("overview", texts.OVERVIEW, ":material/monitoring:", Permission.USAGE_READ),
        ("health", texts.HEALTH, ":material/ecg_heart:", Permission.HEALTH_READ),
    ),
    "improve": (
        ("documents", texts.DOCUMENTS, ":material/description:", Permission.CORPUS_READ),
        ("quality", texts.QUALITY, ":material/target:", Permission.MODELS_READ),
        ("models", texts.MODELS, ":material/deployed_code:", Permission.MODELS_READ),
        ("conversations", texts.CONVERSATIONS, ":material/forum:", Permission.CONVERSATIONS_REVIEW),
    ),
    "run": (
        ("people", texts.PEOPLE, ":material/group:", Permission.PEOPLE_MANAGE),
        ("audit", texts.AUDIT, ":material/verified_user:", Permission.AUDIT_READ),
    ),
}


def main() -> None:
    st.set_page_config(page_title=say(texts.TITLE), page_icon=ICON, layout="wide")
    st.html(NARROW + READABLE)
    _show_language()
    current = visit()
    if current is None and signs_in_alone():
        current = visit()
    current = current and check_still_signed_in(current)
    if current is None:
        st.navigation([st.Page(show_sign_in, title=say(texts.SIGN_IN), url_path="sign-in")], position="hidden").run()
        return
    if current.me.must_change_password:
        page = st.Page(lambda: show_change_password(current.client), title=say(texts.CHANGE_PASSWORD), url_path="password")
        st.navigation([page], position="hidden").run()
        return
    pages = _pages(current)
    _show_person(current)
    if pages:
        st.navigation(pages).run()
    else:
        st.navigation([st.Page(lambda: _show_nothing(current), title=say(texts.TITLE), url_path="none")], position="hidden").run()


def _pages(current: Visit) -> dict[str, list]:
    """Return the pages by section; whoever lacks the permission gets no page, whatever address is typed."""
    found: dict[str, list] = {}
    first = next((name for pages in SECTIONS.values() for name, *_, needed in pages if current.may(needed)), "")
    for section, pages in SECTIONS.items():
        allowed = [
            st.Page(VIEWS / f"{name}.py", title=say(title), icon=icon, url_path=name, default=name == first)
            for name, title, icon, permission in pages
            if current.may(permission)
        ]
        if allowed:
            found[say(texts.SECTIONS[section])] = allowed
    return found


def _show_language() -> None:
    if LANGUAGE not in st.session_state:
        st.session_state[LANGUAGE] = settings().language
    codes = list(texts.LANGUAGES)
    named_by = texts.LANGUAGES.__getitem__
    st.sidebar.segmented_control(
        "언어 · Language", codes, required=True, format_func=named_by, key=LANGUAGE, label_visibility="collapsed"
    )


def _show_person(current: Visit) -> None:
    me = current.me
    if REFRESH not in st.session_state:
        st.session_state[REFRESH] = True
    st.sidebar.toggle(
        say(texts.REFRESH), key=REFRESH, help=say(texts.REFRESH_HELP, seconds=current.settings.refresh_s)
    )  # fmt: skip
    st.sidebar.caption(
        say(texts.SIGNED_IN_AS, name=me.display_name or me.name, tenant=me.tenant, role=named(texts.ROLES, me.role))
    )
    if me.notice:
        st.sidebar.info(plain(me.notice))
    st.sidebar.button(say(texts.SIGN_OUT), key="sign out", on_click=sign_out, icon=":material/logout:", width="stretch")


def _show_nothing(current: Visit) -> None:
    st.title(say(texts.TITLE), anchor=False)
    st.info(say(texts.NO_PAGES, role=named(texts.ROLES, current.me.role)))


if __name__ == "__main__":
    main()
