"""The page in a real browser, against a real server in a thread."""

import re
import shutil
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvicorn
from chat_fakes import SmallService, make_hit
from playwright.sync_api import Page, expect, sync_playwright
from who import guard_of, person

from apps.chat.app import create_app
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import ENGLISH, KOREAN
from llmflow.errors import ModelUnavailable

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
EXTERNAL = "![pixel](https://evil.example/pixel.png) [link](https://evil.example)"
HITS = [
    make_hit(1, "Leave rules", "Annual leave is fifteen days.\nUnused days are paid out in January.", page=14),
    make_hit(2, "연차 안내", "연차 휴가는 15일이다.\n미사용 연차는 1월에 정산한다.", page=2),
    make_hit(3, HOSTILE, f"Hostile text {HOSTILE} {EXTERNAL}", heading=(HOSTILE,), source=HOSTILE),
    make_hit(4, "Hostile table", "Tablets and tables.", html=f"<table><tr><th>Kind</th><td>{HOSTILE}</td></tr></table>"),
    make_hit(5, "Salaries", "Salaries are reviewed in March.", groups=("hr",)),
    make_hit(6, "Long", "Longword " + "x" * 400 + "\n" + "긴" * 400),
]
SETTINGS = ChatAppSettings(
    title="Docs",
    samples_ko=("연차 휴가는 며칠인가요?",),
    samples_en=("How many days is annual leave?",),
    max_question_chars=200,
)


class PageService(SmallService):
    """Fails where the question says so."""

    def stream(self, question, principal, history=(), language=None):
        if "outage" in question:
            raise ModelUnavailable("The model server does not answer.")
        if "crash" in question:
            raise RuntimeError("internal secret")
        yield from super().stream(question, principal, history, language)


class _Site:
    def __init__(self) -> None:
        self.service = PageService(HITS, gate=threading.Event())
        self.service.gate.set()
        app = create_app(self.service, SETTINGS, guard_of(person("hr", "hr"), person("sales", "sales")))
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
        self.service.gate.set()
        self.server.should_exit = True
        self.thread.join(30)


