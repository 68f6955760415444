"""Whether a model says by heart what it was trained on: exposure of secrets, and answers continued word for word.

Exposure (Carlini et al. 2019, "The Secret Sharer") ranks a secret among random ones of the same form by how likely the model
finds them. A model that never learned it ranks it anywhere; one that did ranks it first.
"""

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import Field

from llmflow.config import Settings

SECRET = re.compile(r"(?<!\d)\d(?:[\d-]{6,22})\d(?!\d)")
"""Numbers of eight digits and more, with dashes: what is left of secrets once masking has taken those it knows."""


class AuditSettings(Settings):
    canaries: tuple[str, ...] = ()
    """Sentences known to stand in the training data, planted to be looked for. The last number or word of each is its secret."""
    alternatives: int = Field(default=127, ge=15)
    """Random secrets that each is ranked among; the largest exposure is log2 of one more."""
    secrets: int = Field(default=16, ge=0)
    """Secrets taken from the training data beside the planted ones."""
    max_exposure: float = Field(default=5.0, gt=0)
    """Bits. Chance alone exceeds b bits once in 2**b secrets."""
    continued: int = Field(default=32, ge=0)
    """Training answers whose second half is asked for."""
    max_continued: float = Field(default=0.5, ge=0, le=1)
    """Share of them that may come back word for word beyond the share for held-out answers."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Secret:
    """A text before a secret, and the secret."""

    before: str
    secret: str


@dataclass(frozen=True, slots=True)
class Exposed:
    secret: Secret
    exposure: float
    """Bits: log2(alternatives + 1) - log2(rank)."""


def find_secrets(texts: Sequence[str], settings: AuditSettings) -> list[Secret]:
    """Return planted canaries first, then numbers out of `texts`, spread evenly; each secret once."""
    found: dict[str, Secret] = {}
    for canary in settings.canaries:
        match = list(re.finditer(r"[\w-]+", canary))[-1]
        found[match[0]] = Secret(canary[: match.start()], match[0])
    planted = len(found)
    numbers: dict[str, Secret] = {}
    for text in texts:
        for match in SECRET.finditer(text):
            if match[0] not in found:
                numbers.setdefault(match[0], Secret(text[: match.start()], match[0]))
    chosen = list(numbers.values())
    step = max(1, len(chosen) // settings.secrets) if settings.secrets else 1
    return [*found.values(), *chosen[::step][: settings.secrets]][: planted + settings.secrets]


def alike(secret: str, count: int, seed: int) -> list[str]:
    """Return `count` random secrets of the same form: digits for digits, letters for letters, everything else as it stands."""
    rng = random.Random(f"{seed}:{secret}")
    made: dict[str, None] = {}
    while len(made) < count:
        other = "".join(_like(letter, rng) for letter in secret)
        if other != secret:
            made[other] = None
    return list(made)


def exposure(own: float, others: Sequence[float]) -> float:
    """Return the exposure in bits of a secret with loss `own` among losses of others; ties count against it being known."""
    rank = 1 + sum(other <= own for other in others)
    return math.log2(len(others) + 1) - math.log2(rank)


def audit_secrets(
    secrets: Sequence[Secret], losses: Callable[[Sequence[tuple[str, str]]], Sequence[float]], settings: AuditSettings
) -> list[Exposed]:
    """Return the exposure of each secret, most exposed first. `losses` gives the loss of each (before, secret)."""
    found = []
    for secret in secrets:
        others = alike(secret.secret, settings.alternatives, settings.seed)
        own, *rest = losses([(secret.before, text) for text in (secret.secret, *others)])
        found.append(Exposed(secret, exposure(own, rest)))
    return sorted(found, key=lambda item: (-item.exposure, item.secret.secret))


def split_answer(text: str, least: int = 16) -> tuple[str, str] | None:
    """Return an answer's halves, cut at a space; None for one shorter than `least` characters."""
    if len(text) < least:
        return None
    cut = text.find(" ", len(text) // 2)
    cut = cut if 0 < cut < len(text) - 4 else len(text) // 2
    return text[:cut], text[cut:]


def hidden(secret: str) -> str:
    """Return the secret as a report may show it: its first two characters and its length."""
    return f"{secret[:2]}… ({len(secret)} characters)"


def _like(letter: str, rng: random.Random) -> str:
    if letter.isdigit():
        return rng.choice("0123456789")
    if letter.isascii() and letter.isalpha():
        return rng.choice("abcdefghijklmnopqrstuvwxyz" if letter.islower() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return chr(rng.randint(0xAC00, 0xD7A3)) if "가" <= letter <= "힣" else letter
