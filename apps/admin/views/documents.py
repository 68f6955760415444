"""Documents: what is searchable, what failed and what to do, re-indexing, deleting, uploads for groups, jobs on their way."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin import texts_documents as words
from apps.admin.client import PAGE, ApiError
from apps.admin.confirming import Act, ask
from apps.admin.jobs import show_jobs
from apps.admin.page import open_page
from apps.admin.session import Visit, named, plain, refreshed, say
from apps.admin.shapes import Corpus, Document
from apps.admin.tables import moment, show_table, size
from llmflow.accounts.permissions import Permission
from llmflow.types import EVERYONE

OWN = "own space"
"""What the API shows in place of the group of a person's own space."""


def show(visit: Visit) -> None:
    _show_counts(visit.client.corpus())
    may_change = visit.may(Permission.CORPUS_MANAGE)
    found = _filtered(visit)
    if may_change:
        _offer_failed(visit, [document for document in found if document.status == "failed"])
    wide = {say(words.FAILURE): st.column_config.TextColumn(width="large")} if any(item.reason for item in found) else {}
    place = show_table(
        [_row(document, bool(wide)) for document in found], "documents", say(words.NOTHING), select=True, formats=wide
    )
    if len(found) >= PAGE:
        st.caption(say(words.FIRST_ROWS, count=PAGE))
    if place is not None:
        _show_document(visit, found[place], may_change)
    elif found:
        st.caption(say(words.SELECT))
    if not may_change:
        st.caption(say(texts.NO_RIGHT, permission=Permission.CORPUS_MANAGE))
    if visit.may(Permission.UPLOAD):
        _show_upload(visit, may_change)
    st.subheader(say(words.JOBS), anchor=False)
    refreshed(show_jobs, visit, "jobs")


def _show_counts(corpus: Corpus) -> None:
    counts = corpus.by_status
    figures = [
        (words.ALL_DOCUMENTS, corpus.documents),
        (words.SEARCHABLE, counts.get("ready", 0)),
        (words.FAILED, counts.get("failed", 0)),
        (words.ON_THE_WAY, counts.get("pending", 0) + counts.get("processing", 0)),
        (words.CHUNKS, corpus.chunks),
    ]
    for column, (word, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(say(word), f"{value:,}", border=True)


def _filtered(visit: Visit) -> list[Document]:
    left, middle, right = st.columns([2, 2, 3])
    status = left.selectbox(
        say(words.STATUS), ["", *words.STATUSES], key="document status",
        format_func=lambda code: named(words.STATUSES, code) if code else say(texts.ALL),
    )  # fmt: skip
    space = middle.selectbox(
        say(words.SPACE), list(words.SPACES), format_func=lambda code: named(words.SPACES, code), key="document space"
    )
    search = right.text_input(say(texts.SEARCH), key="document search", icon=":material/search:")
    speaking = st.checkbox(say(words.HOLDS_INSTRUCTIONS), key="holds instructions")
    found = visit.client.documents(status, search.strip(), space, instructions=speaking).items
    return sorted(found, key=lambda document: document.status != "failed")  # what needs somebody first


def _row(document: Document, with_reason: bool) -> dict[str, Any]:
    return {
        say(words.STATUS): named(words.STATUSES, document.status),
        say(words.SOURCE): document.source,
        **({say(words.FAILURE): document.reason} if with_reason else {}),
        say(words.TITLE): document.title,
        say(words.GROUPS): shown_groups(document.groups),
        say(words.FORMAT): document.format,
        say(words.CHUNKS): document.chunks,
        say(words.PAGES): document.pages,
        say(words.SIZE): size(document.size),
        say(words.PII): sum(document.pii.values()),
        say(words.SCREENING): _screened(document),
        say(words.UPDATED): moment(document.updated_at),
    }


def _screened(document: Document) -> str:
    if document.released_at:
        return say(words.RELEASED)
    return ", ".join(f"{named(words.SCREENED, kind)} {count}" for kind, count in document.screening.items())


def shown_groups(groups: Sequence[str]) -> str:
    return ", ".join(say(words.EVERYONE) if group == EVERYONE else group for group in groups)


def _show_document(visit: Visit, document: Document, may_change: bool) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(document.title or document.source)}**  \n{plain(document.source)}")
        told = [
            f"{say(words.STATUS)}: {named(words.STATUSES, document.status)}",
            f"{say(words.SPACE)}: {named(words.SPACE_SHOWN, document.space)}",
            f"{say(words.GROUPS)}: {shown_groups(document.groups)}",
            f"{say(words.CHUNKS)}: {document.chunks:,}",
            f"{say(words.PII)}: {', '.join(f'{kind} {count}' for kind, count in document.pii.items()) or say(texts.NONE)}",
            f"{say(words.SCREENING)}: {_screened(document) or say(texts.NONE)}",
        ]
        st.markdown(plain(" · ".join(told)))
        if document.released_at:
            st.info(say(words.RELEASED_AT, at=moment(document.released_at)), icon=":material/verified_user:")
        if document.reason:
            st.error(f"**{say(words.FAILURE)}**\n\n{plain(document.reason)}")
        if document.space != "other" and document.screening:
            _show_speaking(visit, document)
        if may_change or document.space == "own":
            with st.container(horizontal=True):
                if may_change:
                    _offer_release(visit, document)
                _show_buttons(visit, document)


