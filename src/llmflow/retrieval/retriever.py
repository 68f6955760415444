"""The one way from a question to passages: used by search, ask, eval and chat alike."""

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter

from pydantic import Field

from llmflow.clock import Seconds
from llmflow.config import Settings
from llmflow.errors import ModelUnavailable
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.prepare import context_of
from llmflow.ports import ServedPassage, Stores
from llmflow.retrieval.coverage import CoverageSettings, choose_set
from llmflow.retrieval.entities import TITLE_REACH, EntitySettings
from llmflow.retrieval.fusion import FusionSettings, best_first, combine, fuse
from llmflow.retrieval.graph import Approach, GraphChannel, GraphResult, GraphSettings
from llmflow.retrieval.graph_within import GraphWithin
from llmflow.retrieval.graph_without import GraphWithout
from llmflow.retrieval.reader import Reader
from llmflow.retrieval.rerank import Reranked, RerankSettings, rerank
from llmflow.retrieval.thesaurus import ThesaurusSettings, equivalents
from llmflow.retrieval.tokens import AnalyserSettings, composed, morphemes, tokens_of
from llmflow.types import Hit, Principal, ScoredId

log = logging.getLogger(__name__)

CHANNELS = ("text", "dense", "graph")
SPACES = ("active_space", "previous_space")


class RetrievalSettings(Settings):
    """What is evaluated is what is served: one object for both."""

    channels: tuple[str, ...] = CHANNELS
    candidates: int = Field(default=100, ge=1, le=1000)
    """Passages asked of full text and of dense vectors."""
    fusion: FusionSettings = FusionSettings()
    graph: GraphSettings = GraphSettings()
    coverage: CoverageSettings = CoverageSettings()
    rerank: RerankSettings = RerankSettings()
    thesaurus: ThesaurusSettings = ThesaurusSettings()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Hits of one question, best first, and what the single channels found for evaluation."""

    hits: tuple[Hit, ...]
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of every passage that a channel found, by channel."""
    strength: float = 0.0
    """How far the graph trusts its own ranking for this question, 0 to 1."""
    problems: tuple[str, ...] = ()
    """Models that could not be asked, with reasons: the hits are those of the other channels."""

    @property
    def rankings(self) -> dict[str, tuple[ScoredId, ...]]:
        """Return each channel's passages, best first, ties by chunk id: sorted for whoever asks, which a search does not."""
        return {name: _ranking(values) for name, values in self.scores.items()}


