"""From the lines of a PDF to headings, paragraphs, list items and tables."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from llmflow.ingestion.parsing.pdf_lines import Line
from llmflow.ingestion.parsing.pdf_tables import TextLines, find_tables
from llmflow.ingestion.parsing.text import BULLET
from llmflow.types import Box, Element, ElementKind

_SENTENCE_END = re.compile(r"[.!?。:;,][\"'”’)\]]?$")
_HANGUL = re.compile(r"[가-힣]")
_PAGE_NUMBER = re.compile(r"^[-–—|\s]*(?:page\s*|p\.?\s*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?[-–—|\s쪽면]*$", re.I)
_DIGITS = re.compile(r"\d+")
_LONGEST_HEADING = 120
_MARGIN = 0.125
_LARGER = 1.15  # a heading's letters are this many times those of the body
_LEVELS = 4
_Key = tuple[float, bool]  # size and weight of a heading's letters


def drop_repeated(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[Line]:
    """Return all lines without running heads, running feet and page numbers.

    A line in the margin of its page (an eighth of `heights`) goes when more than half of the pages (and at least three)
    have it there, digits aside; a lone number there goes always in documents of more than two pages.
    """
    counts: Counter[str] = Counter()
    edges = [_edge_lines(lines, height) for lines, height in zip(pages, heights, strict=True)]
    for edge in edges:
        counts.update({_shape(line) for line in edge})
    filled = sum(bool(lines) for lines in pages)
    kept: list[Line] = []
    for lines, edge in zip(pages, edges, strict=True):
        for line in lines:
            margin = any(line is other for other in edge)
            repeated = counts[_shape(line)] >= max(3, filled / 2) if margin else False
            numbered = margin and filled > 2 and bool(_PAGE_NUMBER.match(line.text.strip()))
            if not repeated and not numbered:
                kept.append(line)
    return kept


def _edge_lines(lines: Sequence[Line], height: float) -> list[Line]:
    ordered = sorted((line for line in lines if len(line.text) <= _LONGEST_HEADING), key=lambda line: line.box.top)
    top = [line for line in ordered[:2] if line.box.bottom < _MARGIN * height]
    return top + [line for line in ordered[2:][-2:] if line.box.top > (1 - _MARGIN) * height]


def _shape(line: Line) -> str:
    return _DIGITS.sub("#", " ".join(line.text.split()))


def lines_to_elements(lines: Sequence[Line]) -> list[Element]:
    """Return the elements of a document's lines, in their order."""
    body, bold_body = _body(lines)
    words = Counter(_bare(word) for line in lines for word in line.text.split())
    pieces: list[list[Line] | list[Element]] = []
    for segment in find_tables(lines):
        if isinstance(segment, TextLines):
            pieces.extend(_blocks(segment.lines))
        else:
            pieces.append(segment)
    keys = [_heading_key(piece, body, bold_body) for piece in pieces]
    order = sorted({key for key in keys if key}, reverse=True)
    levels = {key: min(index, _LEVELS) for index, key in enumerate(order, start=1)}
    elements: list[Element] = []
    for piece, key in zip(pieces, keys, strict=True):
        if key is None and isinstance(piece[0], Element):
            elements.extend(item for item in piece if isinstance(item, Element))
        else:
            elements.append(_element([item for item in piece if isinstance(item, Line)], levels.get(key, 0) if key else 0, words))
    return elements


def _body(lines: Sequence[Line]) -> tuple[float, bool]:
    """Size and weight of most letters."""
    sizes: Counter[float] = Counter()
    bold = 0
    for line in lines:
        sizes[line.size] += len(line.text)
        bold += len(line.text) * line.bold
    return (sizes.most_common(1)[0][0], bold > sizes.total() / 2) if sizes else (0.0, False)


