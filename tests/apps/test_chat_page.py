"""The page in a real browser, against a real server in a thread: real conversations, answers from a small service."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
import uvicorn
from chat_fakes import GUARD, SmallService, make_hit, small_conversations
from fastapi import APIRouter, Depends, HTTPException
from playwright.sync_api import APIResponse, Page, Request, Route, expect, sync_playwright
from serving_process import wait_until

from apps.chat.app import mount_page
from apps.chat.backend import Backend
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import ENGLISH, KOREAN
from apps.chat.words import words_of
from llmflow.accounts.permissions import Permission
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.adapters.sql_templates import SqlTemplateStore
from llmflow.errors import ModelUnavailable
from llmflow.serving.application import Services, answer_threads, make_application
from llmflow.serving.conversations.conversing import ConversingSettings
from llmflow.serving.people.auth import SESSION_COOKIE
from llmflow.types import Account

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]

expect.set_options(timeout=30_000)  # what only ends a hang; a loaded machine is slow
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
EXTERNAL = "![pixel](https://evil.example/pixel.png) [link](https://evil.example)"
HITS = [
    make_hit(
        1,
        "Leave rules",
        "Annual leave is fifteen days.\nUnused days are paid out in January.",
        page=14,
        format="docx",
        source="docs/1.docx",
    ),
    make_hit(2, "연차 안내", "연차 휴가는 15일이다.\n미사용 연차는 1월에 정산한다.", page=2),
    make_hit(3, HOSTILE, f"Hostile text {HOSTILE} {EXTERNAL}", heading=(HOSTILE,), source=HOSTILE),
    make_hit(4, "Hostile table", "Tablets and tables.", html=f"<table><tr><th>Kind</th><td>{HOSTILE}</td></tr></table>"),
    make_hit(5, "Salaries", "Salaries are reviewed in March.", groups=("hr",)),
    make_hit(7, "Handbook", "Pictures stand over quotations.", format="pdf"),
    make_hit(6, "Long", "Longword " + "x" * 400 + "\n" + "긴" * 400),
]
SETTINGS = ChatAppSettings(
    title="Docs",
    samples_ko=("연차 휴가는 며칠인가요?",),
    samples_en=("How many days is annual leave?",),
    conversing=ConversingSettings(max_question_chars=200),
)


class PageService(SmallService):
    """Fails where the question says so."""

    def stream(self, question, principal, history=(), language=None):
        if "outage" in question:
            raise ModelUnavailable("The model server does not answer.")
        if "crash" in question:
            raise RuntimeError("internal secret")
        if "ponder" in question:
            assert self.gate is not None and self.gate.wait(120), "the test never opened the gate"
        yield from super().stream(question, principal, history, language)


def account_router() -> APIRouter:
    """Who is signed in, as the sign-in's own routes tell it."""
    router = APIRouter()
    chats = Depends(GUARD.require(Permission.CHAT))

    @router.get("/api/auth/me")
    def me(account: Account = chats) -> dict:
        permissions = sorted(GUARD.permissions(account))
        return {**{name: getattr(account, name) for name in ("id", "tenant", "name", "display_name", "role")},
                "permissions": permissions, "mode": "accounts", "has_password": True, "notice": ""}  # fmt: skip

    return router


def document_router(service: SmallService) -> APIRouter:
    """What a document is called, for those who may read it."""
    router = APIRouter()
    chats = Depends(GUARD.require(Permission.CHAT))

    @router.get("/api/documents/{document_id}")
    def document(document_id: str, account: Account = chats) -> dict:
        readable = [
            hit.document for hit in service.hits if account.principal().may_read(hit.document.tenant, hit.document.groups)
        ]
        found = next((one for one in readable if one.id == document_id), None)
        if found is None:
            raise HTTPException(404)
        return {"id": found.id, "title": found.title, "name": found.source, "space": "shared", "status": found.status}

    return router


class _Site:
    def __init__(self, folder: Path) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.service = PageService(HITS, gate=self.gate)
        conversations = small_conversations(self.service, folder)
        templates = SqlTemplateStore(StateDatabase(f"sqlite:///{folder / 'state.db'}"))
        services = Services(GUARD, conversations, self.service, templates, answer_threads(conversations.settings))
        app = make_application(services, "Docs", [account_router(), document_router(self.service)])
        app = mount_page(app, Backend(conversations, self.service, GUARD), SETTINGS)
        self.server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
        )
        self.started = threading.Event()
        startup = self.server.startup

        async def announce(sockets=None):
            await startup(sockets)
            self.started.set()

        self.server.startup = announce
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> "_Site":
        self.thread.start()
        assert self.started.wait(60)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.server.should_exit = True
        self.thread.join(30)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[_Site]:
    with _Site(tmp_path_factory.mktemp("chat")) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, site):
    """Open the page; at the end, no script of a document ran, nothing left localhost and nothing failed in the console."""
    site.gate.set()
    site.service.hits = list(HITS)
    site.service.asked.clear()
    site.service.wishes.clear()
    contexts, pages, outside, faults = [], [], [], []

    def note_request(request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url).hostname != "127.0.0.1":
            outside.append(request.url)

    def gone(message) -> bool:
        """How the page learns of a document's end, and how a test has a question refused, or a list of documents."""
        address = message.location["url"]
        if "502" in message.text and "/api/documents?" in address:
            return True
        return ("404" in message.text and "/api/documents/" in address) or ("503" in message.text and "queue/join" in address)

    def note_fault(text: str) -> None:
        if "AbortError" not in text and "Connection errored out" not in text:  # how Gradio ends its streams when a page is left
            faults.append(text)

    def open_page(
        language: str = "en-US", width: int = 1280, height: int = 800, who: str = "hr", query: str = "", context=None, **options
    ) -> Page:
        if context is None:
            context = browser.new_context(locale=language, viewport={"width": width, "height": height}, **options)
            context.add_cookies([{"name": SESSION_COOKIE, "value": who, "url": site.url}])
            context.set_default_timeout(30_000)
            contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.on("request", note_request)
        page.on("pageerror", lambda error: note_fault(str(error)))
        page.on("console", lambda message: note_fault(message.text) if message.type == "error" and not gone(message) else None)
        page.goto(site.url + query)
        page.wait_for_selector("body[data-ready=yes]")
        if not query:
            expect(page.locator(".welcome h2")).to_have_text((ENGLISH if language.startswith("en") else KOREAN).welcome)
        return page

    yield open_page
    hacked = [page.evaluate("window.hacked") for page in pages]
    for context in contexts:
        context.close()
    assert hacked == [None] * len(pages)
    assert outside == []
    assert faults == []


