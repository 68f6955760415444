"""Is a retrieved passage written for its readers? What patterns find and what a classifier has learned, together.

Patterns know wordings and take off disguises; the classifier knows more ways to say it and doubts what only looks like it. A
passage is suspicious where either is sure. What is above the lower of the two scores is doubtful: it is quoted where nothing
else answers, and no language model gets to read it.

>>> inspect_passage("법인카드 한도는 월 300만 원이다. 한도 변경은 재무팀에 신청하십시오.").suspicious
False
"""

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from pydantic import Field

from llmflow.config import Settings
from llmflow.screening.classifier import Classifier, Judged, load_classifier, windows
from llmflow.screening.fields import only_codes, plain_fields
from llmflow.screening.patterns import THRESHOLD, Finding, Inspection, inspect
from llmflow.screening.views import DIGITS

SURE = 1.0
"""Worth of what the classifier flags: enough alone."""


class ScreeningSettings(Settings):
    """Who judges retrieved text. Scores left out are the classifier's own, chosen where it was made (docs/guides/safety.md)."""

    detector: Literal["patterns", "classifier", "both"] = "both"
    flag: float | None = Field(default=None, ge=0, le=1)
    """Score from which a passage is suspicious: what speaks to a model is left out of it."""
    doubt: float | None = Field(default=None, ge=0, le=1)
    """Score from which a passage is a last resort. A pattern alone counts from here on."""
    strict: Literal["never", "with_model", "always"] = "always"
    """Where doubtful sentences are left out of what is answered from. Otherwise a doubtful passage stays whole, and is a last
    resort."""

    def strict_for(self, model: bool) -> bool:
        """Return whether screening is strict where a language model reads the passages, or else for quotations."""
        return self.strict == "always" or (model and self.strict == "with_model")


DEFAULT = ScreeningSettings()


def inspect_passage(text: str, settings: ScreeningSettings = DEFAULT) -> Inspection:
    """Return what in a passage speaks to a model, and what may; `doubtful` where nothing is sure enough."""
    if settings.detector == "patterns":
        return inspect(text)
    return _inspected(text, settings.detector == "both", settings.flag, settings.doubt)


@lru_cache(maxsize=8192)  # the same passages come back for question after question
def _inspected(text: str, with_patterns: bool, least: float | None, least_doubt: float | None) -> Inspection:
    patterns = inspect(text)
    classifier = load_classifier()
    flag = classifier.flag if least is None else least
    doubt = min(flag, classifier.doubt if least_doubt is None else least_doubt)
    signs = [(found.start, found.end, found.kind) for found in patterns.findings if not found.told]
    judged = _without_plain_fields(text, classifier.judge(windows(text, signs)), flag, doubt)
    sure = _narrowest([found for found in judged if found.score >= flag])
    learned = tuple(_finding(classifier.explained(found), classifier, "learned", SURE) for found in sure)
    doubts = _narrowest([found for found in judged if found.score >= doubt and not _overlaps(found, sure)])
    doubted = tuple(_finding(classifier.explained(found), classifier, "doubted", 0.0) for found in doubts)
    best = max((found.score for found in judged), default=0.0)
    counted = patterns if with_patterns else Inspection((), 0.0)
    hidden = any(found.disguise or found.kind == "hidden" for found in counted.findings)
    if not learned and counted.suspicious and best < doubt and not hidden:
        return replace(counted, score=min(counted.score, THRESHOLD - 0.01), doubtful=True)
    score = max(counted.score, SURE if learned else 0.0)
    if score < THRESHOLD and judged and best >= doubt:
        return Inspection(doubted, score, doubtful=True)
    findings = tuple(sorted((*counted.findings, *learned, *doubted), key=lambda f: (f.start, f.end, f.kind)))
    return Inspection(findings, score)


def _without_plain_fields(text: str, judged: list[Judged], flag: float, doubt: float) -> list[Judged]:
    """Return the windows but those that are only doubted and hold nothing but plain fields of a record or a table."""
    if not any(doubt <= found.score < flag for found in judged):
        return judged
    fields = plain_fields(text)

    def plain(found: Judged) -> bool:
        start, end, disguise = found.window.start, found.window.end, found.window.disguise
        worn = disguise and not (disguise == DIGITS and only_codes(text[start:end]))
        return found.score < flag and not worn and any(a <= start and end <= b for a, b in fields)

    return [found for found in judged if not plain(found)]


def _narrowest(sure: list[Judged]) -> list[Judged]:
    """Return the windows that hold no other one that is as sure: a weaker neighbour must not stand for what is around it."""

    def stands_for(other: Judged, found: Judged) -> bool:
        inner, outer = other.window, found.window
        inside = outer.start <= inner.start and inner.end <= outer.end and (inner.start, inner.end) != (outer.start, outer.end)
        return inside and other.score >= found.score

    return [found for found in sure if not any(stands_for(other, found) for other in sure)]


def _overlaps(found: Judged, others: list[Judged]) -> bool:
    return any(found.window.start < other.window.end and other.window.start < found.window.end for other in others)


def _finding(judged: Judged, classifier: Classifier, kind: str, weight: float) -> Finding:
    signs = f"; {', '.join(judged.signs)}" if judged.signs else ""
    detail = f"{judged.score:.2f} by classifier {classifier.version}{signs}"
    window = judged.window
    return Finding(window.start, window.end, kind, weight, window.disguise, detail=detail)
