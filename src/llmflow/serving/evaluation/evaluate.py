"""Judged questions through the served retriever and answerer: benchmark folders and the corpus's own questions."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from llmflow.answering.answerer import Answerer
from llmflow.clock import Seconds
from llmflow.errors import DatasetError, ModelUnavailable
from llmflow.evaluation.answers import AnsweredQuestion, AnswerSummary, summarise_answers
from llmflow.evaluation.judged_sets import BENCHMARK_TENANT, JudgedQuestion, JudgedSet
from llmflow.evaluation.judging import JudgeSettings, judge_answers
from llmflow.evaluation.metrics import (
    collapse_to_passages,
    evaluate_run,
    evidence_recall,
    latency_summary,
    leaked_sources,
    sourced_texts,
)
from llmflow.evaluation.significance import Interval, bootstrap_difference
from llmflow.ingestion.indexing import IndexingSettings, Progress, index_staged
from llmflow.ingestion.passages import PassageText, stage_passages
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.ingestion.preparing import WorkerSettings
from llmflow.ports import ChatModel, FollowingChatModel, StateStore, Stores, current_model
from llmflow.retrieval.retriever import Retrieval, Retriever
from llmflow.types import Chunk, Principal, ScoredId

MEASURES = ("R@1", "R@2", "R@5", "R@10", "nDCG@10", "RR@10")
SHOWN = ("text", "dense", "graph", "hybrid", "fused")
BATCH = 256
LATENCY_SAMPLE = 200
DEPTHS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class SetEvaluation:
    """Measures of one judged set: a row a channel, each a mapping from measure to share or milliseconds."""

    name: str
    questions: int
    passages: int
    rows: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    run: Mapping[str, Sequence[ScoredId]] = field(repr=False)
    """Document rankings of the fused retriever, for a TREC run file."""
    per_question: Mapping[str, Mapping[str, Mapping[str, float]]] = field(repr=False)
    """Channel to question to measure."""


def gain_over_hybrid(result: SetEvaluation, measures: Sequence[str] = ("R@2", "R@5", "nDCG@10")) -> dict[str, Interval]:
    """Return what is served gains over full text and vectors alone, by measure, with 95 % bootstrap intervals over the questions.

    Empty where one of the two found nothing.
    """
    fused, hybrid = result.per_question.get("fused"), result.per_question.get("hybrid")
    if not fused or not hybrid:
        return {}
    return {
        name: bootstrap_difference(list(hybrid[name].values()), [fused[name][key] for key in hybrid[name]]) for name in measures
    }


def index_judged_set(
    judged: JudgedSet,
    stores: Stores,
    preparation: PreparationSettings,
    workers: WorkerSettings,
    indexing: IndexingSettings,
    progress: Progress,
) -> dict[str, float]:
    """Index the passages of a set as the corpus of a tenant of its own; nothing is done for what is there. Returns seconds."""
    start = time.perf_counter()
    passages = [PassageText(passage.id, passage.title, passage.text) for passage in judged.passages]
    stage_passages(passages, BENCHMARK_TENANT, stores, preparation, workers, progress)
    staged = time.perf_counter()
    index_staged(stores, indexing, progress, len(passages))
    return {"prepare": staged - start, "index": time.perf_counter() - staged}


def evaluate_judged_set(judged: JudgedSet, retriever: Retriever, limit: int, latency: bool = True) -> SetEvaluation:
    """Return measures of every channel and of the fusion, over documents (the best chunk of each counts)."""
    questions = [question for question in judged.questions if question.relevant]
    principal = Principal(BENCHMARK_TENANT)
    runs: dict[str, dict[str, list[ScoredId]]] = {name: {} for name in SHOWN}
    seconds = Seconds()
    for start in range(0, len(questions), BATCH):
        part = questions[start : start + BATCH]
        results = retriever.search_many([question.text for question in part], principal, limit, seconds)
        refuse_problems(results)
        sources = _sources(results, retriever.stores, principal, limit)
        for question, result in zip(part, results, strict=True):
            for name, ranking in _rankings(result).items():
                known = [hit for hit in ranking[: 2 * limit] if hit.id in sources]
                runs[name][question.id] = collapse_to_passages(known, sources)[:limit]
    qrels = {question.id: dict(question.relevant) for question in questions}
    rows: dict[str, dict[str, float]] = {}
    per_question = {}
    for name, run in runs.items():
        if any(run.values()):
            measured = evaluate_run(qrels, run, MEASURES)
            rows[name] = dict(measured.means)
            per_question[name] = measured.per_question
    timed = {name: value / max(len(questions), 1) for name, value in seconds.items()}
    if latency and questions:
        _add_latency(rows, questions, retriever, principal, limit)
    return SetEvaluation(judged.name, len(questions), len(judged.passages), rows, timed, runs["fused"], per_question)


def refuse_problems(results: Sequence[Retrieval]) -> None:
    """Raise ModelUnavailable when a model was not asked: a chat goes on without it, a figure must not."""
    for problem in (text for result in results for text in result.problems):
        raise ModelUnavailable(f"The evaluation was stopped: {problem}")


def _rankings(result: Retrieval) -> dict[str, Sequence[ScoredId]]:
    fused = [ScoredId(hit.chunk.id, hit.score) for hit in result.hits]
    return {**result.rankings, "fused": fused}


def _sources(results: Sequence[Retrieval], stores: Stores, principal: Principal, limit: int) -> dict[str, str]:
    ids = {hit.id for result in results for ranking in _rankings(result).values() for hit in ranking[: 2 * limit]}
    return {key: document.source for key, (_, document) in stores.state.resolve(sorted(ids), principal).items()}


def _add_latency(
    rows: dict[str, dict[str, float]],
    questions: Sequence[JudgedQuestion],
    retriever: Retriever,
    principal: Principal,
    limit: int,
) -> None:
    """Time single questions, as a person asks them: each channel alone and the served whole."""
    step = max(1, len(questions) // LATENCY_SAMPLE)
    texts = [question.text for question in questions[::step]]
    for name in rows:
        channels = {"hybrid": ("text", "dense"), "fused": retriever.settings.channels}.get(name, (name,))
        channels = ("text", "dense", "graph") if name == "graph" else channels
        rerank = retriever.settings.rerank.model_copy(update={"enabled": retriever.settings.rerank.enabled and name == "fused"})
        settings = retriever.settings.model_copy(update={"channels": tuple(channels), "rerank": rerank})
        alone = replace(retriever, settings=settings)
        milliseconds = []
        alone.search(texts[0], principal, limit)
        for text in texts:
            start = time.perf_counter()
            alone.search(text, principal, limit)
            milliseconds.append(1000 * (time.perf_counter() - start))
        summary = latency_summary(milliseconds)
        rows[name] |= {"p50 ms": summary.p50, "p95 ms": summary.p95}


@dataclass(frozen=True, slots=True)
class CorpusEvaluation:
    """The corpus's own questions: retrieval by kind, answers, leaks."""

    rows: Mapping[str, Mapping[str, float]]
    """By channel: evidence recall at 1, 2, 5, 10 over the questions with evidence."""
    kinds: Mapping[str, Mapping[str, float]]
    """By question kind, for the fused retriever: recall, and leaks as a count."""
    answers: AnswerSummary
    leaks: int
    answered: tuple[AnsweredQuestion, ...] = field(repr=False)

    @property
    def standing(self) -> dict[str, int]:
        """How many questions were written by a person, generated and reviewed, or generated and seen by nobody."""
        counts = Counter(item.question.standing for item in self.answered)
        return {name: counts[name] for name in ("written", "reviewed", "generated")}


