"""System health: which part works, what to do where one does not, whether the index is fresh, whether work waits."""

from typing import Any

import streamlit as st

from apps.admin import charts, texts
from apps.admin import texts_documents as words
from apps.admin.charts import show_chart
from apps.admin.client import ApiError
from apps.admin.jobs import show_jobs
from apps.admin.metrics_text import read_metrics
from apps.admin.page import open_page
from apps.admin.session import Visit, named, plain, refreshed, say
from apps.admin.shapes import Corpus
from apps.admin.shapes_running import Part
from apps.admin.tables import moment, show_table
from llmflow.accounts.permissions import Permission

COLOURS = {"ok": ("green", "check_circle"), "degraded": ("orange", "warning"), "failed": ("red", "error")}


def show(visit: Visit) -> None:
    refreshed(_show_parts, visit, stamped=False)
    if visit.may(Permission.CORPUS_READ):
        refreshed(_show_freshness, visit, stamped=False)
        st.subheader(say(words.QUEUE), anchor=False)
        refreshed(_show_queue, visit, stamped=False)
    refreshed(_show_metrics, visit)


def _show_parts(visit: Visit) -> None:
    parts = sorted(visit.client.health().parts, key=lambda part: part.status == "ok")
    ill = [part for part in parts if part.status != "ok"]
    if ill:
        st.error(say(words.SOME_DOWN, count=len(ill), names=plain(", ".join(named(words.PARTS, part.name) for part in ill))))
    else:
        st.success(say(words.ALL_WORK), icon=":material/check_circle:")
    columns = st.columns(2)
    for place, part in enumerate(parts):
        with columns[place % 2]:
            _show_part(part)
    with st.expander(say(texts.AS_TABLE), icon=":material/table:"):
        show_table([_part_row(part) for part in parts], "health", say(words.ALL_WORK))


def _show_part(part: Part) -> None:
    colour, icon = COLOURS.get(part.status, ("orange", "help"))
    name, status = plain(named(words.PARTS, part.name)), plain(named(words.PART_STATUSES, part.status))
    with st.container(border=True):
        st.markdown(f":{colour}[:material/{icon}:] **{name}** · :{colour}[{status}]  \n{plain(part.detail)}")
        if part.remedy and part.status != "ok":
            st.markdown(f"**{say(words.REMEDY)}:** {plain(part.remedy)}")


def _part_row(part: Part) -> dict[str, Any]:
    return {
        say(words.NAME): named(words.PARTS, part.name),
        say(words.STATUS): named(words.PART_STATUSES, part.status),
        say(words.DETAIL): part.detail,
        say(words.REMEDY): part.remedy,
    }


def _show_freshness(visit: Visit) -> None:
    corpus = visit.client.corpus()
    st.subheader(say(words.FRESHNESS), anchor=False)
    ready = corpus.by_status.get("ready", 0)
    figures = [
        (words.SEARCHABLE, f"{ready:,} / {corpus.documents:,}"),
        (words.CHUNKS, f"{corpus.chunks:,}"),
        (words.WAITING, f"{corpus.waiting:,}"),
        (words.FRESHNESS_AGE, _age(corpus.freshness_s)),
    ]
    for column, (word, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(say(word), value, border=True)
    told = [say(words.INDEXED_AT, at=moment(corpus.newest_at))] if corpus.newest_at else []
    told += [say(words.VECTORS, space=corpus.vector_space)] if corpus.vector_space else []
    st.caption(plain(" · ".join(told)))
    left, right = st.container(key="charts documents").columns(2)
    with left:
        _show_counts(corpus)
    with right:
        _show_formats(corpus)


def _age(seconds: float) -> str:
    if not seconds:
        return say(words.NOTHING_WAITS)
    return (
        say(words.HOURS, count=round(seconds / 3600))
        if seconds >= 5400
        else say(words.MINUTES, count=max(1, round(seconds / 60)))
    )


def _show_counts(corpus: Corpus) -> None:
    colours = {"ready": charts.BLUE, "processing": charts.SKY, "pending": charts.GREY, "failed": charts.RED}
    values = [
        {"name": named(words.STATUSES, code), "series": named(words.STATUSES, code), "value": count}
        for code, count in corpus.by_status.items()
        if count
    ]
    shown = {named(words.STATUSES, code): colours.get(code, charts.PURPLE) for code in [*colours, *corpus.by_status]}
    told = say(words.BY_STATUS_ANSWER, total=f"{corpus.documents:,}", ready=f"{corpus.by_status.get('ready', 0):,}")
    chart = charts.ranked_bars(values, say(words.COUNT), shown, legend=False) if values else None
    show_chart(say(words.BY_STATUS), told, chart, say(words.NOTHING))


def _show_formats(corpus: Corpus) -> None:
    values = [{"name": name, "series": "", "value": count} for name, count in corpus.by_format.items()]
    if not values:
        show_chart(say(words.BY_FORMAT), "", None, say(words.NOTHING))
        return
    most = max(values, key=lambda value: value["value"])
    told = say(words.BY_FORMAT_ANSWER, name=most["name"], count=f"{most['value']:,}")
    show_chart(say(words.BY_FORMAT), told, charts.ranked_bars(values, say(words.COUNT), {"": charts.BLUE}), say(words.NOTHING))


def _show_queue(visit: Visit) -> None:
    counts = [(word, visit.client.jobs(status=code, limit=1).total) for word, code in (
        (words.QUEUE_WAITING, "waiting"), (words.QUEUE_RUNNING, "running"), (words.QUEUE_FAILED, "failed"),
    )]  # fmt: skip
    for column, (word, count) in zip(st.columns(len(counts)), counts, strict=True):
        column.metric(say(word), f"{count:,}", border=True)
    show_jobs(visit, "job queue")


def _show_metrics(visit: Visit) -> None:
    with st.expander(say(words.METRICS), icon=":material/speed:"):
        try:
            samples = read_metrics(visit.client.metrics(), "llmflow")
        except ApiError as exc:
            if exc.status != 403:
                raise
            st.info(plain(" ".join(exc.sentences)))
            return
        rows = [
            {say(words.METRIC): sample.name, say(words.LABELS): sample.labels, say(words.VALUE): sample.value,
             say(words.MEANING): sample.help}
            for sample in samples
        ]  # fmt: skip
        show_table(rows, "metrics", say(words.NO_METRICS))


if __name__ == "__main__":
    open_page(Permission.HEALTH_READ, texts.HEALTH, show)
