"""`kedro run` under conf/test: documents to an index to figures in MLflow, all inside the workspace."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import ROOT, run_kedro

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kedro")]
STRAY = ("mlruns", "mlflow.db", "mlartifacts", "notebooks/mlruns", "notebooks/mlflow.db")


@dataclass(frozen=True)
class Run:
    home: Path
    stdout: str
    strays: list[str]


@pytest.fixture(scope="module")
def default_run(tmp_path_factory) -> Run:
    home = tmp_path_factory.mktemp("kedro") / "home"
    before = {name for name in STRAY if (ROOT / name).exists()}
    done = run_kedro(home, "--env", "test")
    assert done.returncode == 0, done.stderr[-4000:]
    return Run(home, done.stdout, [name for name in STRAY if (ROOT / name).exists() and name not in before])


def report(home: Path, name: str) -> dict:
    return json.loads((home / "reports" / f"{name}.json").read_text(encoding="utf-8"))


def digest(home: Path) -> str:
    from llmflow.adapters.sql_state import SqlStateStore

    store = SqlStateStore(f"sqlite:///{home}/state.db")
    try:
        return store.digest()
    finally:
        store.close()


def test_ingestion_serves_every_document(default_run):
    found = report(default_run.home, "ingestion")
    wanted = [path for name in ("shared", "it") for path in (ROOT / "data/sample/corpus/hanbit" / name).iterdir()]
    assert found["files"] == found["prepared"] == found["indexed"] == len(wanted)
    assert {status for statuses in found["documents"].values() for status in statuses} == {"ready"}
    assert found["chunks"] > len(wanted)
    assert found["graph"]["chunks"] == found["chunks"]


def test_evaluation_asks_only_what_the_part_of_the_corpus_can_tell(default_run):
    found = report(default_run.home, "retrieval")
    asked = sum(kind["questions"] for kind in found["kinds"].values())
    total = len((ROOT / "data/sample/questions.jsonl").read_text(encoding="utf-8").splitlines())
    assert 20 < asked < total
    assert found["leaks"] == 0
    assert found["channels"]["fused"]["R@10"] > 0.7
    assert {"text", "graph", "fused"} <= set(found["channels"])


def test_tables_are_printed_unbroken(default_run):
    lines = [line for line in default_run.stdout.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines if "answer coverage" in line or "kind table" in line}) <= 2
    assert any(line.startswith("| all ") and line.endswith("|") for line in lines)


def test_mlflow_holds_the_run_inside_the_workspace(default_run):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{default_run.home}/mlflow.db")
    experiment = client.get_experiment_by_name("retrieval")
    assert experiment is not None
    (run,) = [run for run in client.search_runs([experiment.experiment_id]) if "mlflow.parentRunId" not in run.data.tags]
    assert run.info.status == "FINISHED"
    assert {"retrieval", "answering", "evaluation"} <= {name.split(".")[0] for name in run.data.params}
    assert run.data.metrics["fused.R_at_5"] == pytest.approx(report(default_run.home, "retrieval")["channels"]["fused"]["R@5"])
    assert run.data.metrics["leaks"] == 0
    assert run.info.artifact_uri is not None
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert folder.is_relative_to(default_run.home)
    assert {path.name for path in folder.iterdir()} >= {"channels.png", "retrieval.html", "retrieval.json"}
    assert (folder / "channels.png").read_bytes().startswith(b"\x89PNG")
    assert "Retrieval on the corpus" in (folder / "retrieval.html").read_text(encoding="utf-8")
    page = default_run.home / "reports" / "experiments.html"
    assert (folder / "experiments.html").read_text(encoding="utf-8") == page.read_text(encoding="utf-8")


def test_every_condition_is_a_nested_run_with_settings_metrics_and_rankings(default_run):
    import mlflow

    from llmflow.evaluation.run_files import read_run

    client = mlflow.MlflowClient(f"sqlite:///{default_run.home}/mlflow.db")
    experiment = client.get_experiment_by_name("retrieval")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = {run.data.tags["condition"]: run for run in runs if run is not parent}
    found = report(default_run.home, "experiments")["sets"]["corpus"]["conditions"]
    assert set(children) == set(found) >= {"champion", "full text", "hybrid", "ranks only"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}
    assert children["full text"].data.params["retrieval.channels"] == "['text']"
    for name, run in children.items():
        assert run.data.metrics["R_at_5"] == pytest.approx(found[name]["means"]["R@5"])
        assert run.data.metrics["leaks"] == 0 and run.data.metrics["p50_ms"] > 0
        assert run.data.tags["settings_id"] == found[name]["settings_id"]
        rankings = read_run(Path(run.info.artifact_uri.removeprefix("file://")) / "run.trec")
        assert len(rankings) > 20


def test_nothing_is_written_beside_the_workspace(default_run):
    assert default_run.strays == []


def test_a_second_ingestion_does_nothing_again_and_logs_no_run(default_run):
    before = digest(default_run.home)
    done = run_kedro(default_run.home, "--env", "test", "--pipelines", "ingestion")
    assert done.returncode == 0, done.stderr[-4000:]
    found = report(default_run.home, "ingestion")
    assert found["unchanged"] == found["files"] > 0
    assert (found["prepared"], found["indexed"], found["embedded"], found["chunks_indexed"]) == (0, 0, 0, 0)
    assert digest(default_run.home) == before
    with sqlite3.connect(default_run.home / "mlflow.db") as database:
        parents = "SELECT count(*) FROM runs WHERE run_uuid NOT IN (SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId')"
        assert database.execute(parents).fetchone() == (1,)
    database.close()
