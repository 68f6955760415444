"""Retrieval quality: the settings that serve, what may be promoted, what people think of answers, where it is weak."""

from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin import texts_quality as words
from apps.admin.choosing import choose_days
from apps.admin.page import open_page
from apps.admin.promoting import offer_promotion, offer_roll_back, setting_rows, show_history
from apps.admin.quality_figures import show_people, show_reports, show_wrong
from apps.admin.session import Visit, named, plain, refreshed, say
from apps.admin.shapes_running import Retrieval, RetrievalChange, RetrievalVerdict
from apps.admin.tables import moment, show_table
from llmflow.accounts.permissions import Permission


def show(visit: Visit) -> None:
    retrieval = visit.client.retrieval()
    _show_served(visit, retrieval)
    _show_verdicts(visit, retrieval)
    show_history([_change(change) for change in retrieval.history], "retrieval history")
    days = choose_days(30, "period")
    refreshed(show_people, visit, days)
    if visit.may(Permission.CONVERSATIONS_REVIEW):
        show_wrong(visit)
    show_reports(visit)


def _show_served(visit: Visit, retrieval: Retrieval) -> None:
    served = retrieval.served
    st.subheader(say(words.SERVED), anchor=False)
    if retrieval.problem:
        st.error(plain(retrieval.problem))
    with st.container(border=True):
        origin = say(words.FROM_CONF) if served.origin == "conf" else say(words.PROMOTED_AS, label=served.label)
        st.markdown(f"`{served.id}` · {origin}")
        if served.since:
            st.caption(plain(say(words.SINCE, at=moment(served.since), by=served.by, reason=served.reason)))
        if retrieval.not_served_from_conf:
            st.warning(say(words.NOT_FROM_CONF, keys=plain(", ".join(retrieval.not_served_from_conf))))
        with st.expander(say(words.SETTINGS), icon=":material/tune:"):
            show_table(setting_rows(retrieval.settings), "settings", say(texts.NONE))
        previous = retrieval.previous
        offer_roll_back(visit, f"{previous.label} ({previous.id})" if previous else "", visit.client.roll_back_retrieval)


def _show_verdicts(visit: Visit, retrieval: Retrieval) -> None:
    st.subheader(say(words.VERDICTS), anchor=False)
    verdicts = retrieval.verdicts
    place = show_table([_row(verdict) for verdict in verdicts], "verdicts", say(words.NO_VERDICTS), select=True)
    if place is None:
        if verdicts:
            st.caption(say(words.SELECT_VERDICT))
        return
    verdict = verdicts[place]
    with st.container(border=True):
        st.markdown(f"**{plain(verdict.label)}** `{verdict.id}`")
        for reason in verdict.reasons:
            st.markdown(f"- {plain(reason)}")
        obstacle = _obstacle(retrieval, verdict)
        if obstacle:
            st.info(obstacle)
        elif visit.may(Permission.MODELS_PROMOTE):

            def promote(reason: str):
                return visit.client.promote_retrieval(verdict.id, reason)

            offer_promotion(verdict.id, verdict.label or verdict.id, say(words.PROMOTE_EXPLAIN), promote)


def _obstacle(retrieval: Retrieval, verdict: RetrievalVerdict) -> str:
    """Return why these settings cannot be promoted; empty where they can, as far as is seen from here."""
    if verdict.id == retrieval.served.id:
        return say(words.SERVES_ALREADY)
    if verdict.decision != "PROMOTE":
        return say(words.REJECTED)
    if verdict.champion != retrieval.served.id:
        return say(words.OUTDATED, against=verdict.champion or say(texts.NONE), served=retrieval.served.id)
    return ""


def _row(verdict: RetrievalVerdict) -> dict[str, Any]:
    return {
        say(words.LABEL): verdict.label,
        say(words.DECISION): named(texts.DECISIONS, verdict.decision),
        say(words.AGAINST): verdict.champion or say(texts.NONE),
        say(words.MADE_AT): moment(verdict.made_at),
        say(words.REASONS): " ".join(verdict.reasons),
        say(words.ID): verdict.id,
    }


def _change(change: RetrievalChange) -> dict[str, Any]:
    return {
        say(words.AT): moment(change.at),
        say(words.ACTION): named(texts.ACTIONS, change.action),
        say(words.NOW): change.id,
        say(words.BEFORE): change.before,
        say(words.BY): change.by,
        say(words.WHY): change.reason,
    }


if __name__ == "__main__":
    open_page(Permission.MODELS_READ, texts.QUALITY, show)
