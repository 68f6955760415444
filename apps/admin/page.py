"""How each page is opened: its title, what was done last, the page itself, the dialog that is open."""

from collections.abc import Callable

import streamlit as st

from apps.admin.confirming import show_dialogs
from apps.admin.session import Visit, guarded, say, show_told, visit
from apps.admin.texts import Word
from llmflow.accounts.permissions import Permission


def open_page(permission: Permission, title: Word, show: Callable[[Visit], None]) -> None:
    """Show a page to whoever may see it; the API decides again at every request."""
    current = visit()
    if current is None or not current.may(permission):
        return  # navigation offers no such page; this is for a file that is run by another way
    st.title(say(title), anchor=False)
    show_told()
    guarded(show)(current)
    show_dialogs()
