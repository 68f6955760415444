"""The whole product in a real browser: sign in, ask, cite, upload, judge, and what others see of it; over a tiny real corpus."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from auth_site import LEAST_HASHING
from playwright.sync_api import Browser, Page, expect, sync_playwright

from apps.chat.app import mount_page
from apps.chat.backend import Backend
from apps.chat.settings import ChatAppSettings
from apps.chat.texts import ENGLISH, KOREAN
from apps.chat.words import words_of
from llmflow.ingestion.access import Grant
from llmflow.ingestion.run import run_ingestion
from llmflow.ingestion.sources import SourceSettings
from llmflow.serving.application import make_application, open_services
from llmflow.serving.catalog import open_catalog
from llmflow.serving.people.access import open_access
from llmflow.serving.people.access_routes import access_routers
from llmflow.serving.people.erasing import erasers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]
FILES = {
    "leave.md": "# 휴가 규정\n\n## 반반차\n\n반반차는 2시간 단위로 쓸 수 있으며 하루에 두 번까지 신청할 수 있다.\n",
    "office.md": "# Offices\n\n## Munich\n\nThe Munich office has forty-two desks and opens at seven in the morning.\n",
}
PASSWORD = "four words nobody joins"
SENTENCE = "The zephyr allowance is ninety euros for every traveller."
PDF = (
    b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 160]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length %d>>stream\nBT /F 14 Tf 20 110 Td (%s) Tj ET\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
    % (len(SENTENCE) + 34, SENTENCE.encode())
)


@dataclass
class House:
    url: str
    passwords: dict[str, str]
    """One-time passwords by name, as the terminal tells them once."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("house")
    (root / "corpus").mkdir()
    for name, text in FILES.items():
        (root / "corpus" / name).write_text(text, encoding="utf-8")
    people = [{"name": "boss", "role": "administrator"}, {"name": "anna"}, {"name": "ben"}]
    auth = {"home_tenant": "acme", "hashing": LEAST_HASHING, "first_accounts": people}
    settings = ChatAppSettings.model_validate({"auth": auth})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(root / "home"))
        workspace = open_catalog("test")
        sources = SourceSettings(paths=(str(root / "corpus"),), access=Grant(tenant="acme"))
        ingestion = workspace.ingestion.model_copy(update={"sources": sources})
        assert run_ingestion(ingestion, workspace.stores, workspace.notifier, lambda *_: None).indexed == len(FILES)
        access = open_access(workspace, settings.auth, erasers(workspace))
        services = open_services(workspace, access.guard, settings.conversing)
        app = make_application(services, settings.title, access_routers(access, settings.title, settings.language))
        mount_page(app, Backend(services.conversations, services.chat, access.guard), settings)  # type: ignore[arg-type]
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", log_config=None, timeout_graceful_shutdown=1)
        )
        started = threading.Event()
        startup: Any = server.startup

        async def announce(sockets=None) -> None:
            await startup(sockets)
            started.set()

        server.startup = announce  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert started.wait(60)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield House(f"http://127.0.0.1:{port}/", {one.name: one.one_time_password for one in access.created})
        server.should_exit = True
        thread.join(30)
        workspace.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield chromium
        chromium.close()


def enter(browser: Browser, house: House, name: str, locale: str = "en-US") -> Page:
    """Sign in for the first time, which replaces the one-time password, and return the page."""
    context = browser.new_context(locale=locale)
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(house.url)
    page.locator("#name").fill(name)
    page.locator("#password").fill(house.passwords[name])
    page.locator("[type=submit]").first.click()
    page.locator("#new").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    page.locator("[type=submit]").first.click()
    page.wait_for_selector("body[data-ready=yes]")
    return page


def ask(page: Page, question: str) -> None:
    before = page.locator("#chat .turn").count()
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(page.locator("#chat .turn")).to_have_count(before + 1, timeout=60_000)
    expect(page.locator("#chat .turn").last).to_have_attribute("data-status", "done", timeout=60_000)


