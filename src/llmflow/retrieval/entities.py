"""Entities without a language model: titles and headings, capitalised n-grams, Korean proper and compound nouns.

The same rules read documents (mentions) and questions (candidates), so that both meet under one key.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pydantic import Field

from llmflow.config import Settings
from llmflow.retrieval.tokens import HANGUL, STOP_WORDS, Morpheme, fold
from llmflow.types import Mention

LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ0-9][\w'’.\-&/]*", re.UNICODE)
BRACKETS = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]\s*$")
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
SEPARATOR = re.compile(r"[\s_\-–—/·ㆍ:,.'’\"“”()\[\]&]+")
CONNECTORS = frozenset("of the and de la le du von van der den di da al el for in on at to".split())
NUMBERED = re.compile(r"^\s*(?:제?\s*\d+\s*[조장절항편]|[0-9]+(?:\.[0-9]+)*[.)]?|[IVX]+\.|[가-하]\.)\s*")
NOUN_TAGS = frozenset({"NNG", "NNP", "SL", "SN", "XPN", "XSN", "SH"})
FIELD = re.compile(r"^(?P<key>[^:\n]{1,40}):[ \t]*(?P<value>[^\n]{2,60})$", re.MULTILINE)
NAME_FIELD = re.compile(r"(?:명|이름|제목|name|title)\s*$", re.IGNORECASE)
TITLE_REACH = "title_reach"
"""Setting that holds what titles mean in the corpus of each tenant (ports.GraphStore.title_reach), as JSON."""
RECORD_CONFIDENCE = 0.7
SHORT_CONFIDENCE = 0.6
MASKED = re.compile(r"\[[A-Z]+\]")


class EntitySettings(Settings):
    """Part of the fingerprint: a change re-indexes every document."""

    max_words: int = Field(default=6, ge=1, le=10)
    max_mentions: int = Field(default=60, ge=1)
    """Entities kept of one chunk, titles first, then in reading order."""


def entity_key(name: str) -> str:
    """Return the form under which names meet: folded, punctuation and articles dropped; no spaces where there is Hangul.

    >>> entity_key("The Café (film)"), entity_key("법인 카드")
    ('cafe film', '법인카드')
    """
    words = [word for word in SEPARATOR.split(fold(name)) if word]
    if words and words[0] in ("the", "a", "an") and len(words) > 1:
        words = words[1:]
    return ("" if HANGUL.search(name) else " ").join(words)[:200]


def title_names(title: str) -> list[str]:
    """Return the names that a title or heading gives to its passage: itself, and itself without numbering and brackets."""
    clean = NUMBERED.sub("", EXTENSION.sub("", title)).strip()
    names = [clean, BRACKETS.sub("", clean)]
    inner = re.search(r"[(（]([^)）]{2,60})[)）]", clean)
    if inner and (HANGUL.search(clean) or inner.group(1)[:1].isupper()):
        names.append(inner.group(1))
    return [name for name in dict.fromkeys(names) if 1 < len(entity_key(name)) <= 80]


def record_names(text: str) -> list[tuple[str, int]]:
    """Return (name, position) of the records in `key: value` lines: their first value and those of fields called a name."""
    names = []
    for record in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
        for number, line in enumerate(FIELD.finditer(record.group())):
            if number == 0 or NAME_FIELD.search(line["key"]):
                names.append((line["value"], record.start() + line.start("value")))
    return names


def find_mentions(
    text: str,
    found: Sequence[Morpheme] | None,
    titles: Sequence[str],
    settings: EntitySettings,
    records: bool = False,
) -> tuple[Mention, ...]:
    """Return a chunk's entities: one title mention a name, one mention a key at its first position.

    `found` is the text's Kiwi analysis, None for text without Hangul; `titles` are the document's title and the headings above.
    In `records` every record is a section of its own, titled by its names.
    """
    mentions: dict[tuple[str, str], Mention] = {}
    for depth, title in enumerate(reversed(titles)):
        for name in title_names(title):
            mention = Mention(entity_key(name), name, "title", 0, 1.0 if depth == 0 else 0.8)
            mentions.setdefault((mention.key, "title"), mention)
    for value, position in record_names(text) if records else ():
        for name in title_names(value):
            if not entity_key(name).replace(" ", "").isdigit() and not MASKED.search(name):
                mention = Mention(entity_key(name), name, "title", position, RECORD_CONFIDENCE)
                mentions.setdefault((mention.key, "title"), mention)
    names = list(_latin_names(text, settings.max_words)) if any("A" <= c <= "Z" for c in text) else []
    if found is not None:
        names += _korean_names(text, found, settings.max_words)
    for name, position, confidence in sorted(names, key=lambda item: (item[1], -len(item[0]))):
        key = entity_key(name)
        if len(key) > 1 and not key.isdigit():
            mentions.setdefault((key, "mention"), Mention(key, name, "mention", position, confidence))
    ranked = sorted(mentions.values(), key=lambda m: (m.role != "title", m.position, m.key))
    return tuple(ranked[: settings.max_mentions])


def _latin_names(text: str, max_words: int) -> Iterator[tuple[str, int, float]]:
    """Yield runs of capitalised words and their inner parts that start or end them."""
    text = MASKED.sub(lambda match: "|" * len(match.group()), text)
    words = [(match.group().rstrip(".'’-/&"), match.start(), match.end()) for match in LATIN_WORD.finditer(text)]
    lower = {word for word, _, _ in words if word[:1].islower()}
    run: list[tuple[str, int]] = []
    previous_end = 0
    for word, start, _ in [*words, ("", len(text), len(text))]:
        between = text[previous_end:start]
        capital = word[:1].isupper() or (bool(run) and word[:1].isdigit())
        broken = any(mark in between for mark in ',;:!?()[]"“”\n|') or ". " in between
        if run and (broken or not (capital or word in CONNECTORS)):
            yield from _run_names(run, max_words, lower)
            run = []
        if capital or (run and word in CONNECTORS):
            run.append((word, start))
        previous_end = start + len(word)


def _run_names(run: list[tuple[str, int]], max_words: int, lower: set[str]) -> Iterator[tuple[str, int, float]]:
    while run and run[-1][0] in CONNECTORS:
        run = run[:-1]
    if not run:
        return
    first = run[0][0]
    if (first.lower() in lower or fold(first) in STOP_WORDS) and len(run) > 1:  # a sentence's first word, most likely
        yield from _run_names(run[1:], max_words, lower)
        if fold(first) in STOP_WORDS:
            return
    if len(run) == 1 and (fold(first) in STOP_WORDS or first.lower() in lower or len(first) < 2):
        return
    names = [word for word, _ in run]
    if len(names) <= max_words:
        yield " ".join(names), run[0][1], 1.0
    # "Governor of New York" is also "Governor" and "New York": parts between connectors stand for themselves
    part: list[tuple[str, int]] = []
    for word, start in [*run, ("", 0)]:
        if word and word not in CONNECTORS:
            part.append((word, start))
            continue
        if part and len(part) < len(run):
            yield " ".join(w for w, _ in part[:max_words]), part[0][1], 0.7
        part = []


def _korean_names(text: str, found: Sequence[Morpheme], max_words: int) -> Iterator[tuple[str, int, float]]:
    """Yield proper nouns and runs of nouns, as written: `정보보호팀`, `법인 카드`, `ERP 시스템`."""
    masked = [match.span() for match in MASKED.finditer(text)]
    run: list[Morpheme] = []
    for token in [*found, Morpheme("", "", len(text) + 9, 0)]:
        between = text[run[-1].start + run[-1].length : token.start] if run else ""
        adjoining = between in ("", " ")
        if run and not (token.tag in NOUN_TAGS and adjoining):
            yield from _noun_names(text, run, max_words, masked)
            run = []
        if token.tag in NOUN_TAGS:
            run.append(token)


def _noun_names(
    text: str, run: list[Morpheme], max_words: int, masked: list[tuple[int, int]]
) -> Iterator[tuple[str, int, float]]:
    def written(tokens: list[Morpheme]) -> str:
        return text[tokens[0].start : tokens[-1].start + tokens[-1].length]

    if any(start <= run[0].start < end for start, end in masked):
        return
    if all(token.tag == "SN" for token in run):
        return
    telling = len(run) > 1 or run[0].tag in ("NNP", "SL", "SH") or run[0].length >= 3
    if len(run) <= max_words and (telling or run[0].length == 2):  # names that Kiwi does not know come as common nouns
        yield written(run), run[0].start, 1.0 if telling else SHORT_CONFIDENCE
    word: list[Morpheme] = []
    for token in [*run, Morpheme("", "", len(text) + 9, 0)]:  # each written word of the run stands for itself too
        if word and token.start > word[-1].start + word[-1].length:
            compound = len(word) > 1 or word[0].tag in ("NNP", "SL") or word[0].length >= 3
            if len(word) < len(run) and compound and not all(t.tag == "SN" for t in word):
                yield written(word), word[0].start, 0.8
            word = []
        word.append(token)


class Candidate(NamedTuple):
    """A name that a question may mean. `specific` is 1 for what looks like a name, less for single common words."""

    key: str
    surface: str
    specific: float


COMMON = 0.3


def question_candidates(question: str, found: Sequence[Morpheme] | None, settings: EntitySettings) -> list[Candidate]:
    """Return every n-gram of the question that could name an entity, longest first, one a key.

    English n-grams are read whatever their case, because people do not capitalise in a chat.
    """
    candidates: dict[str, Candidate] = {}
    for candidate in [
        *_latin_candidates(question, settings.max_words + 2),
        *_korean_candidates(question, found, settings.max_words),
    ]:
        if len(candidate.key) > 1 and not candidate.key.isdigit():
            candidates.setdefault(candidate.key, candidate)
    return list(candidates.values())


def _latin_candidates(question: str, max_words: int) -> Iterator[Candidate]:
    words = [re.sub(r"['’]s$", "", match.group().rstrip(".'’-/&")) for match in LATIN_WORD.finditer(question)]
    folded = [fold(word) for word in words]
    may_start = [word == "the" or word not in STOP_WORDS for word in folded]
    may_end = [plain not in STOP_WORDS and word not in CONNECTORS for plain, word in zip(folded, words, strict=True)]
    for size in range(max_words, 0, -1):
        for at in range(len(words) - size + 1):
            if not (may_start[at] and may_end[at + size - 1]):
                continue
            gram = words[at : at + size]
            if size == 1 and len(gram[0]) < 2:
                continue
            named = size > 1 or (at > 0 and gram[0][:1].isupper()) or any(c.isdigit() or c.isupper() for c in gram[0][1:])
            surface = " ".join(gram)
            yield Candidate(entity_key(surface), surface, 1.0 if named else COMMON)


def _korean_candidates(question: str, found: Sequence[Morpheme] | None, max_words: int) -> Iterator[Candidate]:
    nouns = [token for token in found or () if token.tag in NOUN_TAGS]
    for size in range(min(len(nouns), max_words), 0, -1):
        for at in range(len(nouns) - size + 1):
            gram = nouns[at : at + size]
            if any(after.start - before.start - before.length > 1 for before, after in pairwise(gram)):
                continue
            surface = question[gram[0].start : gram[-1].start + gram[-1].length]
            named = size > 1 or gram[0].tag in ("NNP", "SL")
            yield Candidate(entity_key(surface), surface, 1.0 if named else COMMON)
