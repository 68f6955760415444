"""Texts that are nearly the same, found without comparing every pair.

MinHash signatures over character 5-grams (Broder 1997; characters, since Korean endings vary inside words) in bands propose
pairs; the sets themselves decide.

>>> texts = ["연차는 하루 전까지 신청하면 됩니다.", "연차는 하루 전까지 신청하면 됩니다!", "출장비는 월말에 정산합니다."]
>>> find_near_duplicates(texts, 0.8)
{1: 0}
"""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SHINGLE = 5
BANDS, ROWS = 32, 4
"""Two texts with similarity s meet in a band with probability 1-(1-s^4)^32: 0.999 at .7, 0.13 at .25."""
SEED = 20240229


def normalised(text: str) -> str:
    """Return the text as it is compared: NFKC, lower case, runs of white space as one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def find_near_duplicates(texts: Sequence[str], threshold: float) -> dict[int, int]:
    """Return, for each text that is too much like an earlier kept one, that one's index. Order decides; the first is kept.

    Likeness is the Jaccard index of the texts' sets of 5-grams; texts of which the normalised forms are equal have 1.
    """
    kept_in: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    sets: list[frozenset[int]] = []
    found: dict[int, int] = {}
    for index, text in enumerate(texts):
        hashes = _shingles(normalised(text))
        sets.append(frozenset(hashes.tolist()))
        keys = [(band, part.tobytes()) for band, part in enumerate(_signature(hashes).reshape(BANDS, ROWS))]
        candidates = sorted({other for key in keys for other in kept_in[key]})
        twin = next((other for other in candidates if _jaccard(sets[index], sets[other]) >= threshold), None)
        if twin is not None:
            found[index] = twin
            continue
        for key in keys:
            kept_in[key].append(index)
    return found


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _shingles(text: str) -> "np.ndarray":
    """Return the distinct hashes of all 5-grams; a shorter text is one gram."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(codes) < SHINGLE:
        codes = np.pad(codes, (0, SHINGLE - len(codes)))
    hashes = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * np.uint64(0x100000001B3) + codes[place : len(codes) - SHINGLE + 1 + place]
    hashes ^= hashes >> np.uint64(31)  # spread what the low bits know over all
    hashes *= np.uint64(0x9E3779B97F4A7C15)
    return np.unique(hashes ^ (hashes >> np.uint64(29)))


def _signature(hashes: "np.ndarray") -> "np.ndarray":
    import numpy as np

    factors, offsets = _permutations()
    lowest = np.full(BANDS * ROWS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(hashes), 4096):
        part = hashes[start : start + 4096, None] * factors + offsets
        lowest = np.minimum(lowest, (part >> np.uint64(20)).min(axis=0))
    return lowest


def _permutations() -> "tuple[np.ndarray, np.ndarray]":
    import numpy as np

    random = np.random.Generator(np.random.PCG64(SEED))
    factors = random.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return factors, random.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)
