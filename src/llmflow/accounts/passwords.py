"""Which passwords are taken, and passwords to be used once. After NIST SP 800-63B: length counts, composition does not."""

import secrets
import unicodedata
from itertools import pairwise

from pydantic import Field

from llmflow.config import Settings
from llmflow.wording import said

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like another: no i, l, o, 0, 1
_PRODUCT = "llmflow"
_MIN_REST = 8
"""Characters that must be left when the account's name and the product's are taken out."""
_WORST = frozenset(
    """123123123123 1234567890ab 12345678901q 1q2w3e4r5t6y 1qaz2wsx3edc 987654321012 abcd12345678 abc123456789 adminadmin12
    adminadminadmin administrator administrator1 changemechangeme changeme1234 correcthorsebatterystaple dkssudgktpdy
    iloveyou1234 letmeinletmein p@ssw0rd1234 passw0rd1234 password1234 password12345 password123456 passwordpassword
    q1w2e3r4t5y6 qlalfqjsgh12 qwer1234qwer qwerasdfzxcv qwerty123456 qwertyqwerty qwertyuiop12 qwertyuiop123 qwertyuiopasdf
    superadministrator test12345678 welcome12345 welcomewelcome zaq12wsxcde3 비밀번호비밀번호비밀번호""".split()
)
"""Long enough and still among the first that are tried; no list can be complete, lockout and rate limit carry the weight."""


class PasswordSettings(Settings):
    """How long a password has to be. There is no other rule of composition and no expiry by time."""

    min_length: int = Field(default=12, ge=8, le=64)
    max_length: int = Field(default=256, ge=64, le=1024)  # hashing more costs time and secures nothing


def normal_password(text: str) -> str:
    """Return the text as it is hashed: NFKC, so that a name typed on another keyboard or system is the same password."""
    return unicodedata.normalize("NFKC", text)


def password_problem(password: str, name: str, settings: PasswordSettings) -> str:
    """Return why a password is refused, with what to do; empty where it is taken. Characters are counted, not bytes."""
    text = normal_password(password)
    if len(text) < settings.min_length:
        return said("password.short", count=len(text), least=settings.min_length)
    if len(text) > settings.max_length:
        return said("password.long", count=len(text), most=settings.max_length)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        return said("password.control")
    folded = text.casefold()
    rest = folded
    for word in (normal_password(name).casefold(), _PRODUCT):
        rest = rest.replace(word, "") if len(word) > 2 else rest
    if folded == name.casefold() or (rest != folded and len(rest) < _MIN_REST):
        return said("password.name")
    if folded in _WORST or _repeats(folded) or _counts(folded):
        return said("password.common")
    return ""


def one_time_password() -> str:
    """Return a password to be read out or typed once: four groups of five, 99 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def _repeats(text: str) -> bool:
    """Return whether a unit of at most four characters makes up the whole text."""
    return any(text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in range(1, 5))


def _counts(text: str) -> bool:
    """Return whether every character follows the one before in the alphabet or the digits, upwards or downwards."""
    steps = {(ord(after) - ord(before)) % 10 if (before + after).isdecimal() else ord(after) - ord(before)
             for before, after in pairwise(text)}  # fmt: skip
    return steps <= {1} or steps <= {9, -1}