def ask(page: Page, question: str, status: str = "done", before: int | None = None) -> None:
    before = page.locator(".turn").count() if before is None else before
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    written = page.locator(".turn" if status in ("", "pending") else "#chat .turn")
    expect(written).to_have_count(before + 1)
    if status:
        expect(page.locator("#chat .turn" if status != "pending" else "#live .turn").last).to_have_attribute(
            "data-status", status
        )
    if status != "pending":
        settled(page)


def settled(page: Page) -> None:
    """The log and the answer being written are two parts: a page that still shows one takes no question."""
    expect(page.locator("#live .turn")).to_have_count(0)


def menu(page: Page, name: str, role: Literal["menuitemradio", "menuitem"] = "menuitemradio") -> None:
    page.locator("#account").click()
    page.get_by_role(role, name=name, exact=True).click()


def on_the_way(page: Page, address: str, wanted: Callable[[Request], bool]) -> list[Route]:
    """Hold back the requests that `wanted` picks, until `let_go`; their answers then arrive in the order of the test."""
    routes: list[Route] = []
    page.route(address, lambda route: routes.append(route) if wanted(route.request) else route.fallback())
    return routes


def sent(page: Page, routes: list[Route], number: int = 1) -> list[Route]:
    """Wait until so many requests are held back."""
    for _ in range(3000):
        if len(routes) >= number:
            return routes
        page.wait_for_timeout(20)  # while it waits, the routes are told of requests
    raise AssertionError(f"{len(routes)} of {number} requests were sent")


def let_go(page: Page, route: Route, answer: APIResponse | None = None) -> None:
    """Let one request go, or its earlier `answer` arrive, and wait until the page has read it."""
    with page.expect_event("requestfinished", lambda request: request == route.request):
        if answer is None:
            route.continue_()
        else:
            route.fulfill(response=answer)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def assert_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    for name in ("#top", "#scroll", "#composer", "#panel"):
        box = page.evaluate("(n) => { const e = document.querySelector(n); return [e.scrollWidth, e.clientWidth] }", name)
        assert box[0] <= box[1], name


def test_a_citation_opens_its_passage_with_the_quote_highlighted(visit):
    page = visit()
    ask(page, "How many days is annual leave?")
    expect(page.locator(".turn .prose-text")).to_contain_text("Annual leave is fifteen days.")
    page.locator(".answer .cite").first.click()
    expect(page.locator(".passage .quoted-text mark")).to_have_text("Annual leave is fifteen days.")
    expect(page.locator(".passage h3")).to_have_text("Leave rules")
    expect(page.locator(".passage .facts")).to_contain_text("docs/1.docx")
    expect(page.locator(".passage .facts")).to_contain_text("14")
    expect(page.locator(".passage .facts")).to_contain_text("Chapter › Section")
    expect(page.locator(".quoted-text")).to_contain_text("Unused days are paid out in January.")
    page.locator(".near summary").first.click()
    expect(page.locator(".near").first).to_contain_text("What stands before.")
    conversation, panel = page.locator("#scroll").bounding_box(), page.locator("#panel").bounding_box()
    assert panel["x"] >= conversation["x"] + conversation["width"] - 1

    page.keyboard.press("Escape")
    expect(page.locator(".passage")).to_have_count(0)
    expect(page.locator(".answer .cite").first).to_be_focused()
    page.locator(".chip").first.click()
    expect(page.locator(".quoted-text mark")).to_have_count(1)

    pictures: list[Route] = []
    page.route("**/chat/pictures/**", lambda route: pictures.append(route))
    ask(page, "Where do pictures stand?")
    page.get_by_role("button", name="Open source 1: Handbook").first.click()
    mark = page.locator(".quoted-text mark", has_text="Pictures stand")
    expect(mark).to_be_in_viewport()
    sent(page, pictures)
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="1600"/>'
    pictures[0].fulfill(body=drawn, content_type="image/svg+xml")  # late, and tall
    page.wait_for_function("document.querySelector('.page-picture').offsetHeight > 600")
    expect(mark).to_be_in_viewport()


def test_the_answer_arrives_in_pieces_and_stop_keeps_what_has_come(visit, site):
    page = visit()
    site.gate.clear()
    ask(page, "How many days is annual leave?", status="pending")
    expect(page.locator("#live .prose-text")).to_have_text("Annual leave")
    expect(page.locator("#send")).to_be_hidden()
    page.locator("#stop").click()
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "stopped")
    expect(page.locator(".turn .aside")).to_have_text(ENGLISH.stopped)
    expect(page.locator(".turn .prose-text")).to_have_text("Annual leave")
    expect(page.locator("#send")).to_be_visible()
    settled(page)
    site.gate.set()
    page.locator("[data-act=again]").click()
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "done")
    expect(page.locator(".turn .prose-text")).to_contain_text("Annual leave is fifteen days.")


def test_a_refresh_keeps_the_conversation_and_joins_the_answer_being_written(visit, site):
    page = visit()
    ask(page, "annual leave")
    site.gate.clear()
    ask(page, "annual leave again", status="pending")
    address = page.url
    assert "?session=" in address
    page.reload()
    expect(page.locator("#chat .turn")).to_have_count(1)
    expect(page.locator("#live .turn")).to_have_attribute("data-status", "pending")
    expect(page.locator("#live .question")).to_contain_text("annual leave again")
    site.gate.set()
    expect(page.locator("#chat .turn")).to_have_count(2)
    expect(page.locator("#chat .turn").last).to_have_attribute("data-status", "done")
    assert page.url == address
    assert [len(asked[2]) for asked in site.service.asked] == [0, 2], "asked once each, the second with what was said"


