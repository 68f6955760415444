"""Runs an experiment matrix: every condition on every judged set, through the retriever that serves, in batches."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from llmflow.batches import batched
from llmflow.clock import Seconds
from llmflow.errors import DatasetError, SettingsError
from llmflow.evaluation.experiments import (
    DEPTHS,
    ComparedSet,
    ConditionResult,
    ExperimentSettings,
    ResolvedCondition,
    SetResult,
    resolve_conditions,
)
from llmflow.evaluation.judged_sets import JudgedQuestion, JudgedSet, load_judged_set
from llmflow.evaluation.metrics import (
    collapse_to_passages,
    evaluate_run,
    evidence_ranks,
    latency_summary,
    leaked_sources,
    measures_of_ranks,
    normalise_quote,
    sourced_texts,
)
from llmflow.ingestion.indexing import Progress
from llmflow.ingestion.run import IngestionSettings
from llmflow.ports import Stores
from llmflow.retrieval.retriever import Retrieval, RetrievalSettings, Retriever
from llmflow.serving.catalog import build_retriever
from llmflow.serving.evaluation.benchmarks import embedded_stores
from llmflow.serving.evaluation.evaluate import benchmark_home, index_judged_set, search_questions, whole_text
from llmflow.serving.evaluation.experiment_index import corpus_copy
from llmflow.types import ScoredId
from llmflow.workspace import home_path, project_path

log = logging.getLogger(__name__)

SET_MEASURES = (*(f"R@{depth}" for depth in DEPTHS), "RR@10", "nDCG@10")
TIMED_LIMIT = 20
HELD_QUESTIONS = 1024


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is evaluated: the opened stores, how they were filled, and the corpus's own questions."""

    stores: Stores
    ingestion: IngestionSettings
    questions: Sequence[JudgedQuestion]
    limit: int


def run_matrix(
    settings: ExperimentSettings,
    corpus: Corpus,
    configured: RetrievalSettings,
    served: RetrievalSettings,
    progress: Progress,
) -> list[SetResult]:
    """Return the result of every set, in order. Raises DatasetError when a set is missing that is not optional."""
    conditions = resolve_conditions(settings, configured, served, corpus.ingestion.preparation)
    results = []
    for name, compared in settings.sets.items():
        result = _run_set(name, compared, conditions, corpus, settings.timed_questions, progress)
        if result is not None:
            results.append(result)
    if not results:
        raise DatasetError("No judged set was evaluated. Give experiments.sets at least one set that is there.")
    return results


def measure_corpus(condition: ResolvedCondition, corpus: Corpus, retriever: Retriever) -> ConditionResult:
    """Measure a condition on the corpus's own questions: evidence found, leaks; each question by its own principal."""
    seconds = Seconds()
    texts: dict[str, str] = {}
    per_question: dict[str, dict[str, float]] = {}
    run: dict[str, list[ScoredId]] = {}
    leaks = 0
    for question, result in _searched(corpus.questions, retriever, corpus.limit, seconds):
        leaks += len(leaked_sources(sourced_texts(result.hits), question.forbidden))
        run[question.id] = [ScoredId(hit.chunk.id, hit.score) for hit in result.hits]
        if not question.evidence:
            continue
        for hit in result.hits:
            if hit.chunk.id not in texts:  # a passage is found by many questions
                texts[hit.chunk.id] = normalise_quote(whole_text(hit.chunk))
        ranks = evidence_ranks([(hit.document.source, texts[hit.chunk.id]) for hit in result.hits], question.evidence)
        for measure, value in measures_of_ranks(ranks, DEPTHS).items():
            per_question.setdefault(measure, {})[question.id] = value
    return ConditionResult(condition, per_question, run, leaks, dict(seconds))


def measure_set(condition: ResolvedCondition, judged: JudgedSet, retriever: Retriever, limit: int) -> ConditionResult:
    """Measure a condition on a public set; passages of several chunks count by their best one."""
    seconds = Seconds()
    run: dict[str, list[ScoredId]] = {}
    for question, result in _searched(judged.questions, retriever, limit, seconds):
        sources = {hit.chunk.id: hit.document.source for hit in result.hits}
        run[question.id] = collapse_to_passages([ScoredId(hit.chunk.id, hit.score) for hit in result.hits], sources)
    measured = evaluate_run(judged.qrels(), run, SET_MEASURES)
    return ConditionResult(condition, measured.per_question, run, 0, dict(seconds))


def _searched(
    questions: Sequence[JudgedQuestion], retriever: Retriever, limit: int, seconds: Seconds
) -> Iterator[tuple[JudgedQuestion, Retrieval]]:
    """Yield each question with what it finds; of thousands only a part is held at once, since every hit holds its passage."""
    for part in batched(questions, HELD_QUESTIONS):
        yield from zip(part, search_questions(part, retriever, limit, seconds), strict=True)


