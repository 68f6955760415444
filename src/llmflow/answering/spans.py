"""What of a passage may be quoted alone: sentences of prose, lines of tables and code, whole records.

A line of a record says nothing without the lines beside it: `timeout: 15` answers nobody, and beside the name of another record
it answers wrongly.
"""

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from llmflow.ingestion.sentences import split_sentences
from llmflow.types import ElementKind, Hit

LINE_KINDS = (ElementKind.TABLE, ElementKind.RECORD, ElementKind.CODE)
RECORD = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
"""Lines up to a blank one."""
LINE = re.compile(r"[^\n]+")
WHOLE_RECORD = 400
"""Characters up to which a record is quoted as one; of longer ones single lines are."""
RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
"""The line between a table's header and its rows."""
CELL_END = re.compile(r"(?<!\\)\|")
BETWEEN = " · "

WordsIn = Callable[[str], Collection[str]]
"""A text to the question's words that it holds."""


def quotable_spans(hit: Hit) -> tuple[tuple[int, int], ...]:
    """Return the spans (start, end) that may be quoted alone, in order, bare headings and headers left out unless alone."""
    headings = frozenset(heading.strip() for heading in (*hit.chunk.heading_path, hit.document.title, header_of(hit)))
    return _telling_spans(hit.chunk.text, hit.chunk.kind, headings)


@lru_cache(maxsize=2048)  # the same passages come back for question after question
def _telling_spans(text: str, kind: ElementKind, headings: frozenset[str]) -> tuple[tuple[int, int], ...]:
    def tells(span: str) -> bool:
        return span.strip().strip("#").strip() not in headings and re.search(r"\w", span) is not None

    return tuple(span for span in _spans(text, kind) if tells(text[slice(*span)])) or ((0, len(text)),)


def record_around(hit: Hit, start: int) -> str:
    """Return the record that the line at `start` belongs to; nothing in other passages."""
    if hit.chunk.kind is not ElementKind.RECORD:
        return ""
    return next((found.group() for found in RECORD.finditer(hit.chunk.text) if found.start() <= start < found.end()), "")


def quoted(hit: Hit, start: int, end: int, words_in: WordsIn) -> tuple[int, int]:
    """Return what to quote of a span: of a record the lines from the first to the last that speak of the question.

    Where one line says as much of it as all of them, it only names the record or what is asked of it, so that all of the record
    is quoted. Other spans stay as they are.
    """
    if hit.chunk.kind is not ElementKind.RECORD:
        return start, end
    lines = [(start + found.start(), start + found.end()) for found in LINE.finditer(hit.chunk.text[start:end])]
    held = [(line, set(words_in(hit.chunk.text[slice(*line)]))) for line in lines]
    spoken = [(line, words) for line, words in held if words]
    every = set().union(*(words for _, words in spoken))
    if any(words == every for _, words in spoken) or not spoken:
        return start, end
    return spoken[0][0][0], spoken[-1][0][1]


def header_of(hit: Hit) -> str:
    """Return the row above a table's line of dashes; nothing in other passages and where a table has no such line."""
    if hit.chunk.kind is not ElementKind.TABLE:
        return ""
    lines = hit.chunk.text.splitlines()
    ruled = next((number for number, line in enumerate(lines) if RULE.fullmatch(line.strip())), 0)
    return lines[ruled - 1] if ruled else ""


def on_one_line(hit: Hit, quote: str) -> str:
    """Return a quotation of the passage as a line of an answer: lines of a record apart, cells of a row under their headers."""
    if hit.chunk.kind is ElementKind.TABLE:
        return _row_under(_cells(header_of(hit)), quote)
    if hit.chunk.kind is ElementKind.RECORD:
        return BETWEEN.join(" ".join(line.split()) for line in quote.splitlines() if line.strip())
    return " ".join(quote.split())


def _cells(row: str) -> list[str]:
    return [" ".join(cell.split()) for cell in CELL_END.split(row.strip().removeprefix("|").removesuffix("|"))]


def _row_under(header: Sequence[str], row: str) -> str:
    cells = _cells(row)
    if not row.strip().startswith("|") or cells == header:
        return " ".join(row.split())
    names = header if len(header) == len(cells) else [""] * len(cells)
    return BETWEEN.join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell)


def _spans(text: str, kind: ElementKind) -> list[tuple[int, int]]:
    if kind not in LINE_KINDS:
        return split_sentences(text)
    if kind is not ElementKind.RECORD:
        return [found.span() for found in LINE.finditer(text)]
    spans: list[tuple[int, int]] = []
    for record in RECORD.finditer(text):
        whole = record.end() - record.start() <= WHOLE_RECORD
        lines = [(record.start() + found.start(), record.start() + found.end()) for found in LINE.finditer(record.group())]
        spans += [record.span()] if whole else lines
    return spans
