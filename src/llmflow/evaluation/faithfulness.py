"""Whether the passages that an answer cites say what it says: sentence by sentence, without a language model.

A sentence is supported when one or two neighbouring sentences of a cited passage hold most of its words, every number with its
unit, and are negated as it is. That finds invented figures, turned meanings and changed subjects; it cannot follow a conclusion,
and a sentence in another language than its passage is left unchecked.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import Field

from llmflow.config import Settings
from llmflow.evaluation.metrics import normalise_quote
from llmflow.evaluation.quantities import missing_quantities
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.sentences import BETWEEN_CELLS, split_sentences
from llmflow.retrieval.tokens import CONTENT_TAGS, HANGUL, STOP_WORDS, AnalyserSettings, analyse, joined, morphemes, tokens_of
from llmflow.types import Answer, Citation

MARKED = re.compile(r"(?P<text>[^\n]*?)(?P<marks>(?:\s*\[\d{1,2}\])+|\n|$)")
MARK = re.compile(r"\[(\d{1,2})\]")
LIST_MARK = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)])\s+")
NEGATION = re.compile(
    r"않|못(?:하|한|해|합|함|할)|없|아니|안\s(?:되|된|됩|돼)|불가|금지|제외|말아야|"
    r"\b(?:no|not|never|cannot|without|neither|nor|none|prohibited|forbidden|excluded)\b|n['’]t\b",
    re.IGNORECASE,
)
VERB_WORTH = 0.3
ADDED = 0.1
"""Share of a sentence's words by which passages differ enough to count."""
PLAIN = AnalyserSettings(bigrams=False)


class FaithfulnessSettings(Settings):
    min_overlap: float = Field(default=0.6, ge=0, le=1)
    """Weighted share of a sentence's words that its passage must hold; nouns and names count one, verbs less."""


@dataclass(frozen=True, slots=True)
class SentenceSupport:
    """One sentence of an answer; `supported` is None where it cannot be checked."""

    text: str
    supported: bool | None
    reason: str
    """Empty when supported, else `uncited`, `words`, `numbers`, `negation` or `other language`."""


def sentence_support(answer: Answer, settings: FaithfulnessSettings | None = None) -> tuple[SentenceSupport, ...]:
    """Return the support of every sentence of an answer, in order; none for a refusal.

    A citation mark covers the text before it on its line, back to the mark before. What is cited is the passage when the
    answer's hits hold it, else the quote alone; title and headings of the source count as said.
    """
    if not answer.found:
        return ()
    settings = settings or FaithfulnessSettings()
    citations = {item.number: item for item in answer.citations}
    passages = {hit.chunk.id: hit.chunk.text for hit in answer.hits}
    found: list[SentenceSupport] = []
    for text, numbers in marked_segments(answer.text):
        cited = [citations[number] for number in numbers if number in citations]
        texts = [passages.get(item.chunk_id, item.quote) for item in cited]
        quotes = {normalise_quote(item.quote) for item in cited}
        if cited and normalise_quote(text) in quotes:
            found.append(SentenceSupport(text, True, ""))
            continue
        for start, end in split_sentences(text):
            sentence = LIST_MARK.sub("", text[start:end])
            if re.search(r"\w", sentence):
                found.append(_support(sentence, cited, texts, settings))
    return tuple(found)


def faithful_share(answer: Answer, settings: FaithfulnessSettings | None = None) -> float | None:
    """Return the share of supported sentences among those that can be checked; None where there is none."""
    checked = [item.supported for item in sentence_support(answer, settings) if item.supported is not None]
    return sum(checked) / len(checked) if checked else None


