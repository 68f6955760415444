"""The gate: a candidate against the champion, check by check, to a written PROMOTE or REJECT. Pure; for settings and for models.

>>> check_none("leaks", 0, "passages shown to people who may not read them").passed
True
>>> decide("retrieval", "b1", "a0", [check_budget("latency p95", 80.0, 60.0, "ms")], "2026-01-01T00:00:00+00:00").decision
<Decision.REJECT: 'REJECT'>
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import DatasetError
from llmflow.evaluation.json_rows import Row, parse_json
from llmflow.evaluation.significance import SignificanceSettings, bootstrap_difference


class Decision(StrEnum):
    PROMOTE = "PROMOTE"
    REJECT = "REJECT"


class GateSettings(Settings):
    """How much worse a candidate may be. Shares are between 0 and 1: 0.02 is two points."""

    tolerance: float = Field(default=0.02, ge=0, le=1)
    """The interval of the primary measure's difference may reach this far below zero."""
    require_gain: bool = False
    """Ask for an interval wholly above zero instead: a change that only costs work is not worth a promotion."""
    slice_loss: float = Field(default=0.05, ge=0, le=1)
    """What any slice (a language, a kind) may lose on average, or one question where the slice is so small."""
    slice_questions: int = Field(default=5, ge=1)
    """Smaller slices are not judged."""
    refusal_loss: float = Field(default=0.05, ge=0, le=1)
    """What may be lost in right refusals and gained in wrong ones."""
    max_p95_ms: float | None = Field(default=None, gt=0)
    """Budget of one question; None sets no budget."""
    min_questions: int = Field(default=20, ge=1)
    """Fewer judged questions prove nothing."""
    min_covered: float = Field(default=0.95, ge=0, le=1)
    """Share of the questions that can be answered from what is there: where neither side finds anything both look equal."""
    significance: SignificanceSettings = SignificanceSettings()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, passed or not, with the sentence that a person reads."""

    name: str
    passed: bool
    value: float | None
    """What was measured; None where nothing could be."""
    limit: float | None
    """What it is held against; None where nothing is to be held."""
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided on one candidate. Made by `decide` or read by `verdict_from_json`, which checks it again."""

    decision: Decision
    subject: str
    """What is promoted: `retrieval settings`, `adapter`."""
    candidate: str
    """Immutable id: the fingerprint of the settings, or the adapter's name."""
    champion: str | None
    """What it was held against; None for the first of its kind."""
    checks: tuple[Check, ...]
    reasons: tuple[str, ...]
    """Of a REJECT the sentences of the failed checks, of a PROMOTE those of all checks."""
    made_at: str
    """ISO 8601 with time zone."""

    @property
    def promoted(self) -> bool:
        return self.decision is Decision.PROMOTE

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)


def decide(subject: str, candidate: str, champion: str | None, checks: Iterable[Check], made_at: str) -> Verdict:
    """Return PROMOTE when every check passed, else REJECT. Raises DatasetError without checks: nothing looked at is no proof."""
    every = tuple(checks)
    if not every:
        raise DatasetError(f"No check was made of {candidate!r}. Measure the candidate before asking for a verdict.")
    failed = [check for check in every if not check.passed]
    decision = Decision.REJECT if failed else Decision.PROMOTE
    return Verdict(decision, subject, candidate, champion, every, tuple(check.reason for check in failed or every), made_at)


def check_enough(questions: int, settings: GateSettings) -> Check:
    """Return whether there are questions enough for a verdict."""
    needed = settings.min_questions
    reason = f"{questions} judged questions; at least {needed} are needed."
    return Check("questions", questions >= needed, float(questions), float(needed), reason)


def check_primary(measure: str, champion: Sequence[float], candidate: Sequence[float], settings: GateSettings) -> Check:
    """Return whether the paired bootstrap interval of the gain stays above -tolerance (or above 0 where a gain is required).

    Both lists hold one value a question in the same order; larger is better.
    """
    gain = bootstrap_difference(champion, candidate, settings.significance)
    level = f"{100 * settings.significance.level:.0f}%"
    shown = f"{measure} changes by {_points(gain.mean)} ({level} interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    if settings.require_gain:
        passed, limit, wanted = gain.low > 0, 0.0, "a gain is required: the interval must lie above 0"
    else:
        limit = -settings.tolerance
        passed, wanted = gain.low >= limit - 1e-12, f"the interval must not reach below {_points(limit)}"
    return Check(f"{measure} interval", passed, gain.low, limit, f"{shown} over {len(champion)} questions; {wanted}.")


