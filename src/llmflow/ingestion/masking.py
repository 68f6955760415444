"""Personal data replaced by placeholders before anything is embedded, stored, sent to a model or logged.

>>> Masker(MaskingSettings()).mask("문의: 홍보팀 010-1234-5678, hong@corp.local").text
'문의: 홍보팀 [PHONE], [EMAIL]'
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from llmflow.config import Settings
from llmflow.ingestion.masking_names import LABEL_HINT
from llmflow.ingestion.masking_presidio import build_engine, find_presidio
from llmflow.ingestion.masking_recognizers import KINDS, Finding, find_korean, near, table_cells

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

Kind = Literal["EMAIL", "RRN", "FOREIGNER", "CARD", "DRIVER", "BUSINESS", "PASSPORT", "PHONE", "ACCOUNT", "IBAN", "IP", "NAME"]

_DEFAULT: tuple[Kind, ...] = (
    "EMAIL", "RRN", "FOREIGNER", "CARD", "DRIVER", "BUSINESS", "PASSPORT", "PHONE", "ACCOUNT", "IBAN", "NAME",
)  # fmt: skip

_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_FOLDS = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "‐‑‒–—−ー"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2009\u202f\u3000"), " "),
}
_FOLDED = re.compile("[" + "".join(map(re.escape, map(chr, _FOLDS))) + "]")
_TAG = re.compile(r"</?(?:t[rdh]|table|thead|tbody|p|div|br|span|b|strong|em|i|li|ul)\b[^<>]*>", re.IGNORECASE)
_CELL_END = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_ROW_END = re.compile(r"</tr\s*>", re.IGNORECASE)

# The shortest identifiers (passports, foreign phone numbers) hold seven digits, with a letter or a few signs between two.
_DIGITS_HINT = re.compile(r"(?:\d[^\w,:;'\"<>{}=|]{0,4}[A-Za-z]?){6}\d")
_IBAN_HINT = re.compile(r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}")
_IP_HINT = re.compile(r"\d\.\d")


class MaskingSettings(Settings):
    enabled: bool = True
    kinds: tuple[Kind, ...] = _DEFAULT  # IP addresses are what a technical document is about: opt in
    min_score: float = Field(default=0.4, ge=0.0, le=1.0)  # Presidio's scale; a word of context adds 0.35


@dataclass(frozen=True, slots=True)
class MaskedText:
    text: str
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many pieces were masked, by kind; kinds without any are left out."""


class Masker:
    """Finds and replaces personal data. Presidio is loaded by the first text that may hold any; safe to share by threads."""

    def __init__(self, settings: MaskingSettings) -> None:
        self._settings = settings
        self._kinds = frozenset(settings.kinds)
        self._engine: AnalyzerEngine | None = None
        self._lock = Lock()

    def mask(self, text: str) -> MaskedText:
        """Return `text` with each piece of personal data replaced by `[KIND]`, and the counts.

        Masking a masked text changes nothing and counts nothing. The text itself is never logged.
        """
        counts: Counter[str] = Counter()
        # A replaced neighbour can lay another piece bare, so go on until nothing is found; each round removes characters.
        while self.may_hold(text) and (findings := self.find(text)):
            for finding in reversed(findings):
                text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
                counts[finding.kind] += 1
        return MaskedText(text, MappingProxyType(dict(sorted(counts.items()))))

    def __call__(self, text: str) -> str:
        """Return the masked text alone."""
        return self.mask(text).text

    def mask_many(self, texts: Sequence[str]) -> list[MaskedText]:
        """Return `mask` of each text, in order."""
        return [self.mask(text) for text in texts]

    def may_hold(self, text: str) -> bool:
        """Return False only where `find` would find nothing; costs a few nanoseconds a character."""
        if not self._settings.enabled:
            return False
        if _INVISIBLE.search(text) or _FOLDED.search(text):
            text, _ = _view(text)
        return (
            _may_hold_numbers(text)
            or ("NAME" in self._kinds and LABEL_HINT.search(text) is not None)
            or ("IBAN" in self._kinds and _IBAN_HINT.search(text) is not None)
            or ("IP" in self._kinds and _IP_HINT.search(text) is not None)
        )

    def find(self, text: str) -> list[Finding]:
        """Return what would be masked, in order, not overlapping; offsets are into `text`."""
        view, offsets = _view(text)
        columns = table_cells(view) if "|" in view or "\t" in view else []
        findings = list(find_korean(view, self._kinds))
        if _may_hold_numbers(view):
            findings += find_presidio(
                self.load(), view, self._kinds, self._settings.min_score, lambda start, end: near(view, start, end, columns)
            )
        resolved = _resolve(findings)
        if offsets is None:
            return resolved
        return [Finding(offsets[f.start], offsets[f.end - 1] + 1, f.kind) for f in resolved]

    def load(self) -> "AnalyzerEngine":
        """Return Presidio's analyser, built on the first call in about a second; call it early to spare the first user."""
        with self._lock:
            if self._engine is None:
                self._engine = build_engine()
            return self._engine


def visible(text: str) -> str:
    """Return `text` without the characters that nobody sees and that patterns read over."""
    return _INVISIBLE.sub("", text)


def folded(text: str) -> str:
    """Return `text` as the patterns read it, character for character: full-width signs, odd hyphens and blanks folded."""
    return text.translate(_FOLDS) if _FOLDED.search(text) else text


def _may_hold_numbers(text: str) -> bool:
    """Whether Presidio could find anything: all that it looks for has an @ or a run of digits."""
    return "@" in text or _DIGITS_HINT.search(text) is not None


def _view(text: str) -> tuple[str, list[int] | None]:
    """Return the text as the patterns want it, and the place of each of its characters in `text` (None: the same).

    Full-width signs, odd hyphens and blanks are folded, invisible characters dropped, the cells of an HTML table divided by
    bars, and the letters of placeholders blotted out so that they are not taken for context.
    """
    offsets = None
    if _INVISIBLE.search(text):
        offsets = [index for index, character in enumerate(text) if not _INVISIBLE.match(character)]
        text = _INVISIBLE.sub("", text)
    if _FOLDED.search(text):
        text = text.translate(_FOLDS)
    text = _PLACEHOLDER.sub(lambda match: "[" + "·" * (len(match.group()) - 2) + "]", text)
    if "<t" in text.lower():
        text = _TAG.sub(_bar, text)
    return text, offsets


def _bar(match: re.Match[str]) -> str:
    tag = match.group()
    if _ROW_END.match(tag):
        return "\n".ljust(len(tag))
    return ("|" if _CELL_END.match(tag) else " ").ljust(len(tag))


def _resolve(findings: Sequence[Finding]) -> list[Finding]:
    """Join overlapping findings under their most specific kind, so that no digit of either remains."""
    resolved: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.start, f.end, KINDS.index(f.kind))):
        if resolved and finding.start < resolved[-1].end:
            last = resolved[-1]
            kind = min(last.kind, finding.kind, key=KINDS.index)
            resolved[-1] = Finding(last.start, max(last.end, finding.end), kind)
        else:
            resolved.append(finding)
    return resolved
