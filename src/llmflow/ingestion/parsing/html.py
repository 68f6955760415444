"""HTML to elements, in one pass over the tree.

Several times as quick as a classifying partitioner, because tags say what a piece is: nothing is guessed from its words.
"""

import re

from lxml import etree, html  # pyright: ignore[reportAttributeAccessIssue]
from lxml.html import HtmlElement

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.forged import keep_forged_tags
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.tables import rows_to_html, table_elements
from llmflow.types import Element, ElementKind
from llmflow.wording import said

_DROPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "embed",
        "head",
        "meta",
        "link",
        "select",
        "option",
        "datalist",
        "canvas",
        "audio",
        "video",
        "map",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "section",
        "summary",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "tr",
        "td",
        "th",
        "caption",
        "ul",
        "pre",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_\-]+)""")
_LONGEST_HEADING = 200
_MAX_SPAN = 100


def declared_encoding(data: bytes) -> str | None:
    """Return the encoding that the first kilobytes name, if any."""
    match = _CHARSET.search(data[:4096])
    return match[1].decode("ascii") if match else None


def read_html(text: str) -> Reading:
    """Return what a reader of the page would see: scripts, styles and hidden parts are left out, forged tags are not.

    Raises DocumentError for pages nested too deeply.
    """
    if not text.strip():
        return Reading([])
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(keep_forged_tags(text).encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing but comments or markup without content
        return Reading([])
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):  # the rest was left out without an exception
        raise DocumentError(said("html.too_deep"))
    titles = root.xpath("//head/title|//title[not(ancestor::*[local-name()='svg'])]")
    title = " ".join(titles[0].text_content().split()) if titles else ""
    return Reading(_Walk(root).elements, title=title)


class _Walk:
    """Collects inline text until a block begins or ends. Without recursion: hostile pages nest thousands deep."""

    def __init__(self, root: HtmlElement) -> None:
        self.elements: list[Element] = []
        self._text: list[str] = []
        self._kinds: list[tuple[ElementKind, int]] = [(ElementKind.TEXT, 0)]
        self._depth = 0
        walker = etree.iterwalk(root, events=("start", "end"))
        for event, node in walker:
            if not isinstance(node.tag, str):
                if event == "end" and node.tail:
                    self._text.append(node.tail)
            elif event == "start":
                if self._enter(node):
                    walker.skip_subtree()
            else:
                self._leave(node)
        self._flush()

    def _enter(self, node: HtmlElement) -> bool:
        """Open a node; return whether its content is done with."""
        tag = node.tag
        if tag in _DROPPED or is_hidden(node):
            return True
        if tag == "br":
            self._text.append("\n")
            return True
        if tag == "img":
            self._text.append(f" {node.get('alt') or ''} ")
            return True
        if tag in _BLOCKS:
            self._flush()
            if tag == "table" and is_data_table(node):
                self.elements.extend(read_table(node))
                return True
            if tag in _HEADINGS:
                self._kinds.append((ElementKind.TITLE, _HEADINGS[tag]))
            elif tag == "li":
                self._kinds.append((ElementKind.LIST_ITEM, 0))
            elif tag == "pre":
                self._kinds.append((ElementKind.CODE, 0))
        if node.text:
            self._text.append(node.text)
        return False

    def _leave(self, node: HtmlElement) -> None:
        if node.tag in _BLOCKS:
            self._flush()
            opened = node.tag in _HEADINGS or node.tag in ("li", "pre")
            if opened and len(self._kinds) > 1 and not is_hidden(node):
                self._kinds.pop()
        if node.tail:
            self._text.append(node.tail)

    def _flush(self) -> None:
        if not self._text:
            return
        text, self._text = "".join(self._text), []
        if not text.strip():
            return
        kind, level = self._kinds[-1]
        if kind is ElementKind.CODE:
            self.elements.append(Element(kind, text.strip("\n")))
            return
        text = squeeze(text)
        if kind is ElementKind.TITLE and len(text) > _LONGEST_HEADING:
            kind, level = ElementKind.TEXT, 0
        self.elements.append(Element(kind, text.replace("\n", " ") if kind is ElementKind.TITLE else text, level=level))


def squeeze(text: str) -> str:
    """Collapse white space as a browser does; `<br>` was turned into a line end before."""
    return "\n".join(line for line in (" ".join(part.split()) for part in text.split("\n")) if line)


def is_hidden(node: HtmlElement) -> bool:
    """Return whether a browser would not show the node."""
    if not node.attrib:
        return False
    return "hidden" in node.attrib or node.get("aria-hidden") == "true" or bool(_HIDDEN_STYLE.search(node.get("style", "")))


def is_data_table(table: HtmlElement) -> bool:
    """Layout tables (tables, headings or long runs of blocks inside their cells) are walked like any other block."""
    rows = [row for row in table.iter("tr") if _owner(row) is table]
    if len(rows) < 2 or max(sum(1 for cell in row if cell.tag in ("td", "th")) for row in rows) < 2:
        return False
    if next(table.iter("th"), None) is not None:
        return True
    inner = [node for node in table.iter("table", "h1", "h2", "h3", "ul", "ol") if node is not table]
    longest = max(len("".join(cell.itertext())) for cell in table.iter("td", "th"))
    return len(inner) <= len(rows) and longest < 3000


def read_table(table: HtmlElement) -> list[Element]:
    """Return a table's elements; spanned cells are repeated so that every row reads by itself, nested tables flattened."""
    for node in [node for node in table.iter() if isinstance(node.tag, str) and (node.tag in _DROPPED or is_hidden(node))]:
        if node is not table and node.getparent() is not None:
            node.drop_tree()
    before = [Element(ElementKind.TEXT, squeeze(_cell_text(node))) for node in table.iter("caption") if _owner(node) is table]
    rows = _grid(table)
    return [element for element in before if element.text] + table_elements(rows, html=_table_html(table, rows))


