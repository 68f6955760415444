"""Tables: one look, one selection, one CSV button under each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from apps.admin import texts
from apps.admin.session import say
from apps.csv_export import csv_bytes

ROW_PIXELS, MOST_ROWS = 35, 12


def show_table(
    rows: Sequence[Mapping[str, Any]],
    key: str,
    empty: str,
    select: bool = False,
    total: int | None = None,
    formats: Mapping[str, Any] | None = None,
) -> int | None:
    """Show `rows`, whose keys are the headings, with their CSV; returns the place of the selected row with `select`.

    Without rows it shows `empty`, which says what to do. `formats` are Streamlit's column settings by heading.
    """
    if not rows:
        st.info(empty)
        return None
    frame = pd.DataFrame(list(rows))
    height = ROW_PIXELS * (min(len(rows), MOST_ROWS) + 1) + 3
    shown: dict[str, Any] = {"hide_index": True, "width": "stretch", "height": height, "column_config": dict(formats or {})}
    shown["placeholder"] = ""  # of what was not measured
    place = None
    if select:
        chosen = st.dataframe(frame, key=key, on_select="rerun", selection_mode="single-row", **shown)
        selected = list(chosen["selection"]["rows"])
        place = selected[0] if selected and selected[0] < len(rows) else None
    else:
        st.dataframe(frame, key=key, **shown)
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption(say(texts.ROWS, shown=len(rows), total=f"{total if total is not None else len(rows):,}"))
    right.download_button(
        say(texts.CSV),
        csv_bytes(list(rows[0]), rows),
        f"{key.replace(' ', '-')}-{datetime.now(UTC):%Y%m%d}.csv",
        "text/csv",
        key=f"csv {key}",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )
    return place


def moment(at: str) -> str:
    """Return an ISO time to the minute, as people read it; what is no time stays as it is."""
    try:
        return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return at


def milliseconds(value: float | None) -> str:
    """Return a duration in the unit that suits it; a dash where nothing was measured."""
    if not value:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def rounded(count: int) -> str:
    """Return a count that fits a figure: whole below a million, else to three digits."""
    return f"{count:,}" if count < 1_000_000 else f"{count / 1e6:,.3g} M" if count < 1e9 else f"{count / 1e9:,.3g} G"


def share(part: float, whole: float) -> str:
    """Return a percentage; a dash of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "–"


def size(count: int) -> str:
    """Return bytes as people read them."""
    value = float(count)
    for unit in ("B", "KB", "MB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GB"
