"""What the page shows of untrusted text."""

import re
from dataclasses import fields, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from string import ascii_letters

import pytest
from chat_fakes import make_hit
from hypothesis import example, given
from hypothesis import strategies as st

from apps.chat.cells import table_html
from apps.chat.exchanges import Exchange, citation_in, exchanges_of, pending_exchange
from apps.chat.markup import answer_html, mark_quote, quotation_html
from apps.chat.passages import Passage, passage_html
from apps.chat.render import live_html, log_html, notice_html, welcome_html
from apps.chat.skeleton import composer_html, sidebar_html, top_html
from apps.chat.texts import ENGLISH, KOREAN, texts_of
from apps.chat.words import _WORDS, words_of, words_script
from llmflow.answering.chosen_summary import CHOOSE_FIRST
from llmflow.ports import ChatSession, Message, MessageStatus
from llmflow.types import AskOptions, Citation

JS = Path(__file__).parents[2] / "apps" / "chat" / "js"
HOSTILE = [
    "<script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    '"><svg onload=window.hacked=1>',
    "'><b onmouseover=alert(1)>x</b>",
    "![x](https://evil.example/x.png)",
    "[click](javascript:window.hacked=1)",
    "<https://evil.example/>",
    "[ref]\n\n[ref]: https://evil.example/",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "```<script>\nx\n```",
    "${alert(1)} {{value}} @children",
]
_TAGS = {
    "article", "div", "span", "p", "button", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "code", "blockquote",
    "table", "thead", "tbody", "tr", "td", "th", "em", "strong", "br", "hr", "dl", "dt", "dd", "mark", "time",
    "details", "summary",
}  # fmt: skip
_ATTRIBUTES = {
    "class", "data-document", "role", "aria-live", "aria-label", "aria-hidden", "tabindex", "type", "colspan", "rowspan", "start",
    "data-status", "data-act", "data-number", "data-message", "data-question", "data-copy", "data-quoted", "data-session",
    "data-title", "data-for", "data-documents", "data-raw", "data-rating", "data-refused", "aria-pressed", "title", "datetime",
}  # fmt: skip


class _Allowed(HTMLParser):
    def handle_starttag(self, tag, attrs):
        assert tag in _TAGS, tag
        assert {name for name, _ in attrs} <= _ATTRIBUTES | ({"style"} if tag in ("td", "th") else set()), attrs


def assert_harmless(html: str) -> None:
    parser = _Allowed()
    parser.feed(html)
    parser.close()


def cite(quote: str = "The limit is 5.", title: str = "Policy", number: int = 1) -> Citation:
    return Citation(number, "c1", "d1", title, "a.pdf", 3, "A > B", quote)


def exchange(
    text: str, title: str = "Policy", status: MessageStatus = MessageStatus.DONE, rating: str = "", **details
) -> Exchange:
    known = {"found": True, "model": "extractive", "confidence": 0.9} | details
    cited = (cite(title=title),) if known["found"] else ()
    question = Message("q1", "s1", 0, "user", text, MessageStatus.DONE, "2026-11-25T09:00:00+00:00")
    answer = Message("a1", "s1", 1, "assistant", text, status, "2026-11-25T09:00:01+00:00", cited, known, rating)
    return Exchange(question, answer)


def shown(text: str = "The limit is 5. [1]", title: str = "Policy", texts=ENGLISH, **details) -> str:
    session = ChatSession("s1", "acme", "u1", title, "", "")
    return log_html(session, [exchange(text, title, **details)], texts, 0.5, AskOptions(documents=(text, title)), text)


def panel(hit, citation: Citation, texts=ENGLISH, **more) -> str:
    return passage_html(Passage(citation, hit, **more), texts)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_everywhere(text):
    for status in MessageStatus:
        for model in ("extractive", text):
            assert_harmless(shown(text, text, status=status, model=model, notice=text, asked=text, error=text))
    assert_harmless(shown(text, text, found=False))
    assert_harmless(live_html(pending_exchange(exchange(text).question, text), ENGLISH))
    assert_harmless(welcome_html(ENGLISH, [text], text, text) + notice_html(text))
    hit = make_hit(1, text, f"before {text} after", heading=(text,), source=text)
    assert_harmless(panel(hit, cite(text), before=text, after=text))
    assert_harmless(panel(make_hit(1, text, text, html=f"<table><tr><td>{text}</td></tr></table>"), cite(text)))


@given(st.text(alphabet="<>\"'&[]()!`*_|{}$@#\n 1aà가:/-~", max_size=120))
@example("<![1")
def test_any_text_stays_text(text):
    for model in ("extractive", "served-model"):
        assert_harmless(shown(text, text, KOREAN, model=model))
    assert_harmless(table_html(text)[0])


def test_markers_of_known_citations_become_buttons():
    html = answer_html("First [1], unknown [7], twice [1].", [cite()], "a1", ENGLISH)
    assert html.count('data-act="cite" data-number="1" data-message="a1"') == 2
    assert "unknown [7]" in html
    assert 'aria-label="Open source 1: Policy"' in html