def time_questions(
    retrievers: Mapping[str, Retriever], questions: Sequence[JudgedQuestion], count: int
) -> dict[str, list[float]]:
    """Return milliseconds of single searches by condition, over `count` questions spread evenly.

    A question is asked of every condition before the next one is asked, so that a machine that is busy for a while is busy for
    all of them. One question of each language is asked before, unmeasured: models load with it.
    """
    chosen = questions[:: max(1, len(questions) // count)][:count] if count else ()
    first = {question.language: question for question in chosen}
    taken: dict[str, list[float]] = {name: [] for name in retrievers}
    for question in first.values():
        for retriever in retrievers.values():
            retriever.search(question.text, question.principal, TIMED_LIMIT)
    for question in chosen:
        for name, retriever in retrievers.items():
            start = time.perf_counter()
            retriever.search(question.text, question.principal, TIMED_LIMIT)
            taken[name].append(1000 * (time.perf_counter() - start))
    return taken


def _run_set(
    name: str,
    compared: ComparedSet,
    conditions: Sequence[ResolvedCondition],
    corpus: Corpus,
    timed: int,
    progress: Progress,
) -> SetResult | None:
    judged = _load(name, compared)
    if judged is None and compared.path is not None:
        return None
    asked = corpus.questions if judged is None else judged.questions
    measured = [question for question in asked if question.evidence or question.relevant]
    results: dict[str, ConditionResult] = {}
    done = 0
    for group in _by_preparation(conditions):
        with _opened(judged, group[0], corpus, _about(f"{name}, {group[0].name}", progress)) as (stores, seconds):
            retrievers = {item.name: build_retriever(stores, item.preparation, item.retrieval) for item in group}
            latencies = time_questions(retrievers, measured, timed)
            for condition in group:
                retriever = retrievers[condition.name]
                if judged is None:
                    found = measure_corpus(condition, corpus, retriever)
                else:
                    found = measure_set(condition, judged, retriever, corpus.limit)
                latency = latency_summary(latencies[condition.name]) if latencies[condition.name] else None
                results[condition.name] = replace(found, latency=latency, seconds={**found.seconds, **seconds})
                done += 1
                progress(f"conditions on {name}", done, len(conditions))
    passages = len(judged.passages) if judged else len(corpus.stores.state.served_chunk_ids())
    return SetResult(name, tuple(measured), passages, {item.name: results[item.name] for item in conditions})


def _about(name: str, progress: Progress) -> Progress:
    """Return `progress` with stages named after what they are done for: rates of one set say nothing of the next."""
    return lambda stage, done, total: progress(f"{stage} ({name})", done, total)


def _load(name: str, compared: ComparedSet) -> JudgedSet | None:
    """Return the set at a path, cut to its first questions; None for the corpus's own questions and for a set left out."""
    if compared.path is None:
        return None
    path = project_path() / Path(compared.path).expanduser()
    if not path.exists():
        if compared.optional:
            log.warning("The judged set %s is left out: there is nothing at %s.", name, compared.path)
            return None
        raise SettingsError(f"experiments.sets.{name}: there is nothing at {compared.path}. Correct it or set optional: true.")
    judged = load_judged_set(path, compared.drop_titles)
    questions = tuple(question for question in judged.questions if question.relevant)[: compared.questions]
    if not questions:
        raise DatasetError(f"experiments.sets.{name}: {compared.path} has no judged question. Give a set with relevance grades.")
    return replace(judged, questions=questions)


@contextmanager
def _opened(
    judged: JudgedSet | None, condition: ResolvedCondition, corpus: Corpus, progress: Progress
) -> Iterator[tuple[Stores, dict[str, float]]]:
    """Yield the stores that a group of conditions is measured on, and seconds that it took to bring them up to date."""
    start = time.perf_counter()
    if judged is not None:
        home = benchmark_home(Path(home_path("benchmarks")), judged, condition.preparation, corpus.stores.embedder.name)
        stores = embedded_stores(home, corpus.stores.embedder, corpus.stores.reranker, corpus.stores.extractor)
        try:
            workers, indexing = corpus.ingestion.workers, corpus.ingestion.indexing
            yield stores, index_judged_set(judged, stores, condition.preparation, workers, indexing, progress)
        finally:
            stores.close()
    elif condition.own_index:
        with corpus_copy(corpus.stores, condition.preparation, corpus.ingestion, progress) as stores:
            yield stores, {"index": time.perf_counter() - start}
    else:
        yield corpus.stores, {}


def _by_preparation(conditions: Sequence[ResolvedCondition]) -> list[list[ResolvedCondition]]:
    """Return the conditions grouped by the index that they need, in the order of their first one."""
    groups: dict[str, list[ResolvedCondition]] = {}
    for condition in conditions:
        groups.setdefault(condition.preparation.fingerprint(), []).append(condition)
    return list(groups.values())
