"""Signs that a text speaks to a model instead of to its readers: patterns over folded text, each with a weight and a reason.

Notation: a blank is any run of signs between words, `~5` up to about five words inside one sentence. Weights add up over kinds;
0.7 is enough (screening/patterns.py). The groups follow what attacks do (Greshake et al. 2023; OWASP LLM01), not single known
strings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmflow.screening.aims import AIMS
from llmflow.screening.needed_words import needed_words, needs_korean
from llmflow.screening.orders import ORDERS
from llmflow.screening.words import NOT_BEHIND


@dataclass(frozen=True, slots=True)
class Sign:
    kind: str
    weight: float
    pattern: re.Pattern[str]
    needed: tuple[frozenset[str], ...]
    """One word of each set stands in every text that the pattern matches: looking for words is far cheaper."""
    korean: bool = False
    """It is only found in text with Hangul."""
    squeezed: re.Pattern[str] | None = None
    """The same for text whose blanks are gone; None where it would match too much."""


REASONS = {
    "override": "tells the model to drop its instructions",
    "prompt": "asks for the model's own instructions",
    "role": "gives the model another role",
    "addressed": "speaks to a model",
    "learned": "reads like what speaks to a model",
    "doubted": "may speak to a model",
    "around": "stands in a document of which much speaks to a model",
    "examples": "gives examples with one answer for a model to go on with",
    "control": "dictates what is answered, or how",
    "refusal": "makes the model refuse or deny",
    "conceal": "wants to be kept from the reader",
    "exfiltration": "sends what was said or found elsewhere",
    "image": "loads an address that carries data",
    "tool": "calls a tool",
    "marker": "imitates a chat template or the borders of evidence",
    "turn": "imitates a turn of the conversation",
    "authority": "claims to stand above other instructions",
    "citation": "dictates what is cited",
    "sources": "shuts out other sources or ranks itself",
    "phishing": "makes the model ask for secrets or lead people to an address",
    "encoded": "hides words in an encoding",
    "hidden": "holds characters that nobody sees",
}

_SQUEEZED = frozenset({"override", "prompt", "control", "conceal", "sources"})


def _compiled(pattern: str, gap: str) -> re.Pattern[str]:
    words = re.sub(r"~(\d)", lambda m: rf"[^.!?]{{0,{9 * int(m.group(1))}}}?", pattern)
    parts = re.split(r"((?<!\\)\[(?:\\.|[^\]\\])*\])", words)  # a blank inside of brackets stays one
    return re.compile("".join(part if part.startswith("[") else part.replace(" ", gap) for part in parts))


def _signs() -> Iterator[Sign]:
    for kind, weight, pattern in (*ORDERS, *AIMS):
        plain = _compiled(pattern, r"(?:[^\w.!?]{0,8})" if re.search("[가-힣]", pattern) else r"(?:[^\w.!?]{1,8})")
        squeezed = None
        if kind in _SQUEEZED and weight >= 0.6:
            squeezed = _compiled(pattern.replace(r"\b", "").replace(NOT_BEHIND, ""), r"(?:[^\w]*)")
        yield Sign(kind, weight, plain, needed_words(plain.pattern), needs_korean(plain.pattern), squeezed)


SIGNS: tuple[Sign, ...] = tuple(_signs())
