"""The webhook against a real server on the loopback."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from running import copy_project, free_port
from typer.testing import CliRunner

from llmflow.adapters.webhook import Webhook, WebhookSettings
from llmflow.cli import app

SECRET = "shared between us"


@dataclass
class Receiver:
    """What arrived, and with which status each request is answered; the last status goes on."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    known = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.received.append((dict(self.headers), body))
            self.send_response(known.statuses.pop(0) if len(known.statuses) > 1 else known.statuses[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield known
    server.shutdown()
    server.server_close()
    thread.join()


def signature_is_ours(headers: dict[str, str], body: bytes, secret: str = SECRET) -> bool:
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers["X-LLMFlow-Signature"], f"sha256={wanted}")


def test_body_is_signed_json(receiver):
    assert Webhook(WebhookSettings(url=receiver.url), SECRET).notify("ingestion.finished", {"files": 3, "title": "한글"})
    ((headers, body),) = receiver.received
    assert signature_is_ours(headers, body)
    assert not signature_is_ours(headers, body + b" ")
    assert not signature_is_ours(headers, body, "another secret")
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"event": "ingestion.finished", "payload": {"files": 3, "title": "한글"}}


def test_a_failing_receiver_is_tried_again(receiver):
    receiver.statuses = [503, 200]
    assert Webhook(WebhookSettings(url=receiver.url, attempts=2), SECRET).notify("done", {})
    assert len(receiver.received) == 2
    assert receiver.received[0][1] == receiver.received[1][1]


def test_attempts_end(receiver):
    receiver.statuses = [500]
    assert not Webhook(WebhookSettings(url=receiver.url, attempts=2), SECRET).notify("done", {})
    assert len(receiver.received) == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://[broken", "no address at all"])
def test_a_receiver_that_is_not_there_stops_nothing(url):
    settings = WebhookSettings(url=url.replace("{port}", str(free_port())), attempts=1, timeout_s=2)
    assert not Webhook(settings).notify("done", {})


def test_nothing_is_sent_without_an_address(receiver):
    assert not Webhook(WebhookSettings(), SECRET).notify("done", {})
    assert receiver.received == []


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "휴가.txt").write_text("연차는 다음 해로 다섯 날까지 넘길 수 있다. 담당은 인사팀이다.", encoding="utf-8")
    return folder


def ingest(tmp_path, monkeypatch, corpus, url):
    project = copy_project(tmp_path / "project")
    (project / "conf" / "hook").mkdir()
    entry = ["type: llmflow.datasets.models.NotifierDataset", f"url: {url}", "attempts: 1", "credentials: webhook"]
    (project / "conf" / "hook" / "catalog.yml").write_text("\n  ".join(["notifier:", *entry]) + "\n")
    monkeypatch.setenv("LLMFLOW_PROJECT", str(project))
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMFLOW_WEBHOOK_SECRET", SECRET)
    return CliRunner().invoke(app, ["ingest", str(corpus), "--env", "hook", "--json"])


def test_a_finished_ingestion_calls_it_with_counts_only(receiver, tmp_path, monkeypatch, corpus):
    result = ingest(tmp_path, monkeypatch, corpus, receiver.url)
    assert result.exit_code == 0, result.output
    ((headers, body),) = receiver.received
    assert signature_is_ours(headers, body)
    sent = json.loads(body)
    assert sent["event"] == "ingestion.finished"
    assert (sent["payload"]["files"], sent["payload"]["prepared"], sent["payload"]["failed"]) == (1, 1, 0)
    assert all(isinstance(value, int | float) for value in sent["payload"].values())


def test_an_ingestion_ends_well_when_the_receiver_is_down(tmp_path, monkeypatch, corpus):
    result = ingest(tmp_path, monkeypatch, corpus, f"http://127.0.0.1:{free_port()}/")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["documents"] == {"txt": {"ready": 1}}
