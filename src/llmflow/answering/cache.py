"""Answers given again: only to the same question over the same evidence, from the same sources, for the same readers.

Four gates, each of which must open. (1) The question asks the same: it has the same form (`question_forms`), and where an
embedder reads the language and the wordings differ, it agrees; or a trained judge takes it for the same (`question_judge`), and
where the settings say so, the chat model agrees (`model_judge`). (2) Retrieval still runs for whoever asks: what the answer cites
must be among the best passages, and the best passages among those that it was made from. (3) Every source has the version that
it had. (4) Tenant, readable groups, model, prompts, settings and language are those it was made with.

Nothing is given again, or kept, in a follow-up, where personal data stood in the question, where part of the search was away, or
of an answer that was not found, of low confidence, with a notice, or over suspicious passages.
"""

import json
import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import cast

from pydantic import Field

from llmflow.answering.model_judge import ModelJudge
from llmflow.answering.question_forms import QuestionForm, form_of, same_question
from llmflow.answering.question_judge import Passages, QuestionJudge, Worded, load_judge, refusal, signs
from llmflow.config import Settings, fingerprint_of
from llmflow.errors import ModelUnavailable, StoreUnavailable
from llmflow.ports import AnswerCache, CachedAnswer, CachedSource, Embedder
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import OWN_SPACE, Answer, Citation, Hit, Principal

log = logging.getLogger(__name__)


