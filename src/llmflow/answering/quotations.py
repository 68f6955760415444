"""Which sentences an extractive answer quotes: the best one, then only what adds to it.

A later sentence is worth what it says of the question that none before it said, and the names that lead to it: one that stands
in a sentence quoted before and in few other passages (`HR-ONE`, then the line that says who runs HR-ONE). Where nothing adds
enough, the answer ends.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from llmflow.answering.evidence import Asked, Evidence, EvidenceSettings, Sentence
from llmflow.answering.question_forms import form_of
from llmflow.answering.spans import quoted
from llmflow.retrieval.entities import NUMBERED, EntitySettings, find_mentions
from llmflow.retrieval.tokens import HANGUL, LATIN, AnalyserSettings, fold, morphemes

# Tuned on every second sample question and on hotpotqa_train100 (docs/LOG.md, 2026-11-26).
ANOTHER_PASSAGE = 0.145
"""Least worth of a sentence that brings a further passage; the question as a whole is 1."""
SAME_PASSAGE = 0.1
"""Least worth of a further sentence of a passage that is quoted already."""
HEADING_WORTH = 0.25
"""Worth of a word that only the title or a heading above adds, against one in the sentence."""
NAME_WORTH = 0.3
"""Worth of a name that leads to another document, where no third passage has it."""
TITLE_TRUST = 0.8
"""Worth of a name in the title above a sentence, against one in the sentence."""
COVERAGE_WORTH = 0.4
"""Worth of what a sentence of another passage says of the question, said before or not."""
VALUE_WORTH = 0.1
"""Worth of the first number or date where one is asked for."""

DATE = re.compile(
    r"\d|[월화수목금토일]요일|매[일주월년]|오전|오후|새벽|자정|정오|"
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b|"
    r"(?i:\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|midnight|noon|daily|weekly|monthly|quarterly|annually|yearly)\b)"
)
AMOUNT = re.compile(
    r"\d|(?<![가-힣])(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉|열)\s?(?:번|명|개|달|시간|주|회|배)|절반|"
    r"(?i:\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|"
    r"million|billion|dozen|half|once|twice)\b)"
)
VALUES = {"when": DATE, "how often": DATE, "amount": AMOUNT}
"""What a sentence must hold to give the value that is asked for."""
BETWEEN = re.compile(r"[\W_]+")


def choose_sentences(evidence: Evidence, settings: EvidenceSettings, analyser: AnalyserSettings) -> Iterator[Sentence]:
    """Yield what to quote, in the order in which one leads to the next: at most `sentences` of `passages` passages.

    The best sentence always comes first, so that evidence is never answered by nothing, and comes before others are looked for.
    What is said twice or only repeats its title or the question is left out; ties go to the better ranked. No sentences: none.
    """
    pool = _telling(evidence.sentences, evidence.question) or list(evidence.sentences[:1])
    if not pool:
        return
    asked = Asked.of(evidence.weights)
    yield _trimmed(pool[0], asked)
    chosen = pool[:1]
    rest = _Rest(evidence, [*pool, *_telling(evidence.silent, evidence.question)], analyser)
    while len(chosen) < settings.sentences and (following := rest.best_after(chosen, settings.passages)) is not None:
        yield _trimmed(following, asked)
        chosen.append(following)


def _trimmed(sentence: Sentence, asked: Asked) -> Sentence:
    """Return what is quoted of it: a record without the lines at its ends that have nothing to do with the question."""
    start, end = quoted(sentence.hit, sentence.start, sentence.end, asked.found_in)
    return replace(sentence, start=start, end=end)


@lru_cache(maxsize=8192)  # the same passages come back for question after question
def _plain(text: str) -> str:
    return BETWEEN.sub("", text).casefold()


def _telling(sentences: Sequence[Sentence], question: str) -> list[Sentence]:
    """Return the sentences that do not only repeat their title or the question, as a numbered heading does that no parser saw."""
    asked, above = _plain(question), dict[str, frozenset[str]]()
    telling: list[Sentence] = []
    for sentence in sentences:
        hit, text = sentence.hit, sentence.text
        if hit.chunk.id not in above:
            above[hit.chunk.id] = frozenset({"", *map(_plain, (hit.document.title, *hit.chunk.heading_path))})
        if _plain(text) not in above[hit.chunk.id] and _plain(NUMBERED.sub("", text)) not in asked:
            telling.append(sentence)
    return telling


@dataclass(frozen=True, slots=True)
class _Names:
    """A text in which names are looked for: Korean ones whatever the spaces, Latin ones word by word."""

    squeezed: str
    spaced: str

    def hold(self, key: str) -> bool:
        return key in self.squeezed if HANGUL.search(key) else f" {key} " in self.spaced


@lru_cache(maxsize=8192)
def _names_in(text: str) -> _Names:
    folded = fold(text)
    return _Names(BETWEEN.sub("", folded), f" {' '.join(LATIN.findall(folded))} ")


class _Rest:
    """The sentences of one question that may follow others."""

    def __init__(self, evidence: Evidence, pool: Sequence[Sentence], analyser: AnalyserSettings):
        self.pool, self.analyser = pool, analyser
        self.weights, self.total = evidence.weights, sum(evidence.weights.values()) or 1.0
        self.items = tuple(self.weights.items())
        self.asked = _names_in(evidence.question)
        hits = {sentence.hit.chunk.id: sentence.hit for sentence in pool}
        self.best_score = max(hit.score for hit in hits.values())
        self.headings = {key: f"{hit.document.title} {' '.join(hit.chunk.heading_path)}" for key, hit in hits.items()}
        self.passages = {key: f"{self.headings[key]} {hit.chunk.text}" for key, hit in hits.items()}
        kinds = re.split(r"[+:]", form_of(evidence.question, analyser).asked)
        self.value = next((pattern for kind, pattern in VALUES.items() if kind in kinds), None)
        self.plain = {id(sentence): _plain(sentence.text) for sentence in pool}
        self.names: dict[int, Mapping[str, float]] = {}

    def best_after(self, chosen: Sequence[Sentence], passages: int) -> Sentence | None:
        """Return the sentence that adds most to those chosen; None where the most is not enough."""
        said = {self.plain[id(sentence)] for sentence in chosen}
        quoted = {sentence.hit.chunk.id for sentence in chosen}
        covered = frozenset[str]().union(*(sentence.words | sentence.above for sentence in chosen))
        leading = [(before.hit.document.id, names) for before in chosen if (names := self._names_of(before))]
        most_led = max((worth for _, names in leading for worth in names.values()), default=0.0)
        valued = self.value is None or any(map(self._gives_value, chosen))
        best, most = None, 0.0
        for sentence in self.pool:
            further = sentence.hit.chunk.id not in quoted
            if self.plain[id(sentence)] in said or (further and len(quoted) >= passages):
                continue
            worth = self._share(sentence.words - covered)
            if not valued and (sentence.words or sentence.above) and self._gives_value(sentence):
                worth += VALUE_WORTH
            if further:
                worth += HEADING_WORTH * self._share(sentence.above - covered) + COVERAGE_WORTH * sentence.coverage
                trust = self._trust(sentence)
                if (worth + NAME_WORTH * most_led) * trust > most:  # else no name could lead here
                    worth += NAME_WORTH * self._led_to(sentence, leading)
                worth *= trust
            if worth > most:
                best, most = sentence, worth
        if best is None or most < (SAME_PASSAGE if best.hit.chunk.id in quoted else ANOTHER_PASSAGE):
            return None
        return best

    def _share(self, words: frozenset[str]) -> float:
        return sum(weight for word, weight in self.items if word in words) / self.total if words else 0.0

    def _trust(self, sentence: Sentence) -> float:
        """Return how good the passage is against the best one, 0 to 1."""
        return max(sentence.hit.score, 0.0) / self.best_score if self.best_score > 0 else 0.0

    def _gives_value(self, sentence: Sentence) -> bool:
        return self.value is not None and self.value.search(sentence.text) is not None

    def _led_to(self, sentence: Sentence, leading: Sequence[tuple[str, Mapping[str, float]]]) -> float:
        """Return the worth of the best name in the sentence or its title that a sentence of another document brought up."""
        if not leading:
            return 0.0
        text, title = _names_in(sentence.text), _names_in(self.headings[sentence.hit.chunk.id])
        best = 0.0
        for document_id, names in leading:
            if document_id == sentence.hit.document.id:
                continue
            for name, worth in names.items():
                if worth > best and text.hold(name):
                    best = worth
                elif TITLE_TRUST * worth > best and title.hold(name):
                    best = TITLE_TRUST * worth
        return best

    def _names_of(self, sentence: Sentence) -> Mapping[str, float]:
        """Return the names in a chosen sentence and its title that the question does not say, rarer ones worth more."""
        if id(sentence) in self.names:
            return self.names[id(sentence)]
        text = sentence.text
        mentions = find_mentions(text, morphemes([text], self.analyser)[0], [sentence.hit.document.title], EntitySettings())
        names: dict[str, float] = {}
        for mention in mentions:
            name = mention.key if HANGUL.search(mention.key) else " ".join(LATIN.findall(mention.key))
            holders = 0 if len(name) < 2 or self.asked.hold(name) else self._holders(name)
            if holders > 1:
                rarity = 1 - (holders - 2) / (len(self.passages) - 1)
                names[name] = max(names.get(name, 0.0), rarity * mention.confidence)
        self.names[id(sentence)] = names
        return names

    def _holders(self, name: str) -> int:
        return sum(_names_in(text).hold(name) for text in self.passages.values())
