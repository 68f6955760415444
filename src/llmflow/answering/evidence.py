"""How much of a question the retrieved passages speak about, and which of their sentences say it.

Word weights come from the retrieved passages themselves: a word of the question that none of them holds is not in the readable
corpus (full text would have found it), so it weighs most against an answer; a word in all of them tells little.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from pydantic import Field

from llmflow.answering.spans import header_of, quotable_spans, record_around
from llmflow.config import Settings
from llmflow.ingestion.language import detect_language
from llmflow.retrieval.tokens import HANGUL, LATIN, AnalyserSettings, Morpheme, analyse, joined, morphemes, tokens_of
from llmflow.types import Hit

VERB_WORTH = 0.3
SYLLABLE_WORTH = 0.3
ASKING = frozenset(
    "many much long soon often quick quickli fast may can could must should do doe did i my me we us our get anyth happen need "
    "after befor about within up out no not 전 후 뒤 안 날 회사 우리 올해 사람 경우".split()
)
"""Words of asking, stemmed as the index stems them, that say nothing of the subject."""
FOREIGN_TRUST = 0.8
"""Worth of a passage in another language that holds all the names asked for, against one that holds every word."""
NAME_LIKE = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z][a-z]*[A-Z0-9][A-Za-z0-9]*|[A-Z]{2,}[0-9]*|(?<=[a-z,] )[A-Z][a-z]+)")
"""Acronyms, codes, camel case, and capitalised words inside a sentence."""
WORDS_ALONE = AnalyserSettings(bigrams=False)


class EvidenceSettings(Settings):
    """Where an answer begins. Judged on the sample questions (docs/LOG.md)."""

    hits: int = Field(default=10, ge=1)
    """Passages whose words count."""
    min_confidence: float = Field(default=0.35, ge=0, le=1)
    """Weighted share of the question's words that must be found near each other; below it nothing was found."""
    meaning: tuple[float, float] = (0.35, 0.65)
    """Cosine similarities of the nearest passage that mean nothing and everything, where an embedder reads the question."""
    sentences: int = Field(default=4, ge=1)
    """Most sentences that an extractive answer quotes."""
    passages: int = Field(default=3, ge=1)
    """Most passages that it quotes from."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable span: `hit.chunk.text[start:end]`, with the weighted share of the question that it covers."""

    hit: Hit
    start: int
    end: int
    coverage: float
    score: float = 0.0
    """Its worth alone: coverage, what the headings above cover, and the rank of its passage."""
    words: frozenset[str] = frozenset()
    """Words of the question that it holds."""
    above: frozenset[str] = frozenset()
    """Further ones that stand in the title and the headings above it."""

    @property
    def text(self) -> str:
        return self.hit.chunk.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The best sentences, best first, and the confidence that they answer, 0 to 1."""

    sentences: tuple[Sentence, ...]
    confidence: float
    question: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Worth of each word of the question, rarity among the hits included."""
    silent: tuple[Sentence, ...] = ()
    """Sentences without a word of the question, best passages first: what a name may still lead to."""


def weigh_evidence(question: str, hits: Sequence[Hit], settings: EvidenceSettings, analyser: AnalyserSettings) -> Evidence:
    """Return what the hits say about the question. No hits, or a question without words: confidence 0."""
    worth = question_words(question, analyser)
    if not hits or not worth:
        return Evidence((), 0.0)
    asked = Asked.of(worth)
    pool = [asked.found_in(_searchable(hit)) for hit in hits]
    rarity = _weights(asked.words, pool)
    weights = {word: rarity[word] * worth[word] for word in asked.words}
    considered = hits[: settings.hits]
    pairs = list(zip(considered, pool, strict=False))
    single = max(_share(present, _expected(question, hit, weights)) for hit, present in pairs)
    together = _share(set().union(*(present for _, present in pairs[: settings.passages])), weights)
    meaning = max((hit.channels.get("dense", 0.0) for hit in considered), default=0.0)
    low, high = settings.meaning
    confidence = max(0.5 * (single + max(single * FOREIGN_TRUST, together)), min(1.0, max(0.0, (meaning - low) / (high - low))))
    ranked = _rank(considered, asked, weights)
    telling = tuple(sentence for sentence in ranked if sentence.words or sentence.hit is considered[0])
    silent = tuple(sentence for sentence in ranked if not sentence.words and sentence.hit is not considered[0])
    return Evidence(telling, confidence, question, weights, silent)


def _share(present: Collection[str], weights: Mapping[str, float]) -> float:
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in present) / total if total else 0.0