class CacheSettings(Settings):
    enabled: bool = True
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    """Answers below are not kept."""
    min_cosine: float = Field(default=0.8, ge=-1, le=1)
    """Of the questions' vectors, where an embedder reads the language and the wordings differ in a content word."""
    considered: int = Field(default=20, ge=1)
    """Best passages that an answer counts as made from."""
    cited_within: int = Field(default=8, ge=1)
    """What is cited must be among so many of the best passages of whoever asks now."""
    judged: bool = True
    """Questions of another form are judged; False: only the same form is given again."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """Least probability with which the judge takes two questions for one; None: the one it was fitted with."""
    judged_at_once: int = Field(default=20, ge=1)
    """Most kept questions that are judged for one that is asked: those with most words in common."""
    ask_model: bool = False
    """Let the chat model decide between the judge's `doubt` and certainty; what it denies is not given again."""
    doubt: float = Field(default=0.3, ge=0, le=1)
    """Least probability with which the model is asked at all."""
    compared: int = Field(default=5, ge=1)
    overlap: float = Field(default=0.4, ge=0, le=1)
    """Least share of the `compared` best passages that the answer was made from. The best one must be."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what was found for it, as the cache looks at it. `question` is masked."""

    question: str
    principal: Principal
    hits: tuple[Hit, ...]
    language: str
    making: str
    """Fingerprint of model, prompts and settings."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The form of a kept question with the chunks that its answer cites, so that what they are not found for is not looked at."""

    form: QuestionForm
    cited: tuple[str, ...] = ()

    def dump(self) -> str:
        return json.dumps([*json.loads(self.form.dump()), self.cited], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "KeptForm":
        """Return what was dumped; without chunks where an earlier version kept none."""
        _, _, _, *rest = json.loads(text)
        return cls(QuestionForm.load(text), tuple(rest[0]) if rest else ())


@dataclass(frozen=True, slots=True)
class SemanticCache:
    """The gates around a store of answers. A store that is away keeps and gives nothing, with a line in the log."""

    store: AnswerCache
    settings: CacheSettings
    analyser: AnalyserSettings
    embedder: Embedder | None = None
    judge: QuestionJudge = field(default_factory=load_judge)
    second: ModelJudge | None = None
    """Asked where the settings say so; None asks nobody, and the judge alone decides."""

    def find(self, asked: Asked) -> Answer | None:
        """Return the answer that was given before, with today's hits; None where a gate stays closed."""
        one = self._worded(asked.question)
        if not one.form.words or not asked.hits:
            return None
        try:
            kept = [
                (entry_id, KeptForm.load(dumped), question)
                for entry_id, dumped, question in self.store.forms(scope_of(asked, self.settings))
            ]
            for entry_id, other, question in kept:
                if same_question(one.form, other.form) and self._means_the_same(asked, question):
                    entry = self.store.get(entry_id)
                    if entry is not None and evidence_holds(entry, asked.hits, self.settings):
                        return _again(entry, asked)
            if self.settings.judged:
                return self._judged(one, asked, kept)
        except StoreUnavailable as exc:
            log.warning("Answered without the cache: %s", exc)
        except ModelUnavailable as exc:
            log.warning("Answered without the cache: %s", exc)
        return None

    def _judged(self, one: Worded, asked: Asked, kept: Sequence[tuple[str, "KeptForm", str]]) -> Answer | None:
        """Return the answer of the question that the judge is surest of; None where it is sure of none."""
        best = {hit.chunk.id for hit in asked.hits[: self.settings.cited_within]}
        near = [
            (entry_id, self._worded(question))
            for entry_id, other, question in kept
            if other.cited and best.issuperset(other.cited)
        ]
        near = [(entry_id, other) for entry_id, other in near if not refusal(other, one)]
        near.sort(key=lambda pair: -len({word.form for word in pair[1].words} & {word.form for word in one.words}))
        least = self.judge.threshold if self.settings.threshold is None else self.settings.threshold
        passages = Passages(asked.hits)
        judged: list[tuple[float, CachedAnswer]] = []
        for entry_id, other in near[: self.settings.judged_at_once]:
            entry = self.store.get(entry_id)
            if entry is None or not evidence_holds(entry, asked.hits, self.settings):
                continue
            found = signs(other, one, entry.answer.citations, passages)
            judged.append((self.judge.probability(found), entry))
        probability, entry = max(judged, key=lambda pair: pair[0], default=(0.0, None))
        asks = self.settings.ask_model and self.second is not None
        if entry is None or probability < (min(least, self.settings.doubt) if asks else least):
            return None
        if self.second is not None and asks and not self.second.same(entry, asked.question, asked.hits):
            return None
        return _again(entry, asked)

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Keep an answer that may be given again."""
        form = form_of(asked.question, self.analyser)
        if not form.words or not worth_keeping(answer, self.settings):
            return
        scope = scope_of(asked, self.settings)
        cited = {citation.chunk_id for citation in answer.citations}
        sources = source_rows(asked, answer, self.settings)
        if cited - {source.chunk_id for source in sources}:
            return
        dumped = KeptForm(form, tuple(sorted(cited))).dump()
        kept = replace(answer, hits=(), cached=False, asked="", trace_id="", prompt_tokens=0, completion_tokens=0)
        entry = CachedAnswer(
            fingerprint_of([scope, form.dump()], 32), scope, asked.principal.tenant, asked.question, dumped, kept, sources
        )
        try:
            self.store.put(entry)
        except StoreUnavailable as exc:
            log.warning("An answer was not kept in the cache: %s", exc)

    def disliked(self, tenant: str, text: str) -> None:
        """Forget answers of this text: a reader judged it wrong."""
        try:
            self.store.forget_answers(tenant, text)
        except StoreUnavailable as exc:
            log.warning("A disliked answer stays in the cache until it expires: %s", exc)

    def _means_the_same(self, asked: Asked, question: str) -> bool:
        """Ask the embedder for a second opinion where it reads the language and the questions are worded differently."""
        if _squeezed(asked.question) == _squeezed(question):
            return True
        cosine = self._cosine(asked, question)
        return cosine is None or cosine >= self.settings.min_cosine

    def _cosine(self, asked: Asked, question: str) -> float | None:
        """Return how near the questions' vectors are; None where no embedder reads the language."""
        if self.embedder is None or asked.language not in self.embedder.languages:
            return None
        one, other = self.embedder.embed_queries([asked.question, question])
        return float(one @ other)

    def _worded(self, question: str) -> Worded:
        return _worded(question, cast(Hashable, self.analyser))


def source_rows(asked: Asked, answer: Answer, settings: CacheSettings) -> tuple[CachedSource, ...]:
    """Return what an answer rests on: the best passages and those that it cites."""
    cited = {citation.chunk_id for citation in answer.citations}
    return tuple(
        CachedSource(hit.chunk.id, hit.document.id, hit.document.version, hit.chunk.id in cited)
        for number, hit in enumerate(asked.hits)
        if number < settings.considered or hit.chunk.id in cited
    )


def worth_keeping(answer: Answer, settings: CacheSettings) -> bool:
    """Return whether an answer may be given again at all."""
    complete = answer.found and bool(answer.citations) and not answer.notice and not answer.suspicious
    return complete and answer.confidence >= settings.min_confidence


def evidence_holds(entry: CachedAnswer, hits: Sequence[Hit], settings: CacheSettings) -> bool:
    """Return whether the passages found now carry the answer: what it cites, in the same versions, and nothing new above it."""
    seen = {source.chunk_id: source for source in entry.sources}
    found = {hit.chunk.id: (rank, hit.document.version) for rank, hit in enumerate(hits)}
    for source in entry.sources:
        rank, version = found.get(source.chunk_id, (len(hits), source.version))
        if version != source.version or (source.cited and rank >= settings.cited_within):
            return False
    best = [hit.chunk.id for hit in hits[: settings.compared]]
    shared = sum(chunk_id in seen for chunk_id in best)
    return bool(best) and best[0] in seen and shared >= settings.overlap * len(best)


def scope_of(asked: Asked, settings: CacheSettings) -> str:
    """Return who shares an answer and what made it.

    People of the same groups share. Where a document of one's own space is among the passages, the space is part of the scope, so
    that what rests on it stays with its owner.
    """
    groups = asked.principal.readable_groups
    shared = [group for group in groups if not group.startswith(OWN_SPACE)]
    if any(not set(hit.document.groups) & set(shared) for hit in asked.hits[: settings.considered]):
        shared = list(groups)
    return fingerprint_of([asked.principal.tenant, shared, asked.making, asked.language], 32)


def making_of(model: str, prompts: Mapping[str, str], *settings: str) -> str:
    """Return the fingerprint of what makes answers."""
    return fingerprint_of([model, dict(sorted(prompts.items())), *settings], 32)


def _again(entry: CachedAnswer, asked: Asked) -> Answer:
    return replace(entry.answer, hits=asked.hits, citations=_current(entry.answer, asked.hits), cached=True)


@lru_cache(maxsize=4096)
def _worded(question: str, analyser: Hashable) -> Worded:
    return Worded.of(question, cast(AnalyserSettings, analyser))


def _current(answer: Answer, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """Return the citations with the documents' names of today; the version says that their text is the same."""
    documents = {hit.chunk.id: hit.document for hit in hits}
    return tuple(
        replace(citation, title=documents[citation.chunk_id].title, source=documents[citation.chunk_id].source)
        for citation in answer.citations
    )


def _squeezed(text: str) -> str:
    return "".join(text.split()).rstrip("?.!")
