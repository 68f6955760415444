"""What makes a generated question worthless: it tells its own answer, or another document answers it too.

The second is read off the corpus in one pass: a passage of a document that the question is not about, readable for who asks, that
holds every content word of the question. A question without an answer must not find its subject and its words anywhere in one
readable document, spelled together or apart; synonyms can still answer it, so these are the ones to review first.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from llmflow.evaluation.metrics import normalise_quote
from llmflow.ports import PreparedDocument
from llmflow.retrieval.tokens import AnalyserSettings, analyse
from llmflow.types import EVERYONE, Chunk, Document

if TYPE_CHECKING:
    from llmflow.evaluation.question_generation import Candidate

ASKING = frozenset("무엇인가 무엇 어떻게 설명 정하 해당 항목 곳 찾아보 what say mean meant ani about whatev".split())
"""Words of the templates, as the index knows them; they say nothing of the subject."""


def question_key(text: str) -> str:
    """Return the form under which two wordings are the same question: letters and digits only."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def trivial_reason(text: str, quotes: Sequence[str], answer: str) -> str | None:
    """Return why the question's own words give it away, or None: it holds its quote, or its answer as a whole word."""
    asked = normalise_quote(text).casefold()
    if any(normalise_quote(quote).casefold().strip(". ") in asked for quote in quotes):
        return "holds its quote"
    said = re.escape(normalise_quote(answer).casefold())
    return "holds its answer" if said and re.search(rf"(?<!\w){said}(?![A-Za-z0-9])", asked) else None


def check_questions(
    candidates: Sequence["Candidate"],
    served: Callable[[], Iterable[tuple[Document, PreparedDocument]]],
    analyser: AnalyserSettings,
) -> tuple[list["Candidate"], Mapping[str, int]]:
    """Return the candidates worth asking, in order, and how many were dropped by reason."""
    dropped: Counter[str] = Counter()
    open_ones: list[Candidate] = []
    for candidate in candidates:
        reason = trivial_reason(candidate.text, [item.quote for item in candidate.evidence], candidate.answer)
        if reason:
            dropped[reason] += 1
        else:
            open_ones.append(candidate)
    shared = _answered_elsewhere(open_ones, served, analyser)
    for number in shared:
        dropped["several documents" if open_ones[number].answerable else "perhaps answerable"] += 1
    return [item for number, item in enumerate(open_ones) if number not in shared], dict(sorted(dropped.items()))


def _answered_elsewhere(
    candidates: Sequence["Candidate"],
    served: Callable[[], Iterable[tuple[Document, PreparedDocument]]],
    analyser: AnalyserSettings,
) -> set[int]:
    """Return the places of the candidates that a document beside their own may answer, in one pass over the corpus."""
    words = _content_words(candidates, analyser)
    watching: dict[str, list[int]] = defaultdict(list)
    for number, wanted in enumerate(words):
        for word in wanted if candidates[number].answerable else ():
            watching[word].append(number)
    unanswerable = [number for number, item in enumerate(candidates) if not item.answerable]
    names = {number: [question_key(name) for name in candidates[number].names] for number in unanswerable}
    found: set[int] = set()
    for document, prepared in served():
        for item in prepared.chunks:
            held = _held(set(item.tokens.split()), watching, words)
            found |= {number for number in held if _other(candidates[number], document)}
        open_ones = [number for number in unanswerable if number not in found and _other(candidates[number], document)]
        if open_ones:
            text = question_key(f"{prepared.title} {' '.join(_whole(item.chunk) for item in prepared.chunks)}")
            found |= {
                number
                for number in open_ones
                if (not names[number] or any(name in text for name in names[number])) and all(w in text for w in words[number])
            }
    return found


def _whole(chunk: Chunk) -> str:
    return " ".join((*chunk.heading_path, chunk.text))


def _content_words(candidates: Sequence["Candidate"], analyser: AnalyserSettings) -> list[frozenset[str]]:
    """Return the words that decide; none for bridges, whose parts were compared as facts, and for definitions."""
    plain = analyser.model_copy(update={"bigrams": False})
    texts = [item.required or item.text for item in candidates]
    decided = [item.template not in ("bridge", "definition") for item in candidates]
    analysed = analyse(texts, plain, question=True)
    return [frozenset(tokens.split()) - ASKING if use else frozenset() for tokens, use in zip(analysed, decided, strict=True)]


def _held(tokens: set[str], watching: Mapping[str, Sequence[int]], words: Sequence[frozenset[str]]) -> list[int]:
    counts: Counter[int] = Counter()
    for token in tokens & watching.keys():
        counts.update(watching[token])
    return [number for number, count in counts.items() if count == len(words[number])]


def _other(candidate: "Candidate", document: Document) -> bool:
    readable = document.tenant == candidate.tenant and bool({*candidate.groups, EVERYONE} & set(document.groups))
    return readable and document.id not in candidate.documents
