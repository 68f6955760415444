"""A parsed document cut into passages for search."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, Self

from pydantic import Field, model_validator

from llmflow.config import Settings
from llmflow.errors import SettingsError
from llmflow.ingestion.chunk_tables import group_texts, split_table
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.pieces import Span, bounded_spans, count_tokens, sentence_pieces
from llmflow.ingestion.splitting import pack_by_meaning, pack_sentences
from llmflow.ports import Embedder
from llmflow.types import Box, Element, ElementKind, ParsedDocument

_HARD_LEVELS = (1, 2)
_CAPTION = re.compile(r"^[<\[(]?\s*(?:표|그림|별표|서식|Table|Figure|Exhibit)\s*[0-9A-Z]", re.IGNORECASE)


class ChunkerSettings(Settings):
    """Sizes are in tokens as `pieces.count_tokens` estimates them."""

    method: Literal["sentence", "semantic"] = "sentence"
    target_tokens: int = Field(default=400, ge=32, le=8000)
    overlap_tokens: int = Field(default=50, ge=0)
    min_tokens: int = Field(default=40, ge=0)  # smaller neighbouring sections of one parent share a chunk
    table_max_tokens: int = Field(default=600, ge=32, le=8000)
    semantic_percentile: int = Field(default=90, ge=1, le=99)  # distances between neighbouring sentences that stay together

    @model_validator(mode="after")
    def _check_overlap(self) -> Self:
        if self.overlap_tokens > self.target_tokens // 2:
            raise ValueError(
                f"overlap_tokens {self.overlap_tokens} is more than half of target_tokens {self.target_tokens}. "
                "Choose a smaller overlap; about an eighth is usual."
            )
        return self


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A passage before it is masked and gets its id."""

    text: str
    kind: ElementKind
    heading_path: tuple[str, ...]
    """Headings above, outermost first, the passage's own included."""
    page: int | None
    """The page that it begins on."""
    html: str | None
    box: Box | None
    """Union of its elements' boxes on that page."""
    ordinal: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """Neighbouring elements under one heading that may share a chunk, the heading (and empty ones before it) first."""

    path: tuple[str, ...]
    parts: tuple[Element, ...]
    section: tuple[str, ...]
    """Headings of level 1 and 2 above, counted so that two sections of one name differ."""
    caption: str = ""

    @property
    def kind(self) -> ElementKind:
        kinds = {part.kind for part in self.parts if part.kind is not ElementKind.TITLE}
        return kinds.pop() if len(kinds) == 1 else ElementKind.TEXT

    @property
    def text(self) -> str:
        return "\n".join(part.text.strip() for part in self.parts)


def chunk_document(document: ParsedDocument, settings: ChunkerSettings, embedder: Embedder | None = None) -> list[ChunkDraft]:
    """Return the passages of `document` in reading order, numbered from 0, none blank; every non-blank character is in one.

    Prose is cut at sentence ends into about `target_tokens`, neighbours of one section overlapping; a heading stays with the
    text below it; no passage crosses a heading of level 1 or 2 unless both sides are under `min_tokens` and share the parent.
    Tables, and runs of records, are passages of their own; code stays whole where it fits. `semantic` cuts where the meaning
    turns; it needs an `embedder`, and falls back to sentences where the embedder does not read the document's language.

    Raises SettingsError for `semantic` without an embedder.
    """
    if settings.method == "semantic" and embedder is None:
        raise SettingsError("Chunking method 'semantic' needs an embedder. Configure one, or choose 'sentence'.")
    if settings.method == "sentence":
        embedder = None
    elements = [element for element in document.elements if element.text.strip()]
    if embedder is not None and detect_language("\n".join(e.text[:500] for e in elements[:200])) not in embedder.languages:
        embedder = None

    drafts: list[ChunkDraft] = []
    for unit in _merge_small(_units(elements), settings):
        drafts.extend(_chunk_unit(unit, settings, embedder))
    return [replace(draft, ordinal=ordinal) for ordinal, draft in enumerate(drafts)]


def _units(elements: Sequence[Element]) -> Iterator[_Unit]:
    headings: list[tuple[int, str]] = []
    hard = 0
    parts: list[Element] = []

    def close() -> _Unit:
        path = tuple(text for _, text in headings)
        section = (*(text for depth, text in headings if depth in _HARD_LEVELS), str(hard))
        unit = _Unit(path, tuple(parts), section)
        parts.clear()
        return unit

    for index, element in enumerate(elements):
        if element.kind is ElementKind.TITLE:
            if any(part.kind is not ElementKind.TITLE for part in parts):
                yield close()
            depth = element.level or 99
            headings = [*_above(headings, depth), (depth, element.text.strip())]
            hard += element.level in _HARD_LEVELS
            parts.append(element)
            continue
        if parts and _family(parts[-1]) not in {_family(element), ElementKind.TITLE}:
            yield close()
        parts.append(element)
        if element.kind is ElementKind.TABLE:
            before = elements[index - 1].text.strip() if index else ""
            caption = before if _CAPTION.match(before) and count_tokens(before) < 60 else ""
            yield replace(close(), caption=caption)
    if parts:
        yield close()


def _above(headings: Sequence[tuple[int, str]], depth: int) -> Iterator[tuple[int, str]]:
    return takewhile(lambda heading: heading[0] < depth, headings)


def _family(element: Element) -> ElementKind:
    """Elements of one family may share a chunk."""
    alone = (ElementKind.TITLE, ElementKind.TABLE, ElementKind.RECORD)
    return element.kind if element.kind in alone else ElementKind.TEXT


