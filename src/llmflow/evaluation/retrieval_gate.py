"""The checks that a candidate's retrieval settings must pass against the champion's, on the corpus's own questions. Pure."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from llmflow.evaluation.answers import AnswerSummary
from llmflow.evaluation.experiment_analysis import slices_of
from llmflow.evaluation.experiments import ConditionResult
from llmflow.evaluation.gate import (
    Check,
    GateSettings,
    check_budget,
    check_enough,
    check_none,
    check_not_worse,
    check_primary,
    check_slices,
)
from llmflow.evaluation.judged_sets import JudgedQuestion

SUBJECT = "retrieval settings"


@dataclass(frozen=True, slots=True)
class Side:
    """What was measured of one of the two."""

    result: ConditionResult
    answers: AnswerSummary


def retrieval_checks(
    questions: Sequence[JudgedQuestion],
    served_sources: Set[str],
    champion: Side,
    candidate: Side,
    measure: str,
    settings: GateSettings,
) -> list[Check]:
    """Return every check. `questions` are those with gold; both sides were measured on all of them.

    `served_sources` are the documents of the corpus: questions about others prove nothing.
    """
    before, after = champion.result.per_question[measure], candidate.result.per_question[measure]
    ids = [question.id for question in questions]
    slices = {
        name: ([before[key] for key in members], [after[key] for key in members])
        for name, members in slices_of(tuple(questions)).items()
    }
    old, new = champion.answers.overall, candidate.answers.overall
    latency = candidate.result.latency
    loss = settings.refusal_loss
    checks = [
        check_enough(len(ids), settings),
        _check_covered(questions, served_sources, settings),
        check_primary(measure, [before[key] for key in ids], [after[key] for key in ids], settings),
        *check_slices(measure, slices, settings),
        check_none("leaks in retrieval", candidate.result.leaks, "forbidden sources among the hits"),
        check_none("leaks in answers", new.leaks, "answers that show what the asker may not see"),
        check_not_worse("right refusals", old.refused_unanswerable, new.refused_unanswerable, loss),
        check_not_worse("wrong refusals", old.wrongly_refused, new.wrongly_refused, loss, higher_is_better=False),
        check_not_worse("evidence cited", old.citation_recall, new.citation_recall, settings.slice_loss),
        check_budget("latency p95", latency.p95 if latency else None, settings.max_p95_ms, "ms"),
    ]
    if candidate.result.condition.own_index:
        reason = "Its passages are others than the corpus's: put its preparation into conf/ and ingest again first."
        checks.append(Check("same passages", False, None, None, reason))
    return checks


def _check_covered(questions: Sequence[JudgedQuestion], served_sources: Set[str], settings: GateSettings) -> Check:
    covered = sum(all(item.source in served_sources for item in question.evidence) for question in questions)
    share = covered / len(questions) if questions else 0.0
    reason = f"The corpus holds the evidence of {covered} of {len(questions)} questions; {settings.min_covered:.0%} are needed."
    return Check("evidence in the corpus", share >= settings.min_covered, share, settings.min_covered, reason)
