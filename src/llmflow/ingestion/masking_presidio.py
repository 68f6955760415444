"""Presidio's recognisers for Korean text, without a language model and without the network."""

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmflow.ingestion.light_imports import without_models
from llmflow.ingestion.masking_recognizers import CONTEXT, Finding

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

Near = Callable[[int, int], str]

_KINDS = {
    "KR_RRN": "RRN",
    "KR_FRN": "FOREIGNER",
    "KR_BRN": "BUSINESS",
    "KR_DRIVER_LICENSE": "DRIVER",
    "KR_PASSPORT": "PASSPORT",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "CREDIT_CARD": "CARD",
}

# The phone library tries every number in the text, at most of Presidio's cost; `_accept` keeps only those that begin so.
_PHONE_HINT = re.compile(r"(?:\+[0-9(]|(?<![0-9])(?<![0-9]\.)0[0-9])(?:[^\w,:;'\"<>{}=|]{0,4}[0-9]){5}")

# Presidio's own pattern takes the Korean particle behind an address and the label before it, and its check drops internal
# domains such as `corp.local` after trying to download the list of public suffixes.
EMAIL_PATTERN = (
    r"(?:(?<![A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-])[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]+|(?<![가-힣])[가-힣]{2,5})"
    r"@(?:[A-Za-z0-9가-힣](?:[A-Za-z0-9가-힣\-]*[A-Za-z0-9가-힣])?\.)+(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9\-]+|한국)(?![A-Za-z0-9])"
)


def build_engine() -> "AnalyzerEngine":
    """Return an analyser for `ko`; takes about a second, most of it imports."""
    # At debug level Presidio logs words of the text.
    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)
    with without_models():
        import presidio_analyzer  # noqa: F401
    from presidio_analyzer import AnalyzerEngine, ContextAwareEnhancer, Pattern, RecognizerRegistry, RecognizerResult
    from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        KrBrnRecognizer,
        KrDriverLicenseRecognizer,
        KrFrnRecognizer,
        KrPassportRecognizer,
        KrRrnRecognizer,
        PhoneRecognizer,
    )

    class AddressRecognizer(EmailRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            return ".." not in pattern_text

    class NoEnhancer(ContextAwareEnhancer):
        """Context is judged in `_accept`: Presidio's enhancer needs tokens, is slow on long texts, and quotes them in errors."""

        def enhance_using_context(
            self, text: str, raw_results: list[RecognizerResult], nlp_artifacts: NlpArtifacts, recognizers, context=None
        ) -> list[RecognizerResult]:
            return raw_results

    recognizers = [
        AddressRecognizer(patterns=[Pattern("address", EMAIL_PATTERN, 0.5)], supported_language="ko"),
        CreditCardRecognizer(supported_language="ko"),
        PhoneRecognizer(supported_language="ko", supported_regions=("KR",)),
        KrBrnRecognizer(supported_language="ko"),
        KrDriverLicenseRecognizer(supported_language="ko"),
        KrFrnRecognizer(supported_language="ko"),
        KrPassportRecognizer(supported_language="ko"),
        KrRrnRecognizer(supported_language="ko"),
    ]
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers, supported_languages=["ko"]),
        nlp_engine=NoOpNlpEngine(models=[{"lang_code": "ko", "model_name": "none"}]),
        supported_languages=["ko"],
        context_aware_enhancer=NoEnhancer(0.35, 0.4, 5, 0),
    )


def find_presidio(engine: "AnalyzerEngine", view: str, kinds: frozenset[str], min_score: float, near: Near) -> list[Finding]:
    """Return Presidio's results that score at least `min_score` and stand up to `_accept`; they may overlap."""
    entities = [entity for entity, kind in _KINDS.items() if kind in kinds and (kind != "PHONE" or _PHONE_HINT.search(view))]
    if not entities:
        return []
    found: list[Finding] = []
    for result in engine.analyze(view, language="ko", entities=entities):
        kind = _KINDS[result.entity_type]
        words = near(result.start, result.end)
        in_context = kind in CONTEXT and CONTEXT[kind].search(words) is not None
        score = result.score + (0.35 if in_context else 0.0)
        if score >= min_score and _accept(kind, view, result.start, result.end, result.score, in_context):
            found.append(Finding(result.start, result.end, kind))
    return found


def _accept(kind: str, view: str, start: int, end: int, score: float, in_context: bool) -> bool:
    """Whether a bare run of digits is what Presidio takes it for: serial numbers and timestamps match its patterns too."""
    matched = view[start:end]
    if kind == "EMAIL":
        return True
    if kind == "PHONE":
        # Public service numbers (1588-0000) belong to nobody; phone numbers begin with a trunk zero or a country code.
        return matched.lstrip("(")[0] in "0+"
    before, after = view[max(start - 2, 0) : start], view[end : end + 2]
    inside = (before[-1:] in "-." and before[:1].isdigit()) or (after[:1] == "-" and after[1:].isdigit())
    if inside and kind not in ("RRN", "FOREIGNER"):
        return False
    if in_context or not matched.isdigit():
        return True
    if kind in ("RRN", "FOREIGNER"):
        return score == 1.0  # checksum holds
    if kind == "CARD":
        issuer = matched[0] in "3456" if len(matched) == 16 else matched[:2] in ("34", "37")
        return issuer and len(matched) in (15, 16)
    return False
