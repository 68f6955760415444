"""The words of a question, and what becomes of each of them in another wording: the same, reworded, contrasted or open.

Two lists say what the words of offices have to do with each other: `rewordings.txt` (who says 기름값 may say 유류비) and
`contrasts.txt` (who says 반차 for 연차 asks something else).
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.resources import files

from llmflow.answering.question_forms import (
    CONTENT,
    ENGLISH_ASKED_WORDS,
    ENGLISH_NEGATIONS,
    LATIN_WORD,
    NUMBER,
    NUMERALS,
    POLITE,
    UNITS,
    meaning_of,
)
from llmflow.ingestion.language import detect_language
from llmflow.retrieval.tokens import HANGUL, AnalyserSettings, Morpheme, composed, joined, latin_token, morphemes

FEES = frozenset("비료금액편항용째율률")
LOANED = 0.75
"""Least likeness of the consonants of a loan word in both scripts."""
EMPTY = frozenset("되 하 있 다 안 나 수 때 이 제 명 방 데 쪽 일 것 차 시 두".split())
"""Too short or too general to be a rewording or a thing alone."""
RUNNING = frozenset({"NNG", "NNP", "NNB", "NP", "XPN", "XSN", "XR", "NR"})
"""What Korean compounds are made of."""
SENTENCE_END = re.compile(r"[.!]+\s+|(?<=[다요])\.\s*|(?:는데|은데|인데|던데|거든)(?:요)?[,.]?\s+")
ENGLISH_HELPERS = frozenset(
    "which whose while where when during also there their from to before after until than into within".split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question in base form; `kind` is n(oun), v(erb), a(dverb), l(atin) or p(olite: says nothing alone)."""

    form: str
    kind: str
    tag: str = ""
    written: str = ""
    """Latin words as they stand in the question, Korean ones with what touches them: 내선 of 내 and 선."""
    aside: str = ""
    """`story`: of a sentence before the one that asks; `gloss`: in brackets."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What becomes of the words of one question in another wording, each list in the order of the question."""

    same: tuple[Word, ...]
    reworded: tuple[Word, ...]
    open: tuple[Word, ...]
    contrasted: tuple[tuple[Word, str], ...]
    """Words of `reworded` and `open` for which the other wording has something else of the kind, with that."""


def words_of(question: str, analyser: AnalyserSettings) -> tuple[Word, ...]:
    """Return the content words of a masked question in its order, and the polite ones that may be part of a phrase."""
    text = composed(question)
    asking = _asking(text)
    if detect_language(text) != "ko":
        return tuple(_english(text, asking))
    return tuple(_korean(text, list(joined(morphemes([text], analyser)[0] or [])), asking))


def _asking(text: str) -> int:
    """Return where the sentence begins that asks; what stands before it tells a story."""
    starts = [0, *(match.end() for match in SENTENCE_END.finditer(text) if match.end() < len(text))]
    mark = text.find("?")
    return max(start for start in starts if mark < 0 or start <= mark)


def _aside(text: str, start: int, asking: int) -> str:
    if text.count("(", 0, start) > text.count(")", 0, start):
        return "gloss"
    return "story" if start < asking else ""


def _korean(text: str, found: Sequence[Morpheme], asking: int) -> Iterator[Word]:
    for number, token in enumerate(found):
        if token.tag not in CONTENT or token.form in NUMERALS:
            continue
        aside = _aside(text, token.start, asking)
        if not HANGUL.search(token.form):
            if not NUMBER.fullmatch(token.form):
                written = text[token.start : token.start + token.length]
                yield Word(latin_token(token.form), "l", token.tag, written, aside)
        elif token.form in POLITE or token.tag in ("NNB", "NP", "NR") or token.form in UNITS:
            yield Word(token.form, "p", token.tag, _run(found, number), aside)
        else:
            yield Word(token.form, {"V": "v", "M": "a"}.get(token.tag[0], "n"), token.tag, _run(found, number), aside)