def test_two_tabs_of_one_chat_do_not_write_at_once(visit, site):
    first = visit()
    ask(first, "annual leave")
    second = visit(context=first.context, query=first.url.partition("/?")[2].join(["?", ""]))
    expect(second.locator("#chat .turn")).to_have_count(1)
    site.gate.clear()
    ask(first, "annual leave again", status="pending")
    second.locator("#question").fill("leave from the other tab")
    second.keyboard.press("Enter")
    expect(second.locator("#notice")).to_have_text(ENGLISH.busy)
    expect(second.locator("#question")).to_have_value("leave from the other tab")
    expect(second.locator("#live .question")).to_contain_text("annual leave again")
    site.gate.set()
    for page in (first, second):
        expect(page.locator("#chat .turn")).to_have_count(2)
    assert [asked[0] for asked in site.service.asked] == ["annual leave", "annual leave again"]


def test_an_answer_goes_on_in_its_own_chat_while_another_is_read(visit, site):
    page = visit()
    ask(page, "paid annual leave")
    other, first = page.url, session_of(page)
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    site.gate.clear()
    ask(page, "leave in another chat", status="pending")
    second = session_of(page)
    open_chat(page, first)
    expect(page.locator("#chat .question")).to_contain_text("paid annual leave")
    expect(page.locator("#live .turn")).to_have_count(0)
    assert page.url == other
    site.gate.set()
    open_chat(page, second)
    expect(page.locator("#chat .question")).to_contain_text("leave in another chat")
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "done")
    page.go_back()
    expect(page.locator("#chat .question")).to_contain_text("paid annual leave")


def choose(page: Page, number: int = -1) -> None:
    """Choose the document of a citation of the last answer."""
    page.locator("#chat .turn").last.locator(".cite").nth(number).click()
    page.locator("#panel .passage [data-act=ask-document]").click()


def held(page: Page, session: str) -> list[Route]:
    """Hold back what the page sends to open a session, as a slow network does; `release` lets it go."""
    routes: list[Route] = []

    def on_its_way(route: Route) -> None:
        sent = (route.request.post_data_json or {}).get("event_data") or {}
        if sent.get("session") == session and "question" not in sent:
            routes.append(route)
        else:
            route.continue_()

    page.route("**/gradio_api/queue/join*", on_its_way)
    return routes


def release(page: Page, routes: list[Route]) -> None:
    for route in routes:
        route.continue_()
    page.unroute("**/gradio_api/queue/join*")


def open_chat(page: Page, session: str) -> None:
    page.locator(f'#sessions [data-session="{session}"] .side-open').click()


def session_of(page: Page) -> str:
    return dict(parse_qsl(urlsplit(page.url).query)).get("session", "")


def test_chosen_documents_come_back_with_their_chat(visit, site):
    page = visit()
    chips, space, question = page.locator("#chosen .chosen-one"), page.locator("#space"), "annual leave"
    ask(page, question)
    first = session_of(page)
    choose(page)
    expect(chips).to_have_text("This document: Leave rules")
    space.select_option("shared")
    page.reload()
    expect(chips).to_have_text("This document: Leave rules")  # chosen, and nothing asked yet
    expect(space).to_have_value("shared")
    ask(page, question, before=1)
    assert narrowed(site) == (("d1",), "shared")
    page.reload()
    expect(chips).to_have_text("This document: Leave rules")
    expect(space).to_have_value("shared")
    expect(space).to_have_class("narrow")
    page.keyboard.press("Control+Shift+O")
    page.go_back()  # at once, while the new chat is still on its way
    expect(chips).to_have_text("This document: Leave rules")
    expect(space).to_have_value("shared")
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#chosen")).to_be_hidden()
    expect(space).to_have_value("all")
    ask(page, question, before=0)  # the chat that was left may still be seen for a moment
    assert narrowed(site) == ((), "all")
    open_chat(page, first)
    expect(chips).to_have_text("This document: Leave rules")
    ask(page, question, before=2)
    assert narrowed(site) == (("d1",), "shared")

    waiting = held(page, session_of(page))
    page.reload()
    page.wait_for_selector("body[data-ready=yes]")
    page.locator("#question").fill("leave, asked before the page knew")
    page.locator("#question").press("Enter")
    expect(page.locator("#chat .turn").last).to_contain_text("before the page knew")
    assert narrowed(site) == (("d1",), "shared")
    expect(chips).to_have_text("This document: Leave rules")
    release(page, waiting)

    page.get_by_role("button", name=words_of("en")["chosen_drop"].format(title="Leave rules")).click()
    space.select_option("all")
    page.reload()
    expect(page.locator("#chat .turn")).to_have_count(4)
    expect(space).to_have_value("all")
    ask(page, question)
    assert narrowed(site) == ((), "all")


def narrowed(site: _Site) -> tuple[tuple[str, ...], str]:
    """Return the documents and the space that the last question was narrowed to."""
    wish = site.service.wishes[-1]
    return wish.documents, str(wish.space)


def refused(page: Page, status: int = 0) -> None:
    """Have a question refused: by the server, or with this status by a proxy before it."""
    if status:
        page.route("**/gradio_api/queue/join*", lambda route: route.fulfill(status=status, body="no"))
    page.locator("#question").fill("leave" if status else "x" * 201)
    page.locator("#question").press("Enter")
    expect(page.locator("#notice .notice")).to_have_text(
        words_of("en")["not_sent"] if status else ENGLISH.too_long.format(n=201, limit=200)
    )
    expect(page.locator("#question")).to_have_value("leave" if status else "x" * 201)
    page.unroute("**/gradio_api/queue/join*")


