"""What a quotation is about: the names that its section or its record bears, by which a sentence elsewhere leads to it.

A regulation says that requests go through `패스키퍼`; the section and the record of that name say who runs it, and when it rests.
"""

import re
from functools import lru_cache

from llmflow.answering.spans import record_around
from llmflow.retrieval.entities import MASKED, record_names, title_names
from llmflow.retrieval.tokens import HANGUL, LATIN, fold
from llmflow.types import ElementKind, Hit

BETWEEN = re.compile(r"[\W_]+")


def subjects_of(hit: Hit, start: int) -> frozenset[str]:
    """Return the names of what the line or sentence at `start` of a hit is about, as `said_in` looks for them.

    Those of its record, or of the nearest heading, or of the title where there is no heading. Rows of tables have none: their
    first cell is a value like any other. Nor have names in small Latin letters, masked ones and bare numbers.
    """
    if hit.chunk.kind is ElementKind.TABLE:
        return frozenset()
    record = record_around(hit, start)
    if record:
        return _of_record(record)
    return _of_title(hit.chunk.heading_path[-1] if hit.chunk.heading_path else hit.document.title)


@lru_cache(maxsize=2048)  # the same passages come back for question after question
def _of_record(record: str) -> frozenset[str]:
    return frozenset(key for value, _ in record_names(record) if (key := _key(value)))


@lru_cache(maxsize=2048)
def _of_title(title: str) -> frozenset[str]:
    return frozenset(key for name in title_names(title) if (key := _key(name)))


def _key(name: str) -> str:
    """Return a Korean name without spaces, a Latin one by its words as they are written; empty for what is none."""
    if MASKED.search(name):
        return ""
    key = squeezed(name) if HANGUL.search(name) else " ".join(LATIN.findall(name))
    named = len(key) > 1 and not key[0].islower() and not key.replace(" ", "").isdigit()
    return key if named else ""


def said_in(name: str, text: str) -> bool:
    """Return whether a text says a name of `subjects_of`: a Korean one whatever the spaces, a Latin one with its capitals."""
    return name in squeezed(text) if HANGUL.search(name) else f" {name} " in _written(text)


@lru_cache(maxsize=8192)
def squeezed(text: str) -> str:
    """Return a text folded, its letters and digits alone."""
    return BETWEEN.sub("", fold(text))


@lru_cache(maxsize=8192)
def _written(text: str) -> str:
    return f" {' '.join(LATIN.findall(text))} "