def chosen_questions(questions: Sequence[JudgedQuestion], state: StateStore, covered_only: bool) -> list[JudgedQuestion]:
    """Return the questions to ask, in order: all, or those whose every source is served.

    Raises DatasetError when none is left.
    """
    if not covered_only:
        return list(questions)
    served = {document.source for document in state.documents() if document.version}
    kept = [q for q in questions if {*(item.source for item in q.evidence), *q.forbidden} <= served]
    if not any(question.evidence for question in kept):
        raise DatasetError(
            "The corpus holds the evidence of no question. Ingest the documents that the questions are about first."
        )
    return kept


def search_questions(
    questions: Sequence[JudgedQuestion], retriever: Retriever, limit: int, seconds: Seconds | None = None
) -> list[Retrieval]:
    """Return what each question finds for its own principal, in order; questions of one principal are searched together."""
    asking: dict[Principal, list[int]] = {}
    for number, question in enumerate(questions):
        asking.setdefault(question.principal, []).append(number)
    found: dict[int, Retrieval] = {}
    for principal, numbers in asking.items():
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            results = retriever.search_many([questions[number].text for number in part], principal, limit, seconds)
            refuse_problems(results)
            found.update(zip(part, results, strict=True))
    return [found[number] for number in range(len(questions))]


Judge = Callable[[Sequence[AnsweredQuestion]], list[AnsweredQuestion]]


