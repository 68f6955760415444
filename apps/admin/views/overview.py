"""Overview: what needs somebody today, how much the chat is used, how long people wait, what it costs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from apps.admin import charts, texts
from apps.admin import texts_overview as words
from apps.admin.attention import what_needs_attention
from apps.admin.charts import show_chart
from apps.admin.choosing import choose_days
from apps.admin.page import open_page
from apps.admin.session import Visit, plain, refreshed, say
from apps.admin.shapes_running import Usage
from apps.admin.tables import milliseconds, rounded, share, show_table
from llmflow.accounts.permissions import Permission

Figure = tuple[texts.Word, str, str | None]
"""What it is, its value, its change against the period before."""
HERE = Path(__file__).parent
WAITING = {
    words.LATENCY_P50: "latency_p50_ms",
    words.LATENCY_P95: "latency_p95_ms",
    words.TTFT_P50: "ttft_p50_ms",
    words.TTFT_P95: "ttft_p95_ms",
}


def show(visit: Visit) -> None:
    refreshed(_show_attention, visit, stamped=False)
    days = choose_days(7, "period")
    refreshed(_show_use, visit, days)


def _show_attention(visit: Visit) -> None:
    st.subheader(say(words.ATTENTION), anchor=False)
    items = what_needs_attention(visit, datetime.now(UTC).date())
    if not items:
        st.success(say(words.ALL_WELL), icon=":material/check_circle:")
    for item in items:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            colour, icon = ("red", "error") if item.grave else ("orange", "warning")
            remedy = f"  \n{plain(item.remedy)}" if item.remedy else ""
            st.markdown(f":{colour}[:material/{icon}:] {plain(item.text)}{remedy}", width="stretch")
            st.page_link(HERE / f"{item.page}.py", label=say(words.OPEN), icon=":material/arrow_forward:")


def _show_use(visit: Visit, days: int) -> None:
    today = datetime.now(UTC).date()
    since, until = today - timedelta(days=days - 1), today + timedelta(days=1)
    client = visit.client
    by_day = client.usage(since.isoformat(), until.isoformat(), "day")
    before = client.usage((since - timedelta(days=days)).isoformat(), since.isoformat(), "day").whole
    _show_figures(by_day.whole, before, by_day.currency)
    if not by_day.whole.questions:
        st.info(say(words.NO_USE))
        return
    by_group = client.usage(since.isoformat(), until.isoformat(), "group").rows
    by_model = client.usage(since.isoformat(), until.isoformat(), "model").rows
    filled = _every_day(by_day.rows, since, today)
    with st.container(key="charts"):
        left, right = st.columns(2)
        with left:
            _show_questions(filled, by_day.whole)
            _show_wrong(filled, by_day.whole)
        with right:
            _show_waiting(filled, by_day.whole)
            _show_cache(filled, by_day.whole)
        _show_tokens_by_day(filled, by_day.whole)
        left, right = st.columns(2)
        with left:
            _show_cost(by_group, say(words.COST_GROUP), words.COST_GROUP_ANSWER)
        with right:
            _show_cost(by_model, say(words.COST_MODEL), words.COST_MODEL_ANSWER)
    _show_tables(by_day.rows, by_group, by_model, by_day.currency)


def _show_figures(now: Usage, before: Usage, currency: str) -> None:
    """Show the figures against the period before: more use is good, more waiting is not, cost is neither."""
    used = [
        (words.QUESTIONS, f"{now.questions:,}", _change(now.questions, before.questions)),
        (words.PEOPLE, f"{now.people:,}", _change(now.people, before.people)),
    ]
    waited = [
        (word, milliseconds(getattr(now, name)), _change(getattr(now, name), getattr(before, name)))
        for word, name in WAITING.items()
    ]
    wrong = [
        (words.ERRORS, share(now.errors, now.questions), _points(now.errors, now, before.errors, before)),
        (words.REFUSED, share(now.refused, now.questions), _points(now.refused, now, before.refused, before)),
    ]
    cached = (words.CACHED, share(now.cached, now.questions), _points(now.cached, now, before.cached, before))
    columns = [*st.columns(5), *st.columns(5)]
    _show_metrics(columns[:2], used, "normal")
    _show_metrics(columns[2:8], [*waited, *wrong], "inverse")
    _show_metrics(columns[8:9], [cached], "normal")
    _show_metrics(columns[9:], [_spent(now, before, currency)], "off")


def _show_metrics(columns: Sequence[Any], figures: Sequence[Figure], colour: Literal["normal", "inverse", "off"]) -> None:
    for column, (word, value, change) in zip(columns, figures, strict=True):
        column.metric(say(word), value, change, delta_color=colour, border=True, help=say(words.BEFORE))


def _spent(now: Usage, before: Usage, currency: str) -> Figure:
    """Return the figure of cost: in money where the settings name prices, else in tokens."""
    if now.cost:
        return words.COST, f"{now.cost:,.2f} {currency}", _change(now.cost, before.cost)
    return words.TOKENS, rounded(now.tokens), _change(now.tokens, before.tokens)


def _change(now: float | None, before: float | None) -> str | None:
    return f"{100 * (now - before) / before:+.0f}%" if now and before and now != before else None


def _points(now: int, of: Usage, before: int, of_before: Usage) -> str | None:
    if not of.questions or not of_before.questions:
        return None
    return f"{100 * (now / of.questions - before / of_before.questions):+.1f} %p"


def _every_day(items: Sequence[Usage], since: date, until: date) -> list[Usage]:
    known = {item.key[:10]: item for item in items}
    zeros = {name: 0 for name in Usage.model_fields if name != "key"}
    return [known.get(day) or Usage(key=day, **zeros) for day in charts.days_between(since, until)]


def _values(days: Sequence[Usage], series: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [{"day": day.key[:10], "series": name, "value": value(day)} for day in days for name, value in series.items()]
    return [value for value in found if value["value"] is not None]


def _show_questions(days: Sequence[Usage], total: Usage) -> None:
    names = [say(words.ANSWERED), say(words.REFUSED), say(words.ERRORS)]
    answered = total.questions - total.refused - total.errors
    series = {
        names[0]: lambda day: day.questions - day.refused - day.errors,
        names[1]: lambda day: day.refused,
        names[2]: lambda day: day.errors,
    }
    colours = dict(zip(names, (charts.BLUE, charts.ORANGE, charts.RED), strict=True))
    told = say(words.USE_ANSWER, questions=f"{total.questions:,}", answered=share(answered, total.questions))
    show_chart(say(words.USE), told, charts.bars_by_day(_values(days, series), say(words.QUESTIONS), colours), say(words.NO_USE))


def _show_waiting(days: Sequence[Usage], total: Usage) -> None:
    fields = {words.LATENCY_P95: "latency_p95_ms", words.LATENCY_P50: "latency_p50_ms", words.TTFT_P50: "ttft_p50_ms"}
    series = {say(word): lambda day, name=name: _seconds(getattr(day, name)) for word, name in fields.items()}
    colours = dict(zip(series, (charts.RED, charts.BLUE, charts.GREEN), strict=True))
    told = say(words.WAIT_ANSWER, p50=milliseconds(total.latency_p50_ms), p95=milliseconds(total.latency_p95_ms))
    chart = charts.lines_by_day(_values(days, series), say(words.SECONDS), colours)
    show_chart(say(words.WAIT), told, chart, say(words.NO_USE))


def _seconds(value: float) -> float | None:
    """Return seconds; None where nothing was measured, which the API tells as 0."""
    return value / 1000 if value else None


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _show_wrong(days: Sequence[Usage], total: Usage) -> None:
    series = {
        say(words.ERRORS): lambda day: _percent(day.errors, day.questions),
        say(words.REFUSED): lambda day: _percent(day.refused, day.questions),
    }
    colours = dict(zip(series, (charts.RED, charts.ORANGE), strict=True))
    told = say(words.WRONG_ANSWER, errors=share(total.errors, total.questions), refused=share(total.refused, total.questions))
    chart = charts.lines_by_day(_values(days, series), say(words.PERCENT), colours)
    show_chart(say(words.WRONG), told, chart, say(words.NO_USE))


def _show_cache(days: Sequence[Usage], total: Usage) -> None:
    series = {say(words.CACHED): lambda day: _percent(day.cached, day.questions)}
    chart = charts.lines_by_day(_values(days, series), say(words.PERCENT), dict.fromkeys(series, charts.GREEN))
    show_chart(say(words.CACHE), say(words.CACHE_ANSWER, share=share(total.cached, total.questions)), chart, say(words.NO_USE))


def _token_colours() -> dict[str, str]:
    return {say(words.TOKENS_IN): charts.SKY, say(words.TOKENS_OUT): charts.BLUE}


def _show_tokens_by_day(days: Sequence[Usage], total: Usage) -> None:
    series = {say(words.TOKENS_IN): lambda day: day.prompt_tokens, say(words.TOKENS_OUT): lambda day: day.completion_tokens}
    chart = charts.bars_by_day(_values(days, series), say(words.TOKENS), _token_colours()) if total.tokens else None
    told = say(words.COST_ANSWER, tokens_in=f"{total.prompt_tokens:,}", tokens_out=f"{total.completion_tokens:,}")
    show_chart(say(words.COST_DAY), told, chart, say(words.NO_TOKENS))


def _show_cost(items: Sequence[Usage], question: str, answer: texts.Word) -> None:
    total = sum(item.tokens for item in items)
    if not total:
        show_chart(question, "", None, say(words.NO_TOKENS))
        return
    values = []
    for item in items:
        name = _name(item.key)
        values += [
            {"name": name, "series": say(words.TOKENS_IN), "value": item.prompt_tokens},
            {"name": name, "series": say(words.TOKENS_OUT), "value": item.completion_tokens},
        ]
    most = max(items, key=lambda item: item.tokens)
    told = say(answer, name=_name(most.key), share=share(most.tokens, total))
    show_chart(question, told, charts.ranked_bars(values, say(words.TOKENS), _token_colours()), say(words.NO_TOKENS))


def _show_tables(by_day: Sequence[Usage], by_group: Sequence[Usage], by_model: Sequence[Usage], currency: str) -> None:
    with st.expander(say(words.TABLES), icon=":material/table:"):
        headings = (words.DAY, words.GROUP, words.MODEL)
        tabs = st.tabs([say(words.BY_DAY), say(words.BY_GROUP), say(words.BY_MODEL)])
        for tab, heading, items, key in zip(tabs, headings, (by_day, by_group, by_model), ("day", "group", "model"), strict=True):
            with tab:
                show_table([_row(item, say(heading), currency) for item in items], f"usage by {key}", say(words.NO_USE))


def _name(key: str) -> str:
    """Return a key as people read it; `(none)` is the API's word for people without a group."""
    return say(words.NO_GROUP) if key in ("", "(none)") else key


def _row(item: Usage, heading: str, currency: str) -> dict[str, Any]:
    return {
        heading: _name(item.key),
        say(words.QUESTIONS): item.questions,
        say(words.PEOPLE): item.people,
        say(words.ERRORS): item.errors,
        say(words.REFUSED): item.refused,
        say(words.CACHED): item.cached,
        f"{say(words.LATENCY_P50)} (ms)": item.latency_p50_ms,
        f"{say(words.LATENCY_P95)} (ms)": item.latency_p95_ms,
        f"{say(words.TTFT_P50)} (ms)": item.ttft_p50_ms,
        f"{say(words.TTFT_P95)} (ms)": item.ttft_p95_ms,
        say(words.TOKENS_IN): item.prompt_tokens,
        say(words.TOKENS_OUT): item.completion_tokens,
        f"{say(words.COST)} ({currency})": item.cost,
    }


if __name__ == "__main__":
    open_page(Permission.USAGE_READ, texts.OVERVIEW, show)
