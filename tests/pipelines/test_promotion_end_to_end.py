"""From a planted setting to what people are answered with: judged, promoted, followed by running processes, rolled back."""

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from running import ROOT, copy_project, environment, free_port, run_llmflow

from llmflow.errors import PromotionRefused
from llmflow.evaluation.gate import verdict_from_json
from llmflow.evaluation.judged_sets import JudgedQuestion, load_sample_questions
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.chat import WorkspaceChat
from llmflow.serving.chat_settings import load_auth_settings
from llmflow.serving.evaluation.retrieval_gate import run_gate
from llmflow.serving.people.access import open_access
from llmflow.types import Answer, Role

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sample")]

SAMPLE = ROOT / "data" / "sample"
PER_KIND = 10
PLANTED = {
    # what conf/ says: two passages by words alone, which loses most second documents
    "retrieval": {"channels": ["text"], "candidates": 2},
    "experiments": {
        "timed_questions": 2,
        "conditions": {
            "worse": {"retrieval": {"channels": ["dense"], "candidates": 1}},
            "better": {"retrieval": {"channels": ["text", "dense", "graph"], "candidates": 100}},
        },
    },
}
START_SECONDS = 180


@dataclass(frozen=True)
class Planted:
    workspace: Workspace
    home: Path
    variables: dict[str, str]

    def key(self) -> str:
        """Return a key of the human resources department's account, as a program would send it."""
        access = open_access(self.workspace, load_auth_settings("planted"))
        account = access.people.named("hanbit", "hanbit-hr")
        access.people.change("hanbit", "test", account.id, role=Role.ENGINEER)  # sees what is served
        chosen = access.sign_ins.passwords.hash("four words nobody joins")
        self.workspace.application.accounts.set_password(account.id, chosen, must_change=False)
        return access.sign_ins.make_key(account, "this test", 1)[1]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `llmflow retrieval` in a process of its own."""
        return run_llmflow(self.home, "retrieval", *arguments, "--env", "planted", "--json", extra=self.variables)


@pytest.fixture(scope="module")
def planted(ingested_sample, tmp_path_factory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted")
    home = folder / "home"
    shutil.copytree(ingested_sample.home, home)
    project = copy_project(folder / "project")
    (project / "conf" / "planted").mkdir()
    questions = folder / "questions.jsonl"
    taken: Counter[str] = Counter()
    lines = []
    for line in (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        taken[json.loads(line)["kind"]] += 1
        lines += [line] if taken[json.loads(line)["kind"]] <= PER_KIND else []
    questions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    parameters = PLANTED | {"evaluation": {"questions": str(questions)}}
    (project / "conf" / "planted" / "parameters.yml").write_text(yaml.safe_dump(parameters))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(home))
        patch.setenv("LLMFLOW_PROJECT", str(project))
        patch.setenv("OMP_NUM_THREADS", "1")
        workspace = open_catalog("planted")
        yield Planted(workspace, home, {"LLMFLOW_PROJECT": str(project)})
        workspace.close()


@pytest.fixture(scope="module")
def question(planted) -> JudgedQuestion:
    """A question of the human resources department that needs two documents."""
    asked = load_sample_questions(SAMPLE / "questions.jsonl")
    return next(q for q in asked if q.kind == "multi" and q.principal.groups == {"hr"} and q.principal.tenant == "hanbit")


@pytest.fixture(scope="module")
def address(planted) -> Iterator[str]:
    """The chat and its API, served by a process of its own."""
    command = [sys.executable, "-m", "llmflow.cli", "chat", "--env", "planted", "--port", str(free_port()), "--json"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(planted.home, planted.variables), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    too_late = threading.Timer(START_SECONDS, process.kill)
    too_late.start()
    line = process.stdout.readline()
    too_late.cancel()
    assert line.startswith("{"), f"the chat did not start: {line}"
    yield json.loads(line)["address"]
    process.terminate()
    process.wait(30)
    process.stdout.close()


def answer(chat: WorkspaceChat, question: JudgedQuestion) -> Answer:
    *_, last = chat.converser.stream(question.text, question.principal)
    assert isinstance(last, Answer)
    return last


def test_a_planted_worse_setting_is_rejected_and_cannot_be_served(planted):
    conf = planted.workspace.promotions.configured.id
    judged = planted.run("gate", "--candidate", "worse")
    assert judged.returncode == 1, judged.stderr[-2000:]
    said = json.loads(judged.stdout)
    assert said["verdict"]["decision"] == "REJECT"
    failed = {check["name"] for check in said["verdict"]["checks"] if not check["passed"]}
    assert {"R@5 interval", "slice language ko", "wrong refusals"} <= failed
    written = planted.home / "reports" / "gate" / f"{said['candidate']}.json"
    assert not verdict_from_json(written.read_text(encoding="utf-8")).promoted
    assert "REJECT" in Path(said["page"]).read_text(encoding="utf-8")
    refused = planted.run("promote", "worse", "--reason", "I believe in it")
    assert refused.returncode == 2 and "The gate rejected worse" in json.loads(refused.stdout)["error"]
    with pytest.raises(PromotionRefused, match="The gate has not judged 'better'"):
        planted.workspace.promotions.promote("better", "kim", "I believe in it")
    shown = json.loads(planted.run("show").stdout)
    assert (shown["served"]["id"], shown["served"]["origin"], shown["history"]) == (conf, "conf", [])


def test_a_planted_better_setting_is_promoted_served_at_once_and_rolled_back(planted, question, address):
    workspace, chat = planted.workspace, WorkspaceChat(planted.workspace)
    conf = workspace.promotions.configured.id
    key = {"Authorization": f"Bearer {planted.key()}"}

    def served_by_api() -> tuple[str, str]:
        body = httpx.post(f"{address}/api/ask", json={"question": question.text}, headers=key, timeout=120).json()
        served = httpx.get(f"{address}/api/retrieval", headers=key, timeout=120).json()["served"]
        origin = f"promoted: {served['label']}" if served["origin"] == "promoted" else served["origin"]
        return body["settings_id"], f"{served['id']} ({origin})"

    before = answer(chat, question)
    assert before.settings_id == conf and served_by_api() == (conf, f"{conf} (conf)")
    assert len(before.hits) == 2

    outcome = run_gate(workspace, "better", lambda *_: None)
    candidate = outcome.candidate
    assert candidate is not None and candidate.verdict.promoted, candidate and candidate.verdict.reasons
    assert answer(chat, question).settings_id == conf  # judged is not served

    started = chat.converser.answerer.stream(question.text, question.principal)
    promoted = planted.run("promote", "better", "--reason", "finds the second document", "--by", "kim")
    assert promoted.returncode == 0, promoted.stderr[-2000:]
    assert json.loads(promoted.stdout)["id"] == candidate.id
    *_, ended = started
    assert isinstance(ended, Answer) and ended.settings_id == conf  # what began before ends as it began

    after = answer(chat, question)
    assert after.settings_id == candidate.id and len(after.hits) == 20
    assert served_by_api() == (candidate.id, f"{candidate.id} (promoted: better)")
    # what was evaluated is what is served: the same passages in the same order as the gate saw
    evaluated = outcome.report.results[0].conditions["better"].run
    for asked in outcome.report.results[0].questions:
        hits = chat.search(asked.text, asked.principal, workspace.evaluation.limit)
        assert [hit.chunk.id for hit in hits] == [scored.id for scored in evaluated[asked.id]]

    shown = json.loads(planted.run("show").stdout)
    assert shown["served"] | {"since": ""} == {
        "id": candidate.id, "label": "better", "origin": "promoted", "since": "", "by": "kim",
        "reason": "finds the second document",
    }  # fmt: skip
    assert shown["previous"]["id"] == conf
    assert champion_in_mlflow(planted.home) == candidate.id

    back = planted.run("rollback", "--reason", "only a test", "--by", "lee")
    assert back.returncode == 0, back.stderr[-2000:]
    assert answer(chat, question).hits == before.hits
    assert served_by_api() == (conf, f"{conf} (conf)")
    history = json.loads(planted.run("show").stdout)["history"]
    assert [(change["action"], change["by"]) for change in history] == [("rollback", "lee"), ("promote", "kim")]
    entries = workspace.application.audit.entries(load_auth_settings("base").home_tenant, "retrieval.")[0]
    assert [(entry.actor, entry.action, entry.details["by"]) for entry in entries] == [
        ("cli", "retrieval.rollback", "lee"),
        ("cli", "retrieval.promote", "kim"),
    ]
    assert champion_in_mlflow(planted.home) == conf


def champion_in_mlflow(home: Path) -> str:
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{home}/mlflow.db")
    experiment = client.get_experiment_by_name("retrieval")
    assert experiment is not None
    return experiment.tags["champion"]