def _merge_small(units: Iterator[_Unit], settings: ChunkerSettings) -> Iterator[_Unit]:
    """Join prose of one heading that code or lists had parted, and sections under `min_tokens` with their neighbours."""
    held: _Unit | None = None
    size = 0
    for unit in units:
        tokens = count_tokens(unit.text)
        prose = unit.kind not in (ElementKind.TABLE, ElementKind.RECORD)
        if held is not None and prose and size + tokens <= settings.target_tokens:
            tiny = size < settings.min_tokens and tokens < settings.min_tokens and held.path[:-1] == unit.path[:-1]
            same = held.path == unit.path
            minor = held.section == unit.section and min(size, tokens) < settings.min_tokens
            if tiny or same or minor:
                path = tuple(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(held.path, unit.path, strict=False)))
                held = replace(held, path=path, parts=held.parts + unit.parts)
                size += tokens
                continue
        if held is not None:
            yield held
        held, size = (unit, tokens) if prose else (None, 0)
        if not prose:
            yield unit
    if held is not None:
        yield held


def _chunk_unit(unit: _Unit, settings: ChunkerSettings, embedder: Embedder | None) -> Iterator[ChunkDraft]:
    if unit.kind is ElementKind.TABLE:
        yield from _chunk_table(unit, settings)
    elif unit.kind is ElementKind.RECORD:
        yield from _chunk_records(unit, settings)
    else:
        yield from _chunk_prose(unit, settings, embedder)


def _draft(unit: _Unit, text: str, parts: Sequence[Element], html: str | None = None) -> ChunkDraft:
    page = next((part.page for part in parts if part.page is not None), None)
    box = _union([part.box for part in parts if part.box is not None and part.page == page])
    kinds = {part.kind for part in parts if part.kind is not ElementKind.TITLE}
    kind = kinds.pop() if len(kinds) == 1 else ElementKind.TEXT if kinds else ElementKind.TITLE
    return ChunkDraft(text, kind, unit.path, page, html, box, ordinal=0)


def _union(boxes: Sequence[Box]) -> Box | None:
    if not boxes:
        return None
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    return Box(left, top, max(box.right for box in boxes), max(box.bottom for box in boxes))


def _chunk_table(unit: _Unit, settings: ChunkerSettings) -> Iterator[ChunkDraft]:
    table = unit.parts[-1]
    strays = _outside_path(unit)
    prefix = "\n".join([" > ".join(unit.path), *strays, unit.caption]).strip("\n")
    limit = max(settings.table_max_tokens - count_tokens(prefix), settings.table_max_tokens // 2)
    for part in split_table(table.text.strip("\n"), table.html, limit):
        yield _draft(unit, f"{prefix}\n{part.text}" if prefix else part.text, [table], part.html)


def _outside_path(unit: _Unit) -> list[str]:
    """Return the headings before the table that are not above it: empty sections that ended."""
    path = list(unit.path)
    strays: list[str] = []
    for part in reversed(unit.parts[:-1]):
        text = part.text.strip()
        if text in path:
            path.remove(text)
        else:
            strays.insert(0, text)
    return strays


def _chunk_records(unit: _Unit, settings: ChunkerSettings) -> Iterator[ChunkDraft]:
    texts = [part.text.strip() for part in unit.parts]
    for group in group_texts(texts, settings.target_tokens):
        parts = unit.parts[group.start : group.stop]
        text = "\n\n".join(texts[index] for index in group)
        for start, end in _line_spans(text, settings.target_tokens):
            yield _draft(unit, text[start:end], parts)


def _line_spans(text: str, limit: int) -> list[Span]:
    """Return spans of whole lines that fit `limit`; a line over it is cut at blanks."""
    if count_tokens(text) <= limit:
        return [(0, len(text))]
    spans: list[Span] = []
    lines = text.splitlines(keepends=True)
    position = 0
    for group in group_texts(lines, limit):
        length = sum(len(lines[index]) for index in group)
        spans.extend(bounded_spans(text, position, position + length, limit))
        position += length
    return spans


def _chunk_prose(unit: _Unit, settings: ChunkerSettings, embedder: Embedder | None) -> Iterator[ChunkDraft]:
    text = unit.text
    if count_tokens(text) <= settings.target_tokens:
        yield _draft(unit, text, unit.parts)
        return
    offsets: list[int] = []
    pieces: list[Span] = []
    position = 0
    heading: int | None = None
    for part in unit.parts:
        own = part.text.strip()
        offsets.append(position)
        split = _line_spans if part.kind is ElementKind.CODE else sentence_pieces
        for start, end in split(own, settings.target_tokens):
            span = (position + start, position + end)
            if heading is not None and count_tokens(text[heading : span[1]]) <= settings.target_tokens:
                pieces[-1] = (heading, span[1])
            else:
                heading = None
                pieces.append(span)
            heading = pieces[-1][0] if part.kind is ElementKind.TITLE else None
        position += len(own) + 1
    for start, end in _pack(text, pieces, settings, embedder):
        ends = [*offsets[1:], len(text) + 1]
        parts = [part for part, left, right in zip(unit.parts, offsets, ends, strict=True) if left < end and start < right - 1]
        yield _draft(unit, text[start:end], parts)


def _pack(text: str, pieces: Sequence[Span], settings: ChunkerSettings, embedder: Embedder | None) -> Iterator[Span]:
    if embedder is None:
        yield from pack_sentences(text, pieces, settings.target_tokens, settings.overlap_tokens)
        return
    for start, end in pack_by_meaning(text, pieces, settings.semantic_percentile, embedder):
        inside = [(left - start, right - start) for left, right in pieces if start <= left and right <= end]
        for left, right in pack_sentences(text[start:end], inside, settings.target_tokens, overlap_tokens=0):
            yield start + left, start + right
