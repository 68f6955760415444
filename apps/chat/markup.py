"""Text of documents, questions and models as HTML.

All of it is untrusted. Nothing reaches the page except escaped text and the few tags that this module writes itself: no
links, no images, no attributes but its own.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.chat.texts import Texts
from llmflow.types import Citation

_MARKER = re.compile(r"\[(\d{1,3})\]")
_LAST_MARK = re.compile(r"(.*?)((?:\[\d{1,3}\]\s*)?)\Z", re.DOTALL)
_ROW = re.compile(r"^\s*\|(.+)\|((?:\s*\[\d{1,3}\])*)\s*$")


def mark_quote(text: str, quote: str) -> tuple[str, bool]:
    """Return `text` escaped, its first occurrence of `quote` in `<mark>`, and whether the quote was there."""
    start = text.find(quote) if quote else -1
    if start < 0:
        return escape(text), False
    end = start + len(quote)
    return f"{escape(text[:start])}<mark>{escape(quote)}</mark>{escape(text[end:])}", True


def answer_html(text: str, citations: Sequence[Citation] | None, message_id: str, texts: Texts) -> str:
    """Return Markdown as HTML without links, images or raw HTML; `[n]` of a known citation becomes its button.

    `citations` None means that they are still to come: every `[n]` then looks like a marker and does nothing.
    """
    titles = None if citations is None else {cite.number: cite.title for cite in citations}
    env = {"titles": titles, "message": message_id, "texts": texts}
    return _markdown().render(text, env)


def quotation_html(text: str, citations: Sequence[Citation], message_id: str, texts: Texts) -> str:
    """Return quoted lines as they stand in the documents: as Markdown, a quoted "4." would be counted anew.

    The bars of a table's row become dots. Only the mark at a line's end is ours: a document's own [1] is a footnote or an index.
    """
    titles = {cite.number: cite.title for cite in citations}
    parts = [_LAST_MARK.match(row_as_text(line)) for line in text.split("\n") if line]
    return "".join(f"<p>{escape(part[1])}{_with_buttons(part[2], titles, message_id, texts)}</p>" for part in parts if part)


def row_as_text(line: str) -> str:
    row = _ROW.match(line)
    return " · ".join(cell.strip() for cell in row[1].split("|") if cell.strip()) + row[2] if row else line


def lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def cite_data(number: int, message_id: str) -> str:
    """Return the attributes of a button that opens citation `number` of a message."""
    return f'data-act="cite" data-number="{number}" data-message="{escape(message_id)}"'


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    # An image or a link in a quoted document could report to its author that, and by whom, it was read.
    parser.disable(["image", "link", "autolink", "reference", "code", "lheading", "entity"])
    parser.add_render_rule("text", _render_text)
    return parser


def _render_text(_: object, tokens: Sequence[Token], position: int, options: object, env: Mapping[str, Any]) -> str:
    return _with_buttons(tokens[position].content, env["titles"], env["message"], env["texts"])


def _with_buttons(text: str, titles: Mapping[int, str] | None, message_id: str, texts: Texts) -> str:
    """Return `text` escaped, each [n] of `titles` as its button; without titles every [n] as a mark that does nothing."""

    def button(match: re.Match[str]) -> str:
        number = int(match[1])
        if titles is None:
            return f'<span class="cite">{number}</span>'
        if number not in titles:
            return match[0]
        label = escape(texts.open_source.format(n=number, title=titles[number]))
        return f'<button type="button" class="cite" {cite_data(number, message_id)} aria-label="{label}">{number}</button>'

    return _MARKER.sub(button, escape(text))
