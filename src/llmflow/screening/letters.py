"""The letters of a text as numbers: every run of two to four characters of its words, hashed to one of 65,536 places.

Words that nobody listed are known by what they are made of, inflected Korean ones most of all. Two runs may share a place: the
weights were learned with that.

>>> letters("a b") == letters("b a")
True
"""

import re
import zlib
from functools import lru_cache

PLACES = 1 << 16
SHORTEST, LONGEST = 2, 4
_WORD = re.compile(r"\S+")


def letters(text: str) -> frozenset[int]:
    """Return the places of the runs of letters in a text, each once; a word's edges count as blanks."""
    return frozenset().union(*map(_letters, _WORD.findall(text)))


@lru_cache(maxsize=32_768)
def _letters(word: str) -> frozenset[int]:
    padded = f" {word} "
    runs = (padded[start : start + size] for size in range(SHORTEST, LONGEST + 1) for start in range(len(padded) - size + 1))
    return frozenset(zlib.crc32(run.encode("utf-8", "surrogatepass")) % PLACES for run in runs)
