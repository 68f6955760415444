"""What llmflow says to people, by code and values, in English and Korean.

>>> reason = said("pdf.too_many_scans", count=300, most=200)
>>> reason.startswith("The PDF has 300 scanned pages")
True
>>> in_language(reason, "ko").startswith("PDF에 스캔한 쪽이 300쪽")
True
"""

from collections.abc import Mapping
from typing import Any

from llmflow.wording.documents import DOCUMENTS
from llmflow.wording.fields import FIELDS
from llmflow.wording.people import PEOPLE
from llmflow.wording.requests import REQUESTS
from llmflow.wording.services import SERVICES
from llmflow.wording.wishes import WISHES

SENTENCES: Mapping[str, tuple[str, str]] = {**DOCUMENTS, **PEOPLE, **REQUESTS, **SERVICES, **WISHES, **FIELDS}
"""English and Korean by code. Codes are kept with documents: they are never given another meaning."""
LANGUAGES = ("en", "ko")


class Said(str):
    """An English sentence that knows its code and its values, and so its Korean form.

    It is a plain str to whoever does not ask, and it stays itself in `str(error)` and through pickle: an error raised with one
    in a worker process carries it to the page.
    """

    __slots__ = ("code", "korean", "values")

    code: str
    values: Mapping[str, str]
    korean: str

    def __new__(cls, english: str, korean: str, code: str, values: Mapping[str, str]) -> "Said":
        made = super().__new__(cls, english)
        made.code, made.korean, made.values = code, korean, values
        return made

    def __str__(self) -> "Said":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Said, (str.__str__(self), self.korean, self.code, dict(self.values))


def said(code: str, **values: object) -> Said:
    """Return the sentence of a code; values that are `Said` appear in the reader's language. KeyError: there is no such code.

    A value that stands in brackets loses its stop: the sentence goes on.
    """
    english, korean = SENTENCES[code]
    plain = {name: str.__str__(str(value)) for name, value in values.items()}
    native = {name: in_language(str(value), "ko") for name, value in values.items()}
    for name in plain:
        if f"({{{name}}})" in english:
            plain[name], native[name] = plain[name].rstrip(" ."), native[name].rstrip(" .")
    return Said(english.format(**plain), korean.format(**native), code, plain)


def in_language(text: str, language: str) -> str:
    """Return a sentence in `ko`, else in English; what has no code stays as it is."""
    if isinstance(text, Said):
        return text.korean if language == "ko" else str.__str__(text)
    return text


def kept(text: str) -> dict[str, Any] | None:
    """Return what is kept beside a text so that `restored` knows it again, as JSON; None for a text without a code."""
    return {"code": text.code, "values": dict(text.values)} if isinstance(text, Said) else None


def restored(text: str, beside: object) -> str:
    """Return a kept text with its code again; the text as it is where it has none, or one that is not known any more."""
    if not (text and isinstance(beside, dict)):
        return text
    code, values = beside.get("code"), beside.get("values")
    if not (isinstance(code, str) and code in SENTENCES and isinstance(values, dict)):
        return text
    named = {str(name): str(value) for name, value in values.items()}
    try:
        return Said(text, SENTENCES[code][1].format(**named), code, named)
    except (KeyError, IndexError):  # the sentence has other values today
        return text


def wanted_language(accepted: str, otherwise: str = "en") -> str:
    """Return the first language of an `Accept-Language` header that we have, by its weights.

    >>> wanted_language("fr, en;q=0.4, ko-KR;q=0.9")
    'ko'
    """
    ranked = []
    for place, part in enumerate(accepted.split(",")[:16]):
        name, _, weight = part.partition(";")
        language = name.strip()[:2].lower()
        if language in LANGUAGES:
            ranked.append((-_weight(weight), place, language))
    best = min(ranked, default=(1.0, 0, otherwise))
    return best[2] if best[0] < 0 else otherwise


def _weight(text: str) -> float:
    key, _, value = text.strip().partition("=")
    if not key:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value))) if key.strip() == "q" else 1.0
    except ValueError:
        return 0.0