@dataclass(frozen=True, slots=True)
class Retriever:
    """Dense, full text and graph, fused; filtered by the principal in every channel and checked against the state database."""

    stores: Stores
    settings: RetrievalSettings
    analyser: AnalyserSettings
    entities: EntitySettings

    @property
    def settings_id(self) -> str:
        """What hits and answers can be traced to: the fingerprint of the settings."""
        return self.settings.fingerprint()

    def search(self, question: str, principal: Principal, limit: int = 10, documents: Sequence[str] = ()) -> list[Hit]:
        """Return at most `limit` readable hits, best first, ties by chunk id. A question without words finds nothing.

        `documents` are the ids of the only documents that are looked through; one that may not be read is as one that is not.
        """
        return list(self.search_many([question], principal, limit, documents=documents)[0].hits)

    def search_many(
        self,
        questions: Sequence[str],
        principal: Principal,
        limit: int,
        timings: Seconds | None = None,
        documents: Sequence[str] = (),
        without: Collection[str] = (),
    ) -> list[Retrieval]:
        """Return the same as `search` for each question, with stores asked in batches. Seconds a channel go to `timings`.

        Chunks in `without` are left out of every channel before anything is scaled or fused: what is found, its order and its
        scores are as if they were not indexed (how rare a word is, full text still counts over all).
        """
        laps = _Laps(timings)
        without = frozenset(without)
        among = self.stores.state.chunk_ids_of(documents, principal) if documents else None
        if among is not None:
            among = [chunk_id for chunk_id in among if chunk_id not in without]
        if among is not None and not among:
            return [Retrieval(()) for _ in questions]
        questions = [composed(question) for question in questions]
        found = morphemes(questions, self.analyser)
        tokens = [tokens_of(q, m, self.analyser, question=True) for q, m in zip(questions, found, strict=True)]
        laps.lap("analyse")
        asked = vector_thread().submit(self._dense, questions, principal, _Laps(timings), among, without)  # beside the full text
        forms = [equivalents(own.split(), self.settings.thesaurus) for own in tokens]
        expanded = [_with_forms(own, others) for own, others in zip(tokens, forms, strict=True)]
        text = self._text(expanded, principal, among, without)
        laps.lap("text")
        known = _Known(self.stores, principal)
        known.read(hit.id for ranking in text for hit in ranking)
        channel = self._graph(among, without)

        def approach(number: int, likely: Sequence[str]) -> Approach | None:
            reader = Reader(tokens[number].split(), known.texts, forms[number])
            return channel.approach(questions[number], found[number], likely, principal, reader) if channel else None

        ahead = approach(0, list(known.readable(text[0]))) if len(text) == 1 else None
        title_reach = self._title_reach(principal) if channel else 0.0
        laps.lap("ahead of dense")
        dense, problems = asked.result()
        laps.lap("wait for dense")
        known.read(hit.id for ranking in dense for hit in ranking)
        laps.lap("resolve")
        results = []
        for number, question in enumerate(questions):
            channels = {"text": known.readable(text[number]), "dense": known.readable(dense[number])}
            asked_for = question, channel, ahead or approach(number, ()), title_reach
            results.append(self._rank(*asked_for, channels, known, limit, laps, problems))
        return results

    def _graph(self, among: Sequence[str] | None, without: Collection[str]) -> GraphChannel | None:
        if "graph" not in self.settings.channels or self.settings.fusion.graph <= 0:
            return None
        reads = self.stores.graph.reads()
        if among is not None:
            reads = GraphWithin(reads, among)
        elif without:
            reads = GraphWithout(reads, without)
        return GraphChannel(reads, self.settings.graph, self.entities)

    def _title_reach(self, principal: Principal) -> float:
        """Return what titles mean in the principal's corpus, 1 where that was not measured yet."""
        measured = self.stores.state.setting(TITLE_REACH)
        return json.loads(measured).get(principal.tenant, 1.0) if measured else 1.0

    def _text(
        self, tokens: Sequence[str], principal: Principal, among: Sequence[str] | None, without: Collection[str]
    ) -> list[list[ScoredId]]:
        if "text" not in self.settings.channels:
            return [[] for _ in tokens]
        found = self.stores.text.search(tokens, principal, self.settings.candidates + len(without), among)
        return [self._candidates(ranking, without) for ranking in found]

    def _candidates(self, ranking: Sequence[ScoredId], without: Collection[str]) -> list[ScoredId]:
        """Return as many candidates as ever: so many more were asked for as may have to be left out."""
        return [hit for hit in ranking if hit.id not in without][: self.settings.candidates]

    def _dense(
        self,
        questions: Sequence[str],
        principal: Principal,
        laps: "_Laps",
        among: Sequence[str] | None,
        without: Collection[str],
    ) -> tuple[list[list[ScoredId]], tuple[str, ...]]:
        """Ask the vectors for the questions that the embedder reads; the others, and a space not yet filled, find nothing.

        An embedder that cannot be asked finds nothing either; the reason comes second.
        """
        results: list[list[ScoredId]] = [[] for _ in questions]
        embedder = self.stores.embedder
        asked = [n for n, q in enumerate(questions) if detect_language(q) in embedder.languages]
        if "dense" not in self.settings.channels or not asked:
            return results, ()
        if not any(self.stores.state.setting(key) == embedder.name for key in SPACES):
            return results, ()
        try:
            vectors = embedder.embed_queries([questions[number] for number in asked])
        except ModelUnavailable as exc:
            log.warning("Searched without vectors: %s", exc)
            return results, (str(exc),)
        laps.lap("encode")
        limit = self.settings.candidates + len(without)
        rankings = self.stores.vectors.search(vectors, embedder.name, principal, limit, among)
        for number, ranking in zip(asked, rankings, strict=True):
            results[number] = self._candidates(ranking, without)
        laps.lap("dense")
        return results, ()

    def _unread(self, channels: Mapping[str, Mapping[str, float]], known: "_Known") -> set[str]:
        """Return the passages found by full text that the embedder could not have found, whatever they say."""
        if not channels["dense"]:
            return set()
        languages = self.stores.embedder.languages
        return {key for key in channels["text"] if key not in channels["dense"] and known.chunks[key].language not in languages}

    def _rank(
        self,
        question: str,
        channel: GraphChannel | None,
        approach: Approach | None,
        title_reach: float,
        channels: Mapping[str, Mapping[str, float]],
        known: "_Known",
        limit: int,
        laps: "_Laps",
        problems: Sequence[str],
    ) -> Retrieval:
        """Return the hits of one question from what its channels found."""
        hybrid = fuse(channels, self.settings.fusion, self._unread(channels, known))
        graph: GraphResult | None = None
        if channel and approach:
            graph = channel.score(approach, hybrid, title_reach)
            known.read(graph.scores)
        graph_scores = {key: value for key, value in graph.scores.items() if key in known.chunks} if graph else {}
        strength = graph.strength if graph else 0.0
        scores = combine(channels, hybrid, graph_scores, strength, self.settings.fusion)
        ranked = best_first(scores)
        if graph and self.settings.coverage.top:
            pool = ranked[: self.settings.coverage.pool]
            documents = {key: known.chunks[key].document_id for key in pool}
            reader = graph.reader
            reader.read(pool)
            ranked = choose_set(
                ranked, scores, documents, reader.words, reader.weights, graph.links, self.settings.coverage, graph.strength
            )
        laps.lap("graph")
        reranked = Reranked(tuple(ranked), scores)
        if self.settings.rerank.enabled and self.stores.reranker is not None:
            texts = known.under_headings(ranked[: self.settings.rerank.top])
            reranked = rerank(question, ranked, scores, texts, self.stores.reranker, self.settings.rerank)
            laps.lap("rerank")
        every = {**channels, "graph": graph_scores}
        said = {**every, "rerank": reranked.judged}
        hits = known.hits(reranked.order[:limit], reranked.scores, said)
        return Retrieval(hits, {**every, "hybrid": hybrid}, strength, tuple(filter(None, (*problems, reranked.problem))))


