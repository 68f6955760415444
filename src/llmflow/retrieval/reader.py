"""What a question's words have to do with the passages read for it: which of them stand where."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from llmflow.ports import ServedPassage
from llmflow.retrieval.proximity import WordFinder, apart, nearness, paragraph_breaks

Texts = Callable[[Sequence[str]], Mapping[str, ServedPassage]]
"""Chunk ids to those chunks that are served and readable."""


class Reader:
    """Where the question's words stand in the passages read so far, and how telling each word is among them."""

    def __init__(self, words: Sequence[str], texts: Texts, other_forms: Mapping[str, Sequence[str]] = MappingProxyType({})):
        self._words = tuple(dict.fromkeys(words))
        self._finder = WordFinder(self._words, other_forms)
        self._texts = texts
        self._scanned: dict[str, tuple[ServedPassage, list[int], dict[str, list[int]]]] = {}
        self._positions: dict[str, dict[str, list[int]]] = {}
        self._breaks: dict[str, list[int]] = {}
        self._documents: dict[str, str] = {}
        self._weights: dict[str, float] = {}
        self._total = 0.0

    @property
    def weights(self) -> Mapping[str, float]:
        """How telling each word of the question is: the fewer of the passages read first hold it, the more."""
        return self._weights

    def scan(self, chunk_ids: Sequence[str]) -> None:
        """Look for the words in passages that will probably be read: reading them is quicker then, and says the same."""
        new = sorted(set(chunk_ids) - self._scanned.keys())
        for chunk_id, chunk in self._texts(new).items() if new else ():
            breaks = paragraph_breaks(chunk.text)
            found = self._finder.positions(chunk.text)
            if breaks:
                found = {word: [apart(place, breaks) for place in places] for word, places in found.items()}
            self._scanned[chunk_id] = chunk, breaks, found

    def read(self, chunk_ids: Sequence[str]) -> None:
        """Read passages that were not read yet; unreadable ones stay unknown."""
        new = sorted(set(chunk_ids) - self._positions.keys())
        self.scan(new)
        for chunk_id in new:
            if chunk_id in self._scanned:
                chunk, self._breaks[chunk_id], self._positions[chunk_id] = self._scanned[chunk_id]
                self._documents[chunk_id] = chunk.document_id
        if not self._weights and self._positions:
            self._weights = _word_weights(self._words, list(self._positions.values()))
            self._total = sum(self._weights.values())

    def same_document(self, one: str, other: str) -> bool:
        """Return whether two passages were read and belong together: a document cannot lead on to itself."""
        return one == other or self._documents.get(one, one) == self._documents.get(other, other)

    def words(self, chunk_id: str) -> Collection[str]:
        """Return the question's words that a passage holds; none for passages that were not read."""
        return self._positions.get(chunk_id, {}).keys()

    def nearness(self, chunk_id: str, place: int, reach: float) -> float:
        """Return the weighted share of the question's words near a place of a passage, 0 to 1."""
        return nearness(self._positions.get(chunk_id, {}), self._weights, self._apart(chunk_id, place), reach, self._total)

    def added(self, origin: str, chunk_id: str) -> float:
        """Return the weighted share of the words that `chunk_id` holds and `origin` does not."""
        held, before = self.words(chunk_id), self.words(origin)
        new = (weight for word, weight in self._weights.items() if word in held and word not in before)
        return sum(new) / self._total if self._total else 0.0

    def added_near(self, origin: str, chunk_id: str, place: int, reach: float) -> float:
        """Return as `added`, each word weighed by how near it stands to a place of `chunk_id`."""
        held, before = self._positions.get(chunk_id, {}), self._positions.get(origin, {})
        new = {word: places for word, places in held.items() if word not in before}
        return nearness(new, self._weights, self._apart(chunk_id, place), reach, self._total) if new else 0.0

    def _apart(self, chunk_id: str, place: int) -> int:
        breaks = self._breaks.get(chunk_id)
        return apart(place, breaks) if breaks else place


def _word_weights(words: Sequence[str], passages: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, float]:
    count = len(passages)
    seen = {word: sum(word in found for found in passages) for word in dict.fromkeys(words)}
    return {word: math.log(1 + (count + 1) / (1 + n)) for word, n in seen.items()}
