"""The review page, driven headless: what is shown, what a decision writes, what cannot be decided."""

import json
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from apps.review.main import SCRIPT, command
from apps.review.texts import ENGLISH, KOREAN, Texts
from llmflow.evaluation.judged_sets import load_sample_questions

ORIGIN = {"generator": "templates", "template": "table", "model": "", "date": "2026-11-25", "fingerprint": "abc"}
ROW = {
    "id": "",
    "text": "",
    "language": "ko",
    "kind": "table",
    "tenant": "acme",
    "groups": ["hr"],
    "answer": "15일",
    "forbidden": [],
}
QUOTE = "| 연차 | **15일** |\n<b>둘째 줄</b>"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        ROW
        | {
            "id": f"gen-{n}",
            "text": f"질문 {n}은 무엇인가요?",
            "evidence": [{"source": "hr/a.md", "quote": QUOTE}],
            "origin": ORIGIN,
        }
        for n in range(3)
    ]
    trap = {"kind": "unanswerable", "answer": "", "evidence": [], "origin": ORIGIN | {"template": "look-alike"}}
    rows.append(ROW | {"id": "gen-3", "text": "없는 것은?", **trap})
    rows.append(ROW | {"id": "own-1", "text": "사람이 쓴 질문?", "evidence": [{"source": "hr/a.md", "quote": "연차"}]})
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def open_page(file: Path, monkeypatch: pytest.MonkeyPatch, by: str = "김검토") -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(file), "--by", by])
    page = AppTest.from_file(str(SCRIPT), default_timeout=60).run()
    assert not page.exception
    return page


def reviews(file: Path) -> dict[str, tuple[str, str, bool] | None]:
    found = load_sample_questions(file, with_rejected=True)
    return {q.id: q.review and (q.review.decision, q.review.by, q.review.edited) for q in found}


def test_a_decision_is_written_at_once_and_the_next_question_follows(file: Path, monkeypatch: pytest.MonkeyPatch):
    page = open_page(file, monkeypatch)
    assert page.text_area(key="text gen-0").value == "질문 0은 무엇인가요?"
    assert page.code[0].value == QUOTE, "the quote is shown as it stands, whatever marks it holds"
    page.button(key="accept").click().run()
    assert reviews(file) == {"gen-0": ("accepted", "김검토", False), "gen-1": None, "gen-2": None, "gen-3": None, "own-1": None}
    assert page.text_area(key="text gen-1").value == "질문 1은 무엇인가요?"

    page.text_area(key="text gen-1").set_value("연차는 며칠인가요?").run()
    assert page.button(key="accept").label == KOREAN.accept_edited
    page.button(key="accept").click().run()
    page.text_input(key="note gen-2").set_value("뜻이 없다")
    page.button(key="reject").click().run()
    assert reviews(file)["gen-1"] == ("accepted", "김검토", True)
    assert reviews(file)["gen-2"] == ("rejected", "김검토", False)
    questions = {q.id: q for q in load_sample_questions(file, with_rejected=True)}
    assert questions["gen-1"].text == "연차는 며칠인가요?" and questions["gen-2"].review.note == "뜻이 없다"
    assert questions["gen-1"].origin is not None and questions["gen-1"].review.at.endswith("+00:00")
    assert page.warning[0].value == KOREAN.unanswerable
    assert "gen-2" not in {q.id for q in load_sample_questions(file)}, "what was rejected is not asked"


def test_decisions_can_be_seen_and_taken_back(file: Path, monkeypatch: pytest.MonkeyPatch):
    page = open_page(file, monkeypatch)
    page.button(key="reject").click().run()
    page.selectbox(key="show").select("rejected").run()
    assert page.text_area(key="text gen-0").value == "질문 0은 무엇인가요?"
    page.button(key="undo").click().run()
    assert reviews(file)["gen-0"] is None
    assert page.info[0].value == KOREAN.nothing
    page.selectbox(key="show").select("all").run()
    page.button(key="forward").click().run()
    assert page.text_area(key="text gen-1").value
    page.button(key="back").click().run()
    page.button(key="back").click().run()
    assert page.text_area(key="text gen-3").value == "없는 것은?", "before the first comes the last"
    page.selectbox(key="template").select("table").run()
    assert page.text_area(key="text gen-0").value, "another list begins at its first"


def test_nobody_decides_without_a_name_or_on_an_empty_question(file: Path, monkeypatch: pytest.MonkeyPatch):
    page = open_page(file, monkeypatch, by=" ")
    assert page.button(key="accept").disabled and page.button(key="reject").disabled
    page.text_input(key="by").set_value("Kim").run()
    assert not page.button(key="accept").disabled
    page.text_area(key="text gen-0").set_value("  ").run()
    assert page.button(key="accept").disabled


def test_the_page_speaks_english_and_tells_a_broken_file(file: Path, monkeypatch: pytest.MonkeyPatch):
    page = open_page(file, monkeypatch)
    page.radio(key="language").set_value("English").run()
    assert page.button(key="reject").label == ENGLISH.reject
    file.write_text("{", encoding="utf-8")
    page.run()
    assert "not valid JSON" in page.error[0].value


def test_both_languages_have_every_word():
    for name in Texts.__dataclass_fields__:
        korean, english = getattr(KOREAN, name), getattr(ENGLISH, name)
        assert bool(korean) and bool(english)
        if isinstance(korean, dict):
            assert korean.keys() == english.keys()


def test_the_command_keeps_to_this_machine(file: Path):
    started = command(file, "Kim", 8501)
    assert "--server.address=127.0.0.1" in started and "--browser.gatherUsageStats=false" in started
    assert started[-4:] == ["--", str(file), "--by", "Kim"]
