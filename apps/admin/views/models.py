"""Models: what answers now, which adapters are there and what the gate said, promoting and rolling back with a reason."""

from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin import texts_quality as words
from apps.admin.page import open_page
from apps.admin.promoting import offer_promotion, offer_roll_back, show_history
from apps.admin.session import Visit, named, plain, say
from apps.admin.shapes_running import ModelChange, Models, Version
from apps.admin.tables import moment, show_table
from llmflow.accounts.permissions import Permission


def show(visit: Visit) -> None:
    models = visit.client.models()
    _show_served(visit, models)
    st.subheader(say(words.VERSIONS), anchor=False)
    place = show_table([_row(version) for version in models.versions], "models", say(words.NO_VERSIONS), select=True)
    if place is not None:
        _show_version(visit, models, models.versions[place])
    elif models.versions:
        st.caption(say(words.SELECT_VERDICT))
    show_history([_change(change) for change in models.history], "model history")


def _show_served(visit: Visit, models: Models) -> None:
    st.subheader(say(words.SERVED), anchor=False)
    served = models.served
    if served is None:
        st.info(say(words.NO_MODEL))
        return
    figures = [(words.MODEL, served.model), (words.BASE, served.base), (words.REPLICAS, str(served.replicas)),
               (words.PREVIOUS, served.previous or say(texts.NONE))]  # fmt: skip
    for column, (word, value) in zip(st.columns([2, 1, 1, 2]), figures, strict=True):
        column.metric(say(word), value, border=True)
    if served.smoke:
        st.warning(say(words.SMOKE))
    previous = served.previous or (served.base if served.model != served.base else "")
    offer_roll_back(visit, previous, visit.client.roll_back_model)


def _row(version: Version) -> dict[str, Any]:
    verdict = version.verdict
    return {
        say(words.LABEL): version.name,
        say(words.NUMBER): version.number,
        say(words.ALIASES): ", ".join(named(words.ALIAS_NAMES, alias) for alias in version.aliases),
        say(words.DECISION): named(texts.DECISIONS, verdict.decision if verdict else ""),
        say(words.AGAINST): (verdict.champion or say(texts.NONE)) if verdict else "",
        say(words.MADE_AT): moment(verdict.made_at) if verdict else "",
        say(words.BASE): version.base_model,
        say(words.CREATED): moment(version.created_at),
    }


def _show_version(visit: Visit, models: Models, version: Version) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(version.name)}**")
        obstacle = _obstacle(models, version)
        if obstacle:
            st.info(obstacle)
        elif visit.may(Permission.MODELS_PROMOTE):

            def promote(reason: str):
                return visit.client.promote_model(version.name, reason)

            offer_promotion(version.name, version.name, say(words.PROMOTE_MODEL_EXPLAIN), promote)
        if version.verdict:
            st.markdown(f"**{say(words.CHECKS)}**")
            checks = [
                {say(words.CHECK): check.name, say(words.PASSED): say(texts.YES if check.passed else texts.NO),
                 say(words.MEASURED): check.value, say(words.LIMIT): check.limit, say(words.REASONS): check.reason}
                for check in version.verdict.checks
            ]  # fmt: skip
            show_table(checks, "checks", say(words.NOT_JUDGED))
        if version.metrics:
            st.markdown(f"**{say(words.METRICS)}**")
            rows = [{say(words.METRIC): name, say(words.VALUE): value} for name, value in sorted(version.metrics.items())]
            show_table(rows, "training figures", "")


def _obstacle(models: Models, version: Version) -> str:
    """Return why this version cannot be promoted; empty where it can, as far as is seen from here."""
    if "champion" in version.aliases:
        return say(words.SERVES_ALREADY)
    if version.verdict is None:
        return say(words.NOT_JUDGED)
    if version.verdict.decision != "PROMOTE":
        return say(words.REJECTED)
    served, against = models.served, (version.verdict.champion or "").split("@")[0]
    if served is not None and against != served.model:
        return say(words.OUTDATED, against=against or say(texts.NONE), served=served.model)
    return ""


def _change(change: ModelChange) -> dict[str, Any]:
    return {
        say(words.AT): moment(change.at),
        say(words.ACTION): named(texts.ACTIONS, change.action),
        say(words.NOW): change.champion,
        say(words.BEFORE): change.before,
        say(words.BY): change.who,
        say(words.WHY): change.why,
    }


if __name__ == "__main__":
    open_page(Permission.MODELS_READ, texts.MODELS, show)