def check_slices(
    measure: str, slices: Mapping[str, tuple[Sequence[float], Sequence[float]]], settings: GateSettings
) -> list[Check]:
    """Return a check a slice, by name, of what it loses on average; slices of too few questions are left out.

    A slice is (champion, candidate): one value a question between 0 and 1, in the same order, larger is better. One question
    alone never decides: of 10 questions one may be lost though that is 10 points.
    """
    checks = []
    for name in sorted(slices):
        champion, candidate = slices[name]
        if len(champion) != len(candidate):
            raise DatasetError(f"Slice {name!r} is not paired: {len(champion)} values against {len(candidate)}.")
        if len(champion) < settings.slice_questions:
            continue
        change = (math.fsum(candidate) - math.fsum(champion)) / len(champion)
        loss = max(settings.slice_loss, 1 / len(champion))
        passed = change >= -loss - 1e-12
        reason = f"{measure} of {name} changes by {_points(change)} over {len(champion)} questions"
        allowed = f"it may lose {100 * loss:.1f}{' (one question)' if loss > settings.slice_loss else ' points'}"
        checks.append(Check(f"slice {name}", passed, change, -loss, f"{reason}; {allowed}."))
    return checks


def check_none(name: str, count: int, what: str) -> Check:
    """Return whether `count` is 0; `what` names in the plural what was counted."""
    return Check(name, count == 0, float(count), 0.0, f"{count} {what}; none is allowed.")


def check_not_worse(
    name: str, champion: float | None, candidate: float | None, allowed: float, higher_is_better: bool = True
) -> Check:
    """Return whether a share is worse than the champion's by at most `allowed`.

    None means not measured. A candidate that lacks what the champion has fails; where the champion has nothing there is nothing
    to hold the candidate against, and it passes.
    """
    if champion is None:
        return Check(name, True, candidate, None, f"{name}: the champion has no value to compare with.")
    if candidate is None or not math.isfinite(candidate):
        return Check(name, False, None, champion, f"{name}: the candidate was not measured, the champion has {champion:.3f}.")
    limit = champion - allowed if higher_is_better else champion + allowed
    passed = candidate >= limit - 1e-12 if higher_is_better else candidate <= limit + 1e-12
    bound = "at least" if higher_is_better else "at most"
    reason = f"{name}: {candidate:.3f} after {champion:.3f}; {bound} {limit:.3f} is needed."
    return Check(name, passed, candidate, limit, reason)


def check_budget(name: str, value: float | None, limit: float | None, unit: str) -> Check:
    """Return whether `value` is within `limit`. Without a limit it passes; a value that is missing or no number fails a limit."""
    if limit is None:
        return Check(name, True, value, None, f"{name}: no budget is set.")
    if value is None or not math.isfinite(value):
        return Check(name, False, None, limit, f"{name} was not measured; the budget is {limit:g} {unit}.")
    return Check(name, value <= limit, value, limit, f"{name} is {value:.1f} {unit}; the budget is {limit:g} {unit}.")


def verdict_to_json(verdict: Verdict) -> str:
    """Return the verdict as JSON that `verdict_from_json` reads back as an equal one."""
    return json.dumps(asdict(verdict), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def verdict_from_json(text: str, where: str = "verdict") -> Verdict:
    """Return a written verdict. Raises DatasetError for a malformed one, and for a decision that its checks do not bear out."""
    row = Row.of(where, parse_json(where, text))
    checks = tuple(_check(item) for item in row.rows("checks"))
    champion = row.fields.get("champion")
    if champion is not None and not isinstance(champion, str):
        raise DatasetError(f"{where}: field 'champion' must be text or null.")
    found = decide(row.text("subject"), row.text("candidate"), champion, checks, row.text("made_at"))
    if found.decision != row.text("decision"):
        raise DatasetError(
            f"{where}: says {row.text('decision')!r}, but its checks say {found.decision}. "
            "It was changed by hand; run the gate again."
        )
    return found


def _check(row: Row) -> Check:
    passed = row.fields.get("passed")
    if not isinstance(passed, bool):
        raise DatasetError(f"{row.where}: field 'passed' must be true or false.")
    return Check(row.text("name"), passed, _number(row, "value"), _number(row, "limit"), row.text("reason"))


def _number(row: Row, name: str) -> float | None:
    value = row.fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DatasetError(f"{row.where}: field {name!r} must be a number or null.")
    return float(value)


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"
