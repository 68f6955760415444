"""Numbers of one run: ranking measures by ir-measures, evidence found, leaks, latency.

>>> metrics = evaluate_run({"q": {"a": 1, "b": 1}}, {"q": [ScoredId("a", 2.0), ScoredId("x", 1.0)]}, ["R@2", "RR@10"])
>>> dict(metrics.means)
{'R@2': 0.5, 'RR@10': 1.0}
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmflow.errors import DatasetError, SettingsError
from llmflow.evaluation.judged_sets import Evidence
from llmflow.types import Hit, ScoredId

MEASURES = ("R@1", "R@2", "R@5", "R@10", "nDCG@10", "RR@10")
"""R@k is the share of a question's relevant passages among the first k, as in BEIR and HippoRAG."""

Qrels = Mapping[str, Mapping[str, int]]
"""Question id to passage id to grade."""
Run = Mapping[str, Sequence[ScoredId]]
"""Question id to what was found, best first, a passage at most once."""


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """Measures of one run; keys are the measures' names as they were asked for."""

    means: Mapping[str, float]
    per_question: Mapping[str, Mapping[str, float]]
    """Measure to question id to value; question ids sorted."""

    @property
    def question_ids(self) -> tuple[str, ...]:
        """Ids of the judged questions, sorted."""
        return tuple(next(iter(self.per_question.values()), ()))

    def values(self, measure: str) -> list[float]:
        """Return one value a question in the order of `question_ids`; two runs over the same qrels are paired by it."""
        if measure not in self.per_question:
            raise SettingsError(f"Measure {measure!r} was not evaluated. Choose one of: {', '.join(self.per_question)}.")
        return list(self.per_question[measure].values())


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Milliseconds."""

    p50: float
    p95: float
    mean: float
    count: int


def evaluate_run(qrels: Qrels, run: Run, measures: Sequence[str] = MEASURES) -> RunMetrics:
    """Return the measures of `run`, averaged over all questions of `qrels`.

    Order counts, not scores: ties stay as the run lists them (trec_eval would reorder them by id). A judged question that the
    run lacks counts as zero; questions that are not judged are ignored. MRR@k is written RR@k or MRR@k.
    """
    import ir_measures

    if not qrels:
        raise DatasetError("No judged question to evaluate. Load a set with relevance grades.")
    parsed = {name: _parse_measure(name) for name in measures}
    if not parsed:
        raise SettingsError(f"No measure to evaluate. Name some, such as: {', '.join(MEASURES)}.")
    grades = {question_id: dict(qrels[question_id]) for question_id in sorted(qrels)}
    scores = {question_id: _scores_by_position(question_id, run.get(question_id, ())) for question_id in grades}
    results = ir_measures.evaluator(list(set(parsed.values())), grades).calc(scores)
    found: dict[object, dict[str, float]] = {measure: {} for measure in parsed.values()}
    for metric in results.per_query:
        found[metric.measure][metric.query_id] = float(metric.value)
    per_question = {name: {question_id: found[parsed[name]][question_id] for question_id in grades} for name in parsed}
    means = {name: sum(values.values()) / len(values) for name, values in per_question.items()}
    return RunMetrics(means, per_question)


def collapse_to_passages(ranking: Sequence[ScoredId], passage_of: Mapping[str, str]) -> list[ScoredId]:
    """Return a ranking of chunks as one of passages: each passage once, where its best chunk stood, with that score."""
    passages: dict[str, ScoredId] = {}
    for scored in ranking:
        passage_id = passage_of[scored.id]
        passages.setdefault(passage_id, ScoredId(passage_id, scored.score))
    return list(passages.values())


def sourced_texts(hits: Sequence[Hit]) -> list[tuple[str, str]]:
    """Return the (source, text) pairs that `evidence_recall` and `leaked_sources` look at, in order."""
    return [(hit.document.source, hit.chunk.text) for hit in hits]


def found_evidence(hits: Sequence[tuple[str, str]], evidence: Sequence[Evidence], k: int) -> tuple[bool, ...]:
    """Return for each evidence item whether one of the first `k` (source, text) hits is of its source and holds its quote.

    Gold is the passage, not the document: a hit of the right document without the quote does not count.
    """
    texts = [(source, normalise_quote(text)) for source, text in hits[:k]]
    quotes = [(item.source, normalise_quote(item.quote)) for item in evidence]
    return tuple(any(source == wanted and quote in text for source, text in texts) for wanted, quote in quotes)


def evidence_recall(hits: Sequence[tuple[str, str]], evidence: Sequence[Evidence], k: int) -> float:
    """Return the share of the evidence found among the first `k` (source, text) hits; see `found_evidence`."""
    if not evidence:
        raise DatasetError("Evidence recall needs evidence. Leave questions without evidence out.")
    found = found_evidence(hits, evidence, k)
    return sum(found) / len(found)


def evidence_ranks(hits: Sequence[tuple[str, str]], evidence: Sequence[Evidence]) -> tuple[int | None, ...]:
    """Return for each evidence item the place, from 1, of the first (source, normalised text) hit that holds it, or None."""
    wanted = [(item.source, normalise_quote(item.quote)) for item in evidence]
    places = list(enumerate(hits, start=1))
    return tuple(next((n for n, (s, text) in places if s == source and quote in text), None) for source, quote in wanted)


def measures_of_ranks(ranks: Sequence[int | None], depths: Sequence[int]) -> dict[str, float]:
    """Return R@k for each depth, the share of places at or above k, and RR@10, 1 / the best place, 0 beyond the tenth."""
    found = [rank for rank in ranks if rank is not None]
    recalls = {f"R@{depth}": sum(rank <= depth for rank in found) / len(ranks) for depth in depths}
    best = min(found, default=11)
    return {**recalls, "RR@10": 1 / best if best <= 10 else 0.0}


def leaked_sources(hits: Sequence[tuple[str, str]], forbidden: Sequence[str]) -> tuple[str, ...]:
    """Return the forbidden sources among (source, text) hits, each once, in the order of the hits."""
    return tuple(dict.fromkeys(source for source, _ in hits if source in forbidden))


def normalise_quote(text: str) -> str:
    """Return text as quotes are compared: NFKC, Markdown table pipes and rules gone, single spaces, none between Hangul."""
    text = unicodedata.normalize("NFKC", text).replace("|", " ")
    text = re.sub(r"(?<!\S)(?:-{3,}|:-+:?|-+:)(?!\S)", " ", text)
    # Lines of a Korean PDF break inside words, and spacing between Korean words is optional.
    return re.sub(r"(?<=[가-힣]) (?=[가-힣])", "", " ".join(text.split()))


def latency_summary(milliseconds: Sequence[float]) -> LatencySummary:
    """Return median, 95th percentile (linear between neighbours) and mean."""
    import numpy as np

    if not len(milliseconds):
        raise DatasetError("No latency was measured. Run at least one question.")
    values = np.asarray(milliseconds, dtype=float)
    p50, p95 = np.percentile(values, [50, 95])
    return LatencySummary(float(p50), float(p95), float(values.mean()), len(values))


def _parse_measure(name: str):
    import ir_measures

    # Checked here because ir-measures hands R@0 on to trec_eval, which ends the process, and ERR@k to a Perl script.
    if not re.fullmatch(r"(R|P|nDCG|RR|MRR|AP|Success)@[1-9]\d*", name):
        raise SettingsError(f"Unknown measure {name!r}. Use R, P, nDCG, RR, MRR, AP or Success with a cutoff, such as R@5.")
    return ir_measures.parse_measure(name)


def _scores_by_position(question_id: str, ranking: Sequence[ScoredId]) -> dict[str, float]:
    scores = {scored.id: float(len(ranking) - position) for position, scored in enumerate(ranking)}
    if len(scores) != len(ranking):
        twice = next(scored.id for position, scored in enumerate(ranking) if scored.id in {s.id for s in ranking[:position]})
        raise DatasetError(f"Question {question_id!r} ranks {twice!r} twice. Collapse chunks first (collapse_to_passages).")
    return scores
