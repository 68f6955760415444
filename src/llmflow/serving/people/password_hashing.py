"""Password hashes: Argon2id through argon2-cffi, hashed anew when the settings change."""

from functools import cached_property
from typing import Any

from llmflow.accounts.passwords import normal_password
from llmflow.accounts.settings import HashSettings


class PasswordHasher:
    """Makes and checks hashes in PHC form. A check against no hash costs as much as one against a real one."""

    def __init__(self, settings: HashSettings) -> None:
        self._settings = settings

    def hash(self, password: str) -> str:
        return self._argon2.hash(normal_password(password))

    def matches(self, password: str, hashed: str) -> bool:
        """Return whether the password was hashed so. False, after the same work, for an empty hash: an account without one."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._argon2.verify(hashed or self._decoy, normal_password(password)) and bool(hashed)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, hashed: str) -> bool:
        """Return whether a hash was made with other parameters than those of now."""
        return self._argon2.check_needs_rehash(hashed)

    @cached_property
    def _argon2(self) -> Any:
        try:
            from argon2 import PasswordHasher as Argon2
        except ModuleNotFoundError as exc:
            from llmflow.errors import MissingDependency

            raise MissingDependency("Accounts need argon2-cffi. Install it: pip install 'llmflow[apps]'") from exc
        return Argon2(self._settings.passes, self._settings.memory_kib, self._settings.lanes)

    @cached_property
    def _decoy(self) -> str:
        return self._argon2.hash("no account has this password")
