"""Audit and personal data: whether the record is untouched, who did what, and what was masked where."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from apps.admin import charts, texts
from apps.admin import texts_people as words
from apps.admin.charts import show_chart
from apps.admin.choosing import choose_days
from apps.admin.client import every
from apps.admin.page import open_page
from apps.admin.session import Visit, named, plain, refreshed, say
from apps.admin.shapes import Entry, PiiCount
from apps.admin.tables import moment, show_table
from llmflow.accounts.permissions import Permission

SHOWN = 500
OFFERED = (1, 7, 30, 90)


def show(visit: Visit) -> None:
    record, masked = st.tabs([say(words.AUDIT), say(words.PII)])
    with record:
        refreshed(_show_chain, visit, stamped=False)
        _show_entries(visit)
    with masked:
        _show_pii(visit)


def _show_chain(visit: Visit) -> None:
    found = visit.client.verify_audit()
    if found.ok:
        st.success(say(words.CHAIN_OK, count=f"{found.entries:,}"), icon=":material/verified:")
    else:
        st.error(say(words.CHAIN_BROKEN, number=found.broken, reason=plain(found.fault)), icon=":material/gpp_bad:")


def _show_entries(visit: Visit) -> None:
    people = _people(visit)
    columns = st.columns([2, 2, 1, 1])
    action = columns[0].selectbox(
        say(words.ACTION), ["", *words.ACTIONS], key="audit action",
        format_func=lambda code: named(words.ACTIONS, code) if code else say(words.ANY_ACTION),
    )  # fmt: skip
    actor = columns[1].selectbox(
        say(texts.WHO), ["", "system", "cli", *people], key="audit actor",
        format_func=lambda code: _actor(code, people) if code else say(words.ANYONE),
    )  # fmt: skip
    today = datetime.now(UTC).date()
    since = columns[2].date_input(say(words.SINCE), today - timedelta(days=30), key="audit since")
    until = columns[3].date_input(say(words.UNTIL), today, key="audit until")
    asked = (action, actor, _start(since), _start(until, 1))
    refreshed(_show_found, visit, asked, people)


def _people(visit: Visit) -> dict[str, str]:
    if not visit.may(Permission.PEOPLE_MANAGE):
        return {}
    return {user.id: user.name for user in every(lambda limit, offset: visit.client.users("", limit, offset))}


def _start(day: Any, later: int = 0) -> str:
    return (day + timedelta(days=later)).isoformat() if isinstance(day, date) else ""


def _actor(code: str, people: Mapping[str, str]) -> str:
    return people.get(code) or named({"system": texts.SYSTEM, "cli": texts.COMMAND_LINE}, code)


def _show_found(visit: Visit, asked: tuple[str, str, str, str], people: Mapping[str, str]) -> None:
    found = visit.client.audit(*asked, limit=SHOWN)
    show_table([_row(entry, people) for entry in found.items], "audit", say(words.NO_ENTRIES), total=found.total)


def _row(entry: Entry, people: Mapping[str, str]) -> dict[str, Any]:
    return {
        say(words.NUMBER): entry.number,
        say(words.AT): moment(entry.at),
        say(texts.WHO): _actor(entry.actor, people),
        say(words.ACTION): named(words.DEEDS, entry.action),
        say(words.TARGET): people.get(entry.target, entry.target),
        say(words.DETAILS): told_details(entry.details),
        say(words.CODE): entry.action,
    }


def told_details(details: Mapping[str, Any]) -> str:
    """Return small values as `name: value` joined by semicolons, nested ones too; never JSON."""
    said = {key: value for key, value in details.items() if value not in ("", None)}
    return "; ".join(f"{named(words.DETAIL_NAMES, key)}: {_told(value)}" for key, value in said.items())


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        if set(value) == {"from", "to"}:
            return f"{_told(value['from'])} → {_told(value['to'])}"
        return ", ".join(f"{key} {_told(inner)}" for key, inner in value.items())
    if isinstance(value, bool):
        return say(texts.YES if value else texts.NO)
    return (", ".join(map(_told, value)) or "–") if isinstance(value, list) else str(value)


def _show_pii(visit: Visit) -> None:
    days = choose_days(30, "pii period", OFFERED)
    refreshed(_show_masked, visit, days)


def _show_masked(visit: Visit, days: int) -> None:
    today = datetime.now(UTC).date()
    since = today - timedelta(days=days - 1)
    counts = visit.client.pii(since.isoformat(), (today + timedelta(days=1)).isoformat()).items
    left, right = st.container(key="charts masked").columns(2)
    with left:
        _show_kinds(say(words.PII_WHAT), words.PII_ANSWER, _by_kind(counts), say(words.NO_PII))
    with right:
        _show_days(counts, charts.days_between(since, today))
    if visit.may(Permission.CORPUS_READ):
        _show_kinds(say(words.PII_DOCUMENTS), words.PII_DOCUMENTS_ANSWER, visit.client.corpus().pii, say(words.NO_PII_DOCUMENTS))
    rows = [
        {say(words.DAY): item.day, say(words.KIND): named(words.PII_KINDS, item.kind), say(words.PIECES): item.count}
        for item in counts
    ]
    show_table(rows, "pii", say(words.NO_PII))


def _by_kind(counts: Sequence[PiiCount]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in counts:
        found[item.kind] = found.get(item.kind, 0) + item.count
    return found


def _show_kinds(question: str, answer: texts.Word, counts: Mapping[str, int], empty: str) -> None:
    values = [{"name": named(words.PII_KINDS, kind), "series": "", "value": count} for kind, count in counts.items() if count]
    if not values:
        show_chart(question, "", None, empty)
        return
    most = max(values, key=lambda value: value["value"])
    told = say(answer, total=f"{sum(counts.values()):,}", name=most["name"])
    show_chart(question, told, charts.ranked_bars(values, say(words.PIECES), {"": charts.BLUE}), empty)


def _show_days(counts: Sequence[PiiCount], days: Sequence[str]) -> None:
    if not counts:
        show_chart(say(words.PII_WHEN), "", None, say(words.NO_PII))
        return
    by_kind = _by_kind(counts)
    most = sorted(by_kind, key=lambda kind: -by_kind[kind])
    shown = [named(words.PII_KINDS, kind) for kind in most]
    colours = {name: charts.PALETTE[place % len(charts.PALETTE)] for place, name in enumerate(dict.fromkeys(shown))}
    known = {(item.day, item.kind): item.count for item in counts}
    values = [
        {"day": day, "series": name, "value": known.get((day, kind), 0)}
        for day in days
        for kind, name in zip(most, shown, strict=True)
    ]
    show_chart(
        say(words.PII_WHEN), say(words.PII_WHEN_ANSWER), charts.bars_by_day(values, say(words.PIECES), colours), say(words.NO_PII)
    )


if __name__ == "__main__":
    open_page(Permission.AUDIT_READ, texts.AUDIT, show)
