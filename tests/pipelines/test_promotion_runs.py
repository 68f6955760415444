"""`kedro run` of fine-tuning and then of the gate under conf/test: a run becomes a candidate with a written verdict."""

import json
import sqlite3

import pytest
from running import run_kedro, run_llmflow

from llmflow.evaluation.gate import verdict_from_json

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("finetuning")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("promotion") / "home"
    for pipeline in ("finetuning", "promotion"):
        done = run_kedro(home, "--env", "test", "--pipelines", pipeline)
        assert done.returncode == 0, done.stderr[-4000:]
    return home


def test_the_verdict_is_written_bound_to_the_candidate_and_kept(home):
    report = json.loads((home / "reports" / "adapter_verdict.json").read_text(encoding="utf-8"))
    verdict = verdict_from_json(json.dumps(report["verdict"]))
    name, _, digest = verdict.candidate.partition("@sha256:")
    assert name.startswith("chat-v1-") and name.endswith(digest[:8]) and verdict.champion == "chat"
    checks = {check.name for check in verdict.checks}
    assert {"leakage", "answers follow questions", "format", "drift of texts", "exposure of secrets", "documents"} <= checks
    assert set(report["measures"]) == {"base", "candidate"} and report["examples"] > 5
    page = (home / "reports" / "adapter_verdict.html").read_text(encoding="utf-8")
    assert verdict.decision in page and "Smoke model" in page and "<script" not in page

    listed = json.loads(run_llmflow(home, "models", "list", "--env", "test", "--json").stdout)
    (version,) = listed["versions"]
    assert (version["adapter"]["name"], version["verdict"], version["aliases"]) == (name, verdict.decision, ["candidate"])
    assert listed["served"] is None and listed["history"] == []


def test_its_figures_are_in_mlflow(home):
    with sqlite3.connect(home / "mlflow.db") as database:
        names = {row[0] for row in database.execute("SELECT key FROM metrics")}
    database.close()
    assert {"base.loss", "candidate.loss", "candidate.token_f1", "promote"} <= names


def test_promoting_without_a_server_changes_nothing_and_says_what_to_do(home):
    done = run_llmflow(home, "models", "promote", "--env", "test", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 2 and told["kind"] in ("ModelUnavailable", "PromotionRefused")
    assert json.loads(run_llmflow(home, "models", "list", "--env", "test", "--json").stdout)["history"] == []