def marked_segments(text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield each stretch of an answer's text with the numbers of the marks behind it; stretches without letters are left out.

    >>> list(marked_segments("연차는 15일이다 [1][2]. 그렇다."))
    [('연차는 15일이다', (1, 2)), ('. 그렇다.', ())]
    """
    for match in MARKED.finditer(text):
        if re.search(r"\w", match["text"]):
            yield match["text"].strip(), tuple(int(number) for number in MARK.findall(match["marks"]))


def _holds_row(sentence: str, text: str) -> bool:
    """Return whether `sentence` is one row or record of `text` said on one line: `header: cell · header: cell`."""
    parts = [part.rpartition(": ") for part in sentence.split(BETWEEN_CELLS)]
    names, cells = {normalise_quote(name) for name, _, _ in parts}, [normalise_quote(cell) for *_, cell in parts]
    whole = normalise_quote(text)
    if len(parts) < 2 or not all(name in whole for name in names):
        return False
    blocks = text.splitlines() if "|" in text else text.split("\n\n")
    return any(all(cell in block for cell in cells) for block in map(normalise_quote, blocks))


def _support(sentence: str, cited: Sequence[Citation], texts: Sequence[str], settings: FaithfulnessSettings) -> SentenceSupport:
    if not cited:
        return SentenceSupport(sentence, False, "uncited")
    tiers = [[window for text in texts for window in windows(text)] for windows in (_sentences, _wider)]
    if normalise_quote(sentence) in {normalise_quote(window) for tier in tiers for window in tier}:
        return SentenceSupport(sentence, True, "")
    if any(_holds_row(sentence, text) for text in texts):
        return SentenceSupport(sentence, True, "")
    above = " ".join(f"{item.title} {item.heading}" for item in cited)
    if missing_quantities(sentence, "\n".join([*texts, above])):
        return SentenceSupport(sentence, False, "numbers")
    if detect_language(sentence) not in {detect_language(text) for text in texts}:
        return SentenceSupport(sentence, None, "other language")
    words = _content_words(sentence)
    reason, before = "words", 0.0
    for tier in tiers:  # one sentence first: a neighbour's "not" or figure must not be read into it
        covered = {window: _covered(words, f"{above} {window}") for window in tier}
        most = max(covered.values(), default=0.0)
        if words and (most < settings.min_overlap or most < before + ADDED):
            continue  # too little, or the neighbour adds nothing but its figures
        fitting = [window for window in covered if covered[window] >= max(settings.min_overlap if words else 0.0, most - ADDED)]
        exact = [window for window in fitting if not missing_quantities(sentence, f"{above} {window}")]
        if exact:
            best = max(exact, key=lambda window: (covered[window], -len(window)))
            differs = _negation_differs(sentence, best)
            return SentenceSupport(sentence, not differs, "negation" if differs else "")
        reason, before = "numbers", most
    return SentenceSupport(sentence, False, reason)


def _negation_differs(sentence: str, source: str) -> bool:
    """Return whether exactly one of the two is negated; a longer source may deny something the sentence does not repeat."""
    said, meant = bool(NEGATION.search(sentence)), bool(NEGATION.search(source))
    if said == meant:
        return False
    return said or _covered(_content_words(source), sentence) >= 0.5


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


def _wider(text: str) -> list[str]:
    """Return the lines of a passage and each pair of neighbouring sentences."""
    spans = split_sentences(text)
    pairs = [text[start:end] for (start, _), (_, end) in pairwise(spans)]
    return [*(line for line in text.splitlines() if line.strip()), *pairs]


def _content_words(text: str) -> dict[str, float]:
    """Return the distinct content words of a sentence with their worth; numbers are left to the quantities."""
    text = unicodedata.normalize("NFKC", text)
    found = morphemes([text], PLAIN)[0]
    if found is None:
        return {word: 1.0 for word in tokens_of(text, None, PLAIN).split() if not word.isdigit()}
    worth: dict[str, float] = {}
    for token in joined(found):
        if token.tag not in CONTENT_TAGS or token.tag in ("NNB", "NP", "NR", "SN"):
            continue
        value = VERB_WORTH if token.tag.startswith(("V", "MA")) else 1.0
        for word in tokens_of(token.form, [token], PLAIN).split():
            if word not in STOP_WORDS and not word.isdigit():
                worth[word] = max(worth.get(word, 0.0), value)
    return worth


def _covered(words: dict[str, float], text: str) -> float:
    """Return the weighted share of the words in `text`: Latin ones by stem, Korean ones by letters, spaces ignored."""
    total = sum(words.values())
    if not total:
        return 0.0
    stems = set(analyse([re.sub(r"[가-힣]+", " ", text)], PLAIN)[0].split())
    squeezed = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return sum(value for word, value in words.items() if (word in squeezed if HANGUL.search(word) else word in stems)) / total
