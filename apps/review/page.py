"""The page itself, run by Streamlit: one question at a time, its evidence beside it, every decision saved at once."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from apps.review.texts import LANGUAGES, Texts
from llmflow.errors import DatasetError
from llmflow.evaluation.judged_questions import JudgedQuestion
from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.evaluation.question_files import change_question, reviewed, standings, undecided


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--by", default="")
    options = parser.parse_args(arguments)
    st.set_page_config(page_title="llmflow review", layout="wide")
    texts = LANGUAGES[st.sidebar.radio("언어 · Language", list(LANGUAGES), horizontal=True, key="language")]
    st.sidebar.title(texts.title)
    by = (st.sidebar.text_input(texts.by, value=options.by, key="by") or "").strip()
    try:
        questions = [q for q in load_sample_questions(options.file, with_rejected=True) if q.origin is not None]
    except DatasetError as exc:
        st.error(str(exc))
        return
    _show_progress(questions, texts, options.file)
    chosen = _chosen(questions, texts)
    if not chosen:
        st.info(texts.nothing)
        return
    place = min(st.session_state.get("place", 0), len(chosen) - 1)
    _show_question(chosen, place, texts, by, options.file)


def _show_progress(questions: Sequence[JudgedQuestion], texts: Texts, file: Path) -> None:
    counts = standings(questions)
    done = counts["reviewed"] + counts["rejected"]
    told = texts.progress.format(done=done, total=len(questions), accepted=counts["reviewed"], rejected=counts["rejected"])
    st.sidebar.progress(done / len(questions) if questions else 0.0, text=told)
    st.sidebar.caption(file.name)


def _chosen(questions: Sequence[JudgedQuestion], texts: Texts) -> list[JudgedQuestion]:
    def restart() -> None:
        st.session_state["place"] = 0

    standing = st.sidebar.selectbox(
        texts.show, list(texts.shown), format_func=lambda name: texts.shown[name], key="show", on_change=restart
    )
    templates = sorted({question.origin.template for question in questions if question.origin})
    template = st.sidebar.selectbox(
        texts.template, ["", *templates], format_func=lambda name: name or texts.every, key="template", on_change=restart
    )
    st.sidebar.caption(texts.keys)
    return [
        question
        for question in questions
        if standing in ("all", question.standing) and question.origin and template in ("", question.origin.template)
    ]


def _show_question(chosen: Sequence[JudgedQuestion], place: int, texts: Texts, by: str, file: Path) -> None:
    question = chosen[place]
    origin = question.origin
    assert origin is not None
    groups = ", ".join(sorted(question.principal.groups)) or texts.everyone
    made = texts.made_by.format(template=origin.template, generator=origin.model or origin.generator, date=origin.date)
    st.caption(f"{place + 1} / {len(chosen)} · {made} · {texts.asker.format(tenant=question.principal.tenant, groups=groups)}")
    left, right = st.columns(2, gap="large")
    with left:
        text = st.text_area(texts.question, question.text, key=f"text {question.id}", height=110)
        answer = question.answer or ""
        if question.answerable:
            answer = st.text_area(texts.answer, answer, key=f"answer {question.id}", height=80, help=texts.answer_hint)
        st.text_input(texts.note, question.review.note if question.review else "", key=f"note {question.id}")
        _show_buttons(question, place, len(chosen), (text, answer), texts, by, file)
    with right:
        _show_evidence(question, texts)


def _show_evidence(question: JudgedQuestion, texts: Texts) -> None:
    st.subheader(texts.evidence, anchor=False)
    if not question.answerable:
        st.warning(texts.unanswerable)
    if question.forbidden:
        st.warning(texts.forbidden.format(sources=", ".join(question.forbidden)))
    for item in question.evidence:
        st.text(item.source)
        st.code(item.quote, language=None, wrap_lines=True)


def _show_buttons(
    question: JudgedQuestion, place: int, count: int, wording: tuple[str, str], texts: Texts, by: str, file: Path
) -> None:
    text, answer = wording
    edited = (" ".join(text.split()), answer.strip()) != (question.text, question.answer or "")
    if question.review:
        review = question.review
        st.success(texts.decided.format(decision=review.decision, by=review.by, at=review.at))
    if not by:
        st.warning(texts.by_missing)
    if not text.strip():
        st.warning(texts.empty_question)
    able = bool(by and text.strip())
    row = st.container(horizontal=True)

    def decide(decision: str) -> None:
        """Write what stands in the fields now: an edit and the click behind it can arrive together."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        text, answer, note = (st.session_state.get(f"{name} {question.id}") for name in ("text", "answer", "note"))
        change_question(file, question.id, lambda found: reviewed(found, decision, by, at, text, answer, note or ""))
        stays = st.session_state.get("show") == "all" or question.review is not None
        st.session_state["place"] = place + 1 if stays else place  # a decided question leaves the list by itself

    def take_back() -> None:
        change_question(file, question.id, undecided)

    def move(to: int) -> None:
        st.session_state["place"] = to % count

    label = texts.accept_edited if edited else texts.accept
    row.button(label, key="accept", type="primary", shortcut="A", disabled=not able, on_click=decide, args=("accepted",))
    row.button(texts.reject, key="reject", shortcut="X", disabled=not able, on_click=decide, args=("rejected",))
    row.button(texts.undo, key="undo", shortcut="U", disabled=question.review is None, on_click=take_back)
    row.button(texts.back, key="back", shortcut="P", disabled=count < 2, on_click=move, args=(place - 1,))
    row.button(texts.forward, key="forward", shortcut="N", disabled=count < 2, on_click=move, args=(place + 1,))


if __name__ == "__main__":
    main(sys.argv[1:])
