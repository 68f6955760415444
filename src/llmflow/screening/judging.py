"""One passage under its title, file name and headings: what of it may be used. The rule of ingestion and of answering alike.

>>> judge_passage("Close the books by the fifth day.", ("Closing",)).withheld
False
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmflow.config import fingerprint_of
from llmflow.screening.classifier import load_classifier
from llmflow.screening.passages import DEFAULT, ScreeningSettings, inspect_passage
from llmflow.screening.patterns import doubtful_spans, instruction_spans
from llmflow.screening.signs import REASONS

RULES_VERSION = 1
"""Raised when patterns or rules change what is found, which a test notices; the classifier has a version of its own."""
KEPT_SHARE = 0.8
"""A passage of which less is left was written for the model, not for readers: it is left out whole."""
_ROLE_LABEL = re.compile(r"\W*(?:system|assistant|instructions?|user)\s*[:：]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judged:
    """What of a passage may be used. Spans are whole sentences, in order, not overlapping."""

    withheld: bool = False
    """Nothing: a label speaks to a model, or most of the text does."""
    flagged: tuple[str, ...] = ()
    """Why something surely does; empty where nothing does."""
    left_out: tuple[tuple[int, int], ...] = ()
    """Where."""
    doubtful: tuple[str, ...] = ()
    """Why something may, where nothing surely does."""
    doubted: tuple[tuple[int, int], ...] = ()
    """Where something may."""


def judge_passage(text: str, labels: Iterable[str], settings: ScreeningSettings = DEFAULT) -> Judged:
    """Judge a passage and its labels: title, file name, headings. A doubted label costs nothing."""
    labels = tuple(labels)
    found = inspect_passage(text, settings)
    named = [label for label in (inspect_passage(label, settings) for label in labels) if label.suspicious]
    as_role = bool(found.findings) and any(_ROLE_LABEL.fullmatch(label) for label in labels)  # manuals have "Instructions:"
    if not found.findings and not named:
        return _NOTHING
    left_out, doubted = tuple(instruction_spans(text, found)), tuple(doubtful_spans(text, found))
    flagged: tuple[str, ...] = ()
    if found.suspicious or named or as_role:
        flagged = tuple(dict.fromkeys(reason for one in (found, *named) for reason in one.reasons())) or (REASONS["turn"],)
    most = bool(left_out) and letters_of(without(text, left_out)) < KEPT_SHARE * letters_of(text)
    return Judged(
        bool(named) or as_role or most, flagged, left_out, found.reasons() if found.doubtful and not flagged else (), doubted
    )


def judge_of(settings: ScreeningSettings = DEFAULT) -> str:
    """Return 12 hex digits that change with whatever may change a judgement."""
    learned = "" if settings.detector == "patterns" else load_classifier().version
    return _judge(learned, settings.model_dump_json(exclude={"strict"}))


@lru_cache(maxsize=16)
def _judge(learned: str, settings: str) -> str:
    return fingerprint_of([RULES_VERSION, learned, settings])


def without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return `text`, as long as before, with a paragraph's end and blanks in place of the spans."""
    for start, end in spans:
        text = f"{text[:start]}{chr(10) * min(2, end - start)}{' ' * (end - start - 2)}{text[end:]}"
    return text


def letters_of(text: str) -> int:
    return sum(character.isalnum() for character in text)


_NOTHING = Judged()