@pytest.mark.parametrize("status", [0, 503])
def test_a_refused_question_leaves_its_choice_to_the_next(visit, site, status):
    page = visit()
    chips = page.locator("#chosen .chosen-one")
    ask(page, "annual leave")
    choose(page)
    page.locator("#space").select_option("shared")
    refused(page, status)
    page.reload()
    expect(chips).to_have_text("This document: Leave rules")
    expect(page.locator("#space")).to_have_value("shared")
    ask(page, "annual leave again", before=1)
    assert narrowed(site) == (("d1",), "shared")

    chips.get_by_role("button").click()
    page.route("**/api/documents*", lambda route: route.fulfill(json={"items": [], "total": 0, "document": {"id": "new"}}))
    page.route("**/api/jobs*", lambda route: route.fulfill(json={"items": [], "total": 0}))
    page.locator("[data-act=attach]").click()
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.locator("input[type=file]").set_input_files({"name": "new.txt", "mimeType": "text/plain", "buffer": b"new"})
    page.keyboard.press("Escape")
    refused(page, status)
    ask(page, "annual leave without a document")
    assert narrowed(site) == ((), "shared")


def test_a_chosen_document_that_is_gone_narrows_the_chat_until_it_is_taken_away(visit, site):
    page = visit()
    chips = page.locator("#chosen .chosen-one")
    ask(page, "annual leave")
    choose(page)
    ask(page, "annual leave again")
    site.service.hits = [hit for hit in HITS if hit.document.id != "d1"]
    ask(page, "and once more leave")
    expect(chips).to_have_text("Deleted, or not readable for you: Leave rules")
    page.reload()
    expect(chips).to_have_text("Deleted, or not readable for you: a chosen document")
    expect(page.locator("#announce")).to_contain_text("Deleted")
    expect(chips).to_have_class("chosen-one gone")
    ask(page, "leave after a reload")
    assert [wish.documents for wish in site.service.wishes] == [(), ("d1",), ("d1",), ("d1",)]
    chips.get_by_role("button").click()
    expect(page.locator("#chosen")).to_be_hidden()
    ask(page, "leave everywhere")
    assert site.service.wishes[-1].documents == ()


def test_a_late_answer_takes_nobody_back_to_the_chat_they_left(visit, site):
    page = visit()
    ask(page, "paid annual leave")
    first = session_of(page)
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, "leave in the second chat")
    second = session_of(page)
    site.gate.clear()
    ask(page, "annual leave, slowly", status="pending")
    waiting = held(page, first)
    open_chat(page, first)
    assert session_of(page) == first
    site.gate.set()
    expect(page.locator("#chat .turn").last).to_contain_text(
        "annual leave, slowly"
    )  # it ends before the server hears of the click
    expect(page.locator("#chat .turn").last).to_have_attribute("data-status", "done")
    assert session_of(page) == first
    expect(page.locator("#title")).to_have_text("paid annual leave")
    release(page, waiting)
    expect(page.locator("#chat .question")).to_have_count(1)
    expect(page.locator("#chat .question")).to_contain_text("paid annual leave")
    assert session_of(page) == first

    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    waiting = held(page, "")
    site.gate.clear()
    page.locator("#question").fill("annual leave of a chat that is given up")
    page.locator("#question").press("Enter")
    page.keyboard.press("Control+Shift+O")  # before the chat has a name
    expect(page.locator("#live .question")).to_contain_text("given up")
    assert session_of(page) == ""
    site.gate.set()
    release(page, waiting)
    expect(page.locator(".welcome")).to_be_visible()
    assert session_of(page) == "" != second


def test_who_is_at_the_end_stays_there_and_who_reads_is_not_moved(visit, site):
    page = visit(height=600)
    place = "[Math.round(scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight), scroll.scrollTop]"

    def at() -> tuple[int, int]:
        left, top = page.evaluate(f"() => {{ const scroll = document.getElementById('scroll'); return {place} }}")
        return left, top

    def wait_at(where: str) -> None:
        page.wait_for_function(
            f"() => {{ const scroll = document.getElementById('scroll'); const [left, top] = {place}; return {where} }}"
        )

    for number in range(4):
        ask(page, f"longword of annual leave {number}")
        wait_at("left < 2")
    page.reload()
    expect(page.locator("#chat .turn")).to_have_count(4)
    wait_at("left < 2")
    late = "height => { document.querySelector('#chat .turn:last-child').style.paddingBottom = `${height}px` }"
    for height in (700, 0):
        page.evaluate(late, height)
        wait_at("left < 2")

    for up in (50, 900):
        site.gate.clear()
        ask(page, "longword of annual leave, slowly", status="pending")
        wait_at("left < 2")
        page.locator("#scroll").hover()
        page.mouse.wheel(0, -up)
        wait_at(f"left === {up}")
        top = at()[1]
        site.gate.set()
        expect(page.locator("#live .turn")).to_have_count(0)
        expect(page.locator("#chat .turn").last).to_have_attribute("data-status", "done")
        page.evaluate(late, 300)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wait_at(f"top === {top}")
        page.mouse.wheel(0, 9000)
        wait_at("left < 2")


def test_hostile_documents_are_shown_as_text(visit):
    page = visit()
    ask(page, "hostile")
    expect(page.locator(".answer .prose-text").first).to_contain_text("<img src=x onerror=")
    page.locator(".answer .cite").first.click()
    expect(page.locator(".passage h3")).to_have_text(HOSTILE)
    expect(page.locator(".quoted-text mark")).to_contain_text("<script>window.hacked=1</script>")
    assert page.locator("#main img, #scroll a, #main script").count() == 0
    ask(page, "tables")
    page.locator(".turn").last.locator(".cite").click()
    expect(page.locator(".passage td")).to_have_count(1)
    assert page.locator("#main img, #main script").count() == 0