def _show_speaking(visit: Visit, document: Document) -> None:
    found = visit.client.speaking(document.id)
    with st.expander(f"{say(words.SPEAKING)}: {found.total}", icon=":material/shield:"):
        for passage in found.items:
            place = " · ".join(filter(None, (named(words.SCREENED, passage.found), passage.heading)))
            st.markdown(f"**{plain(place)}**  \n{plain(passage.excerpt)}")
            st.caption(plain("; ".join(passage.reasons)))
        if found.total > len(found.items):
            st.caption(say(words.SPEAKING_MORE, count=found.total, shown=len(found.items)))


def _show_buttons(visit: Visit, document: Document) -> None:
    name = document.source

    def reindex(reason: str) -> str:
        visit.client.reindex(document.id, reason)
        return say(words.REINDEXED, name=plain(name))

    def delete(reason: str) -> str:
        done = visit.client.delete_document(document.id, reason)
        return say(words.DELETED_LATER if done.job else words.DELETED, name=plain(name))

    again = Act(f"reindex {document.id}", say(words.REINDEX), name, say(words.REINDEX_EXPLAIN), reindex)
    gone = Act(f"delete {document.id}", say(words.DELETE), name, say(words.DELETE_EXPLAIN), delete, type_name=True)
    st.button(again.title, key="reindex", icon=":material/sync:", on_click=ask, args=(again,))
    st.button(gone.title, key="delete", icon=":material/delete:", on_click=ask, args=(gone,))


def _offer_release(visit: Visit, document: Document) -> None:
    """Offer to take a document as it stands, or to judge it again. What lies in a person's own space nobody releases."""
    name = document.source

    def release(reason: str) -> str:
        visit.client.release(document.id, document.content_hash, reason)
        return say(words.RELEASING, name=plain(name))

    def withdraw(reason: str) -> str:
        visit.client.withdraw_release(document.id, reason)
        return say(words.WITHDRAWN, name=plain(name))

    if document.released_at:
        act = Act(f"withdraw {document.id}", say(words.WITHDRAW), name, say(words.WITHDRAW_EXPLAIN), withdraw)
        st.button(act.title, key="withdraw release", icon=":material/remove_moderator:", on_click=ask, args=(act,))
    elif document.screening and OWN not in document.groups and document.status in ("ready", "failed"):
        act = Act(f"release {document.id}", say(words.RELEASE), name, say(words.RELEASE_EXPLAIN), release)
        st.button(act.title, key="release", icon=":material/verified_user:", on_click=ask, args=(act,))


def _offer_failed(visit: Visit, failed: Sequence[Document]) -> None:
    if not failed:
        return

    def reindex(reason: str) -> str:
        for document in failed:
            visit.client.reindex(document.id, reason)
        return say(words.REINDEXED_ALL, count=len(failed))

    title = say(words.REINDEX_FAILED, count=len(failed))
    names = ", ".join(document.source for document in failed[:5]) + (" …" if len(failed) > 5 else "")
    act = Act("reindex failed", title, names, say(words.REINDEX_FAILED_EXPLAIN, count=len(failed)), reindex)
    st.button(title, key="reindex failed", icon=":material/sync_problem:", on_click=ask, args=(act,))


def _show_upload(visit: Visit, for_groups: bool) -> None:
    with st.expander(say(words.UPLOAD), icon=":material/upload_file:"):
        generation = st.session_state.setdefault("uploads", 0)
        files = st.file_uploader(say(words.FILES), accept_multiple_files=True, key=f"files {generation}")
        groups: list[str] = []
        if for_groups:
            known = [group.name for group in visit.client.groups().items] if visit.may(Permission.PEOPLE_MANAGE) else []
            groups = st.multiselect(
                say(words.UPLOAD_GROUPS), [EVERYONE, *known], key="upload groups", accept_new_options=not known,
                format_func=lambda group: say(words.EVERYONE) if group == EVERYONE else group,
            )  # fmt: skip
        ready = bool(files) and (bool(groups) or not for_groups)
        if not ready:
            st.caption(say(words.UPLOAD_NEEDS))

        def upload(reason: str) -> str:
            return _upload(visit, [(file.name, file.getvalue()) for file in files], groups, reason)

        names = ", ".join(file.name for file in files)
        whom = shown_groups(groups) or say(words.UPLOAD_OWN)
        act = Act(
            "upload", say(words.UPLOAD_BUTTON), names, say(words.UPLOAD_EXPLAIN, count=len(files), groups=plain(whom)), upload
        )
        st.button(act.title, key="upload", disabled=not ready, on_click=ask, args=(act,), icon=":material/upload:")


def _upload(visit: Visit, files: Sequence[tuple[str, bytes]], groups: Sequence[str], reason: str) -> str:
    """Upload one file after the other; what one is refused for does not hold up the others, and is told."""
    taken, refused = 0, []
    for name, content in files:
        try:
            visit.client.upload(name, content, groups, reason)
            taken += 1
        except ApiError as exc:
            if exc.status not in (400, 413, 415, 422):
                raise
            refused.append(say(words.UPLOAD_REFUSED, name=plain(name), error=plain(" ".join(exc.sentences))))
    st.session_state["uploads"] += 1
    return "\n\n".join([say(words.UPLOADED, count=taken), *refused])


if __name__ == "__main__":
    open_page(Permission.CORPUS_READ, texts.DOCUMENTS, show)
