"""Tables and records as passages: cut between rows, never inside one that fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.ingestion.pieces import bounded_spans, count_tokens, weigh_tokens

_RULE = re.compile(r"^[\s|:+=\-]*-{2,}[\s|:+=\-]*$")
_HTML_ROW = re.compile(r"<tr\b.*?</tr\s*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class TablePart:
    text: str
    html: str | None


def split_table(text: str, html: str | None, limit: int) -> list[TablePart]:
    """Return the table in parts of at most `limit` tokens, cut between rows, the header row at the head of each part.

    One part when it fits. `html` is cut along where it has one `<tr>` a line of text; otherwise only a table in one part keeps
    it. A row over the limit is cut at blanks; a header over half the limit is not repeated.
    """
    if count_tokens(text) <= limit:
        return [TablePart(text, html)]
    rows = text.splitlines()
    head = _header_length(rows)
    header = "\n".join(rows[:head])
    if count_tokens(header) > limit // 2:
        head, header = 0, ""
    html_rows = _html_rows(html, rows)
    html_header = "".join(html_rows[: 1 if head else 0])
    room = limit - count_tokens(header)

    parts: list[TablePart] = []
    for group in group_texts(rows[head:], room):
        first, last = group.start + head, group.stop + head
        rule = 1 if head > 1 else 0
        body = html_rows[first - rule : last - rule] if html_rows else []
        part_html = f"<table>{html_header}{''.join(body)}</table>" if body else None
        block = "\n".join(rows[first:last])
        for start, end in bounded_spans(block, 0, len(block), room):
            parts.append(TablePart(f"{header}\n{block[start:end]}" if header else block[start:end], part_html))
    return parts


def group_texts(texts: Sequence[str], limit: int) -> list[range]:
    """Return index ranges of neighbours that together fit `limit` tokens, in order; a text too long stands alone."""
    groups: list[range] = []
    start, size = 0, 0
    for index, text in enumerate(texts):
        tokens = weigh_tokens(text)
        if index > start and size + tokens > 100 * limit:
            groups.append(range(start, index))
            start, size = index, 0
        size += tokens
    if start < len(texts):
        groups.append(range(start, len(texts)))
    return groups


def _header_length(rows: Sequence[str]) -> int:
    """Rows to repeat: the first, and the Markdown rule under it."""
    return 2 if len(rows) > 2 and _RULE.match(rows[1]) else 1


def _html_rows(html: str | None, rows: Sequence[str]) -> list[str]:
    found = _HTML_ROW.findall(html or "")
    lines = len(rows) - (_header_length(rows) - 1)
    return found if len(found) == lines else []
