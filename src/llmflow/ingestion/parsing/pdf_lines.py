"""Lines of a PDF page with their place, size and weight, through pdfium."""

import ctypes
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmflow.types import Box

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

_BREAK = re.compile("\r\n|[\r\n\ufffe]")
_HYPHEN = "\ufffe"  # pdfium's mark for a hyphen at the end of a line, given instead of the line end
_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|gothic-?b", re.I)
_CELL_GAP = 1.0  # blanks wider than this many letter heights part table cells


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a line between wide gaps; horizontal extent in points."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """One visual line in reading order; `hyphen` when its last word goes on in the next line."""

    text: str
    page: int
    box: Box
    size: float
    bold: bool
    hyphen: bool
    cells: tuple[Cell, ...]


def page_lines(page: "PdfPage", number: int) -> list[Line]:
    """Return the lines of a page in pdfium's reading order; boxes count from the top left corner of the page."""
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        reader = _Reader(text_page, page)
        lines: list[Line] = []
        start = 0
        shift = 0  # characters outside the first plane count twice in pdfium
        wide = any(character > "\uffff" for character in text)
        for match in [*_BREAK.finditer(text), None]:
            end = match.start() if match else len(text)
            content = text[start:end]
            line = reader.line(content, start + shift, number, match is not None and match[0] == _HYPHEN)
            if line and lines and _same_row(lines[-1], line):
                lines[-1] = _join_row(lines[-1], line)
            elif line:
                lines.append(line)
            if wide:
                shift += sum(character > "\uffff" for character in content)
            start = match.end() if match else end
        return lines
    finally:
        text_page.close()


def _same_row(last: Line, line: Line) -> bool:
    """pdfium parts cells and superscripts of one visual line: they overlap in height and follow from left to right."""
    shared = min(last.box.bottom, line.box.bottom) - max(last.box.top, line.box.top)
    return not last.hyphen and shared > 0.5 * min(last.size, line.size) and line.box.left > last.box.right - 0.3 * last.size


def _join_row(last: Line, line: Line) -> Line:
    gap = line.box.left - last.box.right
    size = max(last.size, line.size)
    blank = " " if gap > 0.15 * size or last.text[-1:].isspace() else ""
    cells = (*last.cells, *line.cells)
    if gap <= _CELL_GAP * size:
        left, right = last.cells[-1], line.cells[0]
        cells = (*last.cells[:-1], Cell(left.text + blank + right.text, left.left, right.right), *line.cells[1:])
    box = Box(
        last.box.left, min(last.box.top, line.box.top), max(last.box.right, line.box.right), max(last.box.bottom, line.box.bottom)
    )
    main = last if len(last.text) >= len(line.text) else line
    text = last.text.rstrip() + blank + line.text
    return Line(text, last.page, box, main.size, last.bold and line.bold, line.hyphen, cells)


class _Reader:
    """Asks pdfium about single characters; every call costs a microsecond, so only those that matter are asked about."""

    def __init__(self, text_page: "PdfTextPage", page: "PdfPage") -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._handle = text_page.raw
        self._crop = page.get_cropbox() or (0.0, 0.0, *page.get_size())
        self._rotation = page.get_rotation()
        self._rect = raw.FS_RECTF()
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()

    def line(self, content: str, start: int, page: int, hyphen: bool) -> Line | None:
        stripped = content.strip()
        if not stripped:
            return None
        first = start + len(content) - len(content.lstrip())
        last = first + len(stripped) - 1
        opening, closing = self._box(first), self._box(last)
        size = max(opening.bottom - opening.top, 1.0)
        box = Box(
            min(opening.left, closing.left), min(opening.top, closing.top),
            max(opening.right, closing.right), max(opening.bottom, closing.bottom),
        )  # fmt: skip
        cells = self._cells(stripped, first, box, size)
        bold = self._bold(first) and self._bold(last)  # a bold word that opens a paragraph makes no heading
        return Line(content.lstrip(), page, box, round(size, 1), bold, hyphen, cells)

    def _cells(self, text: str, first: int, box: Box, size: float) -> tuple[Cell, ...]:
        cells: list[Cell] = []
        left, start = box.left, 0
        for match in re.finditer(r"\s+", text):
            before, after = self._box(first + match.start() - 1), self._box(first + match.end())
            if after.left - before.right > _CELL_GAP * size:
                cells.append(Cell(text[start : match.start()], left, before.right))
                left, start = after.left, match.end()
        cells.append(Cell(text[start:], left, box.right))
        return tuple(cells)

    def _box(self, index: int) -> Box:
        rect = self._rect
        self._raw.FPDFText_GetLooseCharBox(self._handle, index, rect)
        left, bottom, right, top = self._crop
        if self._rotation == 90:
            return Box(rect.bottom - bottom, rect.left - left, rect.top - bottom, rect.right - left)
        if self._rotation == 180:
            return Box(right - rect.right, rect.bottom - bottom, right - rect.left, rect.top - bottom)
        if self._rotation == 270:
            return Box(top - rect.top, right - rect.right, top - rect.bottom, right - rect.left)
        return Box(rect.left - left, top - rect.top, rect.right - left, top - rect.bottom)

    def _bold(self, index: int) -> bool:
        if self._raw.FPDFText_GetFontWeight(self._handle, index) >= 600:
            return True
        size = self._raw.FPDFText_GetFontInfo(self._handle, index, self._name, 128, self._flags)
        return bool(_BOLD_NAME.search(self._name.raw[: min(size, 128)]))
