"""Figures of quality: what people judged, where evidence is missing, what was confidently wrong, what evaluation measured."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from apps.admin import charts, texts
from apps.admin import texts_quality as words
from apps.admin.charts import show_chart
from apps.admin.choosing import choose
from apps.admin.reports import Figure, figures, is_share
from apps.admin.session import Visit, named, say
from apps.admin.shapes_running import Answers, Judgements, Quality
from apps.admin.tables import moment, share, show_table

CONFIDENT = 0.6
"""Answers at least so sure are looked at when somebody judged them bad."""


def show_people(visit: Visit, days: int) -> None:
    """Show what people thought of the answers of so many days, and whether evidence was found."""
    today = datetime.now(UTC).date()
    since = today - timedelta(days=days - 1)
    period = (since.isoformat(), (today + timedelta(days=1)).isoformat())
    every = charts.days_between(since, today)
    by_day = visit.client.quality(*period, "day")
    left, right = st.container(key="charts people").columns(2)
    with left:
        _show_judgements(by_day.feedback, every)
    with right:
        _show_found(by_day.answers, every)
    st.subheader(say(words.SLICES), anchor=False)
    by = choose(words.KIND, words.SLICED_BY, "language", "slice by")
    found = by_day if by == "day" else visit.client.quality(*period, by)
    show_table(_slices(found, by), f"quality by {by}", say(words.NO_ANSWERS))


def _show_judgements(rows: Sequence[Judgements], days: Sequence[str]) -> None:
    judged = sum(row.judged for row in rows)
    if not judged:
        show_chart(say(words.FEEDBACK), "", None, say(words.NO_FEEDBACK))
        return
    up, down = sum(row.up for row in rows), sum(row.down for row in rows)
    known = {row.key: row for row in rows}
    good, bad = say(words.UP), say(words.DOWN)
    values = [
        {"day": day, "series": name, "value": getattr(known[day], field) if day in known else 0}
        for day in days
        for name, field in ((good, "up"), (bad, "down"))
    ]
    told = say(words.FEEDBACK_ANSWER, up=up, down=down, share=share(up, judged))
    colours = {good: charts.BLUE, bad: charts.RED}
    show_chart(say(words.FEEDBACK), told, charts.bars_by_day(values, say(words.JUDGEMENTS), colours), say(words.NO_FEEDBACK))


def _show_found(rows: Sequence[Answers], days: Sequence[str]) -> None:
    answers = sum(row.answers for row in rows)
    if not answers:
        show_chart(say(words.SURE), "", None, say(words.NO_ANSWERS))
        return
    found = sum(row.answers * row.found_share for row in rows)
    known = {row.key: row for row in rows}
    series = {say(words.FOUND): "found_share", say(words.CONFIDENCE): "mean_confidence"}
    values = [
        {"day": day, "series": name, "value": 100 * getattr(known[day], field) if day in known else None}
        for day in days
        for name, field in series.items()
    ]
    told = say(words.SURE_ANSWER, answers=f"{answers:,}", share=share(found, answers))
    colours = dict(zip(series, (charts.GREEN, charts.PURPLE), strict=True))
    show_chart(say(words.SURE), told, charts.lines_by_day(values, say(words.PERCENT), colours), say(words.NO_ANSWERS))


def _slices(found: Quality, by: str) -> list[dict[str, Any]]:
    answers = {row.key: row for row in found.answers}
    judged = {row.key: row for row in found.feedback}
    return [_slice(key, by, answers.get(key), judged.get(key)) for key in sorted({*answers, *judged})]


def _slice(key: str, by: str, answers: Answers | None, judged: Judgements | None) -> dict[str, Any]:
    row: dict[str, Any] = {say(words.SLICE_NAMES[by]): _key(key, by)}
    if by != "reason":
        row |= {
            say(words.ANSWERS): answers.answers if answers else 0,
            f"{say(words.FOUND)} (%)": _hundredth(answers.found_share) if answers else None,
            f"{say(words.CONFIDENCE)} (%)": _hundredth(answers.mean_confidence) if answers else None,
            f"{say(words.CACHED)} (%)": _hundredth(answers.cached_share) if answers else None,
        }
    return row | {
        say(words.UP): judged.up if judged else 0,
        say(words.DOWN): judged.down if judged else 0,
        say(words.CORRECTED): judged.corrected if judged else 0,
        f"{say(words.UP_SHARE)} (%)": _hundredth(judged.up_share) if judged else None,
    }


def _hundredth(value: float) -> float:
    return round(100 * value, 1)


def _key(key: str, by: str) -> str:
    if by == "language":
        return named(words.LANGUAGES, key)
    if by == "kind":
        return named(words.QUESTION_KINDS, key)
    return say(words.NO_REASON) if by == "reason" and key == "(none)" else key


def show_wrong(visit: Visit) -> None:
    """Show confident answers that people judged bad. Each look is audited, so it waits until somebody asks for it."""
    st.subheader(say(words.WRONG), anchor=False)
    st.caption(say(words.WRONG_HELP, floor=f"{CONFIDENT:.1f}"))
    if not st.toggle(say(words.WRONG_SHOW), key="show wrong"):
        return
    items = [item for item in visit.client.feedback("down", 500).items if item.confidence >= CONFIDENT]
    rows = [
        {say(words.AT): moment(item.at), say(words.CONFIDENCE_ONE): item.confidence, say(words.QUESTION): item.question,
         say(words.ANSWER): item.answer, say(words.WHY): item.reason, say(words.CORRECTION): item.correction}
        for item in sorted(items, key=lambda item: -item.confidence)
    ]  # fmt: skip
    show_table(rows, "confidently wrong", say(words.NO_WRONG))


def show_reports(visit: Visit) -> None:
    """Show what the newest retrieval evaluation of the workspace measured, slice by slice."""
    st.subheader(say(words.REPORTS), anchor=False)
    found = [(report, figures(report.content)) for report in visit.client.quality().reports if report.name == "retrieval"]
    if not any(measured for _, measured in found):
        st.info(say(words.NO_REPORTS))
        return
    for report, measured in found:
        st.caption(say(words.REPORT_AT, at=moment(report.at)))
        left, right = st.container(key="charts reports").columns(2)
        for column, part, question in ((left, "channels", words.BY_CHANNEL), (right, "kinds", words.BY_KIND)):
            with column:
                _show_recall(say(question), [figure for figure in measured if figure.part == part])
        rows = [_figure_row(figure) for figure in measured]
        with st.expander(say(texts.AS_TABLE), icon=":material/table:"):
            show_table(rows, "evaluation", say(words.NO_REPORTS))


def _show_recall(question: str, measured: Sequence[Figure]) -> None:
    """Show one measure of every slice: recall at 5 where it is there, else the first share."""
    shares = [figure for figure in measured if is_share(figure)]
    names = list(dict.fromkeys(figure.measure for figure in shares))
    if not names:
        show_chart(question, "", None, say(words.NO_REPORTS))
        return
    measure = "R@5" if "R@5" in names else names[0]
    chosen = [figure for figure in shares if figure.measure == measure]
    weakest = min(chosen, key=lambda figure: figure.value)
    values: list[Mapping[str, Any]] = [
        {"name": named(words.SLICE_WORDS, f.slice), "series": measure, "value": 100 * f.value} for f in chosen
    ]
    told = say(words.WEAKEST, name=named(words.SLICE_WORDS, weakest.slice), value=f"{100 * weakest.value:.1f}", measure=measure)
    chart = charts.ranked_bars(values, f"{measure} (%)", {measure: charts.BLUE})
    show_chart(question, told, chart, say(words.NO_REPORTS))


def _figure_row(figure: Figure) -> dict[str, Any]:
    return {
        say(words.PART): named(words.PARTS, figure.part),
        say(words.SLICE): named(words.SLICE_WORDS, figure.slice),
        say(words.MEASURE): figure.measure,
        say(words.VALUE): round(figure.value, 4),
    }
