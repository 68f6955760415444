"""The base of all settings: frozen, closed to unknown keys, readable as a fingerprint."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen settings that reject unknown keys, so that a typing error never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self) -> str:
        """Return 12 hex digits that change whenever a value changes."""
        return fingerprint_of(self.model_dump(mode="json"))


def fingerprint_of(value: object, digits: int = 12) -> str:
    """Return the first hex digits of SHA-256 over the canonical JSON of `value`."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
