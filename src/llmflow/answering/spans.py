"""What of a passage may be quoted alone: sentences of prose, lines of tables and code, whole records.

A line of a record says nothing without the lines beside it: `timeout: 15` answers nobody, and beside the name of another record
it answers wrongly. Nor do a question without its answer, and the line before a list without the list.
"""

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from llmflow.ingestion.sentences import BETWEEN_CELLS, split_sentences
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
ASKS = re.compile(r"[?？][\"'”’」』)\]]*$")
LEADS = re.compile(r"[:：]$|(?:다음|아래)[와과] 같(?:다|습니다|아요)\.?$")
"""How a line ends that leads to what follows it."""
CODE_LINE = re.compile(r"[{};]$|^[<{})\]/]|=>|^import ")
FINISHED = re.compile(r"[.!?。…！？][\"'”’」』)\]]*$")

WordsIn = Callable[[str], Collection[str]]
"""A text to the question's words that it holds."""


def quotable_spans(hit: Hit) -> tuple[tuple[int, int], ...]:
    """Return the spans (start, end) that may be quoted alone, in order, bare headings and headers left out unless alone."""
    return _telling_spans(hit.chunk.text, hit.chunk.kind, _headings(hit)) or ((0, len(hit.chunk.text)),)


def only_headings(hit: Hit) -> bool:
    """Return whether nothing stands in a passage but its headings, its title or a table's header."""
    return not _telling_spans(hit.chunk.text, hit.chunk.kind, _headings(hit))


def _headings(hit: Hit) -> frozenset[str]:
    return frozenset(heading.strip() for heading in (*hit.chunk.heading_path, hit.document.title, header_of(hit)))


_CUT = re.compile(r"\n\n {2}")
"""What screening leaves in place of a sentence: nothing is quoted across it."""


@lru_cache(maxsize=2048)  # the same passages come back for question after question
def _telling_spans(text: str, kind: ElementKind, headings: frozenset[str]) -> tuple[tuple[int, int], ...]:
    def tells(span: str) -> bool:
        return span.strip().strip("#").strip() not in headings and re.search(r"\w", span) is not None

    return tuple(_spans(text, kind, tells))


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
    """Return a quotation as a line of an answer: lines of a record or a list apart, cells of a row under their headers."""
    if hit.chunk.kind is ElementKind.TABLE:
        return _row_under(_cells(header_of(hit)), quote)
    if hit.chunk.kind is ElementKind.RECORD:
        return _apart(quote.splitlines())
    first, *rest = quote.splitlines() or [""]
    if rest and LEADS.search(first):
        return f"{' '.join(first.split())} {_apart(rest)}"
    return " ".join(quote.split())


def _apart(lines: Sequence[str]) -> str:
    return BETWEEN_CELLS.join(" ".join(line.split()) for line in lines if line.strip())


def _cells(row: str) -> list[str]:
    return [" ".join(cell.split()) for cell in CELL_END.split(row.strip().removeprefix("|").removesuffix("|"))]


def _row_under(header: Sequence[str], row: str) -> str:
    cells = _cells(row)
    if not row.strip().startswith("|") or cells == header:
        return " ".join(row.split())
    names = header if len(header) == len(cells) else [""] * len(cells)
    return BETWEEN_CELLS.join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell)


def _spans(text: str, kind: ElementKind, tells: Callable[[str], bool]) -> list[tuple[int, int]]:
    if kind not in LINE_KINDS:
        return _joined(text, [span for span in split_sentences(text) if tells(text[slice(*span)])])
    spans: list[tuple[int, int]] = []
    for record in (RECORD if kind is ElementKind.RECORD else LINE).finditer(text):
        whole = kind is not ElementKind.RECORD or record.end() - record.start() <= WHOLE_RECORD
        lines = [(record.start() + found.start(), record.start() + found.end()) for found in LINE.finditer(record.group())]
        spans += [record.span()] if whole else lines
    return [span for span in spans if tells(text[slice(*span)])]


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the sentences, each that asks or leads to what follows as one with it where both are short."""
    joined: list[tuple[int, int]] = []
    at = 0
    while at < len(spans):
        last = _last_of(text, spans, at)
        joined.append((spans[at][0], spans[last][1]))
        at = last + 1
    return joined


def _last_of(text: str, spans: Sequence[tuple[int, int]], at: int) -> int:
    """Return the number of the last sentence that the one at `at` says nothing without.

    Behind a question that is one sentence, unless it asks as well; behind the line before a list, one sentence or the lines
    that are none, code left out, as far as a record may be long.
    """
    start, end = spans[at]
    leads = LEADS.search(text[start:end])
    if not leads and not ASKS.search(text[start:end]):
        return at
    last = at
    for number in range(at + 1, len(spans)):
        following = text[slice(*spans[number])]
        opens = ASKS.search(following) or LEADS.search(following)
        if _CUT.search(text, spans[last][1], spans[number][0]):
            break
        if opens or CODE_LINE.search(following) or spans[number][1] - start > WHOLE_RECORD:
            break
        finished = FINISHED.search(following)
        if leads and finished and last > at:
            break
        last = number
        if finished or not leads:
            break
    return last