def test_a_hostile_question_is_shown_as_text_everywhere(visit):
    page = visit()
    ask(page, HOSTILE)
    expect(page.locator(".question").last).to_contain_text("<img src=x")
    expect(page.locator("#title")).to_contain_text("<img src=x")
    expect(page.locator("#sessions .side-open").first).to_contain_text("<img src=x")
    assert page.locator("#frame img, #frame script").count() == 0


def test_both_languages_switch_everything_and_are_remembered(visit):
    page = visit("ko-KR")
    expect(page.locator("#send")).to_have_text(words_of("ko")["send"])
    page.locator(".sample").click()
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "done")
    expect(page.locator(".sources-label")).to_have_text(KOREAN.sources)
    menu(page, "English")
    english = words_of("en")
    expect(page.locator(".sources-label")).to_have_text(ENGLISH.sources)
    expect(page.locator("#send")).to_have_text(english["send"])
    expect(page.locator("#hint")).to_have_text(english["hint"])
    expect(page.locator("#question")).to_have_attribute("placeholder", english["placeholder"])
    expect(page.locator("#sidebar nav")).to_have_attribute("aria-label", english["sidebar"])
    page.reload()
    expect(page.locator(".sources-label")).to_have_text(ENGLISH.sources)
    assert page.evaluate("document.documentElement.lang") == "en"


def test_the_theme_is_chosen_and_remembered(visit):
    page = visit()
    assert not page.evaluate("document.body.classList.contains('dark')")
    menu(page, words_of("en")["theme_dark"])
    assert page.evaluate("document.body.classList.contains('dark')")
    page.reload()
    page.wait_for_selector("body.dark")


def test_nothing_found_looks_different(visit):
    page = visit()
    ask(page, "zebra")
    expect(page.locator(".nothing strong")).to_have_text(ENGLISH.not_found)
    assert page.locator(".turn .cite, .turn .chip").count() == 0


@pytest.mark.parametrize("question", ["outage", "crash"])
def test_a_failure_is_said_and_can_be_retried(visit, question):
    page = visit()
    ask(page, question, status="")
    expect(page.locator("#chat .turn")).to_have_count(1)
    expect(page.locator(".failure, .aside").first).to_be_visible()
    expect(page.locator("[data-act=again]")).to_be_visible()
    if question == "outage":
        expect(page.locator("#chat")).to_contain_text("The model server does not answer.")
    assert "internal secret" not in page.content()


def test_a_question_that_cannot_be_asked_stays_in_the_input(visit, site):
    page = visit()
    page.locator("#send").click()
    expect(page.locator("#notice")).to_have_text(ENGLISH.empty)
    expect(page.locator(".welcome h2")).to_have_text(ENGLISH.welcome)
    page.locator("#question").fill("x" * 201)
    page.locator("#question").press("Enter")
    expect(page.locator("#notice")).to_have_text(ENGLISH.too_long.format(n=201, limit=200))
    expect(page.locator("#question")).to_have_value("x" * 201)
    assert site.service.asked == []
    ask(page, "leave")
    expect(page.locator("#notice")).to_be_empty()


def test_two_accounts_share_nothing(visit, site):
    first, second = visit(who="hr"), visit(who="sales")
    ask(first, "salaries")
    expect(first.locator(".turn .cite")).to_have_count(1)
    ask(second, "salaries")
    expect(second.locator(".nothing")).to_be_visible()
    assert [(asked[1].user, asked[2]) for asked in site.service.asked] == [("hr", ()), ("sales", ())]
    second.goto(first.url)
    expect(second.locator(".welcome .notice")).to_have_text(ENGLISH.no_chat)
    expect(second.locator("#sessions .current")).to_have_count(0)
    assert "session" not in second.url


def test_nobody_reads_the_page_without_signing_in(browser, site):
    context = browser.new_context()
    response = context.request.get(site.url + "?session=x", max_redirects=0, headers={"accept": "text/html"})
    assert response.status == 303
    assert response.headers["location"] == "/sign-in?next=/%3Fsession%3Dx"
    context.close()


def test_a_passage_is_checked_again_when_it_is_opened(visit, site):
    page = visit()
    ask(page, "leave")
    readable = site.service.hits
    site.service.hits = []
    try:
        page.locator(".answer .cite").first.click()
        expect(page.locator(".passage .notice")).to_have_text(ENGLISH.passage_gone)
        expect(page.locator(".passage mark")).to_have_count(0)
    finally:
        site.service.hits = readable


def test_an_edited_question_cuts_what_follows(visit, site):
    page = visit()
    ask(page, "annual leave")
    ask(page, "salaries")
    page.locator("#chat .asked").first.hover()
    page.locator("[data-act=edit]").first.click()
    page.locator(".edit textarea").fill("unused leave days")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .turn")).to_have_count(1)
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "done")
    expect(page.locator(".question")).to_contain_text("unused leave days")
    settled(page)
    assert site.service.asked[-1][2] == ()
    page.locator("[data-act=again]").click()
    expect(page.locator("#chat .turn .prose-text")).to_contain_text("fifteen")
    wait_until(lambda: len(site.service.asked) == 4, "the question to be asked again", 60)
    assert [asked[0] for asked in site.service.asked] == ["annual leave", "salaries", "unused leave days", "unused leave days"]


def test_chats_are_found_renamed_exported_and_deleted(visit):
    page = visit(who="keeper")
    ask(page, "annual leave")
    page.locator("[data-act=new]:visible").first.click()
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, "longword please")
    expect(page.locator("#sessions li")).to_have_count(2)
    expect(page.locator("#sessions li").first).to_contain_text("longword")
    page.locator("#search").fill("ANNUAL")
    expect(page.locator("#sessions li")).to_have_count(1)
    page.locator("#sessions .icon-button").click()
    page.keyboard.press("Enter")
    page.keyboard.type("휴가 <b>")
    page.keyboard.press("Enter")
    expect(page.locator("#sessions .side-open")).to_have_text("휴가 <b>")
    page.locator("#sessions .icon-button").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=words_of("en")["export_markdown"]).click()
    assert "fifteen days" in Path(download.value.path()).read_text(encoding="utf-8")
    page.locator("#sessions .icon-button").click()
    page.get_by_role("menuitem", name=words_of("en")["delete"]).click()
    page.keyboard.press("Escape")
    expect(page.locator("#sessions li")).to_have_count(1)
    page.locator("#sessions .icon-button").click()
    page.get_by_role("menuitem", name=words_of("en")["delete"]).click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#sessions")).to_have_text(words_of("en")["no_chats_found"])
    page.locator("#search").fill("")
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(page.locator("#chat .question")).to_contain_text("longword")


