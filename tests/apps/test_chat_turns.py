"""The handlers of the page and the routes around them, without a browser: who is asked for what, and what is refused."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from chat_fakes import SmallService, make_hit, small_conversations
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from serving_process import wait_until
from who import guard_of, person

from apps.chat.app import QueuePace, mount_page
from apps.chat.backend import Backend
from apps.chat.page import NO_PROGRESS_LOOKS_EVERY_S, QUEUE_LOOKS_EVERY_S, QUEUE_LOOKS_UNWATCHED_S, build_page
from apps.chat.pictures import draw_apart
from apps.chat.running import RunningAnswers
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import ENGLISH, KOREAN
from apps.chat.turns import Turns, Views
from llmflow.errors import ModelInterrupted, NotFound
from llmflow.ports import PromptTemplate
from llmflow.serving.conversations.conversing import ConversingSettings
from llmflow.serving.people.gate import add_gate
from llmflow.serving.web.http_errors import install_error_handlers
from llmflow.types import Account, AskOptions, Space

HITS = [
    make_hit(1, "Leave", "Everyone has fifteen days of leave.", page=2),
    make_hit(2, "Salaries", "Salaries are reviewed in March.", groups=("hr",)),
]
SETTINGS = ChatAppSettings(conversing=ConversingSettings(max_question_chars=50))
HR, SALES = person("hr", "hr"), person("sales", "sales")
GUARD = guard_of(HR, SALES)


class Breaking(SmallService):
    """Breaks off where the question says so."""

    def stream(self, question, principal, history=(), language=None):
        for piece in super().stream(question, principal, history, language):
            yield piece
            if "break" in question:
                raise ModelInterrupted("The model stopped in the middle.")


@pytest.fixture
def service() -> Breaking:
    gate = threading.Event()
    gate.set()
    return Breaking(HITS, gate)


@pytest.fixture
def backend(service, tmp_path) -> Iterator[Backend]:
    conversations = small_conversations(service, tmp_path)
    yield Backend(conversations, service, GUARD)
    service.gate.set()
    conversations.close()


@pytest.fixture
def turns(backend) -> Turns:
    return Turns(backend, SETTINGS, RunningAnswers(4))


def browser(who: str, tab: str = "tab") -> Any:
    request = gr.Request(Request({"type": "http", "headers": [(b"who", who.encode())]}))
    request.session_hash = tab
    return request


def event(**data: Any) -> Any:
    return SimpleNamespace(_data=data)


def shown(handler, who: str = "hr", **data: Any) -> list[Any]:
    """Return every yield of a handler."""

    async def collect() -> list[Any]:
        return [one async for one in handler(event(language="en", **data), browser(who))]

    return asyncio.run(collect())


def asked_session(backend: Backend, account: Account = HR) -> str:
    return backend.conversations.sessions(account)[0][0].id  # type: ignore[attr-defined]


def test_a_question_is_shown_at_once_and_ends_in_the_log(turns, backend, service):
    service.gate.clear()

    async def watch() -> list[Any]:
        seen = []
        async for one in turns.ask(event(language="en", question="How much leave?"), browser("hr")):
            seen.append(one)
            service.gate.set()
        return seen

    first, *_, last = asyncio.run(watch())
    assert 'data-status="pending"' in first[1] and ENGLISH.thinking in first[1]
    assert "Everyone has fifteen days of leave." in last[0] and last[1] == last[2] == ""
    assert f'data-session="{asked_session(backend)}"' in last[0]


def test_every_event_asks_the_guard_and_reads_with_its_own_permission(turns, backend, service):
    *_, last = shown(turns.ask, who="sales", question="salaries")
    assert service.asked[0][1].user == "sales" and "nothing" in last[0]
    (refused,) = shown(turns.ask, who="nobody", question="salaries")
    assert ENGLISH.signed_out in refused[2]
    session = asked_session(backend, SALES)
    (gone,) = shown(turns.open, who="hr", session=session)
    assert ENGLISH.no_chat in gone[0] and "salaries" not in gone[0]
    for handler, data in ((turns.ask, {"question": "leave"}), (turns.again, {"message": "x"})):
        (refused,) = shown(handler, who="hr", session=session, **data)
        assert "data-refused" in refused[2] and "salaries" not in str(refused)
    assert len(service.asked) == 1


def test_the_space_and_the_template_that_the_browser_names_are_asked_with(turns, backend, service):
    template = PromptTemplate("t1", "acme", "hr", "days", "Days", "How much {{kind}} leave?", ("kind",), (("And IT?", "**15**"),))
    backend.conversations._templates.save(template)
    shown(turns.ask, question="How much leave?", space="own", template="t1", version=1)
    wished = AskOptions(Space.OWN, "", (("And IT?", "**15**"),), "days@1")
    assert service.wishes == [wished] and service.asked[-1][1] == HR.principal().narrowed(Space.OWN)
    session = asked_session(backend)
    question = backend.conversations.messages(HR, session)[0]
    shown(turns.again, session=session, message=question.id)
    assert service.wishes[1:] == [wished]
    for who, data, words in (
        ("hr", {"space": "everything"}, "Choose one of: all, own, shared"),
        ("hr", {"template": "t1", "version": 9}, "no such template"),
        ("sales", {"template": "t1"}, "no such template"),
    ):
        (refused,) = shown(turns.ask, who=who, question="leave", **data)
        assert words in refused[2] and "data-refused" in refused[2]
    assert len(service.asked) == 2
    assert [len(backend.conversations.sessions(account)[0]) for account in (HR, SALES)] == [1, 0]


def test_a_question_sent_before_the_page_knows_is_asked_in_the_documents_of_the_last_one(turns, backend, service):
    session = backend.conversations.create(HR).id

    def wished(**more):
        shown(turns.ask, session=session, question="How much leave?", **more)
        return service.wishes[-1].documents

    assert wished(documents=None) == ()
    assert wished(documents=["d1", "d2"]) == wished(documents=None) == ("d1", "d2")
    assert wished(documents=[]) == wished(documents=None) == wished() == ()


def test_a_summary_of_this_document_is_of_the_one_just_uploaded_and_other_questions_are_not(turns, backend, service):
    def wished(question, **more):
        shown(turns.ask, question=question, **more)
        return service.wishes[-1].documents

    assert wished("Summarise this document", uploaded=["d1"]) == wished("요약해 줘", documents=[], uploaded=["d1"]) == ("d1",)
    assert wished("Summarise this document", documents=["d2"], uploaded=["d1"]) == ("d2",)
    assert wished("How much leave?", uploaded=["d1"]) == wished("Summarise the leave rules", uploaded=["d1"]) == ()


def test_a_refused_question_changes_nothing(turns, backend, service):
    for question, words in (
        (" ", ENGLISH.empty),
        ("x" * 51, ENGLISH.too_long.format(n=51, limit=50)),
        ("a\x00", ENGLISH.control),
    ):
        (refused,) = shown(turns.ask, question=question)
        assert words in refused[2] and "data-refused" in refused[2] and refused[0] == gr.skip()
    for data in ({}, {"question": 7, "session": ["x"]}):
        assert ENGLISH.empty in shown(turns.ask, **data)[0][2], "a browser may send anything"
    assert backend.conversations.sessions(HR)[1] == 0 and service.asked == []  # type: ignore[attr-defined]


def test_an_answer_that_breaks_off_is_told_in_the_readers_language(turns):
    async def last_in(language: str) -> Any:
        return [one async for one in turns.ask(event(language=language, question="leave, break off"), browser("hr"))][-1]

    for language, texts in (("ko", KOREAN), ("en", ENGLISH)):
        log, _, notice = asyncio.run(last_in(language))
        assert texts.cut_off in log and texts.interrupted in notice


def test_a_page_that_goes_on_shows_nothing_more_of_the_chat_it_left(turns, backend, service):
    service.gate.clear()

    async def leave() -> list[Any]:
        seen: list[Any] = []
        async for one in turns.ask(event(language="en", question="leave"), browser("hr")):
            seen.append(one)
            if len(seen) == 1:
                [_ async for _ in turns.open(event(language="en", session=""), browser("hr"))]
                service.gate.set()
        return seen

    seen = asyncio.run(leave())
    assert seen[-1] == (gr.skip(),) * 3
    assert all("fifteen" not in str(one[0]) for one in seen)
    wait_until(lambda: backend.conversations.messages(HR, asked_session(backend))[-1].status == "done", "the answer to be kept")


def test_stopping_does_not_wait_for_a_silent_model(turns, backend, service):
    service.gate.clear()

    async def stopped() -> Any:
        last = None
        async for one in turns.ask(event(language="en", question="leave"), browser("hr")):
            last = one
            if "Everyone ha" in str(one[1]):
                await asyncio.to_thread(turns.stop, event(session=asked_session(backend)), browser("hr"))
        return last

    log, live, _ = asyncio.run(stopped())
    assert ENGLISH.stopped in log and "Everyone ha" in log and live == ""


def test_nobody_stops_anothers_answer(turns, backend, service):
    service.gate.clear()

    async def tried() -> Any:
        last = None
        async for one in turns.ask(event(language="en", question="leave"), browser("hr")):
            last = one
            if "Everyone ha" in str(one[1]):
                await asyncio.to_thread(turns.stop, event(session=asked_session(backend)), browser("sales"))
                service.gate.set()
        return last

    assert 'data-status="done"' in asyncio.run(tried())[0]


def test_a_citation_is_looked_up_again_for_who_asks(turns, backend, service):
    shown(turns.ask, question="salaries")
    session = asked_session(backend)
    message = backend.conversations.messages(HR, session)[-1].id
    click = event(language="en", session=session, message=message, number=1)
    assert "<mark>Salaries are reviewed in March.</mark>" in turns.open_passage(click, browser("hr"))
    assert "Salaries" not in turns.open_passage(click, browser("sales"))
    nothing = event(language="en", session=session, message=message, number=9, asked=7)
    assert turns.open_passage(nothing, browser("hr")) == '<div data-asked="7"></div>'
    service.hits = []
    assert ENGLISH.passage_gone in turns.open_passage(click, browser("hr"))


def test_old_pages_are_forgotten():
    views = Views(most=2)
    for tab in ("a", "b", "c"):
        views.take(tab)
    assert views.take("c") == ("c", 2)
    assert not views.is_last("c", 1) and views.is_last("a", 1)
    asked, opened = views.take("d", 2), views.take("d", 1)  # a page that loads may open its session after it has asked
    assert views.is_last(*asked) and not views.is_last(*opened)
    assert views.take("d") == ("d", 3)


@pytest.fixture
def client(backend) -> TestClient:
    app = FastAPI()
    install_error_handlers(app)
    add_gate(app, GUARD)
    return TestClient(mount_page(app, backend, SETTINGS), raise_server_exceptions=False, follow_redirects=False)


def test_gradios_queue_looks_seldom(backend):
    queue: Any = build_page(backend, SETTINGS, RunningAnswers(4))._queue
    assert "self.sleep_when_free" in inspect.getsource(type(queue).start_processing), "Gradio names its pause otherwise now"
    assert queue.sleep_when_free == QUEUE_LOOKS_UNWATCHED_S
    watching = inspect.getsource(type(queue).start_progress_updates)
    assert "self.progress_update_sleep_when_free" in watching, "Gradio names its other pause otherwise now"
    assert queue.progress_update_sleep_when_free == NO_PROGRESS_LOOKS_EVERY_S


def test_the_queue_looks_often_while_a_page_is_open():
    queue, paces = SimpleNamespace(sleep_when_free=QUEUE_LOOKS_UNWATCHED_S), []

    async def page(scope, receive, send):
        paces.append(queue.sleep_when_free)
        if scope["path"].startswith("/gradio_api/heartbeat/"):
            await pace({"type": "http", "path": "/gradio_api/queue/join"}, receive, send)
            paces.append(queue.sleep_when_free)
            raise OSError("the reader has gone")

    pace = QueuePace(page, queue)
    asyncio.run(pace({"type": "http", "path": "/api/sessions"}, None, None))  # type: ignore[arg-type]
    with pytest.raises(OSError, match="gone"):
        asyncio.run(pace({"type": "http", "path": "/gradio_api/heartbeat/x"}, None, None))  # type: ignore[arg-type]
    assert paces == [QUEUE_LOOKS_UNWATCHED_S, *[QUEUE_LOOKS_EVERY_S] * 3]
    assert queue.sleep_when_free == QUEUE_LOOKS_UNWATCHED_S


def test_the_page_and_its_routes(client):
    own = {"who": "hr"}
    page = client.get("/?session=x", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/%3Fsession%3Dx")
    for path in ("/config", "/gradio_api/queue/join", "/theme.css", "/gradio_api/startup-events", "/chat/pictures/a/b/1.png"):
        assert client.get(path).status_code == 401
    found = client.get("/", headers=own)
    assert "connect-src 'self'" in found.headers["content-security-policy"]
    for host in ("fonts.googleapis", "fonts.gstatic", "jsdelivr", "cdnjs", "unpkg", "huggingface.co"):
        assert host not in found.text + client.get("/theme.css", headers=own).text
    config = client.get("/config", headers=own)
    assert "acme" not in config.text
    assert len(config.json()["dependencies"]) == 5
    assert {one["api_visibility"] for one in config.json()["dependencies"]} == {"private"}
    assert client.post("/gradio_api/run/ask", json={"data": []}, headers=own).status_code in (404, 422)
    for path in ("upload", "info", "openapi.json", "file=/etc/passwd", "proxy=http://127.0.0.1/", "call/ask", "api/ask", "runs"):
        assert (
            client.request("POST" if path in ("upload", "call/ask") else "GET", f"/gradio_api/{path}", headers=own).status_code
            == 404
        )


def test_a_picture_needs_the_session_and_the_passage(client, turns, backend, service):
    service.hits = [make_hit(1, "Leave", "Everyone has fifteen days of leave.", page=1, format="pdf")]
    service.original = lambda document_id: PDF
    shown(turns.ask, question="leave")
    session = asked_session(backend)
    message = backend.conversations.messages(HR, session)[-1].id
    path = f"/chat/pictures/{session}/{message}/1.png"
    picture = client.get(path, headers={"who": "hr"})
    assert picture.status_code == 200 and picture.content.startswith(b"\x89PNG") and "private" in picture.headers["cache-control"]
    assert client.get(path, headers={"who": "sales"}).status_code == 404
    service.hits = []
    assert client.get(path, headers={"who": "hr"}).status_code == 404, "the cache is asked after the permission"


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 120]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 66>>stream\nBT /F 14 Tf 20 60 Td (Everyone has fifteen days of leave. More.) Tj ET\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def test_a_page_is_drawn_with_its_quote_and_a_broken_file_harms_nobody():
    from io import BytesIO

    from PIL import Image

    def yellow(quote: str) -> int:
        drawn = draw_apart(PDF, 1, quote)
        assert drawn is not None
        pixels = Image.open(BytesIO(drawn)).convert("RGB").tobytes()
        return sum(1 for at in range(0, len(pixels), 3) if pixels[at] > 240 and pixels[at + 2] < 200)

    assert yellow("Everyone has\nfifteen days of leave.") > 1000, "line breaks are the reader's own"
    assert yellow("Nobody has leave.") == 0
    assert draw_apart(PDF, 2, "x") is None
    assert draw_apart(b"%PDF-1.4 broken", 1, "x") is None


def test_the_protocols_are_those_of_the_product(backend):
    with pytest.raises(NotFound):
        backend.conversations.session(HR, "nothing")
