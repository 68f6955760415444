"""Tables of documents, rebuilt from their cells: nothing of the document's own HTML is kept but spans."""

import re
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser

from apps.chat.markup import lines

_CELL_TAGS = ("td", "th")


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
            self.rows[-1].append(f"<{tag}{spans}>{lines(''.join(parts).strip())}</{tag}>")
            self._cell = None


def _spans(attributes: Mapping[str, str | None]) -> str:
    found = ((name, attributes.get(name) or "") for name in ("colspan", "rowspan"))
    return "".join(f' {name}="{min(int(value), 100)}"' for name, value in found if value.isascii() and value.isdecimal())


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
