"""The real service behind the page, over a small corpus that was really ingested."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from who import asking_app, guard_of, person

from llmflow.adapters.sql_state import SqlStateStore
from llmflow.evaluation.gate import Check, decide
from llmflow.evaluation.promotion import Candidate
from llmflow.ingestion.access import Grant
from llmflow.ingestion.run import run_ingestion
from llmflow.ingestion.sources import SourceSettings
from llmflow.serving.catalog import open_catalog
from llmflow.serving.chat import WorkspaceChat
from llmflow.serving.conversations.conversing import ConversingSettings
from llmflow.serving.evaluation.promotion import RetrievalPromotions
from llmflow.types import Answer, Principal
from llmflow.workspace import home_path

FILES = {
    "hr/leave.md": "# 휴가 규정\n\n## 반반차\n\n반반차는 2시간 단위로 쓸 수 있으며 하루에 두 번까지 신청할 수 있다.\n",
    "shared/vpn.md": "# VPN guide\n\n## Sessions\n\nA SafeGate session ends after twelve hours.\n",
}
RULES = """default: {tenant: acme, groups: ["*"]}
rules:
  - {path: "hr/**", tenant: acme, groups: [hr]}
"""
HR = Principal("acme", frozenset({"hr"}), "hr")
STAFF = Principal("acme", frozenset(), "staff")
LEAVE = "반반차는 몇 시간 단위로 쓸 수 있나요?"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkspaceChat]:
    root: Path = tmp_path_factory.mktemp("chat")
    for name, text in FILES.items():
        (root / "corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "corpus" / name).write_text(text, encoding="utf-8")
    (root / "corpus" / "access.yml").write_text(RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(root / "home"))
        workspace = open_catalog("test")
        sources = SourceSettings(paths=(str(root / "corpus"),), access=Grant(tenant="acme"))
        settings = workspace.ingestion.model_copy(update={"sources": sources})
        report = run_ingestion(settings, workspace.stores, workspace.notifier, lambda *_: None)
        assert report.failed == 0 and report.indexed == len(FILES)
        chat = WorkspaceChat(workspace)
        yield chat
        chat.close()


def ask(service: WorkspaceChat, question: str, principal: Principal) -> tuple[list[str], Answer]:
    *pieces, answer = service.converser.stream(question, principal)
    assert isinstance(answer, Answer)
    return [piece for piece in pieces if isinstance(piece, str)], answer


def test_an_answer_quotes_its_passage_and_the_passage_opens(service):
    pieces, answer = ask(service, LEAVE, HR)
    assert answer.found and "2시간 단위" in answer.text and "".join(pieces) == answer.text
    cited = answer.citations[0]
    assert cited.source == "hr/leave.md" and f"[{cited.number}]" in answer.text
    hit = service.passage(cited.chunk_id, HR)
    assert hit is not None and cited.quote in hit.chunk.text


def test_who_may_not_read_a_document_neither_finds_nor_opens_it(service):
    chunk_id = ask(service, LEAVE, HR)[1].citations[0].chunk_id
    for stranger in (STAFF, Principal("other", frozenset({"hr"}))):
        answer = ask(service, LEAVE, stranger)[1]
        assert not answer.found and not answer.citations
        assert all(hit.document.source != "hr/leave.md" for hit in service.search(LEAVE, stranger))
        assert service.passage(chunk_id, stranger) is None


def test_an_english_question_is_answered_in_the_same_workspace(service):
    answer = ask(service, "After how many hours does a SafeGate session end?", STAFF)[1]
    assert answer.found and "twelve hours" in answer.text


def test_what_no_document_holds_is_said_to_be_not_found(service):
    answer = ask(service, "Which stock options vest first?", HR)[1]
    assert not answer.found and not answer.citations and answer.text


def test_warming_up_asks_as_nobody_and_leaves_the_service_ready(service):
    service.warm()
    assert ask(service, LEAVE, HR)[1].found


def test_a_warm_up_that_fails_is_logged_and_the_question_tells_why(caplog, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path / "file" / "home"))
    (tmp_path / "file").write_text("a file stands where the folder should be made")
    broken = WorkspaceChat(open_catalog("test"))
    broken.warm()
    assert caplog.records
    with pytest.raises(Exception, match=r"file|home|directory|database"):
        ask(broken, LEAVE, HR)
    broken.close()


def test_a_question_during_the_warm_up_waits_for_it_instead_of_loading_everything_again():
    order: list[str] = []
    warming, gate = threading.Event(), threading.Event()

    def search(question: str, principal: Principal) -> list:
        warming.set()
        assert gate.wait(30)
        order.append("warm")
        return []

    answerer = SimpleNamespace(mask=str, retriever=SimpleNamespace(search=search))
    chat = WorkspaceChat(SimpleNamespace(answerer=answerer, converser="asked"))  # type: ignore[arg-type]
    warm = threading.Thread(target=chat.warm)
    asks = threading.Thread(target=lambda: order.append(str(chat.converser)))
    warm.start()
    assert warming.wait(30)
    asks.start()
    asks.join(0.3)  # long enough to be wrong, were it not made to wait
    gate.set()
    warm.join(30)
    asks.join(30)
    assert order == ["warm", "warm", "asked"]


def test_the_api_serves_it(service):
    guard = guard_of(person("hr", "hr"), person("staff"))
    client = TestClient(asking_app(service, ConversingSettings(), guard, service.converser.stream))
    found = client.post("/api/ask", json={"question": LEAVE}, headers={"who": "hr"}).json()
    assert found["found"] and found["citations"][0]["source"] == "hr/leave.md"
    refused = client.post("/api/ask", json={"question": LEAVE}, headers={"who": "staff"}).json()
    assert not refused["found"] and not refused["citations"]


def test_promoted_settings_are_followed_without_a_restart(service, tmp_path):
    """The promotion comes from another connection, as from another process; what streams at that moment ends as it began."""
    workspace = service._workspace
    words = workspace.retrieval.model_copy(update={"channels": ("text",)})
    conf, other = workspace.promotions.configured.id, SqlStateStore(f"sqlite:///{home_path('state.db')}")
    assert ask(service, LEAVE, HR)[1].settings_id == conf
    elsewhere = RetrievalPromotions(other, workspace.retrieval)
    verdict = decide("retrieval settings", words.fingerprint(), conf, [Check("recall", True, 1.0, 0.9, "Good.")], "2026-01-01")
    elsewhere.keep_verdict(Candidate("words", words.model_dump(mode="json"), verdict))
    streaming = service.converser.stream(LEAVE, HR)
    elsewhere.promote("words", "kim", "a test")
    *_, ended = streaming
    assert ended.settings_id == conf
    after = ask(service, LEAVE, HR)[1]
    assert after.settings_id == words.fingerprint() and after.found
    assert all(set(hit.channels) == {"text"} for hit in service.search(LEAVE, HR))
    with TestClient(asking_app(service, ConversingSettings(), guard_of(person("hr", "hr")), service.converser.stream)) as client:
        answer = client.post("/api/ask", json={"question": LEAVE}, headers={"who": "hr"}).json()
        assert answer["settings_id"] == words.fingerprint()
    elsewhere.roll_back("kim", "")
    assert ask(service, LEAVE, HR)[1].settings_id == conf
    other.close()