def test_a_day_in_the_house(browser, house, tmp_path):
    anna = enter(browser, house, "anna")
    expect(anna.locator("#account")).to_contain_text("anna")
    expect(anna.locator("#top [data-act=gear]")).to_be_hidden()
    ask(anna, "반반차는 몇 시간 단위로 쓸 수 있나요?")
    expect(anna.locator("#chat .turn").last).to_contain_text("2시간 단위")
    ask(anna, "How many desks does the Munich office have?")
    expect(anna.locator("#chat .turn").last).to_contain_text("forty-two desks")
    anna.locator("#chat .turn").last.locator(".cite").first.click()
    expect(anna.locator(".quoted-text mark")).to_contain_text("forty-two desks")
    with anna.expect_download() as download:
        anna.locator(".passage .download").click()
    assert Path(download.value.path()).read_text(encoding="utf-8") == FILES["office.md"]
    anna.locator("#chat .turn").last.locator("[data-rating=up]").click()
    expect(anna.locator("#chat .turn").last.locator("[data-rating=up]")).to_have_attribute("aria-pressed", "true")

    upload_and_ask(anna, tmp_path)
    own = anna.url
    narrow_and_shape(anna)
    anna.goto(own)
    expect(anna.locator("#chat .turn")).to_have_count(3)

    ben = enter(browser, house, "ben", "ko-KR")
    ask(ben, "How high is the zephyr allowance?")
    expect(ben.locator(".nothing strong")).to_have_text(KOREAN.not_found)
    ben.goto(own)
    expect(ben.locator(".welcome .notice")).to_have_text(KOREAN.no_chat)
    ben.locator("#top [data-act=files]").click()
    expect(ben.locator("#file-list")).to_have_text(words_of("ko")["files_none"])

    boss = enter(browser, house, "boss")
    boss.locator("#top [data-act=gear]").click()
    expect(boss.locator("#gear-box dd").first).to_contain_text("3")
    boss.keyboard.press("Escape")
    deleted = boss.evaluate("""async () => {
        const found = await (await fetch('/api/documents?space=all')).json();
        const one = found.items.find((item) => item.name.endsWith('zephyr.pdf'));
        return (await fetch(`/api/documents/${one.id}`, {method: 'DELETE'})).status;
    }""")
    assert deleted == 200

    anna.reload()
    expect(anna.locator("#chat .turn")).to_have_count(3)
    expect(anna.locator("#chat .turn").last.locator(".aside")).to_have_text(ENGLISH.withdrawn)
    anna.keyboard.press("Control+Shift+O")
    expect(anna.locator(".welcome")).to_be_visible()
    ask(anna, "How high is the zephyr allowance?")
    expect(anna.locator("#chat .nothing strong")).to_have_text(ENGLISH.not_found)
    anna.locator("#account").click()
    anna.get_by_role("menuitem", name=words_of("en")["sign_out"]).click()
    anna.wait_for_url("**/sign-in*")
    anna.goto(own)
    expect(anna.locator("#password")).to_be_visible()


def narrow_and_shape(page: Page) -> None:
    """Ask in one's own files only, in shared ones only, and with a template's examples, in a chat of its own."""
    words = words_of("en")
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    space = page.get_by_role("combobox", name=words["space"])
    expect(space).to_have_value("all")
    space.select_option(label=words["space_own"])
    expect(page.locator("#announce")).to_contain_text(words["space_own"])
    ask(page, "How many desks does the Munich office have?")
    last = page.locator("#chat .turn").last
    expect(last.locator(".nothing")).to_contain_text("Only your own files were searched.")
    expect(last.locator(".origin")).to_contain_text(ENGLISH.space_own)
    ask(page, "How high is the zephyr allowance?")
    expect(last).to_contain_text("ninety euros")
    space.select_option("shared")
    ask(page, "How high is the zephyr allowance?")
    expect(last.locator(".nothing")).to_contain_text("Only shared documents were searched.")
    page.locator("#chat .turn").last.locator("[data-act=again]").click()  # asked anew where it was asked
    expect(last.locator(".nothing")).to_contain_text("Only shared documents were searched.", timeout=60_000)
    space.select_option("all")

    made = page.evaluate("""async () => (await fetch('/api/templates', {
        method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({name: 'desks', title: 'Desks', text: 'How many desks does the {{city}} office have?',
                              examples: [{question: 'How many chairs?', answer: '- **12** [1]'}]}),
    })).status""")
    assert made == 201
    page.locator("#question").fill("/desks")
    page.locator("#templates [role=option]").first.click()
    form = page.locator("#template-fill")
    expect(form).to_contain_text(words["template_examples_hint"])
    form.locator("textarea").fill("Munich")
    form.locator("[type=submit]").click()
    chip = page.locator("#shown-examples")
    expect(chip).to_contain_text("1 example(s) of /desks")
    page.get_by_role("button", name=words["template_examples_drop"]).click()
    expect(chip).to_be_hidden()
    page.locator("#question").fill("/desks")
    page.locator("#templates [role=option]").first.click()
    form.locator("textarea").fill("Munich")
    form.locator("[type=submit]").click()
    expect(chip).to_be_visible()
    page.locator("#question").press("Enter")
    expect(page.locator("#chat .turn")).to_have_count(4, timeout=60_000)
    expect(last).to_have_attribute("data-status", "done", timeout=60_000)
    expect(last).to_contain_text("forty-two desks")
    expect(last.locator(".origin")).to_contain_text(ENGLISH.examples_unused)
    expect(chip).to_be_hidden()


def upload_and_ask(page: Page, folder: Path) -> None:
    words = words_of("en")
    for name, content in (("zephyr.pdf", PDF), ("broken.pdf", b"%PDF-1.4 this is broken")):
        (folder / name).write_bytes(content)
    page.locator("#top [data-act=files]").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=words["files_choose"]).click()
    chooser.value.set_files([folder / "zephyr.pdf", folder / "broken.pdf"])
    ready = page.locator(".file", has_text="zephyr.pdf")
    expect(ready).to_have_attribute("data-status", "ready", timeout=90_000)
    expect(page.locator(".file", has_text="broken.pdf").first).to_have_attribute("data-status", "failed", timeout=60_000)
    expect(page.locator(".file", has_text="broken.pdf").first.locator(".file-reason")).not_to_be_empty()
    page.keyboard.press("Escape")
    ask(page, "How high is the zephyr allowance?")
    expect(page.locator("#chat .turn").last).to_contain_text("ninety euros")
    page.locator("#chat .turn").last.locator(".cite").first.click()
    picture = page.locator(".page-picture img")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.page-picture img')?.naturalWidth > 100")
