"""axe-core over our pages in a real browser: nothing serious or critical stands in anybody's way on what is ours."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from admin_api import PASSWORD, Told, served
from chat_house import CHROMIUM, ask, browser, enter, house
from playwright.sync_api import Page
from server_processes import unavailable

from apps.admin import texts
from apps.admin.demo_data import Seeded
from apps.admin.screenshot import TITLES, VIEWS, running, sign_in

pytestmark = [
    pytest.mark.services,
    pytest.mark.xdist_group("axe"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]
__all__ = ["browser", "house"]

PACKAGE = Path(__file__).parents[1] / "services" / "axe"
BARRIERS = ("serious", "critical")
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
STREAMLITS_OWN = ("list:", "listitem:")
"""Streamlit 1.67 sets the sections of its navigation between <ul> and <li>, which nothing of ours can mend."""
STILL = """addEventListener('DOMContentLoaded', () => document.head.append(Object.assign(document.createElement('style'),
  {textContent: '*, *::before, *::after { transition: none !important }'})))"""
"""A button half way between two schemes has the contrast of neither, and one may be drawn anew at any time."""
SCHEME_SHOWN = "scheme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === scheme"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script: of the package that `make test-services` installed, else installed here."""
    script = PACKAGE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        if shutil.which("npm") is None:
            unavailable("there is no npm to install axe-core with: apt-get install nodejs npm")
        folder = tmp_path_factory.mktemp("axe") / "package"
        shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("node_modules"))
        command = ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            unavailable(f"axe-core cannot be installed: {done.stderr.strip()[-300:]}")
        script = folder / "node_modules" / "axe-core" / "axe.min.js"
    return script.read_text(encoding="utf-8")


def barriers(page: Page, axe: str) -> list[str]:
    """Return what axe finds serious or critical on the whole page: rule, element and how to mend it."""
    page.evaluate(axe + "; 0")
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{fault['id']}: {node['target'][0]} {node['html'][:140]} {node['any'][0]['message'] if node['any'] else fault['help']}"
        for fault in found
        if fault["impact"] in BARRIERS
        for node in fault["nodes"]
    ]


def test_a_barrier_is_seen(browser, axe):
    page = browser.new_page()
    page.set_content("<html lang=en><title>t</title><main><img src='data:,'><button></button></main></html>")
    assert {one.split(":")[0] for one in barriers(page, axe)} == {"image-alt", "button-name"}
    page.close()


def test_the_pages_stand_in_nobodys_way(browser, house, axe):
    found: dict[str, list[str]] = {}
    door = browser.new_context(locale="ko-KR", bypass_csp=True).new_page()
    door.goto(f"{house.url}sign-in")
    found["sign-in"] = barriers(door, axe)
    for name, scheme, size in (("anna", "light", None), ("ben", "dark", None), ("eve", "light", {"width": 390, "height": 800})):
        more = {"viewport": size} if size else {}
        page = enter(browser, house, name, color_scheme=scheme, bypass_csp=True, **more)
        where = f"{name} {scheme} {size}"
        found[f"welcome {where}"] = barriers(page, axe)
        ask(page, "How many desks does the Munich office have?")
        found[f"answer {where}"] = barriers(page, axe)
        page.locator("#chat .turn").last.locator(".cite").first.click()
        page.locator(".quoted-text mark").wait_for()
        found[f"passage {where}"] = barriers(page, axe)
        page.locator("#panel [data-act=ask-document]").click()
        page.locator("#chosen .chosen-one").wait_for()
        found[f"chosen {where}"] = barriers(page, axe)
        page.locator("#top [data-act=files]").click()
        page.locator("#shared-list .file").first.wait_for()
        found[f"files {where}"] = barriers(page, axe)
        page.context.close()
    assert not [f"{where}: {fault}" for where, faults in found.items() for fault in faults]


def test_the_dashboard_stands_in_nobodys_way(browser, axe, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    found: list[str] = []
    with served(Told()) as api, running("admin", "--api", api) as address:
        page = browser.new_context(bypass_csp=True, viewport={"width": 1366, "height": 2400}).new_page()
        page.add_init_script(STILL)
        schemes: Any = ("light", "dark")

        def look(where: str) -> None:
            nonlocal schemes
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function(SCHEME_SHOWN, arg=scheme)
                for fault in barriers(page, axe):
                    if not (fault.startswith(STREAMLITS_OWN) and "st-emotion-cache" in fault):
                        found.append(f"{where} {scheme}: {fault}")
            schemes = schemes[::-1]

        sign_in(page, address, Seeded("admin", PASSWORD))
        assert page.evaluate("getComputedStyle(document.querySelector('button')).transitionProperty") == "none"
        for view, title in zip(VIEWS, TITLES, strict=True):
            if view != VIEWS[0]:
                page.locator(f'[data-testid="stSidebarNav"] a[href$="/{view}"]').click()
            page.get_by_role("heading", name=title.ko, exact=True).wait_for()
            page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')")
            look(view)
        page.get_by_role("button", name=texts.SIGN_OUT.ko, exact=True).click()
        page.locator("input[autocomplete=username]").wait_for()
        look("sign-in")
        page.context.close()
    assert not found
