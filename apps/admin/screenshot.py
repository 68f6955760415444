"""Take the pictures of the guide: a seeded workspace, the real server, the real dashboard, a browser.

python -m apps.admin.screenshot --out docs/images

LLMFLOW_HOME names the folder of the workspace, which must be empty; --name and --password look at one that was seeded before.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.admin import texts, texts_documents, texts_people
from apps.admin.demo_data import Seeded, seed
from llmflow.errors import MissingDependency
from llmflow.workspace import project_path

VIEWS = ("overview", "health", "documents", "quality", "models", "conversations", "people", "audit")
TITLES = (
    texts.OVERVIEW, texts.HEALTH, texts.DOCUMENTS, texts.QUALITY, texts.MODELS, texts.CONVERSATIONS, texts.PEOPLE, texts.AUDIT
)  # fmt: skip
TALLEST, PATIENCE_MS = 4000, 120_000


@dataclass(frozen=True, slots=True)
class Camera:
    """What the browser is like."""

    language: str = "ko"
    dark: bool = False
    width: int = 1366
    suffix: str = ""


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Start a command of llmflow with --json and yield the address that it prints first; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llmflow.cli", *arguments, "--port", str(port), "--json"]
    process = subprocess.Popen(command, cwd=project_path(), env=dict(os.environ), stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{") and "address" in line:
                yield json.loads(line)["address"]
                break
        else:
            raise SystemExit(f"{' '.join(arguments)} ended with {process.wait()} before it served anything.")
    finally:
        process.terminate()
        process.wait(30)


def sign_in(page: Any, address: str, who: Seeded, language: str = "ko") -> None:
    """Open the dashboard and send name and password. Raises playwright's `TimeoutError` when no page comes."""
    page.set_default_timeout(PATIENCE_MS)
    for _ in range(60):  # the address is printed before Streamlit listens
        with contextlib.suppress(Exception):
            page.goto(address, timeout=10_000)
            break
        page.wait_for_timeout(1_000)
    page.get_by_role("textbox").first.wait_for()
    if language == "en":
        page.get_by_text("English", exact=True).click()
        page.get_by_role("heading", name=texts.TITLE.en, exact=True).wait_for()
    page.locator("input[autocomplete=username]").fill(who.name)
    page.locator("input[type=password]").fill(who.password)
    page.keyboard.press("Enter")


def open_view(page: Any, view: str, title: str) -> None:
    """Open a page of the dashboard and wait until it has been drawn."""
    link = "a >> nth=0" if view == VIEWS[0] else f'a[href$="/{view}"]'
    page.locator(f'[data-testid="stSidebarNav"] {link}').click()
    page.get_by_role("heading", name=title, exact=True).wait_for()
    drawn(page)


def drawn(page: Any) -> None:
    """Wait until nothing runs and nothing moves: the height stays for a second."""
    before = -1
    for _ in range(60):
        page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        if height == before:
            return
        before = height
        page.wait_for_timeout(1_000)


def _whole(page: Any, camera: Camera, path: Path) -> None:
    height = page.evaluate("document.querySelector('[data-testid=stMain] [data-testid=stVerticalBlock]').scrollHeight") + 180
    page.set_viewport_size({"width": camera.width, "height": max(760, min(int(height), TALLEST))})
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    drawn(page)
    page.screenshot(path=str(path))
    page.set_viewport_size({"width": camera.width, "height": 900})


def take(address: str, who: Seeded, out: Path, camera: Camera, views: tuple[str, ...] = VIEWS) -> list[Path]:
    """Write a picture of each view, and of a dialog and a conversation, as admin-VIEW.png; returns their paths."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise MissingDependency("No Chromium was found. Install one: apt-get install chromium.")
    taken = []
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        scheme = "dark" if camera.dark else "light"
        page = browser.new_page(viewport={"width": camera.width, "height": 900}, color_scheme=scheme)
        sign_in(page, address, who, camera.language)
        page.get_by_role("heading", name=texts.OVERVIEW.say(camera.language), exact=True).wait_for()
        for view, title in zip(VIEWS, TITLES, strict=True):
            if view in views:
                open_view(page, view, title.say(camera.language))
                _prepare(page, view, camera.language)
                taken.append(out / f"admin-{view}{camera.suffix}.png")
                _whole(page, camera, taken[-1])
        browser.close()
    return taken


def _prepare(page: Any, view: str, language: str) -> None:
    """Show what a picture of the whole page would not: a month, a failed document, a conversation, a chosen person."""
    if view == "overview":
        page.get_by_text(texts.PERIODS[30].say(language), exact=True).click()
    if view in ("documents", "models", "conversations", "people"):
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        row = {"documents": 3, "people": 3, "conversations": 6}.get(view, 1)
        page.mouse.click(box["x"] + 14, box["y"] + 35 * row + 17)
        page.mouse.move(2, 2)  # away from the table, whose buttons would lie over the page
    if view == "documents":
        page.get_by_text(texts_documents.SPEAKING.say(language)).click()
    if view == "audit":
        page.get_by_text(texts_people.AUDIT.say(language), exact=True).first.wait_for()
    drawn(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--name", help="who signs in, where the workspace was seeded before")
    parser.add_argument("--password", default="")
    parser.add_argument("--views", nargs="*", choices=VIEWS, default=VIEWS)
    given = parser.parse_args()
    who = Seeded(given.name, given.password) if given.name else seed()
    with running("chat") as api, running("admin", "--api", api) as address:
        views = tuple(given.views)
        for path in take(address, who, given.out, Camera(), views):
            print(path)
        if set(views) == set(VIEWS):
            for camera in (Camera(dark=True, suffix="-dark"), Camera(language="en", width=834, suffix="-tablet")):
                for path in take(address, who, given.out, camera, ("overview",)):
                    print(path)


if __name__ == "__main__":
    main()
