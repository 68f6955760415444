"""Is a retrieved passage written for its readers? What patterns find and what a classifier has learned, together.

Patterns know wordings and take off disguises; the classifier knows more ways to say it and doubts what only looks like it. A
passage is suspicious where either is sure. What is above the lower of the two scores is doubtful: it is used where nothing else
answers. Where screening is strict, as it is for what a language model reads, whatever would be doubtful is suspicious.

>>> inspect_passage("법인카드 한도는 월 300만 원이다. 한도 변경은 재무팀에 신청하십시오.").suspicious
False
"""

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from pydantic import Field

from llmflow.answering.untrusted_classifier import Classifier, Judged, load_classifier, windows
from llmflow.answering.untrusted_inspect import THRESHOLD, Finding, Inspection, inspect
from llmflow.config import Settings

SURE = 1.0
"""Worth of what the classifier flags: enough alone."""


class ScreeningSettings(Settings):
    """Who judges retrieved text. Scores left out are the classifier's own, chosen where it was made (docs/guides/safety.md)."""

    detector: Literal["patterns", "classifier", "both"] = "both"
    flag: float | None = Field(default=None, ge=0, le=1)
    """Score from which a passage is suspicious: what speaks to a model is left out of it."""
    doubt: float | None = Field(default=None, ge=0, le=1)
    """Score from which a passage is a last resort. A pattern alone counts from here on."""
    strict: Literal["never", "with_model", "always"] = "never"
    """Where all that would be doubtful counts as flagged. Quotations obey nothing, a language model may; ordinary text pays."""

    def for_answers_by(self, model: bool) -> "ScreeningSettings":
        """Return the settings with `strict` settled: for a language model that reads the passages, or for quotations."""
        strict = self.strict == "always" or (model and self.strict == "with_model")
        return self.model_copy(update={"strict": "always" if strict else "never"})


DEFAULT = ScreeningSettings()


def inspect_passage(text: str, settings: ScreeningSettings = DEFAULT) -> Inspection:
    """Return what in a passage speaks to a model; `doubtful` where something may, but nothing is sure enough.

    Strict only where `settings.strict` is "always": who does not know yet whether a model reads it asks `for_answers_by` first.
    """
    if settings.detector == "patterns":
        return inspect(text)
    return _inspected(text, settings.detector == "both", settings.flag, settings.doubt, settings.strict == "always")


@lru_cache(maxsize=8192)  # the same passages come back for question after question
def _inspected(text: str, with_patterns: bool, least: float | None, least_doubt: float | None, strict: bool) -> Inspection:
    patterns = inspect(text)
    classifier = load_classifier()
    flag = classifier.flag if least is None else least
    doubt = min(flag, classifier.doubt if least_doubt is None else least_doubt)
    flag = doubt if strict else flag
    signs = [(found.start, found.end, found.kind) for found in patterns.findings if not found.told]
    judged = [classifier.judge(window) for window in windows(text, signs)]
    sure = _narrowest([found for found in judged if found.score >= flag])
    learned = tuple(_finding(classifier.explained(found), classifier) for found in sure)
    best = max((found.score for found in judged), default=0.0)
    counted = patterns if with_patterns else Inspection((), 0.0)
    hidden = any(found.disguise or found.kind == "hidden" for found in counted.findings)
    if not strict and not learned and counted.suspicious and best < doubt and not hidden:
        return replace(counted, score=min(counted.score, THRESHOLD - 0.01), doubtful=True)
    findings = tuple(sorted((*counted.findings, *learned), key=lambda f: (f.start, f.end, f.kind)))
    score = max(counted.score, SURE if learned else 0.0)
    return Inspection(findings, score, doubtful=score < THRESHOLD and bool(judged) and best >= doubt)


def _narrowest(sure: list[Judged]) -> list[Judged]:
    """Return the windows that hold no other one."""
    spans = [(found.window.start, found.window.end) for found in sure]
    return [
        found
        for found, (start, end) in zip(sure, spans, strict=True)
        if not any((start, end) != other and start <= other[0] and other[1] <= end for other in spans)
    ]


def _finding(judged: Judged, classifier: Classifier) -> Finding:
    signs = f"; {', '.join(judged.signs)}" if judged.signs else ""
    detail = f"{judged.score:.2f} by classifier {classifier.version}{signs}"
    window = judged.window
    return Finding(window.start, window.end, "learned", SURE, window.disguise, detail=detail)
