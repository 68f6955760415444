"""A worker process is killed with -9 in the middle of an upload; the next one finishes it, and nothing is there twice."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from house import HR, open_house
from running import ROOT, copy_project, environment, run_llmflow

from llmflow.ports import JobStatus
from llmflow.serving.catalog import open_catalog
from llmflow.serving.corpus.doctor import diagnose
from llmflow.serving.corpus.uploads import Received
from llmflow.types import DocumentStatus

pytestmark = pytest.mark.slow
PATIENCE_S = 120.0
NOTE = "# 반반차 규정\n\n반반차는 두 시간 단위로 쓴다.\n".encode()


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_killed_workers_job_is_finished_by_the_next(tmp_path: Path, monkeypatch):
    project, home = copy_project(tmp_path / "project"), tmp_path / "home"
    parameters = project / "conf" / "test" / "parameters.yml"
    changed = yaml.safe_load(parameters.read_text(encoding="utf-8"))
    changed.setdefault("jobs", {})["lease_s"] = 2
    parameters.write_text(yaml.safe_dump(changed), encoding="utf-8")
    extra = {"LLMFLOW_PROJECT": str(project)}
    for key, value in {**extra, "LLMFLOW_HOME": str(home)}.items():
        monkeypatch.setenv(key, value)
    workspace = open_catalog("test")
    house = open_house(workspace)
    received = Received("a.md", io.BytesIO(NOTE), len(NOTE), None)
    sent = house.operating.documents.upload(house.accounts[HR], received, frozenset())
    jobs, state = workspace.application.jobs, workspace.stores.state

    first = subprocess.Popen(
        [sys.executable, "-m", "llmflow.cli", "worker", "--env", "test"],
        cwd=ROOT, env=environment(home, extra), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: jobs.job(sent.job.id).status is JobStatus.RUNNING)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(30)
    left = jobs.job(sent.job.id)
    assert left is not None and left.status is JobStatus.RUNNING
    document = state.document(sent.document.id)
    assert document is not None and document.status in (DocumentStatus.PENDING, DocumentStatus.PROCESSING)

    wait_for(lambda: bool(jobs.due()))
    done = run_llmflow(home, "worker", "--env", "test", "--once", "--json", extra=extra)
    assert done.returncode == 0, done.stderr
    assert '"jobs": 1' in done.stdout
    ended, document = jobs.job(sent.job.id), state.document(sent.document.id)
    assert ended is not None and ended.status is JobStatus.DONE and ended.attempts == 2
    assert document is not None and document.status is DocumentStatus.READY and document.chunks == 1
    assert diagnose(workspace.stores).ok and workspace.stores.text.chunk_ids() == state.served_chunk_ids()
    workspace.close()