def _run(found: Sequence[Morpheme], number: int) -> str:
    """Return the nouns that touch a token, with it: how a compound is written."""
    first = last = number
    if found[number].tag not in RUNNING:
        return ""
    while first and found[first - 1].tag in RUNNING and _touch(found[first - 1], found[first]):
        first -= 1
    while last + 1 < len(found) and found[last + 1].tag in RUNNING and _touch(found[last], found[last + 1]):
        last += 1
    return "".join(token.form for token in found[first : last + 1])


def _touch(token: Morpheme, following: Morpheme) -> bool:
    return token.start + token.length == following.start


def _english(text: str, asking: int) -> Iterator[Word]:
    for match in LATIN_WORD.finditer(text.replace("’", "'").replace("'s ", "   ")):
        written = match.group()
        lowered = written.lower()
        if NUMBER.fullmatch(lowered) or lowered in ENGLISH_NEGATIONS:
            continue
        if HANGUL.search(lowered):
            yield Word(lowered, "n", "NNG", lowered, _aside(text, match.start(), asking))
        else:
            asked = lowered in ENGLISH_ASKED_WORDS or lowered in ENGLISH_HELPERS
            yield Word(latin_token(lowered), "p" if asked else "l", "", written, _aside(text, match.start(), asking))


def fates(one: Sequence[Word], other: Sequence[Word]) -> Fates:
    """Return what becomes of the telling words of `one` in `other`."""
    rewordings, contrasts = _rewordings(), _contrasts()
    forms = {word.form for word in other}
    meanings = {meaning_of(form) for form in forms}
    own = [word for word in one if word.kind != "p"]
    whole = {word.form for word in one}
    runs = {word.written for word in other if len(word.written) > 1 and word.tag in RUNNING}
    same = [
        word
        for word in own
        if meaning_of(word.form) in meanings
        or _composed_of(word.form, other)
        or _part_of(word, one, other)
        or (word.written != word.form and word.tag in RUNNING and word.written in runs)
    ]
    foreign = [
        word
        for word in own
        if word not in same and any(loaned(spelling, form) for spelling in {word.form, word.written} for form in forms | runs)
    ]
    spelt = {word for word in own if any(_initials(word.form, other) or _spelt_out(word, one, rival.form) for rival in other)}
    same = [word for word in own if word in same or word in foreign or word in spelt]
    reworded = [
        word
        for word in own
        if word not in same
        and (
            rewordings.links(word.form, word.kind == "v", whole, forms)
            or any(_same_stem(word.form, form) for form in forms - whole)
        )
    ]
    rest = [word for word in own if word not in same and word not in reworded]
    contrasted = []
    for word in [*reworded, *rest]:
        if thing := contrasts.opposed(word.form, whole, forms):
            contrasted.append((word, thing))
    return Fates(tuple(same), tuple(reworded), tuple(rest), tuple(contrasted))


LATIN_SOUNDS = (
    (r"ck|c(?=[aoukrlt])|q|x|g", "k"),
    (r"ch|sh|j", "c"),
    (r"th|d", "t"),
    (r"ph|f|b|v", "p"),
    (r"z|c", "s"),
    (r"r", "l"),
    (r"[aeiouyw']", ""),
)


def skeleton(word: str) -> str:
    """Return the consonants of a word as it sounds, Hangul or Latin: 월가드 and WallGuard are one."""
    if HANGUL.search(word):
        sounds = ""
        for letter in unicodedata.normalize("NFD", word):
            sounds += JAMO.get(letter, "")
        return re.sub(r"(.)\1+", r"\1", sounds)
    sounds = word.lower()
    for pattern, sound in LATIN_SOUNDS:
        sounds = re.sub(pattern, sound, sounds)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^a-z]", "", sounds))


