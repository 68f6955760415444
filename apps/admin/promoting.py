"""What pages on settings and on models share: the dialogs that promote and roll back, the history, settings as rows."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin import texts_quality as words
from apps.admin.confirming import Act, ask
from apps.admin.session import Visit, plain, say
from apps.admin.shapes_running import Changed
from apps.admin.tables import show_table
from llmflow.accounts.permissions import Permission

Change = Callable[[str], Changed]


def offer_promotion(key: str, name: str, explanation: str, promote: Change) -> None:
    """Show the button that promotes; the dialog wants a reason and the name typed."""

    def run(reason: str) -> str:
        done = promote(reason)
        return say(words.PROMOTED, name=plain(done.served), before=plain(done.before))

    act = Act(f"promote {key}", say(words.PROMOTE), name, explanation, run, type_name=True)
    st.button(act.title, key="promote", type="primary", icon=":material/publish:", on_click=ask, args=(act,))


def offer_roll_back(visit: Visit, previous: str, roll_back: Change) -> None:
    """Show the button that goes back to `previous`; where that is empty it says that there is nothing to go back to."""
    if not visit.may(Permission.MODELS_PROMOTE):
        st.caption(say(texts.NO_RIGHT, permission=Permission.MODELS_PROMOTE))
        return

    def run(reason: str) -> str:
        done = roll_back(reason)
        return say(words.ROLLED_BACK, name=plain(done.served), before=plain(done.before))

    explanation = say(words.ROLL_BACK_EXPLAIN, name=previous)
    act = Act("roll back", say(words.ROLL_BACK), previous, explanation, run)
    help_text = None if previous else say(words.NOTHING_BEFORE)
    st.button(
        act.title, key="roll back", icon=":material/undo:", on_click=ask, args=(act,), disabled=not previous, help=help_text
    )


def show_history(rows: list[dict[str, Any]], key: str) -> None:
    st.subheader(say(words.HISTORY), anchor=False)
    show_table(rows, key, say(words.NO_HISTORY))


def setting_rows(settings: Mapping[str, Any], above: str = "") -> list[dict[str, str]]:
    """Return settings as rows of dotted key and value, in their order."""
    rows: list[dict[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            rows += setting_rows(value, f"{above}{key}.")
        else:
            rows.append({say(words.SETTING): f"{above}{key}", say(words.VALUE): _told(value)})
    return rows


def _told(value: Any) -> str:
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, bool):
        return say(texts.YES if value else texts.NO)
    return ", ".join(map(_told, value)) if isinstance(value, list) else str(value)
