"""Whether a question worded anew asks what a kept one asks: a small trained judge.

It looks at what became of the words of both (`question_words`) and at where the words that only one of them has stand: in what
the kept answer quotes, in the passages that it cites, in others that were found. What may never differ (`question_clashes`,
contrasts) is decided before. The weights are those of a logistic regression whose signs are held to what they mean: a
difference never speaks for, an agreement never against. `python -m benchmarks.cache_judge --write` fits them;
question_judge.json says on what.
"""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise

from llmflow.answering.question_clashes import clash_of, counted, limits_of, rates_of
from llmflow.answering.question_forms import QuestionForm, compatible, form_of
from llmflow.answering.question_words import Fates, Word, fates, kind_of_thing, read_lines, slots, words_of
from llmflow.retrieval.tokens import HANGUL, AnalyserSettings, analyse
from llmflow.types import Citation, Hit

FOR = frozenset({"length"})
"""Signs that speak for one question; all others speak against it."""
NO_VERBS = frozenset("있 되 하 없".split())
NEVER = ("swapped", "in_place")
"""Signs with which two questions are never one: an unexplained word stands where the other wording has another."""


@dataclass(frozen=True, slots=True)
class Worded:
    """A masked question with its form and words."""

    text: str
    form: QuestionForm
    words: tuple[Word, ...]

    @classmethod
    def of(cls, text: str, analyser: AnalyserSettings) -> "Worded":
        return cls(text, form_of(text, analyser), words_of(text, analyser))


@dataclass(frozen=True)
class _Text:
    """A text in which words are looked for; what that needs is made when it is needed first."""

    text: str

    def holds(self, word: Word) -> bool:
        return word.form in (self._squeezed if HANGUL.search(word.form) else self._stems)

    @cached_property
    def _squeezed(self) -> str:
        return re.sub(r"\s+", "", self.text)

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(analyse([re.sub(r"[가-힣]+", " ", self.text)], AnalyserSettings(bigrams=False))[0].split())


@dataclass(frozen=True)
class Passages:
    """What was found for a question, by chunk, with the headings above it."""

    hits: Sequence[Hit]

    @cached_property
    def texts(self) -> dict[str, _Text]:
        return {
            hit.chunk.id: _Text(f"{hit.document.title} {' '.join(hit.chunk.heading_path)} {hit.chunk.text}") for hit in self.hits
        }


@dataclass(frozen=True, slots=True)
class QuestionJudge:
    """Weights of the signs. `probability` is between 0 and 1; `threshold` is where a question counts as the same."""

    intercept: float
    weights: Mapping[str, float]
    threshold: float
    fitted: Mapping[str, object] = field(default_factory=dict)
    """On what, and how it did there; nothing reads it but people."""

    def probability(self, found: Mapping[str, float]) -> float:
        if any(found[name] for name in NEVER):
            return 0.0
        return 1 / (1 + math.exp(-self.intercept - sum(weight * found.get(name, 0.0) for name, weight in self.weights.items())))