JAMO = {
    chr(start + offset): sound
    for start, sounds in ((0x1100, "k k n t t l m p p s s - c c c k t p h".split()),)
    for offset, sound in enumerate(sounds)
    if sound != "-"
} | {
    chr(0x11A8 + offset): sound
    for offset, sound in enumerate("k k ks n nc nh t l lk lm lp ls lt lp lh m p ps s s n c c k t p h".split())
}
"""How the letters of a syllable sound, leading and closing."""


def loaned(one: str, other: str) -> bool:
    """Return whether one word is the other in the other script, by its consonants. Short words are not compared."""
    if bool(HANGUL.search(one)) == bool(HANGUL.search(other)):
        return False
    sounds = skeleton(one), skeleton(other)
    if min(map(len, sounds)) == 2:
        return sounds[0] == sounds[1] and min(len(one), len(other)) >= 4
    return min(map(len, sounds)) >= 3 and SequenceMatcher(None, *sounds, autojunk=False).ratio() >= LOANED


def _initials(form: str, words: Sequence[Word]) -> bool:
    """Return whether an acronym is spelt out by neighbouring words: RPO by recovery point objective."""
    firsts = "".join(word.form[0] for word in words)
    return 2 < len(form) < 6 and form.isascii() and form.isalpha() and form in firsts


def _spelt_out(word: Word, words: Sequence[Word], form: str) -> bool:
    """Return whether a word is of those that an acronym of the other wording stands for."""
    if not _initials(form, words):
        return False
    begin = "".join(one.form[0] for one in words).find(form)
    return word in words[begin : begin + len(form)]


def _composed_of(form: str, other: Sequence[Word]) -> bool:
    """Return whether a compound is nothing but two or more neighbouring words of the other wording: 육아휴직 of 육아 휴직."""
    if len(form) < (3 if HANGUL.search(form) else 5):
        return False
    parts = [word.form for word in other]
    return any("".join(parts[i:j]) == form for i in range(len(parts)) for j in range(i + 2, min(i + 5, len(parts) + 1)))


def _same_stem(one: str, other: str) -> bool:
    """Return whether two nouns differ in an ending that names a fee, a sum or a day of the same: 숙박 and 숙박비."""
    short, long = sorted((one, other), key=len)
    stems = {form[:-1] if form[-1] in FEES and len(form) > 2 else form for form in (short, long)}
    return len(short) > 1 and len(stems) == 1 and bool(HANGUL.search(short))


def _part_of(word: Word, one: Sequence[Word], other: Sequence[Word]) -> bool:
    """Return whether a word is, with its neighbours, a compound of the other wording."""
    parts = [w.form for w in one]
    compounds = {w.form for w in other if len(w.form) > (2 if HANGUL.search(w.form) else 4)}
    spans = ((i, j) for i in range(len(parts)) for j in range(i + 2, min(i + 5, len(parts) + 1)))
    return any("".join(parts[i:j]) in compounds and word.form in parts[i:j] for i, j in spans)


class _Rewordings:
    """Groups of single words and phrases (sets of words)."""

    def __init__(self, groups: Sequence[Sequence[frozenset[str]]]):
        self._groups = groups
        self._by_word: dict[str, list[int]] = {}
        for number, group in enumerate(groups):
            for word in frozenset().union(*group):
                self._by_word.setdefault(word, []).append(number)

    def links(self, form: str, verb: bool, one: Collection[str], other: Collection[str]) -> bool:
        """Return whether a group has something of `one` with this word in it, and something else of `other`."""
        present = set(one)
        for number in self._by_word.get(form, ()):
            group = self._groups[number]
            ours = [item for item in group if form in item and item <= present]
            theirs = [item for item in group if item <= set(other) and (verb or not item <= present)]
            if any(item != twin for item in ours for twin in theirs):
                return True
        return False