def _table_html(table: HtmlElement, rows: list[list[str]]) -> str:
    if not any(cell.get("rowspan") or cell.get("colspan") for cell in table.iter("td", "th")):
        return rows_to_html(rows)
    parts: list[str] = []
    for row in table.iter("tr"):
        if _owner(row) is not table:
            continue
        parts.append("<tr>")
        for cell in row:
            if cell.tag in ("td", "th"):
                spans = "".join(f' {name}="{_span(cell, name)}"' for name in ("rowspan", "colspan") if _span(cell, name) > 1)
                text = " ".join(_cell_text(cell).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                parts.append(f"<{cell.tag}{spans}>{text}</{cell.tag}>")
        parts.append("</tr>")
    return "<table>" + "".join(parts) + "</table>"


def _grid(table: HtmlElement) -> list[list[str]]:
    rows: list[list[str]] = []
    pending: dict[int, tuple[int, str]] = {}
    for row in table.iter("tr"):
        if _owner(row) is not table:
            continue
        cells: list[str] = []
        for cell in [cell for cell in row if cell.tag in ("td", "th")]:
            _fill(cells, pending)
            text = squeeze(_cell_text(cell)).replace("\n", " ")
            for _ in range(_span(cell, "colspan")):
                if _span(cell, "rowspan") > 1:
                    pending[len(cells)] = (_span(cell, "rowspan") - 1, text)
                cells.append(text)
        _fill(cells, pending)
        rows.append(cells)
    return rows


def _fill(cells: list[str], pending: dict[int, tuple[int, str]]) -> None:
    while len(cells) in pending:
        left, text = pending.pop(len(cells))
        if left > 1:
            pending[len(cells)] = (left - 1, text)
            cells.append(text)
            continue
        cells.append(text)


def _span(cell: HtmlElement, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value), 1), _MAX_SPAN) if value.isdecimal() else 1


def _owner(node: HtmlElement) -> HtmlElement | None:
    return next(node.iterancestors("table"), None)


def _cell_text(cell: HtmlElement) -> str:
    """Text of a cell with blanks where blocks meet; nested tables included."""
    parts: list[str] = []
    for event, node in etree.iterwalk(cell, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if tag in _BLOCKS or tag == "br":
            parts.append(" ")
        if event == "start":
            parts.append(node.text or "")
            if tag == "img":
                parts.append(node.get("alt") or "")
        elif node is not cell:
            parts.append(node.tail or "")
    return "".join(parts)