def test_a_template_is_made_chosen_and_filled_by_keyboard(visit, site):
    page = visit()
    words = words_of("en")
    menu(page, words["templates"], "menuitem")
    page.get_by_role("button", name=words["template_new"]).click()
    page.keyboard.type("leave-days")
    page.locator("[name=title]").fill("Days of leave")
    page.locator("[name=text]").fill("How many days is {{kind}} leave?")
    page.get_by_role("button", name=words["template_example_add"]).click()
    page.get_by_label(words["template_example_question"].format(n=1)).fill("And unpaid?")
    page.get_by_label(words["template_example_answer"].format(n=1)).fill("Thirty. [1]")
    page.locator("#template-box [type=submit]").click()
    expect(page.locator("#template-box .template-name")).to_have_text("/leave-days")
    page.keyboard.press("Escape")
    page.locator("#question").focus()
    page.keyboard.type("/zzz")
    expect(page.locator("#templates [role=option]")).to_have_count(0)
    page.keyboard.press("Control+A")
    page.keyboard.type("/DAYS")
    expect(page.locator("#templates [role=option]")).to_have_count(1)
    expect(page.locator("#question")).to_have_attribute("aria-activedescendant", "template-0")
    page.keyboard.press("Enter")
    expect(page.locator("#template-fill textarea")).to_be_focused()
    page.keyboard.type("annual")
    page.keyboard.press("Tab")
    page.locator("#template-fill [type=submit]").press("Enter")
    expect(page.locator("#question")).to_have_value("How many days is annual leave?")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "done")
    assert site.service.asked[-1][0] == "How many days is annual leave?"
    wished = site.service.wishes[-1]
    assert (wished.examples, wished.template) == ((("And unpaid?", "Thirty. [1]"),), "leave-days@1")


def test_a_closed_dialog_gives_the_focus_back_but_takes_it_from_nobody(visit):
    page = visit()
    went = """async (elsewhere) => {
      const dialog = document.querySelector('#help-box');
      const said = new Promise((resolve) => dialog.addEventListener('close', resolve));
      dialog.close();
      if (elsewhere) document.querySelector(elsewhere).focus();
      await said;
      const at = document.activeElement;
      return at.id || at.dataset.act;
    }"""
    for elsewhere, there in ((None, "attach"), ("#question", "question")):
        page.locator("[data-act=attach]").focus()
        page.keyboard.press("?")
        assert page.evaluate(went, elsewhere) == there


def test_lists_and_passages_that_come_late_change_nothing_and_move_nobody(visit, site):
    page = visit(who="late")
    ask(page, "annual leave of the first")
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, "annual leave of the second", before=0)
    chats, question = page.locator("#sessions .side-open"), page.locator("#question")
    expect(chats).to_have_text(["annual leave of the second", "annual leave of the first"])
    second, first = (item.get_attribute("data-session") for item in page.locator("#sessions li").all())

    writes = on_the_way(page, "**/api/sessions/*", lambda request: request.method == "PATCH")
    page.locator("#sessions li").last.get_by_role("button").last.click()
    page.get_by_role("menuitem", name=words_of("en")["rename"]).click()
    page.keyboard.type("Renamed")
    question.click()  # keeps the name, and the person is elsewhere
    expect(chats.last).to_have_text("Renamed")
    with page.expect_response("**/api/sessions?*"):  # the list that the page loads after it
        let_go(page, sent(page, writes)[0])
    expect(page.locator("#toast")).to_have_text(words_of("en")["renamed"])
    expect(question).to_be_focused()

    lists = on_the_way(page, "**/api/sessions?*", lambda request: True)
    page.locator("#sessions li").last.get_by_role("button").last.click()
    page.get_by_role("menuitem", name=words_of("en")["rename"]).click()
    page.keyboard.press("Escape")
    old = sent(page, lists)[0]
    answer = old.fetch()
    chats.last.hover()
    page.mouse.down()
    page.context.request.patch(f"{site.url}api/sessions/{second}", data={"title": "Moved up"}, headers={"Origin": site.url[:-1]})
    page.locator("#search").evaluate("(box) => { box.value = ' '; box.dispatchEvent(new Event('input', {bubbles: true})) }")
    let_go(page, sent(page, lists, 2)[1])
    let_go(page, old, answer)
    page.mouse.up()
    expect(page.locator("#chat .question")).to_contain_text("of the first")  # the list did not change under the click
    assert session_of(page) == first
    expect(chats).to_have_text(["Moved up", "Renamed"])
    page.unroute("**/api/sessions?*")
    ask(page, "tablets")
    passages_that_come_late(page)


def passages_that_come_late(page: Page) -> None:
    """They open in nobody's way: the one clicked last is shown, where it is still wanted, and takes no focus."""
    cites, question, title = page.locator("#chat .cite"), page.locator("#question"), page.locator(".passage h3")
    clicks = on_the_way(page, "**/gradio_api/run/**", lambda request: '"number"' in (request.post_data or ""))
    cites.first.click()
    cites.last.click()
    older, newer = sent(page, clicks, 2)
    late = older.fetch()
    let_go(page, newer)
    expect(title).to_have_text("Hostile table")
    expect(page.locator(".passage")).to_be_focused()
    let_go(page, older, late)
    let_go(page, sent(page, clicks, 3)[2])  # what was clicked last is asked for again
    expect(title).to_have_text("Hostile table")
    page.keyboard.press("Escape")
    expect(title).to_have_count(0)

    cites.first.click()
    sent(page, clicks, 4)
    question.click()
    page.keyboard.type("meanwhile ")
    let_go(page, clicks[3])
    expect(title).to_have_text("Leave rules")
    page.keyboard.type("a question")
    expect(question).to_have_value("meanwhile a question")
    page.keyboard.press("Escape")
    expect(title).to_have_count(0)
    expect(question).to_be_focused()

    cites.first.click()
    sent(page, clicks, 5)
    page.keyboard.press("Control+Shift+O")  # another chat, before the passage is there
    let_go(page, clicks[4])
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".passage")).to_have_count(0)