def _with_forms(tokens: str, others: Mapping[str, Sequence[str]]) -> str:
    """Return the tokens of a question followed by the words that stand for them in the other language, each once."""
    more = dict.fromkeys(form for forms in others.values() for form in forms)
    return " ".join([tokens, *more]) if more else tokens


class _Known:
    """Chunks of one search that are served and readable, each read from the state database once."""

    def __init__(self, stores: Stores, principal: Principal):
        self._stores, self._principal = stores, principal
        self._asked: set[str] = set()
        self.chunks: dict[str, ServedPassage] = {}

    def read(self, chunk_ids: Iterable[str]) -> None:
        new = sorted(set(chunk_ids) - self._asked)
        if new:
            self._asked.update(new)
            self.chunks.update(self._stores.state.passages(new, self._principal))

    def texts(self, chunk_ids: Sequence[str]) -> dict[str, ServedPassage]:
        self.read(chunk_ids)
        return {key: self.chunks[key] for key in chunk_ids if key in self.chunks}

    def readable(self, ranking: Sequence[ScoredId]) -> dict[str, float]:
        return {hit.id: hit.score for hit in ranking if hit.id in self.chunks}

    def under_headings(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """Return what a reranker reads of each chunk, in order: its text under its title and headings."""
        found = self._stores.state.resolve(chunk_ids, self._principal)
        texts = {}
        for key in chunk_ids:
            chunk, document = found.get(key, (None, None))
            above = context_of(document.title, chunk.heading_path, chunk.text) if document and chunk else ""
            texts[key] = f"{above}\n{self.chunks[key].text}" if above else self.chunks[key].text
        return texts

    def hits(
        self, chunk_ids: Sequence[str], scores: Mapping[str, float], channels: Mapping[str, Mapping[str, float]]
    ) -> tuple[Hit, ...]:
        """Return the chunks in order with all that is known of them; one that was taken out since it was found is left out."""
        found = self._stores.state.resolve(chunk_ids, self._principal)
        return tuple(
            Hit(*found[key], scores[key], {name: values[key] for name, values in channels.items() if key in values})
            for key in chunk_ids
            if key in found
        )


@lru_cache(maxsize=1)
def vector_thread() -> ThreadPoolExecutor:
    """Return the process's threads in which vectors are asked for while the full text is searched."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="vectors")


class _Laps:
    """Adds the seconds since the last lap to a stage."""

    def __init__(self, timings: Seconds | None):
        self._timings, self._last = timings, perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        if self._timings is not None:
            self._timings.add(stage, now - self._last)
        self._last = now


def _ranking(scores: Mapping[str, float]) -> tuple[ScoredId, ...]:
    return tuple(ScoredId(key, scores[key]) for key in best_first(scores))
