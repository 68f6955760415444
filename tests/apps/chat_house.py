"""A chat over a tiny real corpus on a real socket, and a browser that signs in to it: shared by the tests that need both."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from auth_site import LEAST_HASHING
from playwright.sync_api import Browser, Page, expect, sync_playwright

from apps.chat.app import mount_page
from apps.chat.backend import Backend
from apps.chat.settings import ChatAppSettings
from llmflow.ingestion.access import Grant
from llmflow.ingestion.run import run_ingestion
from llmflow.ingestion.sources import SourceSettings
from llmflow.serving.application import make_application, open_services
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.people.access import open_access
from llmflow.serving.people.access_routes import access_routers
from llmflow.serving.people.erasing import erasers

expect.set_options(timeout=60_000)  # what only ends a hang; a loaded machine is slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
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
    workspace: Workspace


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("house")
    (root / "corpus").mkdir()
    for name, text in FILES.items():
        (root / "corpus" / name).write_text(text, encoding="utf-8")
    people = [{"name": "boss", "role": "administrator"}, *({"name": name} for name in ("anna", "ben", "eve"))]
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
        yield House(f"http://127.0.0.1:{port}/", {one.name: one.one_time_password for one in access.created}, workspace)
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


def enter(browser: Browser, house: House, name: str, locale: str = "en-US", **looks: Any) -> Page:
    """Sign in for the first time, which replaces the one-time password, and return the page."""
    context = browser.new_context(locale=locale, **looks)
    context.set_default_timeout(60_000)
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
    expect(page.locator("#chat .turn")).to_have_count(before + 1)
    settled(page)


def again(page: Page) -> None:
    """Ask the last question anew, and wait until another answer is there."""
    last = page.locator("#chat .turn").last
    before = last.locator(".answer").get_attribute("data-message") or ""
    last.locator("[data-act=again]").click()
    expect(last.locator(f".answer[data-message]:not([data-message='{before}'])")).to_have_count(1)
    settled(page)


def settled(page: Page) -> None:
    """The log and the answer being written are two parts, and a page that still shows the latter takes no question."""
    expect(page.locator("#chat .turn").last).to_have_attribute("data-status", "done")
    expect(page.locator("#live .turn")).to_have_count(0)
