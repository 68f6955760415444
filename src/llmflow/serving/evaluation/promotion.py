"""Which retrieval settings are served: those that were promoted, else those of conf/. Kept in the state database.

Every process that serves reads one small setting a question and follows it without a restart.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from llmflow.errors import DatasetError, PromotionRefused, SettingsError, StoreUnavailable
from llmflow.evaluation.promotion import (
    Candidate,
    Differences,
    PromotionRecord,
    Served,
    candidates_from_json,
    candidates_to_json,
    differing_keys,
    promote,
    record_from_json,
    record_to_json,
    roll_back,
)
from llmflow.ports import StateStore
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.wording import said

log = logging.getLogger(__name__)

SERVED = "retrieval.served"
"""What readers follow: id, label and settings; absent or empty, conf/ is served."""
RECORD = "retrieval.promotions"
CANDIDATES = "retrieval.candidates"
CONFIGURED = "conf"
"""The label of what conf/ says; also how the gate is asked to judge it."""
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ServedRetrieval:
    """Settings that answer questions now."""

    id: str
    label: str
    origin: Literal["conf", "promoted"]
    settings: RetrievalSettings


class RetrievalPromotions:
    """The promotions of one state database, beside what `configured` (conf/) says. Safe to share between threads."""

    def __init__(self, state: StateStore, configured: RetrievalSettings):
        self._state = state
        self.configured = ServedRetrieval(configured.fingerprint(), CONFIGURED, "conf", configured)
        self._seen: tuple[str, ServedRetrieval] = ("", self.configured)

    def served(self) -> ServedRetrieval:
        """Return what is served now: one read of one setting, parsed only when it has changed.

        Raises SettingsError for promoted settings that this version of llmflow cannot read.
        """
        written = self._state.setting(SERVED) or ""
        seen, parsed = self._seen
        if written == seen:
            return parsed
        parsed = _parse_served(written) if written else self.configured
        self._seen = (written, parsed)
        if changed := self.conflict():
            log.warning(
                "conf/ changed since the promotion and is not served: %s. See: llmflow retrieval show", ", ".join(changed)
            )
        log.info("Retrieval settings %s (%s, %s) are served from now on.", parsed.id, parsed.label, parsed.origin)
        return parsed

    def record(self) -> PromotionRecord:
        return record_from_json(self._state.setting(RECORD), RECORD)

    def candidates(self) -> dict[str, Candidate]:
        """Return what the gate has judged by id, oldest first; a later verdict replaces an earlier one on the same settings."""
        return candidates_from_json(self._state.setting(CANDIDATES), CANDIDATES)

    def keep_verdict(self, candidate: Candidate) -> None:
        """Write the gate's verdict down. Raises DatasetError when it is on other settings than the candidate's."""
        if candidate.verdict.candidate != candidate.id:
            raise DatasetError(f"The verdict is on {candidate.verdict.candidate}, the candidate is {candidate.id}.")

        def change(written: str | None) -> dict[str, str]:
            known = candidates_from_json(written, CANDIDATES)
            known.pop(candidate.id, None)
            return {CANDIDATES: candidates_to_json({**known, candidate.id: candidate})}

        self._change(CANDIDATES, change)

    def keep_outcome(self, candidate: Candidate | None) -> None:
        """Write the verdict down where there is a candidate."""
        if candidate is not None:
            self.keep_verdict(candidate)

    def candidate(self, name: str) -> Candidate:
        """Return the judged candidate with this id, or the newest with this label. PromotionRefused for others."""
        known = self.candidates()
        labelled = [candidate for candidate in known.values() if candidate.label == name]
        found = known.get(name) or (labelled[-1] if labelled else None)
        if found is None:
            judged = ", ".join(f"{item.label} ({key})" for key, item in known.items()) or "nothing yet"
            raise PromotionRefused(said("promotion.unjudged", name=name, judged=judged))
        return found

    def promote(self, name: str, by: str, reason: str) -> PromotionRecord:
        """Serve a judged candidate from the next question on. Raises PromotionRefused, see evaluation/promotion.py."""
        candidate = self.candidate(name)
        _read_settings(candidate.settings, candidate.id)
        return self._move(lambda record: promote(record, self._configured(), candidate, by, _now(), reason))

    def roll_back(self, by: str, reason: str) -> PromotionRecord:
        """Serve what was served before, from the next question on. Raises PromotionRefused where nothing was promoted."""
        return self._move(lambda record: roll_back(record, self.configured.id, by, _now(), reason))

    def _move(self, step: Callable[[PromotionRecord], PromotionRecord]) -> PromotionRecord:
        moved = PromotionRecord()

        def change(written: str | None) -> dict[str, str]:
            nonlocal moved
            moved = step(record_from_json(written, RECORD))
            return {RECORD: record_to_json(moved), SERVED: _written_served(moved)}

        self._change(RECORD, change)
        return moved

    def _change(self, key: str, change: Callable[[str | None], dict[str, str]]) -> None:
        """Write what follows from the value of `key`; when another process was faster, think again."""
        for _ in range(ATTEMPTS):
            written = self._state.setting(key)
            if self._state.swap_settings(change(written), {key: written}):
                return
        raise StoreUnavailable(said("promotion.busy", key=key, count=ATTEMPTS))

    def _configured(self) -> Served:
        settings = self.configured.settings.model_dump(mode="json")
        return Served(self.configured.id, CONFIGURED, settings, _now(), "", "what conf/ said at the first promotion")

    def conflict(self) -> Differences:
        """Return (conf/ then, conf/ now) of every key that changed in conf/ since the last promotion: it is not served."""
        record = self.record()
        if record.champion is None or record.champion.id == self.configured.id:
            return {}
        return differing_keys(record.configured, self.configured.settings.model_dump(mode="json"))


def _written_served(record: PromotionRecord) -> str:
    champion = record.champion
    if champion is None:
        return ""
    return json.dumps({"id": champion.id, "label": champion.label, "settings": champion.settings}, ensure_ascii=False)


def _parse_served(written: str) -> ServedRetrieval:
    try:
        value = json.loads(written)
        settings, settings_id, label = value["settings"], value["id"], value["label"]
    except (ValueError, KeyError, TypeError) as exc:
        raise SettingsError(
            f"The setting '{SERVED}' of the state database is malformed. Run: llmflow retrieval rollback"
        ) from exc
    return ServedRetrieval(settings_id, label, "promoted", _read_settings(settings, settings_id))


def _read_settings(settings: Any, settings_id: str) -> RetrievalSettings:
    try:
        return RetrievalSettings.model_validate(settings)
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise SettingsError(
            f"The promoted retrieval settings {settings_id} do not fit this version of llmflow: {wrong}. "
            "Return to the ones before: llmflow retrieval rollback"
        ) from exc


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
