"""Charts that answer a question: the title asks it, axes carry units, colours stay apart for colour-blind eyes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from apps.admin.session import plain

# Okabe and Ito 2008: told apart with any colour vision
BLUE, ORANGE, GREEN, RED, SKY, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8A8A8A"
PALETTE = (BLUE, ORANGE, GREEN, RED, SKY, PURPLE, GREY)
HEIGHT, BAR = 240, 30
UPRIGHT = alt.Axis(format="~s", tickMinStep=1, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-32, titleY=-12)
"""A unit over its axis: Korean that lies on its side is hard to read."""

Values = Sequence[Mapping[str, Any]]


def bars_by_day(values: Values, unit: str, colours: Mapping[str, str]) -> alt.Chart:
    """Return stacked bars; values are {day, series, value}, series in the order of `colours`, which names their colours."""
    return _by_day(values, unit, colours, alt.Chart(_frame(values, colours)).mark_bar())


def lines_by_day(values: Values, unit: str, colours: Mapping[str, str]) -> alt.Chart | None:
    """Return a line a series with a point a day; a day without value is a gap, and nothing but gaps is no chart."""
    if all(value["value"] is None for value in values):
        return None
    return _by_day(values, unit, colours, alt.Chart(_frame(values, colours)).mark_line(point=True, strokeWidth=2), stack=False)


def _by_day(values: Values, unit: str, colours: Mapping[str, str], chart: alt.Chart, stack: bool = True) -> alt.Chart:
    days = sorted({value["day"] for value in values})
    every = max(1, len(days) // 10)
    axis = alt.Axis(labelAngle=0, values=days[::every], labelExpr="substring(datum.label, 5)")
    return chart.encode(
        x=alt.X("day:O", title=None, sort=days, axis=axis),
        y=alt.Y("value:Q", title=unit, stack="zero" if stack else None, axis=UPRIGHT),
        color=_colour(colours),
        order=alt.Order("rank:Q"),
        tooltip=["day:O", "series:N", alt.Tooltip("value:Q", title=unit, format=",.4~f")],
    ).properties(height=HEIGHT)  # fmt: skip


def ranked_bars(values: Values, unit: str, colours: Mapping[str, str], legend: bool = True) -> alt.Chart:
    """Return horizontal bars, the longest first, with what they stand for written at full length; {name, series, value}."""
    frame = _frame(values, colours)
    totals: dict[str, float] = {}
    for value in values:
        totals[value["name"]] = totals.get(value["name"], 0) + value["value"]
    names = sorted(totals, key=lambda name: -totals[name])
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=220)),
            x=alt.X("value:Q", title=unit, axis=alt.Axis(format="~s", tickMinStep=1)),
            color=_colour(colours, legend),
            order=alt.Order("rank:Q"),
            tooltip=["name:N", "series:N", alt.Tooltip("value:Q", title=unit, format=",.4~f")],
        )
        .properties(height=alt.Step(BAR))
    )


def _frame(values: Values, colours: Mapping[str, str]) -> pd.DataFrame:
    places = {name: place for place, name in enumerate(colours)}
    return pd.DataFrame([{**value, "rank": places[value["series"]]} for value in values])


def _colour(colours: Mapping[str, str], legend: bool = True) -> alt.Color:
    shown = alt.Legend(title=None, orient="top", labelLimit=260) if legend and len(colours) > 1 else None
    return alt.Color("series:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=shown)


def show_chart(question: str, answer: str, chart: alt.Chart | None, empty: str) -> None:
    """Show a chart under the question that it answers and the answer in words; without values it shows `empty` instead."""
    with st.container(border=True):
        st.markdown(f"**{plain(question)}**")
        if chart is None:
            st.caption(empty)
            return
        st.caption(plain(answer))
        st.altair_chart(chart, width="stretch")


def days_between(since: date, until: date) -> list[str]:
    """Return the days from `since` to `until`, both included, as ISO dates."""
    return [(since + timedelta(days=place)).isoformat() for place in range((until - since).days + 1)]
