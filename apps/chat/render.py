"""HTML of the conversation and of the passage panel.

Documents, questions and model output are untrusted. Nothing of them reaches the page except escaped text, and the few
tags that this module writes itself: no links, no images, no attributes but table spans.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.chat.conversation import Conversation, Exchange
from apps.chat.texts import Texts
from llmflow.types import Answer, Citation, Hit

EXTRACTIVE = "extractive"
_MARKER = re.compile(r"\[(\d{1,3})\]")
_LAST_MARK = re.compile(r"(.*?)((?:\[\d{1,3}\]\s*)?)\Z", re.DOTALL)
_ROW = re.compile(r"^\s*\|(.+)\|((?:\s*\[\d{1,3}\])*)\s*$")
_CELL_TAGS = ("td", "th")


def conversation_html(conversation: Conversation, texts: Texts, samples: Sequence[str]) -> str:
    """Return the whole log; a welcome with sample questions while nothing was asked."""
    if not conversation.exchanges:
        return _welcome_html(texts, samples)
    last = len(conversation.exchanges) - 1
    turns = "".join(exchange_html(one, index, texts, index == last) for index, one in enumerate(conversation.exchanges))
    return f'<div class="log" role="log" aria-live="polite">{turns}</div>'


def exchange_html(exchange: Exchange, index: int, texts: Texts, is_last: bool) -> str:
    """Return one question and its answer; `index` is what a citation's button sends back."""
    return (
        f'<article class="turn" data-status="{exchange.status}">'
        f'<div class="question"><span class="sr-only">{texts.you}</span>{_lines(exchange.question)}</div>'
        f'<div class="answer"><span class="sr-only">{texts.assistant}</span>{_answer_body(exchange, index, texts)}'
        f"{_actions_html(exchange, texts, is_last)}</div></article>"
    )


def passage_html(hit: Hit | None, citation: Citation, texts: Texts) -> str:
    """Return the panel of a citation: where it stands, and the passage with the quoted span in `<mark>`.

    `hit` None says that the passage is gone or not readable; nothing of the citation is then shown.
    """
    head = (
        f'<div class="passage-head"><h2>{texts.passage} <span class="cite-number">{citation.number}</span></h2>'
        f'<button type="button" class="icon-button" data-act="close" aria-label="{texts.close}">✕</button></div>'
    )
    if hit is None:
        return f'<aside class="passage" tabindex="-1">{head}<p class="notice">{texts.passage_gone}</p></aside>'
    facts = [(texts.source, hit.document.source)]
    if hit.chunk.page is not None:
        facts.append((texts.page, str(hit.chunk.page)))
    if hit.chunk.heading_path:
        facts.append((texts.heading, " › ".join(hit.chunk.heading_path)))
    rows = "".join(f"<dt>{label}</dt><dd>{escape(value)}</dd>" for label, value in facts)
    return (
        f'<aside class="passage" tabindex="-1" aria-label="{texts.passage}">{head}'
        f'<h3>{escape(hit.document.title)}</h3><dl class="facts">{rows}</dl>{_passage_body(hit, citation.quote, texts)}</aside>'
    )


def mark_quote(text: str, quote: str) -> tuple[str, bool]:
    """Return `text` escaped, its first occurrence of `quote` in `<mark>`, and whether the quote was there."""
    start = text.find(quote) if quote else -1
    if start < 0:
        return escape(text), False
    end = start + len(quote)
    return f"{escape(text[:start])}<mark>{escape(quote)}</mark>{escape(text[end:])}", True


def answer_html(text: str, citations: Sequence[Citation] | None, index: int, texts: Texts) -> str:
    """Return Markdown as HTML without links, images or raw HTML; `[n]` of a known citation becomes its button.

    `citations` None means that they are still to come: every `[n]` then looks like a marker and does nothing.
    """
    titles = None if citations is None else {cite.number: cite.title for cite in citations}
    env = {"titles": titles, "index": index, "texts": texts}
    return _markdown().render(text, env)


