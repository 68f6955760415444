"""The matrix over a small corpus of its own: another chunker gets an index of its own, public sets stand beside it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmflow.errors import DatasetError, ModelUnavailable, SettingsError
from llmflow.evaluation.experiments import ExperimentSettings
from llmflow.evaluation.judged_sets import Evidence, JudgedQuestion
from llmflow.ingestion.access import Grant
from llmflow.ingestion.run import run_ingestion
from llmflow.ingestion.sources import SourceSettings
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.corpus.documents import delete_by_name
from llmflow.serving.evaluation.matrix import Corpus, run_matrix
from llmflow.types import Principal

HR = Principal("acme", frozenset({"hr"}))
RULES = 'default: {tenant: acme, groups: ["*"]}\nrules:\n  - {path: "hr/**", tenant: acme, groups: [hr]}\n'
LONG = "\n\n".join(f"제{n}조. 부서 {n}의 담당자는 매주 {n}요일에 보고서를 낸다. 내용은 사내 규정을 따른다." for n in range(1, 25))
FILES = {
    "hr/leave.md": "# 휴가 규정\n\n반반차는 2시간 단위로 쓸 수 있으며 하루에 두 번까지 신청할 수 있다.\n",
    "shared/rules.md": f"# 보고 규정\n\n{LONG}\n",
}
QUESTIONS = (
    JudgedQuestion("q1", "반반차는 몇 시간 단위인가요?", "ko", "single", HR, evidence=(Evidence("hr/leave.md", "2시간 단위"),)),
    JudgedQuestion("q2", "부서 7의 담당자는 언제 보고서를 내나요?", "ko", "single", HR,
                   evidence=(Evidence("shared/rules.md", "부서 7의 담당자는"),)),
    JudgedQuestion("q3", "반반차 규정은?", "ko", "permission", Principal("acme"), forbidden=("hr/leave.md",)),
)  # fmt: skip
SMALL = {"small": {"preparation": {"chunker": {"target_tokens": 40, "overlap_tokens": 0}}}}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[Workspace]:
    root: Path = tmp_path_factory.mktemp("matrix")
    for name, text in FILES.items():
        (root / "corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "corpus" / name).write_text(text, encoding="utf-8")
    (root / "corpus" / "access.yml").write_text(RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(root / "home"))
        opened = open_catalog("test")
        sources = SourceSettings(paths=(str(root / "corpus"),), access=Grant(tenant="acme"))
        run_ingestion(opened.ingestion.model_copy(update={"sources": sources}), opened.stores, opened.notifier, quiet)
        yield opened
        opened.close()


def quiet(stage: str, done: int, total: int) -> None:
    pass


def run(workspace: Workspace, **settings):
    corpus = Corpus(workspace.stores, workspace.ingestion, QUESTIONS, 20)
    found = ExperimentSettings.model_validate({"timed_questions": 1, **settings})
    return run_matrix(found, corpus, workspace.retrieval, workspace.promotions.served().settings, quiet)


def copies(workspace: Workspace) -> list[Path]:
    import os

    return sorted((Path(os.environ["LLMFLOW_HOME"]) / "experiments").glob("*"))


def test_every_condition_is_measured_on_the_same_questions(workspace):
    (result,) = run(workspace, conditions={"words": {"retrieval": {"channels": ["text"]}}})
    assert (result.name, list(result.conditions), result.passages) == ("corpus", ["champion", "words"], 3)
    assert [question.id for question in result.questions] == ["q1", "q2"]
    for found in result.conditions.values():
        assert set(found.per_question["R@5"]) == {"q1", "q2"} and set(found.run) == {"q1", "q2", "q3"}
        assert found.means["R@5"] == 1.0 and found.leaks == 0
        assert found.latency is not None and found.latency.count == 1
    assert copies(workspace) == []


def test_another_chunker_is_measured_on_an_index_of_its_own_and_rights_hold_there(workspace):
    before = workspace.stores.state.digest()
    (result,) = run(workspace, conditions=SMALL)
    small = result.conditions["small"]
    assert small.condition.own_index and small.seconds["index"] > 0
    served = workspace.stores.state.served_chunk_ids()
    shown = {scored.id for ranking in small.run.values() for scored in ranking}
    assert shown and not shown & served  # other passages
    assert len({scored.id for scored in small.run["q2"]}) > len(served)
    assert small.leaks == 0 and not any(scored.id in {s.id for s in small.run["q1"][:1]} for scored in small.run["q3"])
    assert workspace.stores.state.digest() == before
    (folder,) = copies(workspace)
    assert not (folder / "raw").exists()  # originals are kept once
    (again,) = run(workspace, conditions=SMALL)
    assert copies(workspace) == [folder] and again.conditions["small"].run == small.run


def test_deleting_a_document_reaches_the_copies(workspace):
    run(workspace, conditions=SMALL)
    assert copies(workspace)
    delete_by_name(workspace.stores, ["shared/rules.md"], "acme")
    assert copies(workspace) == []


def beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    texts = {"Leave": "Leave lasts five days.", "Pay": "Pay is monthly."}
    rows = [{"_id": f"p{n}", "title": title, "text": text} for n, (title, text) in enumerate(texts.items(), 1)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [{"_id": "a", "text": "How many days does leave last?"}, {"_id": "b", "text": "When is pay?"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\na\tp1\t1\nb\tp2\t1\n")
    return folder


def test_a_public_set_stands_beside_the_corpus_and_an_optional_one_may_be_missing(workspace, tmp_path):
    sets = {
        "pay": {"path": str(beir(tmp_path / "pay"))},
        "first": {"path": str(tmp_path / "pay"), "questions": 1, "drop_titles": True},
        "gone": {"path": str(tmp_path / "gone"), "optional": True},
    }
    found = run(workspace, conditions={"words": {"retrieval": {"channels": ["text"]}}}, sets=sets)
    assert [(result.name, len(result.questions), result.passages) for result in found] == [("pay", 2, 2), ("first", 1, 2)]
    words = found[0].conditions["words"]
    assert words.means["R@1"] == words.means["nDCG@10"] == 1.0
    assert words.run["a"][0].id == "p1"


def test_a_missing_set_is_named(workspace, tmp_path):
    with pytest.raises(SettingsError, match=r"experiments\.sets\.gone.*optional: true"):
        run(workspace, sets={"gone": {"path": str(tmp_path / "gone")}})
    with pytest.raises(DatasetError, match="No judged set"):
        run(workspace, sets={"gone": {"path": str(tmp_path / "gone"), "optional": True}})


def test_a_condition_that_needs_a_model_that_is_not_there_stops_the_run(workspace):
    with pytest.raises((SettingsError, ModelUnavailable), match="rerank"):
        run(workspace, conditions={"reranked": {"retrieval": {"rerank": {"enabled": True}}}})
