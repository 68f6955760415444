"""Conversations and feedback, masked: what people asked, what they thought of the answers, and the export for training."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import streamlit as st

from apps.admin import texts
from apps.admin import texts_people as words
from apps.admin.choosing import choose
from apps.admin.client import every
from apps.admin.confirming import Act, ask
from apps.admin.page import open_page
from apps.admin.session import Visit, named, plain, say
from apps.admin.shapes import Account, Feedback, Message, Session
from apps.admin.tables import milliseconds, moment, show_table
from llmflow.accounts.permissions import Permission

WINDOW = 50
EXPORTED, LOOKED = "exported", "looked"
Found = TypeVar("Found")


def show(visit: Visit) -> None:
    st.caption(say(words.MASKED))
    parts = {"talks": words.CONVERSATIONS, "feedback": words.FEEDBACK, "export": words.EXPORT}
    part = choose(words.SHOW, parts, "talks", "conversations part")
    {"talks": _show_conversations, "feedback": _show_feedback, "export": _show_export}[part](visit)


def _looked(ask: Callable[[], Found], *asked: Any) -> Found:
    """Return what `ask` returns, asked once for the same question: each look is audited, and a page runs at every click."""
    kept = st.session_state.get(LOOKED)
    if st.button(say(words.LOOK_AGAIN), key="look again", icon=":material/refresh:") or kept is None or kept[0] != asked:
        kept = st.session_state[LOOKED] = (asked, ask())
    return kept[1]


def _people(visit: Visit) -> dict[str, Account]:
    if not visit.may(Permission.PEOPLE_MANAGE):
        return {}
    return {user.id: user for user in every(lambda limit, offset: visit.client.users("", limit, offset))}


def _show_conversations(visit: Visit) -> None:
    people = _people(visit)
    left, middle, right = st.columns([3, 2, 1])
    search = left.text_input(say(texts.SEARCH), key="talk search", icon=":material/search:").strip()
    account_id = middle.selectbox(
        say(words.WHO), ["", *people], key="talk who",
        format_func=lambda code: people[code].name if code in people else say(words.ANYONE),
    )  # fmt: skip
    page = right.number_input(say(words.PAGE), 1, 10_000, 1, key="talk page")
    asked = (search, account_id, WINDOW, (int(page) - 1) * WINDOW)
    found = _looked(lambda: visit.client.conversations(*asked), "talks", *asked)
    rows = [_row(session, people) for session in found.items]
    place = show_table(rows, "conversations", say(words.NO_CONVERSATIONS), select=True, total=found.total)
    if place is not None:
        _show_conversation(visit, found.items[place], people)
    elif found.items:
        st.caption(say(words.SELECT_CONVERSATION))


def _who(account_id: str, people: dict[str, Account]) -> str:
    return people[account_id].name if account_id in people else account_id


def _row(session: Session, people: dict[str, Account]) -> dict[str, Any]:
    return {
        say(words.LAST): moment(session.updated_at),
        say(words.WHO): _who(session.account_id, people),
        say(words.TITLE): session.title,
        say(words.MESSAGES): session.messages,
        say(words.BEGAN): moment(session.created_at),
    }


def _show_conversation(visit: Visit, session: Session, people: dict[str, Account]) -> None:
    messages = visit.client.conversation(session.id).items
    with st.container(border=True):
        st.markdown(f"**{plain(say(words.OPENED, title=session.title, who=_who(session.account_id, people)))}**")
        for message in messages:
            with st.chat_message("user" if message.role == "user" else "assistant"):
                st.markdown(plain(message.content))
                if message.role == "assistant":
                    _show_about(message)


def _show_about(message: Message) -> None:
    details = message.details
    time = milliseconds(details.get("total_ms"))
    confidence = details.get("confidence")
    shown = f"{confidence:.2f}" if isinstance(confidence, int | float) else "–"
    told = [say(words.ABOUT_ANSWER, model=details.get("model") or "–", confidence=shown, time=time)]
    if message.status != "done":
        told.append(named(words.STATUSES, message.status))
    if details.get("cached"):
        told.append(say(words.FROM_CACHE))
    st.caption(plain(" · ".join(told)))
    if message.citations:
        titles = dict.fromkeys(citation.title for citation in message.citations)
        st.caption(plain(say(words.SOURCES, titles=", ".join(titles))))
    if message.rating:
        icon = ":material/thumb_up:" if message.rating == "up" else ":material/thumb_down:"
        st.markdown(f"{icon} {say(words.RATINGS[message.rating])} {plain(message.reason)}")
    if message.correction:
        st.markdown(f"**{say(words.CORRECTION)}:** {plain(message.correction)}")


def _show_feedback(visit: Visit) -> None:
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    with left:
        rating = choose(words.RATING, words.RATINGS, "", "rating")
    page = right.number_input(say(words.PAGE), 1, 10_000, 1, key="feedback page")
    asked = (rating, WINDOW, (int(page) - 1) * WINDOW)
    found = _looked(lambda: visit.client.feedback(*asked), "feedback", *asked)
    rows = [_feedback_row(item) for item in found.items]
    place = show_table(rows, "feedback", say(words.NO_FEEDBACK), select=True, total=found.total)
    if place is not None:
        item = found.items[place]
        with st.container(border=True):
            for word, text in ((words.QUESTION, item.question), (words.ANSWER, item.answer), (words.CORRECTION, item.correction)):
                if text:
                    st.markdown(f"**{say(word)}**  \n{plain(text)}")


def _feedback_row(item: Feedback) -> dict[str, Any]:
    return {
        say(words.AT): moment(item.at),
        say(words.RATING): named(words.RATINGS, item.rating),
        say(words.REASON): item.reason,
        say(words.QUESTION): item.question,
        say(words.ANSWER): item.answer,
        say(words.CORRECTION): item.correction,
        say(words.MODEL): item.model,
    }


def _show_export(visit: Visit) -> None:
    st.markdown(say(words.EXPORT_EXPLAIN))
    since = st.date_input(say(words.EXPORT_SINCE), datetime.now(UTC).date() - timedelta(days=90), key="export since")
    judged_only = st.toggle(say(words.JUDGED_ONLY), True, key="export judged")
    day = str(since)

    def run(reason: str) -> str:
        snapshot = visit.client.export_conversations(day, judged_only, reason)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in snapshot.items)
        st.session_state[EXPORTED] = (f"conversations-{day}.jsonl", lines)
        return (
            say(words.EXPORTED, count=f"{snapshot.total:,}", snapshot=snapshot.snapshot)
            if snapshot.total
            else say(words.EXPORTED_NONE)
        )

    act = Act("export", say(words.EXPORT), say(words.EXPORT_NAME, since=day), say(words.EXPORT_EXPLAIN), run)
    st.button(act.title, key="export", icon=":material/ios_share:", on_click=ask, args=(act,))
    name, lines = st.session_state.get(EXPORTED, ("", ""))
    if lines:
        label = say(words.SAVE, name=name)
        st.download_button(label, lines, name, "application/jsonl", key="save export", type="primary", on_click=_taken)


def _taken() -> None:
    st.session_state.pop(EXPORTED, None)


if __name__ == "__main__":
    open_page(Permission.CONVERSATIONS_REVIEW, texts.CONVERSATIONS, show)
