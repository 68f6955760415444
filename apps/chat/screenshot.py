"""Take a picture of a running chat.

python -m apps.chat.screenshot --url http://127.0.0.1:7860 --question "..." --out docs/images/chat.png
"""

import argparse
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from llmflow.errors import MissingDependency


@dataclass(frozen=True, slots=True)
class Shot:
    """What the browser is like, and what is asked."""

    question: str
    language: str = "ko"
    dark: bool = False
    width: int = 1280
    height: int = 800
    name: str = ""
    """Account to sign in with, its password in LLMFLOW_PASSWORD; empty where nobody signs in."""
    citation: int | None = 1
    """Number of the citation to open; None opens none."""


def take(url: str, shot: Shot, out: Path, wait_seconds: float = 120.0) -> Path:
    """Ask, wait for the complete answer, open the citation and write a PNG; returns its path.

    Raises `MissingDependency` without a Chromium, and playwright's `TimeoutError` when no answer came in time.
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
        page.goto(url)
        if shot.name:
            page.locator("#name").fill(shot.name)
            page.locator("#password").fill(os.environ["LLMFLOW_PASSWORD"])
            page.locator("button[type=submit]").first.click()
        page.wait_for_function("(code) => document.documentElement.lang === code", arg=shot.language)
        page.locator("#question textarea").fill(shot.question)
        page.keyboard.press("Enter")
        page.wait_for_selector('.turn[data-status="done"], .turn[data-status="failed"]', timeout=wait_seconds * 1000)
        if shot.citation is not None:
            page.locator(f'.answer [data-act="cite"][data-number="{shot.citation}"]').first.click()
            page.wait_for_selector(".passage")
        out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(out))
        browser.close()
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--question", required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/images/chat.png"))
    parser.add_argument("--language", choices=("ko", "en"), default="ko")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    parser.add_argument("--name", default="", help="account to sign in with; its password is read from LLMFLOW_PASSWORD")
    parser.add_argument("--citation", type=int, default=1, help="citation to open; 0 opens none (default: 1)")
    given = parser.parse_args()
    shot = Shot(given.question, given.language, given.dark, given.width, given.height, given.name, given.citation or None)
    print(take(given.url, shot, given.out))


if __name__ == "__main__":
    main()
