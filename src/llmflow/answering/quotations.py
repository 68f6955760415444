"""Which sentences an extractive answer quotes: the best one, then only what adds to it.

A later sentence is worth what it says of the question that none before it said, and the names that lead to it: one that a
sentence quoted before says and that the section or the record bears in which it stands (`HR-ONE`, then the section HR-ONE says
who runs it), or a Latin name that few passages say. Names are worth more the more of the question is left, and what bears one
nothing once the value that was asked for is given. Where nothing adds enough, the answer ends.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from llmflow.answering.evidence import Asked, Evidence, EvidenceSettings, Sentence
from llmflow.answering.question_forms import form_of
from llmflow.answering.spans import quoted
from llmflow.answering.subjects import said_in, squeezed, subjects_of
from llmflow.retrieval.entities import NUMBERED, EntitySettings, find_mentions
from llmflow.retrieval.tokens import HANGUL, LATIN, AnalyserSettings, fold

# Tuned on every second sample question, hotpotqa_train100 and musique_train100 (docs/LOG.md, 2026-11-26).
ANOTHER_PASSAGE = 0.16
"""Least worth of a sentence that brings a further passage; the question as a whole is 1."""
SAME_PASSAGE = 0.1
"""Least worth of a further sentence of a passage that is quoted already."""
HEADING_WORTH = 0.25
"""Worth of a word that only the title or a heading above adds, against one in the sentence."""
SUBJECT_WORTH = 0.6
"""Worth of a name that leads to what bears it, where nothing of the question has been said yet."""
NAME_WORTH = 0.5
"""The same of a name that only stands there too, where no third passage has it."""
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
PLACE = re.compile(
    r"\d\s?(?:층|호|동|번지)|본관|별관|건물|위치|자리|"
    r"(?i:\b(?:floor|room|building|street|city|office|located)\b)"
)
VALUES = {"when": DATE, "how often": DATE, "amount": AMOUNT, "where": PLACE}
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
    return _Names(squeezed(text), f" {' '.join(LATIN.findall(folded))} ")


class _Rest:
    """The sentences of one question that may follow others."""

    def __init__(self, evidence: Evidence, pool: Sequence[Sentence], analyser: AnalyserSettings):
        self.pool = pool
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
        about = {id(sentence): subjects_of(sentence.hit, sentence.start) for sentence in pool}
        borne = frozenset[str]().union(*about.values())
        self.borne = frozenset(name for name in borne if not self.asked.hold(name.lower()))
        self.subjects = {key: names & self.borne for key, names in about.items()}
        self.names: dict[int, Mapping[str, float]] = {}

    def best_after(self, chosen: Sequence[Sentence], passages: int) -> Sentence | None:
        """Return the sentence that adds most to those chosen; None where the most is not enough."""
        said = {self.plain[id(sentence)] for sentence in chosen}
        quoted = {sentence.hit.chunk.id for sentence in chosen}
        covered = frozenset[str]().union(*(sentence.words | sentence.above for sentence in chosen))
        leading = [(before.hit.document.id, names) for before in chosen if (names := self._names_of(before))]
        most_led = max((worth for _, names in leading for worth in names.values()), default=0.0)
        valued = self.value is None or any(map(self._gives_value, chosen))
        named = frozenset(name for name in self.borne if any(said_in(name, before.text) for before in chosen))
        left = 1 - self._share(covered)
        missing = left if self.value is None else 0.0 if valued else left + VALUE_WORTH
        best, most = None, 0.0
        for sentence in self.pool:
            further = sentence.hit.chunk.id not in quoted
            if self.plain[id(sentence)] in said or (further and len(quoted) >= passages):
                continue
            subject = self._is_subject(sentence, chosen, named)
            worth = self._share(sentence.words - covered)
            if not valued and (sentence.words or sentence.above or subject) and self._gives_value(sentence):
                worth += VALUE_WORTH
            if further or subject:  # another record of a passage is quoted like one of another passage
                worth += HEADING_WORTH * self._share(sentence.above - covered) + COVERAGE_WORTH * sentence.coverage
            if subject:
                worth += SUBJECT_WORTH * missing
            elif further:
                trust = self._trust(sentence)
                if (worth + NAME_WORTH * left * most_led) * trust > most:  # else no name could lead here
                    worth += NAME_WORTH * left * self._led_to(sentence, leading)
                worth *= trust
            if worth > most:
                best, most = sentence, worth
        if best is None or most < (SAME_PASSAGE if best.hit.chunk.id in quoted else ANOTHER_PASSAGE):
            return None
        return best

    def _is_subject(self, sentence: Sentence, chosen: Sequence[Sentence], named: frozenset[str]) -> bool:
        """Return whether a chosen sentence of another section or record leads to what this one is about.

        It says its name, which is then among those `named`, or stands in another document under the same one.
        """
        names = self.subjects[id(sentence)]
        if not names:
            return False
        told = [(before.hit, self.subjects[id(before)]) for before in chosen]
        if any(hit.chunk.id == sentence.hit.chunk.id and about == names for hit, about in told):
            return False
        beside = (about for hit, about in told if hit.document.id != sentence.hit.document.id)
        return not (names.isdisjoint(named) and all(names.isdisjoint(about) for about in beside))

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
        """Return the Latin names in a chosen sentence and its title that the question does not say, rarer ones worth more.

        A Korean noun has no capital that would tell a name from any other word: it leads only to what bears it.
        """
        if id(sentence) in self.names:
            return self.names[id(sentence)]
        mentions = find_mentions(sentence.text, None, [sentence.hit.document.title], EntitySettings())
        names: dict[str, float] = {}
        for mention in mentions:
            name = "" if HANGUL.search(mention.key) else " ".join(LATIN.findall(mention.key))
            holders = 0 if len(name) < 2 or self.asked.hold(name) else self._holders(name)
            if holders > 1:
                rarity = 1 - (holders - 2) / (len(self.passages) - 1)
                names[name] = max(names.get(name, 0.0), rarity * mention.confidence)
        self.names[id(sentence)] = names
        return names

    def _holders(self, name: str) -> int:
        return sum(_names_in(text).hold(name) for text in self.passages.values())