def _expected(question: str, hit: Hit, weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return the words that a passage of this language could hold at all.

    A passage in the question's language could hold every word. In another language only names, codes and words of the other
    script can be the same, so those alone are asked for; without any of them the passage is judged by every word.
    """
    asked = detect_language(question)
    if hit.chunk.language == asked:
        return weights
    names = {name.lower() for name in NAME_LIKE.findall(question)}
    shared = {word for word in weights if (asked == "ko") != bool(HANGUL.search(word))}
    if asked == "en":
        stems = set(analyse([" ".join(names)], WORDS_ALONE)[0].split()) if names else set()
        shared |= {word for word in weights if word in stems}
    shared = {word for word in shared if not word.isdigit()}
    return {word: weights[word] for word in shared} or weights


def question_words(question: str, analyser: AnalyserSettings) -> dict[str, float]:
    """Return the distinct content words of a question as the index knows them, with their worth.

    Names and nouns say what a question is about; verbs and adverbs are reworded freely, so they count for less.
    """
    worth: dict[str, float] = {}
    plain = analyser.model_copy(update={"bigrams": False})
    for token, found in _single_tokens(question, plain):
        for word in tokens_of(token, found, plain, question=True).split():
            if word not in ASKING:
                worth[word] = max(worth.get(word, 0.0), _worth(word, found))
    return {word: value for word, value in worth.items() if value > 0}


def _single_tokens(question: str, analyser: AnalyserSettings) -> Iterator[tuple[str, list[Morpheme] | None]]:
    """Yield pieces of the question that are analysed alone: Kiwi's tokens, or the words of English."""
    found = morphemes([question], analyser)[0]
    if found is None:
        yield from ((word, None) for word in question.split())
        return
    for token in joined(found):
        yield question[token.start : token.start + token.length], [token]


def _worth(word: str, found: Sequence[Morpheme] | None) -> float:
    tag = found[0].tag if found else ""
    if tag.startswith(("V", "MA")):
        return VERB_WORTH
    return SYLLABLE_WORTH if len(word) == 1 else 1.0


def _searchable(hit: Hit) -> str:
    return f"{hit.document.title} {' '.join(hit.chunk.heading_path)} {hit.chunk.text}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a question, in its order: those that are found by stem, and Korean ones by their letters."""

    words: tuple[str, ...]
    latin: frozenset[str]
    korean: tuple[str, ...]

    @classmethod
    def of(cls, words: Collection[str]) -> Self:
        korean = tuple(word for word in words if HANGUL.search(word))
        return cls(tuple(words), frozenset(words) - frozenset(korean), korean)

    def found_in(self, text: str) -> frozenset[str]:
        """Return the words that `text` holds: Latin ones by stem, Korean ones by their letters, spaces ignored."""
        found = self.latin & _stems(text) if self.latin else frozenset[str]()
        if not self.korean:
            return found
        letters = _letters(text)
        return found.union([word for word in self.korean if word in letters])


@lru_cache(maxsize=8192)  # the same passages come back for question after question
def _stems(text: str) -> frozenset[str]:
    """Return the words of a text that are not in Hangul, stemmed as the index stems them."""
    return frozenset(tokens_of(" ".join(LATIN.findall(text)), None, WORDS_ALONE).split())


@lru_cache(maxsize=8192)
def _letters(text: str) -> str:
    return "".join(text.split())


def _weights(words: Sequence[str], pool: Sequence[Collection[str]]) -> dict[str, float]:
    count = len(pool)
    return {word: math.log(1 + (count + 1) / (1 + sum(word in present for present in pool))) for word in words}


def _rank(hits: Sequence[Hit], asked: Asked, weights: Mapping[str, float]) -> list[Sentence]:
    """Return sentences by coverage plus a little for their passage's rank; headings count for what stands under them.

    So do the lines of the same record for one of its lines, but only here: they are not said where it is quoted.
    """
    ranked: list[tuple[float, int, Sentence]] = []
    total, items = sum(weights.values()), tuple(weights.items())
    for rank, hit in enumerate(hits):
        above = asked.found_in(f"{hit.document.title} {' '.join(hit.chunk.heading_path)} {header_of(hit)}")
        for start, end in quotable_spans(hit):
            own = asked.found_in(hit.chunk.text[start:end])
            record = record_around(hit, start)
            around = above | asked.found_in(record) if len(record) > end - start else above
            coverage = _sum_of(own, items) / total
            score = coverage + 0.5 * _sum_of(around - own, items) / total + 0.3 * hit.score / (1 + rank)
            ranked.append((score, rank, Sentence(hit, start, end, coverage, score, own, above - own)))
    return [item for _, _, item in sorted(ranked, key=lambda r: (-r[0], r[1], r[2].start))]


def _sum_of(words: Collection[str], items: Sequence[tuple[str, float]]) -> float:
    """Return the weights of these words, summed in the question's order: sets have another one in every process."""
    return sum(weight for word, weight in items if word in words) if words else 0.0