def test_a_marker_whose_citation_is_still_to_come_does_nothing_yet():
    assert answer_html("First [1].", None, "a1", ENGLISH) == '<p>First <span class="cite">1</span>.</p>\n'
    assert answer_html("First [1].", [], "a1", ENGLISH) == "<p>First [1].</p>\n"


def test_a_marker_inside_code_stays_code():
    assert "<button" not in answer_html("`a[1]`", [cite()], "a1", ENGLISH)


def test_markdown_of_a_model_is_rendered():
    html = answer_html("**bold**\n\n- one\n- two", [], "a1", ENGLISH)
    assert "<strong>bold</strong>" in html
    assert html.count("<li>") == 2


@given(
    st.text(ascii_letters + "<&>\"' 가", max_size=30), st.text("<&a> 나", min_size=1, max_size=9), st.text("b&<가", max_size=30)
)
def test_the_quote_is_marked_where_it_first_stands(before, quote, after):
    marked, there = mark_quote(before + quote + after, quote)
    assert there
    assert marked.count("<mark>") == 1
    inside = marked.split("<mark>")[1].split("</mark>")[0]
    assert unescape(inside) == quote
    bare = marked.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert unescape(bare) == before + quote + after


def test_a_quote_that_moved_is_said_so():
    html = panel(make_hit(1, "Policy", "Something else."), cite("The limit is 5."))
    assert "<mark>" not in html
    assert ENGLISH.quote_moved in html


def test_a_passage_that_is_gone_shows_nothing_of_the_citation():
    html = panel(
        None, cite("secret quote", title="secret title"), before="secret", after="secret", picture="/secret", original="/secret"
    )
    assert ENGLISH.passage_gone in html
    assert "secret" not in html


def test_the_panel_says_where_the_passage_stands():
    html = panel(make_hit(1, "Travel", "The limit is 5. More.", page=7), cite("The limit is 5."))
    for part in ("<h3>Travel</h3>", "docs/1.pdf", "<dd>7</dd>", "Chapter › Section", "<mark>The limit is 5.</mark> More."):
        assert part in html


def test_a_table_keeps_its_cells_and_spans_and_loses_the_rest():
    first = '<tr><th colspan="2" style=x>A<script>bad()</script></th></tr>'
    html, _ = table_html(f"<table onclick=x>{first}<tr><td>1 &lt; 2<td rowspan=x>b</table>")
    rows = '<tr><th colspan="2">A</th></tr><tr><td>1 &lt; 2</td><td>b</td></tr>'
    assert html == f'<div class="table-scroll"><table>{rows}</table></div>'


def test_quoted_lines_keep_their_numbers_and_rows_lose_their_bars():
    text = "4. Paid within 5 days. [1]\n| Fee | 10 <won> | [1]\n# 2. No heading [9]"
    html = quotation_html(text, [cite()], "a1", ENGLISH)
    assert html.count("<p>") == 3 and html.count('data-act="cite"') == 2
    assert html.startswith("<p>4. Paid within 5 days. <button")
    assert "<p>Fee · 10 &lt;won&gt; <button" in html
    assert "<p># 2. No heading [9]</p>" in html


def test_a_quoted_row_is_marked_in_its_table():
    table = "<table><tr><th>Item<th>Limit</tr><tr><td>R&amp;D<td>5</td></tr><tr><td>IT<td>7</table>"
    hit = make_hit(1, "T", "| Item | Limit |\n| R&D | 5 |\n| IT | 7 |", html=table)
    html = panel(hit, cite("| R&D | 5 |"))
    assert html.count("quoted-row") == 1
    assert '<tr class="quoted-row"><td>R&amp;D</td><td>5</td></tr>' in html
    assert ENGLISH.quoted not in html


def test_sources_of_one_document_are_told_apart_by_their_headings():
    html = shown("One. [1]")
    assert '<span class="chip-page">B · p. 3</span>' in html


def test_what_is_no_table_is_shown_as_text():
    html = panel(make_hit(1, "T", "row text", html="<p>no cells</p>"), cite("row text"))
    assert '<div class="passage-text quoted-text"><mark>row text</mark></div>' in html


def test_an_answer_without_evidence_looks_different():
    html = shown("no idea", texts=KOREAN, found=False)
    assert 'class="nothing"' in html
    assert KOREAN.not_found in html
    assert 'class="sources"' not in html


@pytest.mark.parametrize("field", [field.name for field in fields(ENGLISH) if field.name != "language"])
def test_both_languages_are_complete(field):
    korean, english = getattr(KOREAN, field), getattr(ENGLISH, field)
    assert korean.strip() and english.strip()
    assert any("가" <= char <= "힣" for char in korean)
    assert not any("가" <= char <= "힣" for char in english)
    for slot in ("{n}", "{title}", "{limit}", "{model}", "{page}", "{question}", "{seconds}"):
        # "Shorten it to {limit}" may drop what another language needs, but never ask for what is not given.
        assert (slot in korean) == (slot in english)


def test_unknown_languages_fall_back_to_english():
    assert texts_of("ko") is KOREAN
    assert texts_of("fr") is ENGLISH