def quotation_html(text: str, citations: Sequence[Citation], index: int, texts: Texts) -> str:
    """Return quoted lines as they stand in the documents: as Markdown, a quoted "4." would be counted anew.

    The bars of a table's row become dots. Only the mark at a line's end is ours: a document's own [1] is a footnote or an index.
    """
    titles = {cite.number: cite.title for cite in citations}
    parts = [_LAST_MARK.match(_row_as_text(line)) for line in text.split("\n") if line]
    return "".join(f"<p>{escape(part[1])}{_with_buttons(part[2], titles, index, texts)}</p>" for part in parts if part)


def table_html(html: str, quote: str = "") -> tuple[str, bool]:
    """Return the first level of tables in `html` rebuilt from escaped cell texts, empty when it holds no cell.

    Also whether a row says what `quote` says; that row is marked.
    """
    reader = _TableReader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # how html.parser gives up on broken declarations such as "<![1"; the text is shown instead
        return "", False
    rows = ["".join(row) for row in reader.rows if row]
    if not rows:
        return "", False
    wanted = _letters(escape(quote))
    quoted = [bool(wanted) and _letters(re.sub(r"<[^>]*>", "", row)) == wanted for row in rows]
    body = "".join(
        f'<tr class="quoted-row">{row}</tr>' if mark else f"<tr>{row}</tr>" for row, mark in zip(rows, quoted, strict=True)
    )
    return f'<div class="table-scroll"><table>{body}</table></div>', any(quoted)


