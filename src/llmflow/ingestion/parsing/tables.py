"""Rows of cells as readable text and as HTML.

>>> rows_to_text([["city", "people"], ["서울", "9.4M"]])
'| city | people |\\n| --- | --- |\\n| 서울 | 9.4M |'
"""

from collections.abc import Iterable, Sequence
from html import escape

from llmflow.types import Box, Element, ElementKind

TABLE_CHARACTERS = 8_000
"""Longer tables are split by rows; every part repeats the header."""


def flatten_cell(text: str) -> str:
    """Return a cell on one line, pipes escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def rows_to_text(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown pipe table: the first row is the header; short rows are filled up."""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join([flatten_cell(cell) for cell in row] + [""] * (width - len(row))) + " |" for row in rows]
    if len(lines) > 1:
        lines.insert(1, "| " + " | ".join(["---"] * width) + " |")
    return "\n".join(lines)


def rows_to_html(rows: Sequence[Sequence[str]]) -> str:
    """Return a plain HTML table, the first of several rows as `<th>`."""
    parts: list[str] = []
    for index, row in enumerate(rows):
        tag = "th" if index == 0 and len(rows) > 1 else "td"
        parts.append("<tr>" + "".join(f"<{tag}>{escape(' '.join(cell.split()))}</{tag}>" for cell in row) + "</tr>")
    return "<table>" + "".join(parts) + "</table>"


def table_elements(
    rows: Sequence[Sequence[str]], page: int | None = None, html: str | None = None, box: Box | None = None
) -> list[Element]:
    """Return TABLE elements, one unless the table is long; empty rows are dropped, an empty table gives none.

    A table of one row or one column is no table: its cells come back as TEXT.
    """
    kept = [list(row) for row in rows if any(cell.strip() for cell in row)]
    if not kept:
        return []
    if max(len(row) for row in kept) == 1:
        return [Element(ElementKind.TEXT, row[0], page=page, box=box) for row in kept]
    if len(kept) == 1:
        return [Element(ElementKind.TEXT, "\t".join(cell for cell in kept[0] if cell.strip()), page=page, box=box)]
    parts = list(_split_rows(kept))
    if len(parts) == 1:
        return [Element(ElementKind.TABLE, rows_to_text(kept), page=page, html=html or rows_to_html(kept), box=box)]
    return [Element(ElementKind.TABLE, rows_to_text(part), page=page, html=rows_to_html(part), box=box) for part in parts]


def _split_rows(rows: list[list[str]]) -> Iterable[list[list[str]]]:
    header, size, part = rows[0], 0, [rows[0]]
    for row in rows[1:]:
        length = sum(map(len, row)) + 3 * len(row)
        if size and size + length > TABLE_CHARACTERS:
            yield part
            part, size = [header], 0
        part.append(row)
        size += length
    yield part
