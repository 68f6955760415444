"""What is served, what was served before, and who changed it: a record that only a verdict can move forward. Pure.

The served ones stand on a stack: promoting puts one on top, rolling back takes the top off. At the bottom lies what the
configuration said when the first promotion was made, so that a roll back restores what was served and not what conf/ says today.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from llmflow.config import fingerprint_of
from llmflow.errors import DatasetError, PromotionRefused
from llmflow.evaluation.gate import Verdict, verdict_from_json
from llmflow.evaluation.json_rows import Row, parse_json

Differences = dict[str, tuple[object, object]]
"""Dotted key to (before, after)."""
KEPT_CANDIDATES = 20
"""Verdicts that are kept for promotion; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that the gate has looked at, with its verdict."""

    label: str
    """How a person calls it: the condition's name or the file's."""
    settings: Mapping[str, object]
    """Every value, as the fingerprint is taken over it."""
    verdict: Verdict

    @property
    def id(self) -> str:
        return fingerprint_of(self.settings)


@dataclass(frozen=True, slots=True)
class Served:
    """Settings that are, or were, served."""

    id: str
    label: str
    settings: Mapping[str, object]
    at: str = ""
    by: str = ""
    reason: str = ""
    verdict: Verdict | None = None
    """None for what the configuration said before the first promotion."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history."""

    action: str
    """`promote` or `rollback`."""
    id: str
    """Served from then on."""
    before: str
    at: str
    by: str
    reason: str
    verdict_made_at: str = ""


@dataclass(frozen=True, slots=True)
class PromotionRecord:
    """The stack, newest last, and every change, oldest first. Empty: the configuration is served."""

    stack: tuple[Served, ...] = ()
    history: tuple[Change, ...] = field(default=(), repr=False)
    configured: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What conf/ said at the last promotion; what changes there later is not served."""

    @property
    def champion(self) -> Served | None:
        return self.stack[-1] if self.stack else None

    @property
    def previous(self) -> Served | None:
        return self.stack[-2] if len(self.stack) > 1 else None


def promote(record: PromotionRecord, configured: Served, candidate: Candidate, by: str, at: str, reason: str) -> PromotionRecord:
    """Return the record with `candidate` served. `configured` is what conf/ says: it is served while the record is empty.

    Raises PromotionRefused unless a PROMOTE verdict was made of exactly these settings against exactly what is served now.
    """
    verdict, current = candidate.verdict, record.champion or configured
    if not verdict.promoted:
        raise PromotionRefused(
            f"The gate rejected {candidate.label} ({candidate.id}): {' '.join(verdict.reasons)} "
            "Improve it and run the gate again."
        )
    if verdict.candidate != candidate.id:
        raise PromotionRefused(
            f"The verdict is on {verdict.candidate}, but the settings of {candidate.label} are {candidate.id}. "
            "They were changed after the gate; run it again."
        )
    if candidate.id == current.id:
        raise PromotionRefused(f"{candidate.label} ({candidate.id}) is served already. There is nothing to promote.")
    if verdict.champion != current.id:
        raise PromotionRefused(
            f"The verdict held {candidate.label} against {verdict.champion}, but {current.id} is served now. "
            "Run the gate again against what is served."
        )
    served = Served(candidate.id, candidate.label, candidate.settings, at, by, reason, verdict)
    change = Change("promote", served.id, current.id, at, by, reason, verdict.made_at)
    stack = (*(record.stack or (configured,)), served)
    return PromotionRecord(stack, (*record.history, change), configured.settings)


def roll_back(record: PromotionRecord, configured_id: str, by: str, at: str, reason: str) -> PromotionRecord:
    """Return the record with the one before the champion served again.

    Where that is what the configuration says today the stack is emptied, and conf/ is followed again. Raises PromotionRefused
    where nothing was promoted.
    """
    champion, previous = record.champion, record.previous
    if champion is None or previous is None:
        raise PromotionRefused("There is nothing to roll back to: what is served is the oldest known. Promote something first.")
    stack = record.stack[:-1]
    if len(stack) == 1 and previous.id == configured_id:
        stack = ()
    change = Change("rollback", previous.id, champion.id, at, by, reason)
    return PromotionRecord(stack, (*record.history, change), record.configured if stack else {})


def differing_keys(before: Mapping[str, object], after: Mapping[str, object], above: str = "") -> Differences:
    """Return every value that differs, in the order of `before`; None stands for a key that is missing."""
    found: Differences = {}
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= differing_keys(old, new, f"{above}{key}.")
        elif old != new:
            found[f"{above}{key}"] = (old, new)
    return found


def candidates_to_json(candidates: Mapping[str, Candidate]) -> str:
    """Return the newest candidates as JSON, oldest first."""
    kept = list(candidates.values())[-KEPT_CANDIDATES:]
    return json.dumps([asdict(candidate) for candidate in kept], ensure_ascii=False, allow_nan=False)


def candidates_from_json(text: str | None, where: str) -> dict[str, Candidate]:
    """Return candidates by id, oldest first; a verdict that its checks do not bear out is refused with DatasetError."""
    found = {}
    for row in _rows(text, where):
        candidate = Candidate(row.text("label"), _mapping(row, "settings"), _verdict(row))
        found[candidate.id] = candidate
    return found


def record_to_json(record: PromotionRecord) -> str:
    return json.dumps(asdict(record), ensure_ascii=False, allow_nan=False)


def record_from_json(text: str | None, where: str) -> PromotionRecord:
    """Return a written record; None and "" are the empty one. Raises DatasetError for a malformed one."""
    if not text:
        return PromotionRecord()
    row = Row.of(where, parse_json(where, text))
    stack, history = row.rows("stack"), row.rows("history")
    return PromotionRecord(tuple(map(_served, stack)), tuple(map(_change, history)), _mapping(row, "configured"))


def _served(row: Row) -> Served:
    texts = {name: row.text(name, "") for name in ("at", "by", "reason")}
    verdict = _verdict(row) if row.fields.get("verdict") is not None else None
    return Served(row.text("id"), row.text("label"), _mapping(row, "settings"), verdict=verdict, **texts)


def _change(row: Row) -> Change:
    names = ("action", "id", "before", "at", "by", "reason", "verdict_made_at")
    return Change(*(row.text(name, "") for name in names))


def _verdict(row: Row) -> Verdict:
    return verdict_from_json(json.dumps(row.fields.get("verdict")), f"{row.where} verdict")


def _mapping(row: Row, name: str) -> Mapping[str, object]:
    value = row.fields.get(name)
    if not isinstance(value, dict):
        raise DatasetError(f"{row.where}: field {name!r} must be an object.")
    return value


def _rows(text: str | None, where: str) -> list[Row]:
    values = parse_json(where, text) if text else []
    if not isinstance(values, list):
        raise DatasetError(f"{where}: a list is expected.")
    return [Row.of(f"{where} [{position}]", value) for position, value in enumerate(values)]