class _TableReader(HTMLParser):
    """Collects cells; every other tag is dropped and its text kept, except inside script and style."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._cell: tuple[str, str, list[str]] | None = None
        self._muted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._muted += 1
        elif tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in _CELL_TAGS:
            self._end_cell()
            if not self.rows:
                self.rows.append([])
            self._cell = tag, _spans(dict(attrs)), []
        elif tag == "br" and self._cell:
            self._cell[2].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._muted = max(0, self._muted - 1)
        elif tag in (*_CELL_TAGS, "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell and not self._muted:
            self._cell[2].append(data)

    def close(self) -> None:
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._cell:
            tag, spans, parts = self._cell
            self.rows[-1].append(f"<{tag}{spans}>{_lines(''.join(parts).strip())}</{tag}>")
            self._cell = None


def _spans(attributes: Mapping[str, str | None]) -> str:
    found = ((name, attributes.get(name) or "") for name in ("colspan", "rowspan"))
    return "".join(f' {name}="{min(int(value), 100)}"' for name, value in found if value.isascii() and value.isdecimal())


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _row_as_text(line: str) -> str:
    row = _ROW.match(line)
    return " · ".join(cell.strip() for cell in row[1].split("|") if cell.strip()) + row[2] if row else line


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _welcome_html(texts: Texts, samples: Sequence[str]) -> str:
    buttons = "".join(
        f'<button type="button" class="sample" data-act="sample" data-question="{escape(one)}">{escape(one)}</button>'
        for one in samples
    )
    tries = f'<p class="samples-label">{texts.samples}</p><div class="samples">{buttons}</div>' if samples else ""
    return f'<div class="welcome"><h1>{texts.welcome}</h1><p>{texts.welcome_hint}</p>{tries}</div>'


def _answer_body(exchange: Exchange, index: int, texts: Texts) -> str:
    if exchange.status == "failed":
        message = escape(exchange.error) or texts.failed_next
        return f'<div class="failure" role="alert"><strong>{texts.failed}</strong><p>{message}</p></div>'
    if exchange.answer is not None:
        return _complete_html(exchange.answer, index, texts)
    if exchange.status == "pending" and not exchange.text:
        return f'<p class="thinking">{texts.thinking}<span class="dots" aria-hidden="true"></span></p>'
    stopped = f'<p class="aside">{texts.stopped}</p>' if exchange.status == "stopped" else ""
    citations = None if exchange.status == "pending" else ()
    return f'<div class="prose-text">{answer_html(exchange.text, citations, index, texts)}</div>{stopped}'


def _complete_html(answer: Answer, index: int, texts: Texts) -> str:
    shown = quotation_html if answer.model == EXTRACTIVE else answer_html
    body = shown(answer.text, answer.citations, index, texts)
    if not answer.found:
        return f'<div class="nothing"><strong>{texts.not_found}</strong><div class="prose-text">{body}</div></div>'
    chips = "".join(_chip_html(cite, index, texts) for cite in answer.citations)
    sources = f'<div class="sources"><span class="sources-label">{texts.sources}</span>{chips}</div>' if chips else ""
    origin = texts.extractive if answer.model == EXTRACTIVE else texts.answered_by.format(model=escape(answer.model))
    quoted = " data-quoted" if answer.model == EXTRACTIVE else ""
    notice = f'<p class="notice" role="status">{escape(answer.notice)}</p>' if answer.notice else ""
    return f'<div class="prose-text" data-copy{quoted}>{body}</div>{sources}{notice}<p class="origin">{origin}</p>'


def _chip_html(cite: Citation, index: int, texts: Texts) -> str:
    heading = cite.heading.rsplit(" > ", 1)[-1]
    where = [] if heading in ("", cite.title) else [escape(heading)]
    where += [texts.page_short.format(n=cite.page)] if cite.page is not None else []
    page = f'<span class="chip-page">{" · ".join(where)}</span>' if where else ""
    return (
        f'<button type="button" class="chip" {_cite_data(cite.number, index)}><span class="cite-number">{cite.number}</span>'
        f'<span class="chip-title">{escape(cite.title)}</span>{page}</button>'
    )


def _actions_html(exchange: Exchange, texts: Texts, is_last: bool) -> str:
    if exchange.status == "pending":
        return ""
    copy = (
        f'<button type="button" data-act="copy" data-done="{texts.copied}">{texts.copy}</button>'
        if exchange.answer is not None and exchange.answer.found
        else ""
    )
    retry = f'<button type="button" data-act="retry">{texts.retry}</button>' if is_last else ""
    return f'<div class="actions">{copy}{retry}</div>' if copy or retry else ""


def _passage_body(hit: Hit, quote: str, texts: Texts) -> str:
    marked, there = mark_quote(hit.chunk.text, quote)
    moved = "" if there or not quote else f'<p class="notice">{texts.quote_moved}</p>'
    table, row_marked = table_html(hit.chunk.html, quote) if hit.chunk.html else ("", False)
    if not table:
        return f'{moved}<div class="passage-text">{marked}</div>'
    if row_marked:
        return table
    line = f'<div class="quoted"><span>{texts.quoted}</span><mark>{_lines(_row_as_text(quote))}</mark></div>'
    return f"{line if there else moved}{table}"


def _cite_data(number: int, index: int) -> str:
    return f'data-act="cite" data-number="{number}" data-exchange="{index}"'


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    # An image or a link in a quoted document could report to its author that, and by whom, it was read.
    parser.disable(["image", "link", "autolink", "reference", "code", "lheading", "entity"])
    parser.add_render_rule("text", _render_text)
    return parser


def _render_text(_: object, tokens: Sequence[Token], position: int, options: object, env: Mapping[str, Any]) -> str:
    return _with_buttons(tokens[position].content, env["titles"], env["index"], env["texts"])


def _with_buttons(text: str, titles: Mapping[int, str] | None, index: int, texts: Texts) -> str:
    """Return `text` escaped, each [n] of `titles` as its button; without titles every [n] as a mark that does nothing."""

    def button(match: re.Match[str]) -> str:
        number = int(match[1])
        if titles is None:
            return f'<span class="cite">{number}</span>'
        if number not in titles:
            return match[0]
        label = escape(texts.open_source.format(n=number, title=titles[number]))
        return f'<button type="button" class="cite" {_cite_data(number, index)} aria-label="{label}">{number}</button>'

    return _MARKER.sub(button, escape(text))