def _blocks(lines: Sequence[Line]) -> list[list[Line]]:
    blocks: list[list[Line]] = []
    for line in lines:
        if blocks and _continues(blocks[-1], line):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _continues(block: Sequence[Line], line: Line) -> bool:
    """Whether a line goes on with the paragraph before it."""
    last = block[-1]
    if last.hyphen:
        return True
    if BULLET.match(line.text):
        return False
    if line.page != last.page:
        return _is_unfinished(last) and line.size == last.size and line.bold == last.bold and not _starts_new(line)
    size = max(last.size, line.size)
    if min(last.size, line.size) < 0.85 * size or last.bold != line.bold:
        return False
    if line.box.top < last.box.top - size:  # the next column
        return _is_unfinished(last) and not _starts_new(line)
    if line.box.top - last.box.bottom > 0.75 * size or line.box.left > last.box.right + size or line.box.right < last.box.left:
        return False
    widest = max(item.box.right for item in block)
    ends_short = last.box.right < widest - 3 * size or (len(block) == 1 and line.box.right > last.box.right + 3 * size)
    indented = len(block) > 1 and line.box.left > last.box.left + 0.8 * size and not BULLET.match(block[0].text)
    return not (
        (ends_short and _SENTENCE_END.search(last.text.strip())) or (indented and _SENTENCE_END.search(last.text.strip()))
    )


def _is_unfinished(line: Line) -> bool:
    return len(line.text.strip()) > 30 and not _SENTENCE_END.search(line.text.strip())


def _starts_new(line: Line) -> bool:
    return bool(re.match(r"^(?:\d+(?:\.\d+)*[.)]?\s|[A-Z]|제\s*\d+)", line.text))


def _heading_key(piece: Sequence[Line] | Sequence[Element], body: float, bold_body: bool) -> _Key | None:
    lines = [item for item in piece if isinstance(item, Line)]
    if not lines or len(lines) > 3:
        return None
    text = " ".join(line.text.strip() for line in lines)
    size = max(line.size for line in lines)
    larger = size >= _LARGER * body
    if not (larger or (lines[0].bold and not bold_body and size >= 0.95 * body and len(lines) < 3)):
        return None
    letters = sum(character.isalpha() for character in text)
    wide = sum(character > "\u1100" for character in text)  # Korean says in half the letters what English does
    if len(text) + wide > _LONGEST_HEADING or letters < 2 or letters < 0.4 * len(text.replace(" ", "")):
        return None
    if _SENTENCE_END.search(text) and not (larger and text.endswith("?")):
        return None
    if BULLET.match(text) and not re.match(r"^\(?\d", text):
        return None
    return (round(size), lines[0].bold)


def _element(lines: Sequence[Line], level: int, words: Counter[str]) -> Element:
    text = join_lines(lines, words)
    first = [line for line in lines if line.page == lines[0].page]
    box = Box(
        min(line.box.left for line in first), min(line.box.top for line in first),
        max(line.box.right for line in first), max(line.box.bottom for line in first),
    )  # fmt: skip
    kind = ElementKind.TITLE if level else ElementKind.LIST_ITEM if BULLET.match(text) else ElementKind.TEXT
    return Element(kind, text, page=lines[0].page, level=level, box=box)


def join_lines(lines: Sequence[Line], words: Counter[str]) -> str:
    """Return one paragraph. A word cut at a line's end is put together where the document writes it so elsewhere.

    Hyphens of the typesetter go; a Korean word cut without a hyphen is joined only when `words` knows the whole.
    """
    text = lines[0].text
    for previous, line in pairwise(lines):
        head, tail = text.split()[-1:], line.text.split()[:1]
        if not head or not tail:
            text += " " + line.text
            continue
        begin, rest = head[0], tail[0]
        if previous.hyphen:
            kept = words[_bare(f"{begin}-{rest}")] > 0 and not words[_bare(begin + rest)]
            text = text.rstrip() + ("-" if kept else "") + line.text
        elif text.endswith("-") and rest[:1].islower() and words[_bare(begin[:-1] + rest)]:
            text = text[:-1] + line.text
        elif not text[-1:].isspace() and _HANGUL.search(begin[-1:]) and _HANGUL.match(rest) and words[_bare(begin + rest)]:
            text += line.text
        else:
            text = text.rstrip() + " " + line.text
    return " ".join(text.split())


def _bare(word: str) -> str:
    return word.strip("()[]{},.;:\"'“”‘’")
