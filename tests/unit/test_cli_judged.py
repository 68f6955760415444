"""`llmflow judged`: from documents to questions, to measures, to a BEIR folder that `eval` reads, and back."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmflow.cli import app
from llmflow.evaluation.judged_sets import load_judged_set, load_sample_questions
from llmflow.evaluation.question_files import change_question, reviewed

pytestmark = pytest.mark.xdist_group("cli")

DOCUMENTS = {
    "shared/systems.md": (
        "# 시스템 목록\n\n| 시스템 | 담당 팀 |\n| --- | --- |\n| 구름창고 | 자료관리팀 |\n| 바람결재 | 업무지원팀 |\n"
    ),
    "shared/contacts.csv": "팀 이름,내선,자리\n자료관리팀,4410,본관 3층\n업무지원팀,4520,별관 1층\n",
    "hr/leave.md": (
        "# 휴가 규정\n\n## 연차\n\n연차는 한 해 15일까지 쓸 수 있고, 남은 연차는 넘어가지 않는다. 문의는 010-1234-5678.\n"
    ),
    "hr/pay.md": "# Pay\n\n## Bonus\n\nA bonus means a payment on top of the salary. The bonus is paid within 30 days.\n",
}
ACCESS = 'default: {tenant: acme, groups: ["*"]}\nrules:\n  - {path: "hr/**", tenant: acme, groups: [hr]}\n'


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with four documents and the questions generated from them; LLMFLOW_HOME points to it while the module runs."""
    folder = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(folder / "home"))
        patch.setenv("OMP_NUM_THREADS", "1")
        for name, text in DOCUMENTS.items():
            (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "docs" / name).write_text(text, encoding="utf-8")
        (folder / "docs" / "access.yml").write_text(ACCESS, encoding="utf-8")
        assert run("ingest", str(folder / "docs")).exit_code == 0
        done = run("judged", "generate", "--out", str(folder / "questions.jsonl"))
        assert done.exit_code == 0, done.output
        assert "llmflow judged review" in done.stdout
        yield folder


def run(*arguments: str):
    return CliRunner().invoke(app, [*arguments])


def run_json(monkeypatch: pytest.MonkeyPatch, *arguments: str, status: int = 0):
    monkeypatch.setattr(sys, "argv", ["llmflow", *arguments, "--json"])
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_questions_are_generated_labelled_and_proved_by_what_is_served(corpus, monkeypatch):
    questions = load_sample_questions(corpus / "questions.jsonl")
    texts = {question.text for question in questions}
    assert "연차는 한 해 며칠까지 쓸 수 있나요?" in texts
    assert "구름창고의 담당 팀에 해당하는 곳 또는 항목의 내선은 무엇인가요?" in texts
    assert {question.standing for question in questions} == {"generated"}
    assert "010-" not in (corpus / "questions.jsonl").read_text(encoding="utf-8")
    checked = run_json(monkeypatch, "judged", "check", str(corpus / "questions.jsonl"))
    assert checked["standings"]["generated"] == checked["questions"] == len(questions)
    assert checked["evidence_not_served"] == []


def test_generating_again_keeps_what_was_decided(corpus, tmp_path, monkeypatch):
    path = tmp_path / "again.jsonl"
    run_json(monkeypatch, "judged", "generate", "--out", str(path), "--limit", "6", "--offline")
    first, second, *_ = load_sample_questions(path)
    change_question(path, first.id, lambda found: reviewed(found, "accepted", "Kim", "t", "고친 질문?"))
    change_question(path, second.id, lambda found: reviewed(found, "rejected", "Kim", "t"))
    shown = run_json(monkeypatch, "judged", "generate", "--out", str(path), "--limit", "6", "--seed", "3", "--offline")
    assert (shown["standings"]["reviewed"], shown["standings"]["rejected"]) == (1, 1)
    assert "고친 질문?" in {question.text for question in load_sample_questions(path)}
    found = run_json(monkeypatch, "judged", "evaluate", str(path))
    assert found["questions"]["reviewed"] == 1 and found["questions"]["generated"] >= 4
    assert (
        "1 reviewed" not in run("judged", "check", str(path)).stdout and "reviewed 1" in run("judged", "check", str(path)).stdout
    )


