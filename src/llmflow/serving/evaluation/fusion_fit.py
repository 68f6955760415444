"""The learned fusion on a judged set: fitted and held against the one that is served."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from llmflow.batches import batched
from llmflow.errors import DatasetError
from llmflow.evaluation.fusion_fit import FusionExample, FusionFitSettings, fit_weights, split_folds
from llmflow.evaluation.judged_sets import BENCHMARK_TENANT, JudgedQuestion, JudgedSet
from llmflow.evaluation.metrics import collapse_to_passages, evaluate_run
from llmflow.evaluation.significance import Comparison, compare_runs, holm_correction
from llmflow.ingestion.indexing import Progress
from llmflow.retrieval.fusion import LearnedWeights, features
from llmflow.retrieval.retriever import Retrieval, Retriever
from llmflow.serving.catalog import Workspace, build_retriever
from llmflow.serving.evaluation.benchmarks import opened_benchmark
from llmflow.serving.evaluation.evaluate import BATCH, refuse_problems
from llmflow.types import Principal, ScoredId

SURE = 0.05
"""Corrected p-value below which a gain is more than chance."""
MEASURES = ("R@2", "R@5", "R@10", "nDCG@10")


@dataclass(frozen=True, slots=True)
class FusionFit:
    """Weights fitted on all questions, and what weights fitted on the other questions gain on each."""

    sets: tuple[str, ...]
    questions: int
    baseline: str
    """The served method that the gain is measured against."""
    weights: LearnedWeights
    gains: tuple[Comparison, ...]
    """Over all questions, each answered with weights that never saw it."""


def fit_fusion(sets: Sequence[JudgedSet], workspace: Workspace, settings: FusionFitSettings, progress: Progress) -> FusionFit:
    """Return weights for the judged sets together, with their cross-validated gain on the fusion that is served.

    Every set is indexed in the benchmark cache where it is not there. Raises DatasetError when two sets share a name.
    """
    names = [judged.name for judged in sets]
    if len(set(names)) < len(names):
        raise DatasetError(f"Two judged sets have the same name: {', '.join(names)}. Rename one folder.")
    served = workspace.promotions.served().settings
    examples: list[FusionExample] = []
    before: dict[str, Sequence[ScoredId]] = {}
    after: dict[str, Sequence[ScoredId]] = {}
    qrels: dict[str, dict[str, int]] = {}
    for judged in sets:
        with opened_benchmark(judged, workspace, progress) as (stores, _):
            retriever = build_retriever(stores, workspace.ingestion.preparation, served)
            for key, (question, result) in _run(judged, _judged(judged), retriever, settings.passages).items():
                examples.append(_example(key, question, result))
                before[key] = _passages(result)
                qrels[key] = dict(question.relevant)
    folds = split_folds([example.question_id for example in examples], settings)
    fitted = [fit_weights([e for e in examples if e.question_id not in fold], settings) for fold in folds]
    for judged in sets:
        with opened_benchmark(judged, workspace, progress) as (stores, _):
            retriever = build_retriever(stores, workspace.ingestion.preparation, served)
            for fold, weights in zip(folds, fitted, strict=True):
                held = [question for question in _judged(judged) if _key(judged, question) in fold]
                found = _run(judged, held, with_weights(retriever, weights), settings.passages)
                after |= {key: _passages(result) for key, (_, result) in found.items()}
    old, new = evaluate_run(qrels, before, MEASURES), evaluate_run(qrels, after, MEASURES)
    gains = tuple(compare_runs(old, new, measure) for measure in MEASURES)
    return FusionFit(tuple(names), len(qrels), served.fusion.method, fit_weights(examples, settings), gains)


def with_weights(retriever: Retriever, weights: LearnedWeights) -> Retriever:
    """Return the retriever with the learned fusion in place of its own."""
    fusion = retriever.settings.fusion.model_copy(update={"method": "learned", "learned": weights})
    return replace(retriever, settings=retriever.settings.model_copy(update={"fusion": fusion}))


def write_fit(path: Path, fit: FusionFit) -> None:
    """Write the fit as JSON; `fusion` in it is what belongs under `retrieval:` in the parameters."""
    import json

    content = {"fusion": {"method": "learned", "learned": fit.weights.model_dump()}, "fit": as_plain(fit)}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def describe_fit(fit: FusionFit) -> str:
    """Return the gains as a table and the weights as they belong into parameters.yml."""
    lines = [f"{fit.questions} questions of {', '.join(fit.sets)}; each answered with weights that never saw it"]
    lines.append(f"{'measure':<10}{fit.baseline:>9}{'learned':>9}   gain [95 %]              p")
    for gain in fit.gains:
        low, high = 100 * gain.difference.low, 100 * gain.difference.high
        change = f"{100 * gain.difference.mean:+6.1f} [{low:+.1f}, {high:+.1f}]"
        lines.append(f"{gain.measure:<10}{100 * gain.baseline:9.1f}{100 * gain.candidate:9.1f}   {change:<24} {gain.p_value:.3f}")
    weights = ", ".join(f"{name}: {value}" for name, value in fit.weights.model_dump().items())
    lines += ["", "retrieval:", "  fusion:", "    method: learned", f"    learned: {{{weights}}}"]
    corrected = holm_correction({gain.measure: gain.p_value for gain in fit.gains})
    if not any(gain.difference.mean > 0 and corrected[gain.measure] < SURE for gain in fit.gains):
        lines += ["", f"No gain is sure: stay with `method: {fit.baseline}`."]
    return "\n".join(lines)


def as_plain(fit: FusionFit) -> dict[str, object]:
    """Return the fit as plain values."""
    return {**asdict(replace(fit, weights=None)), "weights": fit.weights.model_dump()}  # type: ignore[arg-type]


def _judged(judged: JudgedSet) -> list[JudgedQuestion]:
    return [question for question in judged.questions if question.relevant]


def _key(judged: JudgedSet, question: JudgedQuestion) -> str:
    return f"{judged.name}/{question.id}"


def _run(
    judged: JudgedSet, questions: Sequence[JudgedQuestion], retriever: Retriever, limit: int
) -> dict[str, tuple[JudgedQuestion, Retrieval]]:
    """Return what the retriever finds for each question."""
    found: dict[str, tuple[JudgedQuestion, Retrieval]] = {}
    for part in batched(questions, BATCH):
        results = retriever.search_many([question.text for question in part], Principal(BENCHMARK_TENANT), limit)
        refuse_problems(results)
        found |= {_key(judged, q): (q, result) for q, result in zip(part, results, strict=True)}
    return found


def _passages(result: Retrieval) -> list[ScoredId]:
    """Return the passages found, best first, each where its best chunk stands."""
    sources = {hit.chunk.id: hit.document.source for hit in result.hits}
    return collapse_to_passages([ScoredId(hit.chunk.id, hit.score) for hit in result.hits], sources)


def _example(key: str, question: JudgedQuestion, result: Retrieval) -> FusionExample:
    """Return what the channels said of the chunks found, in the order of the configured fusion."""
    channels = {name: {hit.id: hit.score for hit in result.rankings[name]} for name in ("text", "dense", "graph")}
    rows = features(channels, channels["graph"], result.strength)
    relevant = {source for source, grade in question.relevant.items() if grade > 0}
    right = frozenset(hit.chunk.id for hit in result.hits if hit.document.source in relevant)
    return FusionExample(key, {hit.chunk.id: rows[hit.chunk.id] for hit in result.hits}, right)