@lru_cache(maxsize=1)
def load_judge() -> QuestionJudge:
    """Return the judge that comes with the package."""
    return QuestionJudge(**json.loads(files("llmflow.answering").joinpath("question_judge.json").read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def light_words() -> frozenset[str]:
    """Return the words that come and go without asking anything else, as a rule."""
    return frozenset(word for line in read_lines("light_words.txt") for word in line.split())


def refusal(kept: Worded, asked: Worded) -> str:
    """Return why two questions may not be taken for one, whatever the judge thinks; empty where nothing forbids it."""
    if not kept.form.words or not asked.form.words:
        return "no words"
    if clash := clash_of(kept.text, kept.form, asked.text, asked.form):
        return clash
    if {*_doubled(kept)} != {*_doubled(asked)}:
        return "a doubled word"
    for one, other in ((kept, asked), (asked, kept)):
        for word, thing in fates(one.words, other.words).contrasted:
            return f"{word.form} is not {thing}"
    return ""


def _doubled(question: Worded) -> Iterator[str]:
    """Yield what stands twice in one compound: 반 of 반반차."""
    for word, following in pairwise(question.words):
        if word.form == following.form and word.written == following.written and word.kind == "n":
            yield word.form


def signs(kept: Worded, asked: Worded, citations: Sequence[Citation], passages: Passages) -> dict[str, float]:
    """Return what speaks for and against two questions being one. `citations` are of the kept answer, the first one counts most.

    Words are looked for in what was found for the question that is asked now. Counts are capped.
    """
    cited = {citation.chunk_id for citation in citations}
    quote = _Text(citations[0].quote if citations else "")
    own, rest = ([text for chunk_id, text in passages.texts.items() if (chunk_id in cited) == there] for there in (True, False))
    gone, new = fates(kept.words, asked.words), fates(asked.words, kept.words)
    both = (kept.form.asked, asked.form.asked)
    found = dict(_of_side("gone", gone, quote, own, rest)) | dict(_of_side("new", new, quote, own, rest))
    return found | {
        "asked": float(not _asked_alike(*both)),
        "limits": float(limits_of(kept.text, kept.form) != limits_of(asked.text, asked.form)),
        "exact": float(counted(kept.form) != counted(asked.form)),
        "rates": float(rates_of(kept.text, kept.form) != rates_of(asked.text, asked.form)),
        "length": min(10, len(gone.same) + len(gone.reworded)),
        "swapped": min(found["gone_heavy"], found.pop("new_heavy")),
        "in_place": _in_place(kept.words, asked.words, {*gone.open, *new.open}),
    }


def _of_side(side: str, fate: Fates, quote: _Text, cited: Sequence[_Text], rest: Sequence[_Text]) -> Iterator[tuple[str, float]]:
    light = light_words()
    opposed = {word for word, _ in fate.contrasted}
    things = {word for word in fate.open if kind_of_thing(word.form)}
    beside = {word for word in fate.open if word.aside == "gloss" or (word.aside and word not in things)} - opposed
    telling = [word for word in fate.open if word.form not in light and word not in beside]
    heavy = [word for word in telling if word.kind in ("n", "l")]
    in_cited = [word for word in heavy if any(text.holds(word) for text in cited)]
    yield f"{side}_heavy", min(3, len(heavy))
    yield f"{side}_things", min(2, len(things.intersection(telling)))
    yield f"{side}_names", min(2, sum(map(_names, fate.open)))
    yield f"{side}_in_quote", min(2, sum(map(quote.holds, heavy)))
    yield f"{side}_in_cited", min(2, len(in_cited))
    if side == "gone":
        yield f"{side}_verbs", min(2, len(telling) - len(heavy))
    else:
        elsewhere = (word for word in heavy if word not in in_cited and any(text.holds(word) for text in rest))
        yield f"{side}_elsewhere", min(2, sum(1 for _ in elsewhere))


def _asked_alike(one: str, other: str) -> bool:
    """Return whether what two questions ask for fits: a few words without a verb ask for whatever they name."""
    if "tell" in (one, other):
        return not {"whether", "why"} & {one, other}
    return compatible(one, other) and not ("what" in (one, other) and ":" in one + other)


def _in_place(kept: Sequence[Word], asked: Sequence[Word], unexplained: Collection[Word]) -> float:
    """Return how often one wording has an unexplained word exactly where the other has another, or a verb."""
    count, light = 0, light_words()
    for one, two in slots(kept, asked):
        left, right = ([word for word in some if word in unexplained] for some in (one, two))
        telling = [any(word.form not in light for word in some) for some in (left, right)]
        verbs = [any(word.tag.startswith("V") and word.form not in NO_VERBS for word in some) for some in (one, two)]
        count += bool((telling[1] and (left or verbs[0])) or (telling[0] and (right or verbs[1])))
    return float(count)


def _names(word: Word) -> bool:
    """Return whether a word is a code or name: with a digit, with a capital letter, or Latin in Korean text."""
    return word.kind == "l" and (any(c.isdigit() for c in word.form) or word.written[:1].isupper() or bool(word.tag))
