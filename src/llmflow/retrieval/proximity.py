"""How near a question's words stand to a place in a passage."""

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from llmflow.retrieval.tokens import HANGUL, WORD, latin_token

PARAGRAPH = re.compile(r"\n[ \t]*\n")
PARAGRAPH_GAP = 200
"""Characters by which a blank line sets apart what stands before and after it: another record speaks of something else."""


def paragraph_breaks(text: str) -> list[int]:
    """Return where blank lines stand, ascending."""
    return [match.start() for match in PARAGRAPH.finditer(text)]


def apart(place: int, breaks: Sequence[int]) -> int:
    """Return `place` as if each blank line before it were `PARAGRAPH_GAP` characters wider."""
    return place + PARAGRAPH_GAP * bisect_left(breaks, place)


def word_positions(text: str, words: Sequence[str]) -> dict[str, list[int]]:
    """Return where each analysed word occurs in `text` (first characters, ascending); words that do not occur are left out.

    Latin words meet by stem; Korean ones by their letters, wherever they stand inside a word.
    """
    wanted = set(words)
    latin = {word for word in wanted if not HANGUL.search(word)}
    found: dict[str, list[int]] = {}
    if latin:
        for match in WORD.finditer(text):
            stem = latin_token(match.group())
            if stem in latin:
                found.setdefault(stem, []).append(match.start())
    for word in wanted - latin:
        at = text.find(word)
        while at >= 0:
            found.setdefault(word, []).append(at)
            at = text.find(word, at + 1)
    return found


def nearness(positions: Mapping[str, Sequence[int]], weights: Mapping[str, float], place: int, reach: float) -> float:
    """Return the weighted share of words near `place`: 1 when all of them stand there, falling by e every `reach` characters."""
    total = sum(weights.values())
    if not total:
        return 0.0
    score = 0.0
    for word, weight in weights.items():
        places = positions.get(word)
        if places:
            at = bisect_left(places, place)
            distance = min(abs(places[i] - place) for i in (at - 1, at) if 0 <= i < len(places))
            score += weight * math.exp(-distance / reach)
    return score / total
