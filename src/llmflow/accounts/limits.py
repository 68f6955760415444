"""How often a password may be tried: by account (counted in the database) and by address (counted in this process)."""

import threading
from collections import OrderedDict, deque

from pydantic import Field

from llmflow.config import Settings


class LockoutSettings(Settings):
    """After `attempts` wrong passwords in a row an account takes none for `minutes`. Sessions and keys go on working."""

    attempts: int = Field(default=5, ge=1, le=100)
    minutes: float = Field(default=15, gt=0)


class AddressSettings(Settings):
    """At most `attempts` sign-ins that failed within `minutes` from one network address."""

    attempts: int = Field(default=30, ge=1)
    minutes: float = Field(default=5, gt=0)


class AddressLimiter:
    """Failures by address within a sliding window. Thread-safe; at most `capacity` addresses are remembered, the latest ones.

    Times are seconds of one clock that never goes back.
    """

    def __init__(self, settings: AddressSettings, capacity: int = 10_000) -> None:
        self._limit = settings.attempts
        self._window = settings.minutes * 60
        self._capacity = capacity
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, address: str, now: float) -> float:
        """Return after how many seconds the address may try again; 0 for at once."""
        with self._lock:
            times = self._failures.get(address)
            while times and times[0] <= now - self._window:
                times.popleft()
            return times[0] + self._window - now if times and len(times) >= self._limit else 0.0

    def count(self, address: str, now: float) -> None:
        """Count a failure; only as many as the limit are kept."""
        with self._lock:
            times = self._failures.setdefault(address, deque(maxlen=self._limit))
            times.append(now)
            self._failures.move_to_end(address)
            while len(self._failures) > self._capacity:
                self._failures.popitem(last=False)
