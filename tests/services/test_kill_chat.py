"""kill -9 of `llmflow chat` in the middle of an answer: conversations, the half answer and jobs are there after the restart."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from running import ROOT, copy_project, environment, run_llmflow
from serving_process import wait_until

from llmflow.accounts.tokens import new_id, new_token, token_hash
from llmflow.datasets.application import ApplicationStateDataset
from llmflow.ports.accounts import SignIn
from llmflow.serving.people.auth import KEY_PREFIX
from llmflow.types import Account

pytestmark = [pytest.mark.services, pytest.mark.slow]
PIECE = "leave "
TEXT = "# Leave\n\n## Days\n\nEveryone has fifteen days of leave a year.\n"


@contextmanager
def endless_model():
    """A model server that says the same word over and over, until it is told to stop."""
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            choices = [{"index": 0, "delta": {"content": PIECE}, "finish_reason": None}]
            chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "endless", "choices": choices}
            try:
                while not stopped.wait(0.05):
                    self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                    self.wfile.flush()
            except OSError:
                return  # who asked is gone

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chat(home: Path, extra):
    """Yield (address, process) of a chat in a process of its own."""
    log = home / f"chat-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "apps.chat.main", "--env", "endless", "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(home, extra), stdout=file, stderr=subprocess.STDOUT)
    try:
        pattern = r"http://127[\d.]+:\d+"
        wait_until(lambda: re.search(pattern, log.read_text()) or process.poll() is not None, "the chat to start", 120)
        found = re.search(pattern, log.read_text())
        assert found, log.read_text()[-3000:]
        yield found.group(), process
    finally:
        process.kill()
        process.wait(30)


def test_a_killed_server_loses_no_conversation_no_half_answer_and_no_job(tmp_path):
    home, corpus = tmp_path / "home", tmp_path / "corpus"
    home.mkdir()
    corpus.mkdir()
    (corpus / "leave.md").write_text(TEXT)
    (corpus / "access.yml").write_text('default: {tenant: hanbit, groups: ["*"]}\n')
    project = copy_project(tmp_path / "project")
    with endless_model() as address:
        (project / "conf" / "endless").mkdir()
        model = f"backend: openai, base_url: '{address}', model: endless"
        (project / "conf" / "endless" / "catalog.yml").write_text(
            f"chat_model: {{type: llmflow.datasets.models.ChatModelDataset, {model}}}\n"
        )
        (project / "conf" / "endless" / "parameters.yml").write_text("jobs: {lease_s: 2}\n")
        extra = {"LLMFLOW_PROJECT": str(project)}
        done = run_llmflow(home, "ingest", str(corpus), "--env", "endless", "--json", extra=extra)
        assert done.returncode == 0, done.stderr[-3000:]
        headers = {"Authorization": f"Bearer {key_of(home)}"}

        with chat(home, extra) as (site, process), httpx.Client(base_url=site, headers=headers, timeout=60) as client:
            session = client.post("/api/sessions", json={"title": "Before the fall"}).json()["id"]
            path = f"/api/sessions/{session}/messages"
            asked = {"content": "How many days of leave?"}
            with client.stream("POST", path, json=asked, headers={"Accept": "text/event-stream"}) as stream:
                lines = stream.iter_lines()
                while "stream_token" not in next(lines):
                    pass
                with httpx.Client(base_url=site, headers=headers, timeout=60) as second:
                    wait_until(lambda: PIECE in second.get(path).json()["items"][1]["content"], "progress to be kept", 60)
                    uploaded = second.post(
                        "/api/documents", files={"file": ("vpn.md", b"# VPN\n\nA session ends after twelve hours.\n")}
                    )
                    assert uploaded.status_code == 202, uploaded.text
                    process.send_signal(signal.SIGKILL)
                process.wait(30)

        with chat(home, extra) as (site, _), httpx.Client(base_url=site, headers=headers, timeout=60) as client:
            assert client.get(f"/api/sessions/{session}").json()["title"] == "Before the fall"
            question, answer = client.get(path).json()["items"]
            assert question["content"] == asked["content"]
            assert answer["status"] == "interrupted" and answer["content"].startswith(PIECE)
            job = uploaded.json()["job"]["id"]
            wait_until(lambda: client.get(f"/api/jobs/{job}").json()["status"] in ("done", "failed"), "the job to end", 120)
            assert client.get(f"/api/jobs/{job}").json()["status"] == "done"
            document = client.get(f"/api/documents/{uploaded.json()['document']['id']}").json()
            assert document["status"] == "ready"
            with client.stream("POST", f"{path}/{answer['id']}/again", headers={"Accept": "text/event-stream"}) as stream:
                lines = stream.iter_lines()
                while "stream_token" not in next(lines):
                    pass
            wait_until(lambda: client.get(path).json()["items"][1]["status"] == "stopped", "the reader's leave to be noticed", 60)
            assert client.get(path).json()["total"] == 2


def key_of(home: Path) -> str:
    """Return a key of a new account of the corpus' tenant."""
    stores = ApplicationStateDataset().open(f"sqlite:///{home / 'state.db'}", str(home / "audit.key"))
    account, token = Account(new_id(), "hanbit", "kim", "Kim"), new_token(KEY_PREFIX)
    stores.accounts.create(account)
    made = SignIn(new_id(), account.id, "key", "test", datetime.now(UTC).isoformat(timespec="seconds"), "")
    stores.accounts.add_sign_in(made, token_hash(token))
    stores.close()
    return token