def test_what_is_being_written_outlives_what_comes_late(visit, site):
    page, words = visit(who="late"), words_of("en")
    ask(page, "annual leave")
    question, correction = page.locator("#question"), page.locator(".feedback textarea")
    thumbs = on_the_way(page, "**/feedback", lambda request: True)
    page.locator("[data-rating=down]").click()
    sent(page, thumbs)
    question.click()
    let_go(page, thumbs[0])
    expect(correction).to_be_visible()
    expect(question).to_be_focused()
    site.gate.clear()
    ask(page, "leave, slowly", status="pending")
    correction.fill("It is ")
    site.gate.set()
    expect(page.locator("#chat .turn")).to_have_count(2)
    page.keyboard.type("sixteen.")
    expect(correction).to_have_value("It is sixteen.")

    site.gate.clear()
    ask(page, "leave, and a server that goes away", status="pending")
    question.fill("the next question")
    page.route("**/healthz", lambda route: route.fulfill(json={}))
    page.clock.install()
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("#notice")).to_have_text(words["offline"])
    with page.expect_navigation():  # it is back: the stream is read anew
        page.clock.fast_forward(2000)
    expect(question).to_have_value("the next question")
    site.gate.set()
    expect(page.locator("#chat .turn")).to_have_count(3)

    question.fill("")
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    joins = on_the_way(page, "**/gradio_api/queue/join*", lambda request: '"question"' in (request.post_data or ""))
    question.fill("leave, in another language meanwhile")
    page.keyboard.press("Enter")
    sent(page, joins)
    menu(page, "한국어")
    let_go(page, joins[0])
    expect(page.locator("#chat .question")).to_contain_text("in another language meanwhile")


def test_a_late_template_is_no_question_and_overwrites_none_and_lists_in_dialogs_keep_their_order(visit, site):
    page = visit(who="late")
    question, chosen = page.locator("#question"), page.locator("#template-fill")
    made = {"name": "late", "title": "Late", "text": "How many days is {{kind}} leave?"}
    made = page.context.request.post(f"{site.url}api/templates", data=made, headers={"Origin": site.url[:-1]})
    assert made.ok
    lists = on_the_way(page, "**/api/templates", lambda request: request.method == "GET")
    question.focus()
    page.keyboard.type("/la")
    page.keyboard.press("Enter")
    for route in sent(page, lists, 3)[::-1]:
        let_go(page, route)
    expect(chosen.locator("textarea")).to_be_focused()
    page.keyboard.type("annual")
    renders = on_the_way(page, "**/render", lambda request: True)
    chosen.locator("[type=submit]").click()
    chosen.locator("[type=submit]").click()
    sent(page, renders)
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    question.fill("another question")
    let_go(page, renders[0])
    assert len(renders) == 1
    expect(question).to_have_value("another question")
    page.unroute("**/api/templates")
    menu(page, words_of("en")["templates"], "menuitem")
    page.get_by_role("button", name=words_of("en")["delete"], exact=False).click()
    deletes = on_the_way(page, "**/api/templates/*", lambda request: request.method == "DELETE")
    page.locator("#confirm-yes").click()
    sent(page, deletes)
    page.get_by_role("button", name=words_of("en")["template_new"]).click()
    page.keyboard.type("another-one")
    with page.expect_response(lambda response: response.url.endswith("/api/templates")):
        let_go(page, deletes[0])
    expect(page.locator("#toast")).to_have_text(words_of("en")["deleted"])
    expect(page.locator("#template-box [name=name]")).to_have_value("another-one")
    assert site.service.asked == []
    page.keyboard.press("Escape")
    lists_in_dialogs(page)


def lists_in_dialogs(page: Page) -> None:
    """They keep what was last true, and the focus."""
    words = words_of("en")
    moment = "2026-01-01T00:00:00Z"
    keys = [{"id": name, "name": name, "created_at": moment} for name in ("first", "second")]
    page.route("**/api/auth/keys", lambda route: route.fulfill(
        json={"items": list(keys)} if route.request.method == "GET" else {"secret": "lf-once"}))  # fmt: skip
    page.route("**/api/auth/keys/*", lambda route: route.fulfill(json={}))
    menu(page, words["api_keys"], "menuitem")
    rows = page.locator("#key-box .item")
    expect(rows).to_have_count(2)
    expect(page.locator("#key-box [name=key]")).to_be_focused()
    lists = on_the_way(page, "**/api/auth/keys", lambda request: request.method == "GET")
    page.get_by_role("button", name=words["key_delete"].format(name="first")).click()
    sent(page, lists)
    page.locator("#key-box [name=key]").fill("third")
    page.keyboard.press("Enter")
    sent(page, lists, 2)
    lists[1].fulfill(json={"items": [keys[1], {"id": "third", "name": "third", "created_at": moment}]})
    lists[0].fulfill(json={"items": keys[1:]})
    expect(page.locator("#key-box code")).to_have_text("lf-once")
    expect(rows.locator(".file-name")).to_have_text(["second", "third"])
    page.keyboard.press("Escape")

    def file(name: str, status: str) -> dict:
        return {"id": name, "name": name, "title": name, "source": name, "size": 1, "status": status, "reason": ""}

    page.route("**/api/jobs*", lambda route: route.fulfill(json={"items": [], "total": 0}))
    page.route("**/api/documents*", lambda route: route.fulfill(json={"items": [], "total": 0}))
    files = on_the_way(page, "**/api/documents*", lambda request: "space=own" in request.url)
    page.clock.install()
    page.locator("#top [data-act=files]").click()
    sent(page, files)[0].fulfill(json={"items": [file("a.txt", "processing"), file("b.txt", "processing")], "total": 2})
    delete = page.get_by_role("button", name=words["file_delete"].format(title="b.txt"))
    delete.focus()
    page.clock.fast_forward(1200)  # it looks again, in vain, and then once more
    sent(page, files, 2)[1].fulfill(status=502)
    expect(page.locator("#toast")).to_have_text(words["failed"])
    page.clock.fast_forward(3000)
    sent(page, files, 3)[2].fulfill(json={"items": [file("a.txt", "ready"), file("b.txt", "processing")], "total": 2})
    expect(page.locator("#file-list [data-status=ready]")).to_have_count(1)
    expect(delete).to_be_focused()


