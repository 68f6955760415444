"""Answers given again: only to the same question over the same evidence, from the same sources, for the same readers.

Four gates, each of which must open. (1) The question asks the same (`question_forms`); where an embedder reads the language and
the wordings differ, it must agree. (2) Retrieval still runs for whoever asks: what the answer cites must be among the best
passages, and the best passages among those that it was made from. (3) Every source has the version that it had. (4) Tenant,
readable groups, model, prompts, settings and language are those it was made with.

Nothing is given again, or kept, in a follow-up, where personal data stood in the question, where part of the search was away, or
of an answer that was not found, of low confidence, with a notice, or over suspicious passages.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from llmflow.answering.question_forms import QuestionForm, form_of, same_question
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
    considered: int = Field(default=10, ge=1)
    """Best passages that an answer counts as made from."""
    cited_within: int = Field(default=8, ge=1)
    """What is cited must be among so many of the best passages of whoever asks now."""
    compared: int = Field(default=5, ge=1)
    overlap: float = Field(default=0.6, ge=0, le=1)
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
class SemanticCache:
    """The gates around a store of answers. A store that is away keeps and gives nothing, with a line in the log."""

    store: AnswerCache
    settings: CacheSettings
    analyser: AnalyserSettings
    embedder: Embedder | None = None

    def find(self, asked: Asked) -> Answer | None:
        """Return the answer that was given before, with today's hits; None where a gate stays closed."""
        form = form_of(asked.question, self.analyser)
        if not form.words or not asked.hits:
            return None
        try:
            for entry_id, dumped, question in self.store.forms(scope_of(asked, self.settings)):
                if not same_question(form, QuestionForm.load(dumped)) or not self._means_the_same(asked, question):
                    continue
                entry = self.store.get(entry_id)
                if entry is not None and evidence_holds(entry, asked.hits, self.settings):
                    return replace(entry.answer, hits=asked.hits, citations=_current(entry.answer, asked.hits), cached=True)
        except StoreUnavailable as exc:
            log.warning("Answered without the cache: %s", exc)
        return None

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Keep an answer that may be given again."""
        form = form_of(asked.question, self.analyser)
        if not form.words or not worth_keeping(answer, self.settings):
            return
        scope = scope_of(asked, self.settings)
        cited = {citation.chunk_id for citation in answer.citations}
        sources = tuple(
            CachedSource(hit.chunk.id, hit.document.id, hit.document.version, hit.chunk.id in cited)
            for number, hit in enumerate(asked.hits)
            if number < self.settings.considered or hit.chunk.id in cited
        )
        if cited - {source.chunk_id for source in sources}:
            return
        dumped = form.dump()
        kept = replace(answer, hits=(), cached=False, asked="", trace_id="", prompt_tokens=0, completion_tokens=0)
        entry = CachedAnswer(
            fingerprint_of([scope, dumped], 32), scope, asked.principal.tenant, asked.question, dumped, kept, sources
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
        if (
            self.embedder is None
            or asked.language not in self.embedder.languages
            or _squeezed(asked.question) == _squeezed(question)
        ):
            return True
        try:
            one, other = self.embedder.embed_queries([asked.question, question])
        except ModelUnavailable as exc:
            log.warning("Answered without the cache: %s", exc)
            return False
        return float(one @ other) >= self.settings.min_cosine


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


def _current(answer: Answer, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """Return the citations with the documents' names of today; the version says that their text is the same."""
    documents = {hit.chunk.id: hit.document for hit in hits}
    return tuple(
        replace(citation, title=documents[citation.chunk_id].title, source=documents[citation.chunk_id].source)
        for citation in answer.citations
    )


def _squeezed(text: str) -> str:
    return "".join(text.split()).rstrip("?.!")