@pytest.mark.parametrize("name", list(_WORDS))
def test_both_languages_of_the_browser_have_the_same_slots(name):
    korean, english = words_of("ko")[name], words_of("en")[name]
    assert korean.strip() and english.strip()
    for slot in ("{n}", "{title}", "{limit}", "{percent}", "{address}", "{name}"):
        assert (slot in korean) == (slot in english)


def test_every_word_that_the_browser_asks_for_is_there():
    asked = set()
    for script in JS.glob("*.js"):
        asked |= set(re.findall(r"\bword\('([a-z_]+)'", script.read_text(encoding="utf-8")))
    asked |= set(re.findall(r'data-word[a-z-]*="([a-z_]+)"', sidebar_html("x", "ko") + top_html("ko") + composer_html("ko", 9)))
    assert len(asked) > 60
    assert asked <= set(_WORDS)


def test_words_cannot_end_their_script():
    assert "<" not in words_script()


def test_the_page_says_how_an_answer_was_made():
    html = shown(
        asked="How many days?",
        cached=True,
        confidence=0.4,
        suspicious=["c1", "c2"],
        doubted=["c3"],
        notice="No model.",
        total_ms=2345.0,
    )
    for words in (
        ENGLISH.searched_as.format(question="How many days?"), ENGLISH.cached, ENGLISH.low_confidence, "No model.",
        ENGLISH.suspicious.format(n=2), ENGLISH.doubted.format(n=1), "2.3 s", ENGLISH.extractive,
        '<time datetime="2026-11-25T09:00:01+00:00">2026-11-25 09:00 UTC',
    ):  # fmt: skip
        assert words in html
    shaped = shown(model="m-v1-abc", space="own", examples=2)
    assert ENGLISH.space_own in shaped and ENGLISH.examples.format(n=2) in shaped and ENGLISH.space_shared not in shaped
    assert KOREAN.space_shared in shown(space="shared", found=False, texts=KOREAN)
    plain = shown(model="m-v1-abc")
    assert ENGLISH.answered_by.format(model="m-v1-abc") in plain
    for words in (ENGLISH.low_confidence, ENGLISH.cached, "warning", "searched"):
        assert words not in plain


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (MessageStatus.STOPPED, ENGLISH.stopped),
        (MessageStatus.INTERRUPTED, ENGLISH.cut_off),
        (MessageStatus.FAILED, ENGLISH.failed),
    ],
)
def test_an_answer_that_was_not_completed_says_so_and_can_be_had_again(status, words):
    html = shown(status=status)
    assert words in html
    assert ENGLISH.retry in html
    assert 'data-act="rate"' not in html, "nobody judges half an answer"


def test_the_last_question_can_be_answered_again_and_every_one_edited():
    html = log_html(None, [exchange("one"), exchange("two")], ENGLISH)
    assert html.count('data-act="again"') == 1
    assert html.count('data-act="edit"') == 2


def test_a_judgement_is_shown():
    html = log_html(None, [exchange("one", rating="down")], ENGLISH)
    assert 'data-rating="down" aria-pressed="true"' in html
    assert 'data-rating="up" aria-pressed="false"' in html


def test_a_withdrawn_answer_shows_the_notice_in_the_language_of_the_page():
    html = shown("old notice", texts=KOREAN, withdrawn=True)
    assert KOREAN.withdrawn in html
    assert 'data-act="rate"' not in html


def test_the_panel_shows_neighbours_cut_on_the_far_side_and_the_page():
    hit = make_hit(1, "Policy", "The limit is 5.")
    html = panel(hit, cite(), before="x" * 700 + "near", after="near" + "y" * 700, picture="/p.png", original="/o")
    assert "…" + "x" * 596 + "near<" in html
    assert "near" + "y" * 596 + "…<" in html
    assert '<img src="/p.png"' in html and '<a class="download" href="/o" download>' in html


def test_messages_pair_up_in_order():
    one, two = exchange("a"), exchange("b")
    assert one.answer
    stray = replace(one.answer, id="x")
    assert exchanges_of([stray, one.question, one.answer, stray, two.question]) == [one, Exchange(two.question)]


@pytest.mark.parametrize(("message", "number"), [("a2", 1), ("a1", 0), ("a1", 2), ("q1", 1)])
def test_a_citation_that_was_never_given_is_none(message, number):
    one = exchange("q")
    assert one.answer
    assert citation_in([one.question, one.answer], message, number) is None
    assert citation_in([one.question, one.answer], "a1", 1) == cite()


def test_a_number_in_brackets_inside_a_quotation_is_no_citation():
    text = "items[1] and footnote [1] say so [1]\n| a[1] | b [1] | [1]\nends with its own [1] [1]"
    html = quotation_html(text, [cite()], "a1", ENGLISH)
    assert html.count("<button") == 3, "one a line, the last"
    assert "items[1] and footnote [1] say so <button" in html
    assert "ends with its own [1] <button" in html


def test_what_to_do_first_is_not_called_nothing_found():
    assert ENGLISH.not_found in shown("Nothing.", found=False)
    html = shown(CHOOSE_FIRST["en"], found=False)
    assert ENGLISH.not_found not in html and "Choose first which document" in html
