"""The dashboard as an administrator uses it: a real browser, its real process, the real application over real stores."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright
from running import ROOT, environment, free_port
from serving_process import wait_until

from apps.admin import texts
from apps.admin import texts_documents as documents
from apps.admin import texts_people as people
from apps.admin.demo_data import Seeded
from apps.admin.screenshot import TITLES, VIEWS, open_view, sign_in
from llmflow.accounts.settings import AuthSettings
from llmflow.serving.application import make_application, open_services
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.conversations.conversing import ConversingSettings
from llmflow.serving.people.access import open_access
from llmflow.serving.people.access_routes import access_routers
from llmflow.serving.people.erasing import erasers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.services,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]
AUTH = AuthSettings.model_validate(
    {
        "home_tenant": "hanbit",
        "first_accounts": [{"name": "admin", "role": "administrator", "groups": ["hr"]}, {"name": "lee", "groups": ["hr"]}],
    }
)
OWN = "스무 글자가 넘는 나의 새 비밀번호"


@dataclass(frozen=True, slots=True)
class Site:
    workspace: Workspace
    address: str
    password: str
    """One-time, of the administrator."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(home))
        workspace = open_catalog("test")
        access = open_access(workspace, AUTH, erasers(workspace))
        app = make_application(open_services(workspace, access.guard, ConversingSettings()), "llmflow", access_routers(access))
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_until(lambda: server.started, "the API to listen")
        port = server.servers[0].sockets[0].getsockname()[1]
        with dashboard(home, f"http://127.0.0.1:{port}") as address:
            password = next(account.one_time_password for account in access.created if account.name == "admin")
            yield Site(workspace, address, password)
        server.should_exit = True
        thread.join(30)
        workspace.close()


class dashboard:
    """`llmflow admin` in a process of its own."""

    def __init__(self, home: Path, api: str):
        command = [sys.executable, "-m", "llmflow.cli", "admin", "--api", api, "--port", str(free_port()), "--json"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, encoding="utf-8")

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())["address"]

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield page
        browser.close()


def field(page: Page, label: str):
    return page.get_by_label(label, exact=True)


def select_first(page: Page, text: str) -> None:
    """Click the box of a table's first row once it shows `text`; the table is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    expect(table.locator("canvas tr[aria-rowindex='2']")).to_contain_text(text)
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')")
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 14, box["y"] + 52)


def confirm(page: Page, button: str, reason: str, name: str = "") -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(texts.REASON.ko).fill(reason)
    if name:
        dialog.get_by_role("textbox").last.fill(name)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_label(texts.REASON.ko)).to_have_count(0)


def test_an_administrator_signs_in_sees_every_page_acts_and_finds_it_in_the_audit(site: Site, page: Page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    sign_in(page, site.address, Seeded("admin", site.password))
    for label, text in ((texts.CURRENT_PASSWORD, site.password), (texts.NEW_PASSWORD, OWN), (texts.REPEAT_PASSWORD, OWN)):
        field(page, label.ko).fill(text)
    page.get_by_role("button", name=texts.CHANGE_PASSWORD.ko, exact=True).click()
    page.get_by_role("heading", name=texts.OVERVIEW.ko, exact=True).wait_for()

    for view, title in zip(VIEWS, TITLES, strict=True):
        open_view(page, view, title.ko)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_text(texts.AWAY.ko)).to_have_count(0)

    state = site.workspace.stores.state
    open_view(page, "documents", texts.DOCUMENTS.ko)
    page.get_by_text(documents.UPLOAD.ko, exact=True).click()
    page.locator("input[type=file]").set_input_files(
        [{"name": "leave.md", "mimeType": "text/markdown", "buffer": "# 휴가\n\n연차 휴가는 15일이다.".encode()}]
    )
    field(page, documents.UPLOAD_GROUPS.ko).click()
    page.get_by_role("option", name="hr", exact=True).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=documents.UPLOAD_BUTTON.ko, exact=True).last.click()
    confirm(page, documents.UPLOAD_BUTTON.ko, "새 규정")
    wait_until(lambda: any(document.chunks for document in state.documents()), "the document to be indexed")
    (document,) = state.documents()

    open_view(page, "overview", texts.OVERVIEW.ko)
    open_view(page, "documents", texts.DOCUMENTS.ko)
    select_first(page, "leave.md")
    page.get_by_role("button", name=documents.DELETE.ko, exact=True).click()
    confirm(page, documents.DELETE.ko, "오래된 규정", document.source)
    expect(page.get_by_text(documents.DELETED.ko.format(name=document.source))).to_be_visible()
    assert not state.documents()

    open_view(page, "people", texts.PEOPLE.ko)
    field(page, texts.SEARCH.ko).fill("lee")
    field(page, texts.SEARCH.ko).press("Enter")
    expect(page.get_by_text(texts.ROWS.ko.format(shown=1, total=1)).first).to_be_visible()
    select_first(page, "lee")
    page.get_by_role("button", name=people.RESET.ko).click()
    confirm(page, people.RESET.ko, "잊어버림")
    once = page.get_by_role("dialog").locator("code").inner_text()
    page.get_by_role("button", name=texts.CLOSE.ko, exact=True).last.click()
    expect(page.get_by_text(once)).to_have_count(0)

    open_view(page, "audit", texts.AUDIT.ko)
    for deed in ("account.password_reset", "document.delete"):
        expect(page.locator("canvas td", has_text=deed)).to_have_count(1)
    entries, _ = site.workspace.application.audit.entries("hanbit")
    reasons = {entry.action: entry.details.get("reason") for entry in entries}
    assert reasons["document.delete"] == "오래된 규정" and reasons["account.password_reset"] == "잊어버림"
    assert once not in str(entries), "no password is written down"
    assert not [url for url in asked if not re.match(f"(data|blob):|{site.address}", url)], "nothing is loaded from elsewhere"
