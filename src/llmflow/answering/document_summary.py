"""Sentences that stand for a whole document: those that say what most others say, none twice, in the document's order.

Centrality is LexRank (Erkan and Radev 2004): PageRank over the sentences of one document, linked by the cosine of their weighted
words. Sentences are then taken one by one, each worth less the more it repeats one taken before (maximal marginal relevance,
Carbonell and Goldstein 1998) and where its section has been heard already.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import Field

from llmflow.answering.evidence import Sentence
from llmflow.answering.spans import ASKS, on_one_line, quotable_spans
from llmflow.config import Settings
from llmflow.retrieval.tokens import AnalyserSettings, analyse
from llmflow.types import ElementKind, Hit

DAMPING = 0.85
STEPS = 30
HEARD = 0.6
"""Worth of a sentence of a section that one was taken from, against one of a section not heard yet; again for each more."""
LINES_WORTH = 0.6
"""Worth of a table's row or a record against prose: it is an example more often than what a document says."""
UNFINISHED_WORTH = 0.35
"""Worth of a line that is no sentence, as the number and date under a title, and of one that is too long."""
MASKED_WORTH = 0.5
"""Worth of what held personal data: it is of one person or an example."""
LEAST_WORDS = 3
MOST_CHARACTERS = 320
"""A longer sentence is a paragraph or a list: it is taken where a document has nothing shorter."""
MOST_COMPARED = 1500
"""Sentences of a document that are compared with each other: time and memory grow with the square of their number."""
OPENING = 3
"""Sentences with which a document begins; they are compared whatever else is left out."""
WORDS = AnalyserSettings(bigrams=False)
LINES = (ElementKind.TABLE, ElementKind.RECORD)
FINISHED = re.compile(r"(?:[.!。…！]|[다요죠음함됨임])[\"'”’」』)\]]*$")
MASKED = re.compile(r"\[[A-Z]{3,}\]")
LIST_NUMBER = re.compile(r"^(?:[(\[]?(?:\d{1,2}|[a-z가-하])[.)\]]|[①-⑳•·▪-])\s+(?=\S)")
MAIL_HEADER = re.compile(
    r"(?:from|to|cc|bcc|date|sent|subject|reply-to|보낸 ?사람|받는 ?사람|참조|날짜|제목)\s*[:：]", re.IGNORECASE
)