def make_judge(
    configured: ChatModel | FollowingChatModel | None, prompt_ko: str, prompt_en: str, settings: JudgeSettings
) -> Judge | None:
    """Return what judges answers with the configured model, or None where there is none."""
    model = current_model(configured)
    if model is None:
        return None
    return lambda answered: judge_answers(answered, model, {"ko": prompt_ko, "en": prompt_en}, settings)


def answer_questions(questions: Sequence[JudgedQuestion], answerer: Answerer) -> list[AnsweredQuestion]:
    """Return every question with the answer that its own principal gets, in order."""
    return [AnsweredQuestion(question, answerer.answer(question.text, question.principal)) for question in questions]


def evaluate_corpus(
    questions: Sequence[JudgedQuestion], answerer: Answerer, limit: int = 50, judge: Judge | None = None
) -> CorpusEvaluation:
    """Return what the served retriever and answerer make of the corpus's own questions, each asked by its own principal."""
    recall: dict[str, list[tuple[str, list[float]]]] = {}
    leaks: Counter[str] = Counter()
    results = search_questions(questions, answerer.retriever, limit)
    for question, result in zip(questions, results, strict=True):
        leaks[question.kind] += len(leaked_sources(sourced_texts(result.hits), question.forbidden))
        if question.evidence:
            for name, hits in _hits_by_channel(result, answerer.retriever.stores, question.principal).items():
                found = [evidence_recall(hits, question.evidence, depth) for depth in DEPTHS]
                recall.setdefault(name, []).append((question.kind, found))
    answered = answer_questions(questions, answerer)
    answered = judge(answered) if judge else answered
    rows = {name: _means([found for _, found in pairs]) for name, pairs in recall.items()}
    kinds: dict[str, dict[str, float]] = {}
    for kind in sorted({question.kind for question in questions}):
        found = [values for name, values in recall.get("fused", []) if name == kind]
        asked = sum(question.kind == kind for question in questions)
        kinds[kind] = {"questions": asked, **(_means(found) if found else {}), "leaks": leaks[kind]}
    return CorpusEvaluation(rows, kinds, summarise_answers(answered), sum(leaks.values()), tuple(answered))


def _hits_by_channel(result: Retrieval, stores: Stores, principal: Principal) -> dict[str, list[tuple[str, str]]]:
    deepest = max(DEPTHS)
    tops = {name: [hit.id for hit in ranking[:deepest]] for name, ranking in _rankings(result).items()}
    known = stores.state.resolve(sorted({key for ids in tops.values() for key in ids}), principal)
    return {
        name: [(known[key][1].source, whole_text(known[key][0])) for key in ids if key in known] for name, ids in tops.items()
    }


def whole_text(chunk: Chunk) -> str:
    """Return what counts as the text of a passage when evidence is looked for: its headings and itself."""
    return "\n".join([*chunk.heading_path, chunk.text])


def _means(values: Sequence[Sequence[float]]) -> dict[str, float]:
    return {f"R@{depth}": sum(row[n] for row in values) / len(values) for n, depth in enumerate(DEPTHS)}


def benchmark_home(root: Path, judged: JudgedSet, preparation: PreparationSettings, embedder: str) -> Path:
    """Return the folder of a set's cached index; it follows from the passages and from everything that shapes the index."""
    from llmflow.config import fingerprint_of

    passages = fingerprint_of([(p.id, p.title, p.text) for p in judged.passages])
    return root / f"{judged.name}-{passages}-{preparation.fingerprint()}-{fingerprint_of(embedder)}"
