"""Take a picture of a running chat.

LLMFLOW_PASSWORD=... python -m apps.chat.screenshot --url http://127.0.0.1:7860 --name hanbit-hr \
    --question "..." --scene chat --out docs/images/chat.png

Scenes: chat (an answer with its passage open), document (the same, with its document chosen to ask about), upload (the documents,
after uploading --file), templates (the list that "/" opens), sign-in (before anybody has signed in).
"""

import argparse
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmflow.errors import MissingDependency

SCENES = ("chat", "document", "upload", "templates", "sign-in")
TEMPLATES: tuple[dict[str, Any], ...] = (
    {"name": "휴가-규정", "title": "휴가 규정 찾아보기", "text": "{{종류}} 휴가는 며칠이고 어떻게 신청하나요?"},
    {"name": "비교", "title": "두 규정 견주기", "text": "{{하나}}와 {{둘}}은 무엇이 다른가요?"},
    {"name": "summary", "title": "Summarise a policy", "text": "Summarise what the documents say about {{topic}}."},
)
"""Made for the picture where the account has none of the name."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What the browser is like, and what is done before the picture."""

    scene: str = "chat"
    question: str = ""
    """Asked where it is not empty; the answer is waited for."""
    language: str = "ko"
    dark: bool = False
    width: int = 1280
    height: int = 800
    name: str = ""
    """Account to sign in with, its password in LLMFLOW_PASSWORD; empty where nobody signs in."""
    citation: int | None = 1
    """Number of the citation to open; None opens none."""
    files: tuple[Path, ...] = ()
    """Uploaded into the own space, in the scene `upload`."""


def take(url: str, shot: Shot, out: Path, wait_seconds: float = 120.0) -> Path:
    """Play the scene and write a PNG; returns its path.

    Raises `MissingDependency` without a Chromium, and playwright's `TimeoutError` when something did not come in time.
    """
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise MissingDependency("No Chromium was found. Install one: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(
            locale="ko-KR" if shot.language == "ko" else "en-US",
            color_scheme="dark" if shot.dark else "light",
            viewport={"width": shot.width, "height": shot.height},
        )
        page.set_default_timeout(wait_seconds * 1000)
        page.goto(url)
        if shot.scene != "sign-in":
            _enter(page, shot)
            _play(page, shot)
        out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(out))
        browser.close()
    return out


def _enter(page: Any, shot: Shot) -> None:
    if shot.name:
        password = os.environ["LLMFLOW_PASSWORD"]
        page.locator("#name").fill(shot.name)
        page.locator("#password").fill(password)
        page.locator("button[type=submit]").first.click()
    page.wait_for_selector("body[data-ready=yes]")


def _play(page: Any, shot: Shot) -> None:
    if shot.question:
        page.locator("#question").fill(shot.question)
        page.locator("#question").press("Enter")
        page.wait_for_selector('#chat .turn[data-status="done"], #chat .turn[data-status="failed"]')
        if shot.citation is not None:
            page.locator(f'.answer [data-act="cite"][data-number="{shot.citation}"]').first.click()
            page.wait_for_selector(".passage")
            page.wait_for_function("[...document.querySelectorAll('.page-picture img')].every((one) => one.complete)")
    if shot.scene == "document":
        page.locator("#panel [data-act=ask-document]").click()
        page.wait_for_selector("#chosen .chosen-one")
    if shot.scene == "upload":
        page.locator("#top [data-act=files]").click()
        page.locator("#file-input").set_input_files([str(file) for file in shot.files])
        page.wait_for_selector("#shared-list .file")
        page.wait_for_function("(n) => document.querySelectorAll('#file-list .file').length >= n", arg=len(shot.files))
        moving = ", ".join(f"[data-status={status}]" for status in ("uploading", "pending", "processing"))
        page.wait_for_function("(moving) => !document.querySelector(`#file-list .file:is(${moving})`)", arg=moving)
    if shot.scene == "templates":
        page.evaluate(_MAKE_TEMPLATES, list(TEMPLATES))
        page.locator("#question").press("/")
        page.wait_for_selector("#templates [role=option]")


_MAKE_TEMPLATES = """async (wanted) => {
  const there = (await (await fetch('/api/templates')).json()).items.map((one) => one.name);
  for (const body of wanted.filter((one) => !there.includes(one.name))) {
    await fetch('/api/templates', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
  }
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--scene", choices=SCENES, default="chat")
    parser.add_argument("--question", default="")
    parser.add_argument("--out", type=Path, default=Path("docs/images/chat.png"))
    parser.add_argument("--language", choices=("ko", "en"), default="ko")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    parser.add_argument("--name", default="", help="account to sign in with; its password is read from LLMFLOW_PASSWORD")
    parser.add_argument("--citation", type=int, default=1, help="citation to open; 0 opens none (default: 1)")
    parser.add_argument("--file", type=Path, action="append", default=[], help="uploaded in the scene upload; may be repeated")
    given = parser.parse_args()
    shot = Shot(given.scene, given.question, given.language, given.dark, given.width, given.height, given.name,
                given.citation or None, tuple(given.file))  # fmt: skip
    print(take(given.url, shot, given.out))


if __name__ == "__main__":
    main()