class SummarySettings(Settings):
    """How a document that was chosen is summarised."""

    sentences: int = Field(default=6, ge=1, le=20)
    """Where the request names no number."""
    most_sentences: int = Field(default=12, ge=1, le=20)
    """Whatever it names; with more documents one of each."""
    passages: int = Field(default=200, ge=1)
    """Most passages of all chosen documents that are read, evenly over each; the answer says where some were not."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: Sentence
    section: tuple[str, ...]
    worth: float


def summarise(hits: Sequence[Hit], count: int) -> list[Sentence]:
    """Return at most `count` sentences, more only where more documents have one each: by document as given, then by place.

    `hits` are passages by document and place. Documents share `count` evenly, the first ones taking what is left over. Equally
    good sentences: the earlier. No hits, or none with a word: nothing.
    """
    documents = [list(group) for _, group in groupby(hits, key=lambda hit: hit.document.id)]
    share, more = divmod(max(count, len(documents)), len(documents)) if documents else (0, 0)
    chosen: list[Sentence] = []
    for number, passages in enumerate(documents):
        chosen += _of_one(passages, share + (number < more))
    return chosen


def as_line(sentence: Sentence) -> str:
    """Return a sentence as a line of a summary: without the number that it has in a list of its document."""
    return LIST_NUMBER.sub("", on_one_line(sentence.hit, sentence.text))


def _of_one(hits: Sequence[Hit], count: int) -> list[Sentence]:
    import numpy as np

    candidates, texts = _candidates(hits)
    if not candidates:
        return []
    near, alike = _similarities(texts)
    worth = _centrality(near) * np.array([one.worth for one in candidates])
    taken: list[int] = []
    nearest = np.zeros(len(candidates))
    heard: dict[tuple[str, ...], int] = {}
    while len(taken) < min(count, len(candidates)):
        sections = np.array([HEARD ** heard.get(one.section, 0) for one in candidates])
        value = worth * sections * (1 - nearest)
        value[taken] = -1.0
        best = int(value.argmax())
        if taken and nearest[best] > 0.9:  # all that is left says what was said
            break
        taken.append(best)
        heard[candidates[best].section] = heard.get(candidates[best].section, 0) + 1
        nearest = np.maximum(nearest, alike[best])
    return [candidates[number].sentence for number in sorted(taken)]


def _candidates(hits: Sequence[Hit]) -> tuple[list[_Candidate], list[str]]:
    """Return what may be quoted, in order, with its words; what is said twice only where it stands first.

    Of a document with more than `MOST_COMPARED` spans so many: its first ones and those of each section, then by worth, spread
    evenly over the document where they are equally good.
    """
    spans = [
        Sentence(hit, start, end, 0.0)
        for hit in hits
        for start, end in quotable_spans(hit)
        if hit.chunk.kind is not ElementKind.CODE
    ]
    said = [one.text.strip() for one in spans]
    given = [
        _Candidate(one, one.hit.chunk.heading_path, _worth(text, one.hit.chunk.kind))
        for one, text in zip(spans, said, strict=True)
        if not (ASKS.search(text) or MAIL_HEADER.match(text))
    ]
    given = _thinned(given)
    told = [" ".join(tokens.split()) for tokens in analyse([one.sentence.text for one in given], WORDS)]
    found: list[_Candidate] = []
    words: list[str] = []
    seen: set[str] = set()
    for one, tokens in zip(given, told, strict=True):
        if len(tokens.split()) < LEAST_WORDS or tokens in seen:
            continue
        seen.add(tokens)
        found.append(one)
        words.append(tokens)
    return found, words


def _thinned(given: Sequence[_Candidate]) -> list[_Candidate]:
    """Return at most `MOST_COMPARED` of a document's spans, in order; all where there are no more."""
    if len(given) <= MOST_COMPARED:
        return list(given)
    firsts = {one.section: number for number, one in reversed(list(enumerate(given)))}
    tiers: list[Iterable[int]] = [range(OPENING), sorted(firsts.values())]
    for worth in sorted({one.worth for one in given}, reverse=True):
        tiers.append(number for number, one in enumerate(given) if one.worth == worth)
    kept: set[int] = set()
    for tier in tiers:
        fresh = [number for number in tier if number not in kept]
        kept.update(_spread(fresh, MOST_COMPARED - len(kept)))
    return [given[number] for number in sorted(kept)]


def _spread(numbers: Sequence[int], room: int) -> list[int]:
    """Return at most `room` of them, evenly from the first one on."""
    if len(numbers) <= room:
        return list(numbers)
    return [numbers[place * len(numbers) // room] for place in range(room)]


def _worth(text: str, kind: ElementKind) -> float:
    """Return how much a line counts by its form: prose that ends as a sentence does counts 1."""
    worth = LINES_WORTH if kind in LINES else 1.0 if FINISHED.search(text) else UNFINISHED_WORTH
    worth *= UNFINISHED_WORTH if len(text) > MOST_CHARACTERS else 1.0
    return worth * (MASKED_WORTH if MASKED.search(text) else 1.0)


def _similarities(texts: Sequence[str]):
    """Return two matrices of cosines (n x n, diagonal 0): of words weighted by how few of the texts hold them, and of bare words.

    By the first a rare word in common says that two texts speak of one thing; by the second lines that differ in one word only
    repeat each other.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    places: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        for word in dict.fromkeys(text.split()):
            rows.append(row)
            columns.append(places.setdefault(word, len(places)))
    held = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(places)))
    rarity = np.log(1 + len(texts) / np.asarray(held.sum(axis=0)).ravel())
    found = []
    for matrix in (held.multiply(rarity).tocsr(), held):
        length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        cosines = (matrix @ matrix.T).toarray()
        cosines /= np.outer(length, length)
        np.fill_diagonal(cosines, 0.0)
        found.append(cosines)
    return found


def _centrality(alike):
    """Return each text's share (sum 1) of a walk from text to text by their similarity; texts like no other share alike."""
    import numpy as np

    count = len(alike)
    totals = alike.sum(axis=1, keepdims=True)
    steps = np.where(totals > 0, alike / np.where(totals > 0, totals, 1.0), 1.0 / count)
    share = np.full(count, 1.0 / count)
    for _ in range(STEPS):
        share = (1 - DAMPING) / count + DAMPING * share @ steps
    return share
