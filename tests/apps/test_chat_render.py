"""What the page shows of untrusted text."""

from dataclasses import fields, replace
from html import unescape
from html.parser import HTMLParser
from string import ascii_letters

import pytest
from chat_fakes import make_hit
from hypothesis import example, given
from hypothesis import strategies as st

from apps.chat.conversation import Conversation
from apps.chat.render import answer_html, conversation_html, mark_quote, passage_html, quotation_html, table_html
from apps.chat.texts import ENGLISH, KOREAN, texts_of
from llmflow.types import Answer, ChatTurn, Citation

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
    "table", "thead", "tbody", "tr", "td", "th", "em", "strong", "br", "hr", "aside", "dl", "dt", "dd", "mark",
}  # fmt: skip
_ATTRIBUTES = {
    "class", "role", "aria-live", "aria-label", "aria-hidden", "tabindex", "type", "colspan", "rowspan", "start",
    "data-status", "data-act", "data-number", "data-exchange", "data-question", "data-copy", "data-done", "data-quoted",
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


def conversation(text: str, title: str = "Policy", found: bool = True, model: str = "extractive") -> Conversation:
    answer = Answer(text, found, (cite(title=title),) if found else (), model=model)
    return Conversation().ask(text).last(answer=answer, status="done")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("model", ["extractive", "served-model"])
def test_hostile_text_stays_text_everywhere(text, found, model):
    assert_harmless(conversation_html(conversation(text, text, found, model), ENGLISH, [text]))
    assert_harmless(conversation_html(Conversation(), ENGLISH, [text]))
    assert_harmless(conversation_html(Conversation().ask(text).last(status="failed", error=text), ENGLISH, []))
    hit = make_hit(1, text, f"before {text} after", heading=(text,), source=text)
    assert_harmless(passage_html(hit, cite(text), ENGLISH))
    assert_harmless(passage_html(make_hit(1, text, text, html=f"<table><tr><td>{text}</td></tr></table>"), cite(text), ENGLISH))


@given(st.text(alphabet="<>\"'&[]()!`*_|{}$@#\n 1aà가:/-~", max_size=120))
@example("<![1")
def test_any_text_stays_text(text):
    for model in ("extractive", "served-model"):
        assert_harmless(conversation_html(conversation(text, text, model=model), KOREAN, [text]))
    assert_harmless(table_html(text)[0])


def test_markers_of_known_citations_become_buttons():
    html = answer_html("First [1], unknown [7], twice [1].", [cite()], 4, ENGLISH)
    assert html.count('data-act="cite" data-number="1" data-exchange="4"') == 2
    assert "unknown [7]" in html
    assert 'aria-label="Open source 1: Policy"' in html


def test_a_marker_whose_citation_is_still_to_come_does_nothing_yet():
    assert answer_html("First [1].", None, 0, ENGLISH) == '<p>First <span class="cite">1</span>.</p>\n'
    assert answer_html("First [1].", [], 0, ENGLISH) == "<p>First [1].</p>\n"


def test_a_marker_inside_code_stays_code():
    assert "<button" not in answer_html("`a[1]`", [cite()], 0, ENGLISH)


def test_markdown_of_a_model_is_rendered():
    html = answer_html("**bold**\n\n- one\n- two", [], 0, ENGLISH)
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
    html = passage_html(make_hit(1, "Policy", "Something else."), cite("The limit is 5."), ENGLISH)
    assert "<mark>" not in html
    assert ENGLISH.quote_moved in html


def test_a_passage_that_is_gone_shows_nothing_of_the_citation():
    html = passage_html(None, cite("secret quote", title="secret title"), ENGLISH)
    assert ENGLISH.passage_gone in html
    assert "secret" not in html


def test_the_panel_says_where_the_passage_stands():
    html = passage_html(make_hit(1, "Travel", "The limit is 5. More.", page=7), cite("The limit is 5."), ENGLISH)
    for part in ("<h3>Travel</h3>", "docs/1.pdf", "<dd>7</dd>", "Chapter › Section", "<mark>The limit is 5.</mark> More."):
        assert part in html


def test_a_table_keeps_its_cells_and_spans_and_loses_the_rest():
    first = '<tr><th colspan="2" style=x>A<script>bad()</script></th></tr>'
    html, _ = table_html(f"<table onclick=x>{first}<tr><td>1 &lt; 2<td rowspan=x>b</table>")
    rows = '<tr><th colspan="2">A</th></tr><tr><td>1 &lt; 2</td><td>b</td></tr>'
    assert html == f'<div class="table-scroll"><table>{rows}</table></div>'


def test_quoted_lines_keep_their_numbers_and_rows_lose_their_bars():
    text = "4. Paid within 5 days. [1]\n| Fee | 10 <won> | [1]\n# 2. No heading [9]"
    html = quotation_html(text, [cite()], 0, ENGLISH)
    assert html.count("<p>") == 3 and html.count('data-act="cite"') == 2
    assert html.startswith("<p>4. Paid within 5 days. <button")
    assert "<p>Fee · 10 &lt;won&gt; <button" in html
    assert "<p># 2. No heading [9]</p>" in html


def test_a_quoted_row_is_marked_in_its_table():
    table = "<table><tr><th>Item<th>Limit</tr><tr><td>R&amp;D<td>5</td></tr><tr><td>IT<td>7</table>"
    hit = make_hit(1, "T", "| Item | Limit |\n| R&D | 5 |\n| IT | 7 |", html=table)
    html = passage_html(hit, cite("| R&D | 5 |"), ENGLISH)
    assert html.count("quoted-row") == 1
    assert '<tr class="quoted-row"><td>R&amp;D</td><td>5</td></tr>' in html
    assert ENGLISH.quoted not in html


def test_sources_of_one_document_are_told_apart_by_their_headings():
    html = conversation_html(conversation("One. [1]"), ENGLISH, [])
    assert '<span class="chip-page">B · p. 3</span>' in html


def test_what_is_no_table_is_shown_as_text():
    html = passage_html(make_hit(1, "T", "row text", html="<p>no cells</p>"), cite("row text"), ENGLISH)
    assert '<div class="passage-text"><mark>row text</mark></div>' in html


def test_an_answer_without_evidence_looks_different():
    html = conversation_html(conversation("no idea", found=False), KOREAN, [])
    assert 'class="nothing"' in html
    assert KOREAN.not_found in html
    assert 'class="sources"' not in html


@pytest.mark.parametrize("field", [field.name for field in fields(ENGLISH)])
def test_both_languages_are_complete(field):
    korean, english = getattr(KOREAN, field), getattr(ENGLISH, field)
    assert korean.strip() and english.strip()
    assert any("가" <= char <= "힣" for char in korean)
    assert not any("가" <= char <= "힣" for char in english)
    for slot in ("{n}", "{title}", "{limit}", "{model}"):
        # "Shorten it to {limit}" may drop what another language needs, but never ask for what is not given.
        assert (slot in korean) == (slot in english)


def test_unknown_languages_fall_back_to_english():
    assert texts_of("ko") is KOREAN
    assert texts_of("fr") is ENGLISH


def test_history_holds_only_complete_found_answers_before_the_pending_question():
    said = Conversation().ask("q1").last(answer=Answer("a1", True), status="done")
    said = said.ask("q2").last(answer=Answer("nothing", False), status="done").ask("q3").last(text="half").stop().ask("q4")
    assert said.history(20) == (ChatTurn("user", "q1"), ChatTurn("assistant", "a1"))
    assert said.history(0) == ()


def test_a_conversation_keeps_only_its_newest_exchanges():
    said = Conversation()
    for number in range(5):
        said = said.ask(f"q{number}", keep=3)
    assert [one.question for one in said.exchanges] == ["q2", "q3", "q4"]


def test_retry_asks_the_last_question_again_and_forgets_its_answer():
    again = conversation("q").retry()
    assert again.pending
    assert again.exchanges[-1].question == "q"
    assert again.exchanges[-1].answer is None
    assert Conversation().retry() == Conversation()


@pytest.mark.parametrize(("exchange", "number"), [(-1, 1), (1, 1), (0, 0), (0, 2)])
def test_a_citation_that_was_never_given_is_none(exchange, number):
    assert conversation("q").citation(exchange, number) is None


def test_values_of_a_conversation_are_not_mutated():
    first = Conversation().ask("q")
    first.last(text="x")
    assert first == Conversation().ask("q")
    assert replace(first) == first


def test_a_number_in_brackets_inside_a_quotation_is_no_citation():
    text = "items[1] and footnote [1] say so [1]\n| a[1] | b [1] | [1]\nends with its own [1] [1]"
    html = quotation_html(text, [cite()], 0, ENGLISH)
    assert html.count("<button") == 3, "one a line, the last"
    assert "items[1] and footnote [1] say so <button" in html
    assert "ends with its own [1] <button" in html