class _Contrasts:
    """Lines of things; a thing is what it may be called."""

    def __init__(self, lines: Sequence[Sequence[Sequence[frozenset[str]]]]):
        self._lines = lines
        self._by_word: dict[str, list[tuple[int, int]]] = {}
        for number, things in enumerate(lines):
            for place, thing in enumerate(things):
                for word in frozenset().union(*thing):
                    self._by_word.setdefault(word, []).append((number, place))

    def holds(self, form: str) -> bool:
        return form in self._by_word

    def opposed(self, form: str, one: Collection[str], other: Collection[str]) -> str:
        """Return a thing that `other` names of a line where `one` names another with this word; empty where there is none."""
        ours, theirs = set(one), set(other)
        for number, place in self._by_word.get(form, ()):
            things = self._lines[number]
            if not any(form in item and item <= ours for item in things[place]) or any(item <= theirs for item in things[place]):
                continue
            for rival, thing in enumerate(things):
                found = next((item for item in thing if item <= theirs), None)
                if rival != place and found and not any(item <= ours for item in thing):
                    return "+".join(sorted(found))
        return ""


def _items(texts: Collection[str]) -> dict[str, list[frozenset[str]]]:
    """Return for each word or phrase of the lists what may come out of a question for it: whole, and parted as Kiwi parts it."""
    singles = sorted({word for text in texts for word in text.split("+") if len(word) > 1 and HANGUL.search(word)})
    parted: dict[str, list[list[str]]] = {word: [] for word in singles}
    for ending in ("", "다"):  # nouns stand alone, stems do not
        for word, found in zip(singles, morphemes([word + ending for word in singles], AnalyserSettings()), strict=True):
            parted[word].append([token.form for token in found or [] if token.tag in CONTENT and token.form != "다"])
    return {text: _alternatives(text, parted) for text in texts}


def _alternatives(text: str, parted: Mapping[str, Sequence[Sequence[str]]]) -> list[frozenset[str]]:
    words = text.split("+")
    ways = [frozenset(word if HANGUL.search(word) else latin_token(word) for word in words)]
    for number in range(2):
        forms = (
            parted[word][number] if word in parted else [word if HANGUL.search(word) else latin_token(word)] for word in words
        )
        ways.append(frozenset(form for some in forms for form in some))
    return [way for way in dict.fromkeys(ways) if way and not (len(way) == 1 and way <= EMPTY)]


def read_lines(name: str) -> list[str]:
    """Return the lines of a list of this package, without comments."""
    text = files("llmflow.answering").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@lru_cache(maxsize=1)
def _rewordings() -> _Rewordings:
    lines = [line.split() for line in read_lines("rewordings.txt")]
    items = _items({word for line in lines for word in line})
    return _Rewordings([[item for word in line for item in items[word]] for line in lines])


@lru_cache(maxsize=1)
def _contrasts() -> _Contrasts:
    lines = [[thing.split() for thing in line.split(" / ")] for line in read_lines("contrasts.txt")]
    items = _items({word for line in lines for thing in line for word in thing})
    return _Contrasts([[[item for word in thing for item in items[word]] for thing in line] for line in lines])


def slots(one: Sequence[Word], other: Sequence[Word]) -> list[tuple[tuple[Word, ...], tuple[Word, ...]]]:
    """Return where at most two words stand between the same words of both wordings, with what stands there in each."""
    sides = [[word for word in words if word.aside != "story"] for words in (one, other)]
    forms = [[meaning_of(word.form) for word in words] for words in sides]
    blocks = SequenceMatcher(None, *forms, autojunk=False).get_opcodes()
    swaps = [block for block in blocks if block[0] == "replace" and block[2] - block[1] <= 2 and block[4] - block[3] <= 2]
    return [(tuple(sides[0][a:b]), tuple(sides[1][c:d])) for _, a, b, c, d in swaps]


def kind_of_thing(form: str) -> bool:
    """Return whether a word stands in a line of contrasts."""
    return _contrasts().holds(form)
