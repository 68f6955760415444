"""What a question's words have to do with the passages read for it: which of them stand where."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from llmflow.ports import ServedPassage
from llmflow.retrieval.proximity import WordFinder, apart, closeness, nearness, paragraph_breaks

Texts = Callable[[Sequence[str]], Mapping[str, ServedPassage]]
"""Chunk ids to those chunks that are served and readable."""


Scan = tuple[str, Sequence[int], Mapping[str, Sequence[int]]]
"""What was found in one passage: its document, its blank lines, and where each word of the question that occurs begins, as if
blank lines were wider (proximity.apart). A bare tuple: a search makes a hundred of them."""

UNREAD: Scan = ("", (), {})


class Reader:
    """Where the question's words stand in the passages read so far, and how telling each word is among them."""

    def __init__(self, words: Sequence[str], texts: Texts, other_forms: Mapping[str, Sequence[str]] = MappingProxyType({})):
        self._words = tuple(dict.fromkeys(words))
        self._finder = WordFinder(self._words, other_forms)
        self._texts = texts
        self._scanned: dict[str, Scan] = {}
        self._read: dict[str, Scan] = {}
        self._weights: dict[str, float] = {}
        self._total = 0.0

    @property
    def weights(self) -> Mapping[str, float]:
        """How telling each word of the question is: the fewer of the passages read first hold it, the more."""
        return self._weights

    def scan(self, chunk_ids: Iterable[str]) -> None:
        """Look for the words in passages that will probably be read: reading them is quicker then, and says the same."""
        new = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in self._scanned]
        for chunk_id, chunk in self._texts(new).items() if new else ():
            breaks = paragraph_breaks(chunk.text)
            found = self._finder.positions(chunk.text)
            if breaks:
                found = {word: [apart(place, breaks) for place in places] for word, places in found.items()}
            self._scanned[chunk_id] = chunk.document_id, breaks, found

    def read(self, chunk_ids: Iterable[str]) -> None:
        """Read passages that were not read yet; unreadable ones stay unknown."""
        new = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in self._read]
        self.scan(new)
        self._read.update((chunk_id, self._scanned[chunk_id]) for chunk_id in new if chunk_id in self._scanned)
        if not self._weights and self._read:
            self._weights = _word_weights(self._words, [places for _, _, places in self._read.values()])
            self._total = sum(self._weights.values())

    def same_document(self, one: str, other: str) -> bool:
        """Return whether two passages were read and belong together: a document cannot lead on to itself."""
        if one == other:
            return True
        first, second = self._read.get(one), self._read.get(other)
        return first is not None and second is not None and first[0] == second[0]

    def words(self, chunk_id: str) -> Collection[str]:
        """Return the question's words that a passage holds; none for passages that were not read."""
        return self._read.get(chunk_id, UNREAD)[2].keys()

    def nearness(self, chunk_id: str, place: int, reach: float) -> float:
        """Return the weighted share of the question's words near a place of a passage, 0 to 1."""
        _, breaks, places = self._read.get(chunk_id, UNREAD)
        return nearness(places, self._weights, apart(place, breaks), reach, self._total) if places else 0.0

    def missing(self, chunk_id: str) -> dict[str, float]:
        """Return the words that a passage does not hold, with their weights."""
        held = self.words(chunk_id)
        return {word: weight for word, weight in self._weights.items() if word not in held}

    def held(self, words: Mapping[str, float], chunk_id: str) -> float:
        """Return the weighted share of the question's words that are among `words` and in a passage, 0 to 1."""
        places = self._read.get(chunk_id, UNREAD)[2]
        return sum([words[word] for word in places if word in words]) / self._total if places and self._total else 0.0

    def held_near(self, words: Mapping[str, float], chunk_id: str, place: int, reach: float) -> float:
        """Return as `held`, half of each word counted by how near it stands to a place of the passage."""
        _, breaks, places = self._read.get(chunk_id, UNREAD)
        own = apart(place, breaks)
        shares = [words[word] * (1 + closeness(at, own, reach)) / 2 for word, at in places.items() if word in words]
        return sum(shares) / self._total if shares and self._total else 0.0


def _word_weights(words: Sequence[str], passages: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, float]:
    count = len(passages)
    seen = {word: sum(word in found for found in passages) for word in dict.fromkeys(words)}
    return {word: math.log(1 + (count + 1) / (1 + n)) for word, n in seen.items()}
