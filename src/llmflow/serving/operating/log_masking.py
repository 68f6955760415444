"""What may stand in a log: no personal data, no secret, whichever way it got into an event."""

import re
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from llmflow.ingestion.masking_presidio import EMAIL_PATTERN
from llmflow.ingestion.masking_recognizers import KINDS, find_korean

SECRET = "[SECRET]"
KEPT = frozenset({"timestamp", "level", "logger", "trace_id", "account_id", "tenant", "route", "method", "status", "pid"})
"""Keys whose values we write ourselves and that hold ids, names of code or numbers."""
_SECRET_KEY = re.compile(
    r"(?:^|[_\-.])(?:password|passwd|pwd|secret|token|authorization|cookie|set-cookie|api_?key|private_?key|credentials?|"
    r"비밀번호|암호)(?:$|[_\-.])",
    re.IGNORECASE,
)
_NAMES = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|session|비밀번호|암호)"
_SECRETS = (
    re.compile(r"(?i)\b(?P<kept>bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=\-]{6,})"),
    re.compile(r"(?P<kept>\b[a-z][a-z0-9+.\-]*://[^\s:/@]*):(?P<secret>[^\s/@]+)(?=@)"),
    re.compile(r"(?P<secret>\b(?:lf|sk|pk|ghp|gho|glpat|xox[abp]|hf)[-_][A-Za-z0-9_\-]{10,})"),
    re.compile(r"(?P<secret>\bAKIA[A-Z0-9]{16}\b)"),
    re.compile(r"(?P<secret>\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]*)"),
    re.compile(r"(?P<secret>\$argon2[a-z]*\$[^\s\"']+)"),
    re.compile(r"(?s)(?P<kept>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?P<secret>.*?)(?=-----END|\Z)"),
    re.compile(
        rf"(?i)(?P<kept>[\w\-]*{_NAMES}[\w\-]*[\"']?\s*[=:]\s*)(?P<secret>(?!\[SECRET\])(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&}}\])]+))"
    ),
    re.compile(r"(?i)(?P<kept>[?&](?:code|state|sig|signature|key)=)(?P<secret>(?!\[SECRET\])[^\s&\"']+)"),
)
_EMAIL = re.compile(EMAIL_PATTERN)
_ALL_KINDS = frozenset(KINDS) - {"IP"}
_LONG_NUMBER = 10**8


class LogMasker:
    """Masks every string of an event. Safe in any thread, and while the masker itself is being loaded."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        """`mask` replaces personal data, such as `Masker.mask`; it may log."""
        self._mask = mask
        self._local = threading.local()

    def text(self, text: str) -> str:
        """Return `text` without secrets and personal data. Never raises: what cannot be masked is left out."""
        if getattr(self._local, "active", False):
            return _by_patterns(without_secrets(text))  # the masker logs while it loads: asking it again would wait for ever
        self._local.active = True
        try:
            return self._mask(without_secrets(text))
        except Exception as exc:  # a log line must neither fail a request nor be written unmasked
            return f"[not masked: {type(exc).__name__}]"
        finally:
            self._local.active = False

    def event(self, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Return the event with every value masked, those of keys that name a secret replaced."""
        return {key: value if key in KEPT else self._value(key, value) for key, value in event.items()}

    def _value(self, key: str, value: Any) -> Any:
        if value is None or isinstance(value, bool | float):
            return value
        if _SECRET_KEY.search(key):
            return SECRET
        if isinstance(value, int):
            return value if abs(value) < _LONG_NUMBER else self.text(str(value))
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._value(str(name), item) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", item) for item in value]
        return self.text(value if isinstance(value, str) else str(value))


def without_secrets(text: str) -> str:
    """Return `text` with passwords, tokens and keys replaced: by their form, or by the name before them."""
    for pattern in _SECRETS:
        text = pattern.sub(_hide, text)
    return text


def _hide(match: re.Match[str]) -> str:
    start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
    return f"{match.group()[:start]}{SECRET}{match.group()[end:]}"


def _by_patterns(text: str) -> str:
    for finding in sorted(find_korean(text, _ALL_KINDS), key=lambda f: f.start, reverse=True):
        text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
    return _EMAIL.sub("[EMAIL]", text)