def test_the_questions_measure_the_corpus(corpus, monkeypatch):
    found = run_json(monkeypatch, "judged", "evaluate", str(corpus / "questions.jsonl"))
    assert found["channels"]["fused"]["R@5"] == 1.0 and found["leaks"] == 0
    assert found["answers"]["overall"]["faithful"] == 1.0 and found["answers"]["judge"] == ""
    shown = run("judged", "evaluate", str(corpus / "questions.jsonl")).stdout
    assert "faithful" in shown and "generated" in shown and "judged" not in shown


def test_an_export_is_read_by_eval_and_comes_back_as_it_was(corpus, tmp_path, monkeypatch):
    own, folder, back = corpus / "questions.jsonl", tmp_path / "beir", tmp_path / "back.jsonl"
    shown = run_json(monkeypatch, "judged", "export", str(own), str(folder), "--all")
    questions = load_sample_questions(own)
    assert shown["questions"] == len(questions) and shown["left_out"] == {}
    found = run_json(monkeypatch, "eval", str(folder), "--no-latency")
    assert found["questions"] == sum(question.answerable for question in questions)
    assert found["rows"]["fused"]["R@5"] > 0.9
    run_json(monkeypatch, "judged", "import", str(folder), str(back))
    assert load_sample_questions(back) == questions
    assert "not empty" in run("judged", "export", str(own), str(folder), "--all").output
    assert "exists" in run("judged", "import", str(folder), str(back)).output


def test_an_export_for_one_person_holds_what_they_may_read(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "beir"
    shown = run_json(monkeypatch, "judged", "export", str(corpus / "questions.jsonl"), str(folder), "--tenant", "acme")
    written = load_judged_set(folder)
    assert not any("연차" in passage.text or "bonus" in passage.text for passage in written.passages)
    assert not any("연차" in question.text for question in written.questions if question.answerable)
    assert shown["left_out"]["evidence not among the passages"] >= 1


def test_a_foreign_set_is_imported_with_its_documents(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "foreign"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "title": "Tides", "text": "Spring tides are strong. They come twice."}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "Which tides are strong?"}\n')
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t1\n")
    questions = tmp_path / "q.jsonl"
    assert "--documents" in run("judged", "import", str(folder), str(questions)).output
    arguments = ("judged", "import", str(folder), str(questions), "--tenant", "acme", "--documents", str(tmp_path / "docs"))
    assert run_json(monkeypatch, *arguments)["documents"] == 1
    assert run_json(monkeypatch, "judged", "check", str(questions), status=1)["evidence_not_served"] == ["q1"]
    run_json(monkeypatch, "ingest", str(tmp_path / "docs"), "--tenant", "acme")
    assert run_json(monkeypatch, "judged", "check", str(questions))["evidence_not_served"] == []
    run_json(monkeypatch, "documents", "delete", "d1.md", "--tenant", "acme")


ERRORS = {
    "no model": (("judged", "generate", "--out", "x.jsonl", "--model"), "serves no chat model"),
    "nobody's documents": (("judged", "generate", "--out", "x.jsonl", "--tenant", "nobody"), "Ingest documents"),
    "no file": (("judged", "check", "/no/such.jsonl"), "cannot be read"),
    "no folder": (("judged", "import", "/no/such", "x.jsonl"), "corpus.jsonl"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_one_line_with_the_remedy(name, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMFLOW_PROJECT", str(Path(__file__).resolve().parents[2]))
    monkeypatch.chdir(tmp_path)
    arguments, remedy = ERRORS[name]
    result = run(*arguments)
    assert result.exit_code == 2 and result.stderr.startswith("Error: ") and remedy in " ".join(result.stderr.split())
    assert not list(tmp_path.iterdir())
