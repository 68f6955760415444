"""Tables of a PDF, found by columns that stand under each other over several lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.ingestion.parsing.pdf_lines import Cell, Line
from llmflow.ingestion.parsing.tables import table_elements
from llmflow.types import Box, Element

_MIN_ROWS = 3
_LONGEST_CELL = 80


@dataclass(frozen=True, slots=True)
class TextLines:
    """Neighbouring lines outside tables."""

    lines: list[Line]


def find_tables(lines: Sequence[Line]) -> list[TextLines | list[Element]]:
    """Return the lines in order, runs of table rows replaced by table elements.

    A run is at least three lines of the same page with two or more cells, whose cells stand in common columns.
    """
    segments: list[TextLines | list[Element]] = []
    text: list[Line] = []
    start = 0
    while start < len(lines):
        end = _run(lines, start)
        table = [] if end == start or _opens_wider(lines[start:end]) else _table(lines[start:end])
        if table:
            if text:
                segments.append(TextLines(text))
            segments.append(table)
            text, start = [], end
        else:
            text.append(lines[start])
            start += 1
    if text:
        segments.append(TextLines(text))
    return segments


def _run(lines: Sequence[Line], start: int) -> int:
    """Return the end of the run of rows from `start`; a lone cell under a later column goes on with its row."""
    end = start
    if len(lines[start].cells) < 2:
        return start
    while end < len(lines) and lines[end].page == lines[start].page:
        if len(lines[end].cells) < 2 and not _goes_on(lines[start:end], lines[end]):
            break
        if any(len(cell.text) > _LONGEST_CELL for cell in lines[end].cells):
            break
        if end > start and not 0 < lines[end].box.top - lines[end - 1].box.top < 4 * lines[end].size:
            break
        end += 1
    return end


def _opens_wider(rows: Sequence[Line]) -> bool:
    """Whether the first row reaches over columns that the others keep apart: a caption or heading above the table."""
    columns = _columns([cell for row in rows[1:] if len(row.cells) > 1 for cell in row.cells])
    return any(sum(_overlap(column, (cell.left, cell.right)) > 0 for column in columns) > 1 for cell in rows[0].cells)


def _goes_on(rows: Sequence[Line], line: Line) -> bool:
    if not rows or line.box.top - rows[-1].box.bottom > 0.75 * line.size:
        return False
    starts = [cell.left for row in rows if len(row.cells) > 1 for cell in row.cells[1:]]
    return any(abs(start - line.box.left) < 0.5 * line.size for start in starts)


def _table(lines: Sequence[Line]) -> list[Element]:
    if sum(len(line.cells) > 1 for line in lines) < _MIN_ROWS:
        return []
    columns = _columns([cell for line in lines for cell in line.cells])
    rows: list[list[str]] = []
    for line in lines:
        if len(line.cells) == 1 and rows:
            index = max(range(len(columns)), key=lambda number: _overlap(columns[number], (line.box.left, line.box.right)))
            rows[-1][index] = f"{rows[-1][index]} {line.text}".strip()
            continue
        row = [""] * len(columns)
        for cell in line.cells:
            index = max(range(len(columns)), key=lambda number: _overlap(columns[number], (cell.left, cell.right)))
            row[index] = f"{row[index]} {cell.text}".strip()
        rows.append(row)
    filled = sum(bool(cell) for row in rows for cell in row)
    if len(columns) < 2 or filled < 0.6 * len(rows) * len(columns):
        return []
    box = Box(
        min(line.box.left for line in lines), min(line.box.top for line in lines),
        max(line.box.right for line in lines), max(line.box.bottom for line in lines),
    )  # fmt: skip
    return table_elements(rows, page=lines[0].page, box=box)


def _columns(cells: Sequence[Cell]) -> list[tuple[float, float]]:
    """Unite cells that overlap horizontally; what stays apart are the columns, from left to right."""
    columns: list[tuple[float, float]] = []
    for left, right in sorted((cell.left, cell.right) for cell in cells):
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _overlap(column: tuple[float, float], extent: tuple[float, float]) -> float:
    return min(column[1], extent[1]) - max(column[0], extent[0])
