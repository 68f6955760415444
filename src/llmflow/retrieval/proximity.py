"""How near a question's words stand to a place in a passage."""

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from llmflow.retrieval.tokens import HANGUL, WORD, fold, latin_token

PARAGRAPH = re.compile(r"\n[ \t]*\n")
PARAGRAPH_GAP = 200
"""Characters by which a blank line sets apart what stands before and after it: another record speaks of something else."""
ACCENTED = re.compile(r"[À-ɏ]")


def paragraph_breaks(text: str) -> list[int]:
    """Return where blank lines stand, ascending."""
    return [match.start() for match in PARAGRAPH.finditer(text)] if "\n" in text else []


def apart(place: int, breaks: Sequence[int]) -> int:
    """Return `place` as if each blank line before it were `PARAGRAPH_GAP` characters wider."""
    return place + PARAGRAPH_GAP * bisect_left(breaks, place) if breaks else place


class WordFinder:
    """The analysed words of one question, ready to be looked for in many passages."""

    def __init__(self, words: Sequence[str], other_forms: Mapping[str, Sequence[str]] = MappingProxyType({})):
        """`other_forms` are words that stand for a word of the question: where one occurs, that word occurs."""
        forms = [(word, form) for word in dict.fromkeys(words) for form in (word, *other_forms.get(word, ()))]
        self._korean = [(word, form) for word, form in forms if HANGUL.search(form)]
        self._latin = [(word, form, _stem_start(form)) for word, form in forms if not HANGUL.search(form)]
        self._several = bool(other_forms)

    def positions(self, text: str) -> dict[str, list[int]]:
        """Return where each word occurs in `text` (first characters, ascending); words that do not occur are left out.

        Latin words meet by stem; Korean ones by their letters, wherever they stand inside a word.
        """
        found: dict[str, list[int]] = {}
        plain = _plain(text) if self._latin else ""
        for word, form, start in self._latin:
            at = plain.find(start)
            while at >= 0:
                if not (at and plain[at - 1].isalnum()):
                    match = WORD.match(text, at)
                    if match is not None and latin_token(match.group()) == form:
                        found.setdefault(word, []).append(at)
                at = plain.find(start, at + 1)
        for word, form in self._korean:
            at = text.find(form)
            while at >= 0:
                found.setdefault(word, []).append(at)
                at = text.find(form, at + 1)
        return {word: sorted(places) for word, places in found.items()} if self._several else found


@lru_cache(maxsize=4096)
def _stem_start(word: str) -> str:
    """Return the letters that every word of a stem begins with: the stemmer writes y as i and may end a short stem in e."""
    return word[:-1] if len(word) > 2 and word[-1] in "ei" else word


def _plain(text: str) -> str:
    """Return `text` in lower case without accents, every character where it stands."""
    return text.lower() if text.isascii() else _without_accents(text)


@lru_cache(maxsize=4096)
def _without_accents(text: str) -> str:
    if ACCENTED.search(text):
        text = ACCENTED.sub(lambda match: _base(match.group()), text)
    lower = text.lower()
    return lower if len(lower) == len(text) else text


@lru_cache(maxsize=1024)
def _base(character: str) -> str:
    folded = fold(character)
    return folded if len(folded) == 1 else character


def nearness(
    positions: Mapping[str, Sequence[int]],
    weights: Mapping[str, float],
    place: int,
    reach: float,
    total: float | None = None,
) -> float:
    """Return the weighted share of words near `place`: 1 when all of them stand there, falling by e every `reach` characters.

    `total` is the sum of the weights where the caller knows it.
    """
    total = sum(weights.values()) if total is None else total
    if not total:
        return 0.0
    score = 0.0
    for word, places in positions.items():
        if word in weights:
            score += weights[word] * closeness(places, place, reach)
    return score / total


def closeness(places: Sequence[int], place: int, reach: float) -> float:
    """Return 1 where one of `places`, ascending and not empty, is `place`; it falls by e every `reach` characters."""
    at = bisect_left(places, place)
    if at == len(places):
        distance = place - places[-1]
    elif at == 0:
        distance = places[0] - place
    else:
        distance = min(place - places[at - 1], places[at] - place)
    return math.exp(-distance / reach)
