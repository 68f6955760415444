"""Rows of JSON, NDJSON, CSV and TSV as records: one `key: value` line a field."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.guards import check_records
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import Element, ElementKind
from llmflow.wording import said

_DELIMITERS = (",", "\t", ";", "|")


def read_delimited(text: str, settings: ParserSettings, delimiter: str | None = None) -> Reading:
    """Return one RECORD a row; the delimiter is the one that cuts the first rows most evenly unless given.

    Values beyond the header keep a `column N` key; missing ones are left out.
    """
    csv.field_size_limit(2**31 - 1)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _choose_delimiter(text)))
    except csv.Error as exc:
        raise DocumentError(said("csv.malformed", reason=exc)) from exc
    check_records(len(rows), settings)
    return Reading(list(row_elements(rows, settings)))


def row_elements(rows: Sequence[Sequence[str]], settings: ParserSettings, page: int | None = None) -> Iterator[Element]:
    """Yield a block of rows as records, its lone leading cells as TEXT; `page` is the sheet."""
    filled = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    width = max((len(row) for row in filled), default=0)
    while filled and width > 1 and len([cell for cell in filled[0] if cell]) == 1 and len(filled) > 1:
        yield Element(ElementKind.TEXT, next(cell for cell in filled.pop(0) if cell), page=page)
    if not filled:
        return
    header = _header(filled)
    records = [_row_text(row, header) for row in (filled[1:] if header else filled)]
    if header and not records:
        records = ["\n".join(cell for cell in header if cell)]
    yield from group_records(records, settings, page)


def group_records(records: Iterable[str], settings: ParserSettings, page: int | None = None) -> Iterator[Element]:
    """Yield records as elements, `records_per_element` at a time."""
    texts = [record for record in records if record.strip()]
    step = settings.records_per_element
    for start in range(0, len(texts), step):
        yield Element(ElementKind.RECORD, "\n\n".join(texts[start : start + step]), page=page)


def _header(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first row where it looks like names: at least two rows, distinct words, no numbers, few gaps."""
    first = list(rows[0])
    while first and not first[-1]:
        first.pop()
    names = [cell for cell in first if cell]
    usual = Counter(len(row) for row in rows[1:20]).most_common(1)[0][0] if len(rows) > 1 else 0
    if len(rows) < 2 or len(names) < 0.5 * usual or len(set(names)) < len(names):
        return []
    if any(_is_number(name) or len(name) > 200 for name in names):
        return []
    return first


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "").rstrip("%"))
    except ValueError:
        return False
    return True


def _row_text(row: Sequence[str], header: Sequence[str]) -> str:
    if not header:
        return "\n".join(cell for cell in row if cell) if len(row) < 2 else " | ".join(cell for cell in row if cell)
    lines: list[str] = []
    for index, cell in enumerate(row):
        if cell:
            name = header[index] if index < len(header) else ""
            lines.append(f"{name or f'column {index + 1}'}: {cell}")
    return "\n".join(lines)


def _choose_delimiter(text: str) -> str:
    sample = text[:65_536]
    lines = sample.splitlines()[:50]
    if len(sample) < len(text) and len(lines) > 1:
        lines.pop()
    best, best_score = ",", 0.0
    for mark in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=mark) if row]
        except csv.Error:
            continue
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        score = count / len(widths) * min(width, 4) if width > 1 else 0.0
        if score > best_score:
            best, best_score = mark, score
    return best


def read_json(text: str, settings: ParserSettings) -> Reading:
    """Return one RECORD an object of a list (or of lines), nested keys joined by dots; a lone object gives one RECORD."""
    try:
        value = _load(text)
    except RecursionError as exc:
        raise DocumentError(_too_deep(settings)) from exc
    elements: list[Element] = []
    for title, items in _tables(value):
        check_records(len(items), settings)
        if title:
            elements.append(Element(ElementKind.TITLE, title, level=1))
        records = ("\n".join(_lines(item, settings)) for item in items)
        elements.extend(group_records(records, settings))
    return Reading(elements)


def _too_deep(settings: ParserSettings) -> str:
    return said("json.too_deep", levels=settings.max_json_depth)


def _load(text: str) -> object:
    text = text.strip().lstrip("\ufeff")
    try:
        return json.loads(text)
    except json.JSONDecodeError as whole:
        rows: list[object] = []
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as exc:
                problem = exc if rows and number > 1 else whole
                line_number = number if rows and number > 1 else whole.lineno
                raise DocumentError(said("json.malformed", line=line_number, reason=problem.msg)) from exc
        return rows


def _tables(value: object) -> Sequence[tuple[str, Sequence[object]]]:
    """Titled lists of rows: a top-level list, or the lists of objects inside a top-level object, its other fields first."""
    if isinstance(value, list):
        scalars = not any(isinstance(item, (dict, list)) for item in value)
        return [("", [value] if scalars else value)]
    if not isinstance(value, dict):
        return [("", [value])]
    lists = {
        key: item for key, item in value.items() if isinstance(item, list) and item and all(isinstance(row, dict) for row in item)
    }
    rest = {key: item for key, item in value.items() if key not in lists}
    return ([("", [rest])] if rest else []) + [(str(key), item) for key, item in lists.items()]


def _lines(value: object, settings: ParserSettings) -> Iterator[str]:
    stack: list[tuple[str, object, int]] = [("", value, 0)]
    while stack:
        key, item, depth = stack.pop()
        if depth > settings.max_json_depth:
            raise DocumentError(_too_deep(settings))
        if isinstance(item, dict) and item:
            stack.extend((f"{key}.{name}" if key else str(name), child, depth + 1) for name, child in reversed(item.items()))
        elif isinstance(item, list) and any(isinstance(child, (dict, list)) for child in item):
            numbered = [(f"{key}.{index}" if key else str(index), child, depth + 1) for index, child in enumerate(item, start=1)]
            stack.extend(reversed(numbered))
        elif item is not None and item != "" and item != [] and item != {}:
            text = ", ".join(_scalar(child) for child in item) if isinstance(item, list) else _scalar(item)
            yield f"{key}: {text}" if key else text


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