@pytest.fixture(scope="module")
def site() -> Iterator[_Site]:
    with _Site() as running:
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
    site.service.gate.set()
    site.service.asked.clear()
    contexts, pages, outside, faults = [], [], [], []

    def note_request(request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url).hostname != "127.0.0.1":
            outside.append(request.url)

    def open_page(language: str = "en-US", width: int = 1280, height: int = 800, who: str = "hr", **options) -> Page:
        context = browser.new_context(
            locale=language, viewport={"width": width, "height": height}, extra_http_headers={"who": who}, **options
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.on("request", note_request)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(site.url)
        expect(page.locator(".welcome h1")).to_have_text((ENGLISH if language.startswith("en") else KOREAN).welcome)
        return page

    yield open_page
    hacked = [page.evaluate("window.hacked") for page in pages]
    for context in contexts:
        context.close()
    assert hacked == [None] * len(pages)
    assert outside == []
    assert faults == []


def ask(page: Page, question: str, status: str = "done") -> None:
    before = page.locator(".turn").count()
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(before + 1, timeout=20_000)
    if status:
        expect(page.locator(".turn").last).to_have_attribute("data-status", status, timeout=20_000)


def assert_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    for name in ("#top", "#chat", "#composer", "#panel"):
        box = page.evaluate("(n) => { const e = document.querySelector(n); return [e.scrollWidth, e.clientWidth] }", name)
        assert box[0] <= box[1], name


def test_a_citation_opens_its_passage_with_the_quote_highlighted(visit):
    page = visit()
    ask(page, "How many days is annual leave?")
    expect(page.locator(".turn .prose-text")).to_contain_text("Annual leave is fifteen days.")
    page.locator(".answer .cite").first.click()
    expect(page.locator(".passage mark")).to_have_text("Annual leave is fifteen days.")
    expect(page.locator(".passage h3")).to_have_text("Leave rules")
    expect(page.locator(".passage .facts")).to_contain_text("docs/1.pdf")
    expect(page.locator(".passage .facts")).to_contain_text("14")
    expect(page.locator(".passage .facts")).to_contain_text("Chapter › Section")
    expect(page.locator(".passage-text")).to_contain_text("Unused days are paid out in January.")
    conversation, panel = page.locator("#chat").bounding_box(), page.locator("#panel").bounding_box()
    assert panel["x"] >= conversation["x"] + conversation["width"] - 1

    page.keyboard.press("Escape")
    expect(page.locator(".passage")).to_have_count(0)
    page.locator(".chip").first.click()
    expect(page.locator(".passage mark")).to_have_count(1)


def test_the_answer_arrives_in_pieces_and_stop_keeps_what_has_come(visit, site):
    page = visit()
    site.service.gate.clear()
    ask(page, "How many days is annual leave?", status="pending")
    expect(page.locator("#stop")).to_be_visible()
    expect(page.locator("#send")).to_be_hidden()
    page.locator("#stop").click()
    expect(page.locator(".turn")).to_have_attribute("data-status", "stopped")
    expect(page.locator(".turn .aside")).to_have_text(ENGLISH.stopped)
    expect(page.locator("#send")).to_be_visible()
    site.service.gate.set()
    page.locator("[data-act=retry]").click()
    expect(page.locator(".turn")).to_have_attribute("data-status", "done")
    expect(page.locator(".turn .prose-text")).to_contain_text("Annual leave is fifteen days.")


def test_hostile_documents_are_shown_as_text(visit):
    page = visit()
    ask(page, "hostile")
    expect(page.locator(".answer .prose-text").first).to_contain_text("<img src=x onerror=")
    page.locator(".answer .cite").first.click()
    expect(page.locator(".passage h3")).to_have_text(HOSTILE)
    expect(page.locator(".passage mark")).to_contain_text("<script>window.hacked=1</script>")
    assert page.locator("#main img, #main a, #main script").count() == 0
    ask(page, "tables")
    page.locator(".turn").last.locator(".cite").click()
    expect(page.locator(".passage td")).to_have_count(1)
    assert page.locator("#main img, #main script").count() == 0


def test_a_hostile_question_is_shown_as_text(visit):
    page = visit()
    ask(page, HOSTILE)
    expect(page.locator(".question").last).to_contain_text("<img src=x")
    assert page.locator("#main img, #main script").count() == 0


def test_both_languages_switch_everything_and_are_remembered(visit):
    page = visit("ko-KR")
    expect(page.locator("#send")).to_have_text(KOREAN.send)
    page.locator(".sample").click()
    expect(page.locator(".turn")).to_have_attribute("data-status", "done")
    expect(page.locator(".sources-label")).to_have_text(KOREAN.sources)
    page.get_by_text("English", exact=True).click()
    expect(page.locator(".sources-label")).to_have_text(ENGLISH.sources)
    expect(page.locator("#send")).to_have_text(ENGLISH.send)
    expect(page.locator("#clear")).to_have_text(ENGLISH.clear)
    expect(page.locator("#question textarea")).to_have_attribute("placeholder", ENGLISH.placeholder)
    expect(page.locator("#keys")).to_have_text(ENGLISH.keys)
    page.reload()
    expect(page.locator(".welcome h1")).to_have_text(ENGLISH.welcome)
    expect(page.locator(".sample")).to_have_text(SETTINGS.samples_en[0])
    assert page.evaluate("document.documentElement.lang") == "en"


def test_nothing_found_looks_different(visit):
    page = visit()
    ask(page, "zebra")
    expect(page.locator(".nothing strong")).to_have_text(ENGLISH.not_found)
    assert page.locator(".turn .cite, .turn .chip").count() == 0


@pytest.mark.parametrize(("question", "said"), [("outage", "The model server does not answer."), ("crash", ENGLISH.failed_next)])
def test_a_failure_is_said_and_can_be_retried(visit, question, said):
    page = visit()
    ask(page, question, status="failed")
    expect(page.locator(".failure")).to_contain_text(said)
    expect(page.locator("[data-act=retry]")).to_be_visible()
    assert "secret" not in page.content()


def test_a_question_that_cannot_be_asked_stays_in_the_input(visit, site):
    page = visit()
    page.locator("#send").click()
    expect(page.locator("#notice")).to_have_text(ENGLISH.empty)
    expect(page.locator(".welcome h1")).to_have_text(ENGLISH.welcome)
    expect(page.locator("#send")).to_have_text(ENGLISH.send)
    page.locator("#question textarea").fill("x" * 201)
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_have_text(ENGLISH.too_long.format(n=201, limit=200))
    expect(page.locator("#question textarea")).to_have_value("x" * 201)
    assert site.service.asked == []
    ask(page, "leave")
    expect(page.locator("#notice")).to_be_empty()


def test_the_account_decides_what_is_read(visit, site):
    page = visit()
    ask(page, "salaries")
    expect(page.locator(".turn .cite")).to_have_count(1)
    expect(page.locator("#who .who")).to_have_text("hr of acme")
    other = visit(who="sales")
    ask(other, "salaries")
    expect(other.locator(".nothing")).to_be_visible()
    assert [(asked[1].user, asked[2]) for asked in site.service.asked] == [("hr", ()), ("sales", ())]


def test_two_browsers_share_nothing(visit, site):
    first, second = visit(), visit()
    ask(first, "salaries")
    expect(second.locator(".welcome")).to_be_visible()
    ask(second, "leave")
    ask(first, "leave")
    assert first.locator(".question").all_inner_texts() != second.locator(".question").all_inner_texts()
    assert [len(asked[2]) for asked in site.service.asked] == [0, 0, 2]


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


def test_clear_starts_over_and_closes_the_passage(visit):
    page = visit()
    ask(page, "leave")
    page.locator(".answer .cite").first.click()
    expect(page.locator(".passage")).to_be_visible()
    page.locator("#clear").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".passage")).to_have_count(0)


