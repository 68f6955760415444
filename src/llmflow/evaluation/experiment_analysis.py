"""What a matrix says: intervals, differences to the champion with Holm's correction, slices, the condition to promote. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from llmflow.evaluation.experiments import CHAMPION, ExperimentSettings, SetResult
from llmflow.evaluation.judged_sets import JudgedQuestion
from llmflow.evaluation.significance import (
    Comparison,
    Interval,
    bootstrap_difference,
    bootstrap_mean,
    holm_correction,
    randomisation_test,
)


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition on one set."""

    name: str
    interval: Interval
    """Of the measure's mean."""
    comparison: Comparison | None
    """Against the champion; None for the champion itself."""
    p_holm: float | None
    """The comparison's p-value, corrected for the number of conditions."""
    expected: float | None
    as_expected: bool | None
    """None where nothing is expected."""


@dataclass(frozen=True, slots=True)
class SetAnalysis:
    name: str
    measure: str
    rows: Mapping[str, ConditionRow]
    """The champion first."""
    slices: Mapping[str, Mapping[str, Interval]]
    """`language ko`, `kind multi` ... to condition to the measure's mean over the slice, languages first."""
    slice_questions: Mapping[str, int]

    @property
    def surprises(self) -> tuple[ConditionRow, ...]:
        return tuple(row for row in self.rows.values() if row.as_expected is False)


@dataclass(frozen=True, slots=True)
class Choice:
    """The condition that should go to the gate, or the champion, and why."""

    condition: str
    reason: str

    @property
    def stays(self) -> bool:
        return self.condition == CHAMPION


@dataclass(frozen=True, slots=True)
class Delta:
    """What one question gains on the champion."""

    question: JudgedQuestion
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


def analyse_set(result: SetResult, settings: ExperimentSettings) -> SetAnalysis:
    """Return intervals, paired comparisons with the champion and slices of one set."""
    measure, significance = settings.measure, settings.gate.significance
    compared = settings.sets[result.name]
    champion = result.values(CHAMPION, measure)
    comparisons: dict[str, Comparison] = {}
    intervals: dict[str, Interval] = {}
    for name in result.conditions:
        values = result.values(name, measure)
        intervals[name] = bootstrap_mean(values, significance)
        if name != CHAMPION:
            gain = bootstrap_difference(champion, values, significance)
            p_value = randomisation_test(champion, values, significance)
            baseline, mean = intervals[CHAMPION].mean, intervals[name].mean
            comparisons[name] = Comparison(measure, len(values), baseline, mean, gain, p_value)
    corrected = holm_correction({name: found.p_value for name, found in comparisons.items()})
    rows = {}
    for name, interval in intervals.items():
        expected = compared.expected.get(name)
        near = None if expected is None else abs(interval.mean - expected) <= compared.tolerance + 1e-9
        rows[name] = ConditionRow(name, interval, comparisons.get(name), corrected.get(name), expected, near)
    slices = slices_of(result.questions)
    means = {
        slice_name: {
            name: bootstrap_mean([found.per_question[measure][key] for key in ids], significance)
            for name, found in result.conditions.items()
        }
        for slice_name, ids in slices.items()
    }
    return SetAnalysis(result.name, measure, rows, means, {name: len(ids) for name, ids in slices.items()})


def slices_of(questions: tuple[JudgedQuestion, ...]) -> dict[str, list[str]]:
    """Return question ids by language and by kind; a slice that holds every question says nothing new and is left out."""
    slices: dict[str, list[str]] = {}
    for label, key in (("language", "language"), ("kind", "kind")):
        for name in sorted({getattr(question, key) for question in questions} - {""}):
            slices[f"{label} {name}"] = [question.id for question in questions if getattr(question, key) == name]
    return {name: ids for name, ids in slices.items() if len(ids) < len(questions)}


def choose_condition(result: SetResult, analysis: SetAnalysis, settings: ExperimentSettings) -> Choice:
    """Return the condition with the best mean, or the one that is named in the settings.

    Ties go to the champion, then to the faster one. A condition with passages of its own is measured but never chosen:
    promoting it would not change the passages that are served.
    """
    if settings.candidate == "none":
        return Choice(CHAMPION, "No candidate was asked for (experiments.candidate is none).")
    measure, rows = settings.measure, analysis.rows
    if settings.candidate != "best":
        return Choice(settings.candidate, f"{settings.candidate} is named in experiments.candidate.")
    allowed = [name for name, found in result.conditions.items() if not found.condition.own_index]

    def order(name: str) -> tuple[float, bool, float]:
        latency = result.conditions[name].latency
        return -round(rows[name].interval.mean, 6), name != CHAMPION, latency.p50 if latency else 0.0

    best = min(allowed, key=order)
    mean, champion = rows[best].interval.mean, rows[CHAMPION].interval.mean
    if best == CHAMPION:
        others = [name for name in allowed if name != CHAMPION]
        runner_up = f"; the next is {min(others, key=order)} with {_percent(min(others, key=order), analysis)}" if others else ""
        return Choice(CHAMPION, f"No condition has a higher {measure} than what is served ({100 * champion:.1f}){runner_up}.")
    comparison, p_holm = rows[best].comparison, rows[best].p_holm
    assert comparison is not None and p_holm is not None
    gain = comparison.difference
    sure = "beyond chance" if p_holm < 1 - settings.gate.significance.level else "which may be chance"
    return Choice(
        best,
        f"{best} has the highest {measure}: {100 * mean:.1f} after {100 * champion:.1f}, {100 * gain.mean:+.1f} points "
        f"({100 * gain.low:+.1f} to {100 * gain.high:+.1f}), {sure} (p = {p_holm:.3f} after Holm's correction).",
    )


def deltas_of(result: SetResult, condition: str, measure: str) -> list[Delta]:
    """Return what each question gains under `condition`, the greatest gain first, ties in the set's order."""
    before, after = result.values(CHAMPION, measure), result.values(condition, measure)
    deltas = [Delta(question, *pair) for question, *pair in zip(result.questions, before, after, strict=True)]
    return sorted(deltas, key=lambda delta: -delta.change)


def _percent(name: str, analysis: SetAnalysis) -> str:
    return f"{100 * analysis.rows[name].interval.mean:.1f}"