def test_thumbs_are_kept_with_their_reason(visit):
    page = visit()
    ask(page, "leave")
    page.locator("[data-rating=down]").click()
    page.get_by_label(words_of("en")["reason_outdated"]).check()
    page.locator(".feedback textarea").fill("It is sixteen days.")
    with page.expect_response("**/feedback") as kept:
        page.locator(".feedback [type=submit]").click()
    said = kept.value.json()
    assert (said["rating"], said["reason"], said["correction"]) == ("down", "outdated", "It is sixteen days.")
    expect(page.locator(".feedback")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-rating=down]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-rating=down]").click()
    expect(page.locator("[data-rating=down]")).to_have_attribute("aria-pressed", "false")


def test_shortcuts_work_but_not_while_writing(visit, site):
    page = visit()
    box = page.locator("#question")
    box.focus()
    page.keyboard.type("annual?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("leave")
    expect(box).to_have_value("annual?\nleave")
    expect(page.locator("dialog")).to_have_count(0)
    composing = "(e) => e.dispatchEvent(new KeyboardEvent('keydown', {%s, isComposing: true, bubbles: true, cancelable: true}))"
    box.evaluate(composing % "key: 'Enter'")
    box.evaluate(composing % "code: 'KeyS', ctrlKey: true, shiftKey: true")
    expect(page.locator("#sidebar")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#chat .turn")).to_have_attribute("data-status", "done")
    assert [asked[0] for asked in site.service.asked] == ["annual?\nleave"]
    page.keyboard.press("Control+Shift+S")
    expect(page.locator("#sidebar")).to_be_hidden()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#help-box")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.keyboard.press("Control+Shift+X")
    page.locator("#confirm-yes").click()
    expect(page.locator("#toast")).to_have_text(words_of("en")["forgotten"])
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()


def test_copy_takes_the_answer_with_its_markers(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "annual leave")
    page.locator("[data-act=copy]").click()
    expect(page.locator("#toast")).to_have_text(words_of("en")["copied_done"])
    assert re.sub(r"\s+", " ", page.evaluate("navigator.clipboard.readText()")) == "Annual leave is fifteen days. [1]"


_NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, textarea, select, [role=button]')]
  .filter((e) => e.checkVisibility() && !(e.getAttribute('aria-label') || e.innerText?.trim() || e.labels?.length || e.title))
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("who", ["hr", "admin"])
def test_every_control_has_a_name_and_the_page_its_landmarks(visit, who):
    page = visit(who=who)
    ask(page, "leave")
    page.locator(".answer .cite").first.click()
    expect(page.locator(".passage")).to_be_visible()
    assert page.evaluate(_NAMELESS) == []
    assert page.locator("h1").count() == page.locator("main").count() == page.locator("nav").count() == 1
    assert page.locator("[aria-live=polite]").count() >= 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(set(ids)) == len(ids)
    expect(page.locator("#top [data-act=gear]")).to_be_visible(visible=who == "admin")
    page.keyboard.press("Escape")
    page.locator("#account").click()
    assert page.evaluate(_NAMELESS) == []


def test_a_screen_reader_hears_the_answer(visit, site):
    page = visit()
    page.evaluate("""() => { window.heard = []; new MutationObserver(() => window.heard.push(
        document.querySelector('#announce').textContent)).observe(document.querySelector('#announce'), {childList: true}); }""")
    site.gate.clear()  # else what comes at once may be shown at once
    ask(page, "ponder annual leave", status="pending")
    expect(page.locator("#announce")).to_have_text(words_of("en")["thinking"])
    site.gate.set()
    expect(page.locator("#announce")).to_contain_text(words_of("en")["answered"])
    heard = page.evaluate("window.heard")
    assert heard[0] == words_of("en")["thinking"]
    assert "Annual leave is fifteen days." in " ".join(heard)


@pytest.mark.parametrize("language", ["ko-KR", "en-US"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_no_sideways_scroll_and_room_for_fingers(visit, language, scheme):
    page = visit(language, 360, 740, color_scheme=scheme)
    expect(page.locator("#sidebar")).to_be_hidden()
    assert_no_sideways_scroll(page)
    ask(page, "longword")
    assert_no_sideways_scroll(page)
    page.locator(".chip").first.click()
    expect(page.locator(".passage")).to_be_visible()
    assert_no_sideways_scroll(page)
    conversation, panel, composer = (page.locator(name).bounding_box() for name in ("#scroll", "#panel", "#composer"))
    assert conversation["y"] + conversation["height"] <= panel["y"] + 1
    assert panel["y"] + panel["height"] <= composer["y"] + 1
    assert composer["y"] + composer["height"] <= 740
    for name in ("#send", ".chip", "#top [data-act=files]", "[data-act=again]"):
        assert page.locator(name).first.bounding_box()["height"] >= 40, name
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    page.keyboard.press("Escape")
    page.locator("#top [data-act=toggle-sidebar]").click()
    expect(page.locator("#sidebar")).to_be_visible()
    page.locator("#sessions .side-open").first.click()
    expect(page.locator("#sidebar")).to_be_hidden()