def test_shift_enter_breaks_the_line_slash_focuses_and_composing_does_not_send(visit, site):
    page = visit()
    page.locator(".welcome").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    box = page.locator("#question textarea")
    expect(box).to_be_focused()
    page.keyboard.type("annual")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("leave")
    expect(box).to_have_value("annual\nleave")
    box.evaluate("(e) => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))")
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_attribute("data-status", "done")
    assert [asked[0] for asked in site.service.asked] == ["annual\nleave!"]


def test_copy_takes_the_answer_with_its_markers(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "annual leave")
    page.locator("[data-act=copy]").click()
    expect(page.locator("[data-act=copy]")).to_have_text(ENGLISH.copied)
    assert re.sub(r"\s+", " ", page.evaluate("navigator.clipboard.readText()")) == "Annual leave is fifteen days. [1]"


@pytest.mark.parametrize("language", ["ko-KR", "en-US"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_no_sideways_scroll_and_room_for_fingers(visit, language, scheme):
    page = visit(language, 390, 844, color_scheme=scheme)
    assert_no_sideways_scroll(page)
    ask(page, "longword")
    assert_no_sideways_scroll(page)
    page.locator(".chip").first.click()
    expect(page.locator(".passage")).to_be_visible()
    assert_no_sideways_scroll(page)
    conversation, panel, composer = (page.locator(name).bounding_box() for name in ("#chat", "#panel", "#composer"))
    assert conversation["y"] + conversation["height"] <= panel["y"] + 1
    assert panel["y"] + panel["height"] <= composer["y"] + 1
    assert composer["y"] + composer["height"] <= 844
    for name in ("#send", ".chip", "#clear", ".icon-button", "[data-act=retry]"):
        assert page.locator(name).first.bounding_box()["height"] >= 40, name
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
