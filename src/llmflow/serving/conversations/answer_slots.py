"""How many answers are written at once, who waits, and who is told to come back."""

import threading
from collections import Counter, deque

from llmflow.errors import Busy
from llmflow.wording import said


class Slot:
    """A place among the answers of this process: waiting first, then running, until it is left."""

    def __init__(self, slots: "AnswerSlots", account_id: str) -> None:
        self._slots = slots
        self.account_id = account_id
        self.running = False
        self.left = False
        self._turn = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Return once it is this slot's turn, or False where it was left meanwhile. Raises `Busy` after `seconds`."""
        if not self._turn.wait(seconds):
            self.leave()
            raise Busy(said("busy.waited", seconds=f"{seconds:.0f}"))
        return not self.left

    def leave(self) -> None:
        """Give the place to the next in line; safe twice and from any thread."""
        self._slots._leave(self)


class AnswerSlots:
    """At most `at_once` answers run, at most `waiting` wait in the order in which they came, at most `per_account` of either."""

    def __init__(self, at_once: int, waiting: int, per_account: int) -> None:
        self.at_once = at_once
        self.waiting = waiting
        self.per_account = per_account
        self._lock = threading.Lock()
        self._running = 0
        self._line: deque[Slot] = deque()
        self._held: Counter[str] = Counter()

    def enter(self, account_id: str) -> Slot:
        """Return a slot, running where one is free. Raises `Busy` where the line or the account's share is full."""
        with self._lock:
            if self._held[account_id] >= self.per_account:
                raise Busy(said("busy.yours", count=self.per_account))
            if self._running >= self.at_once and len(self._line) >= self.waiting:
                raise Busy(said("busy.all"))
            slot = Slot(self, account_id)
            self._held[account_id] += 1
            if self._running < self.at_once:
                self._start(slot)
            else:
                self._line.append(slot)
            return slot

    def counts(self) -> tuple[int, int]:
        """Return how many answers run and how many wait."""
        with self._lock:
            return self._running, len(self._line)

    def _start(self, slot: Slot) -> None:
        self._running += 1
        slot.running = True
        slot._turn.set()

    def _leave(self, slot: Slot) -> None:
        with self._lock:
            if slot.left:
                return
            slot.left = True
            self._held[slot.account_id] -= 1
            if not self._held[slot.account_id]:
                del self._held[slot.account_id]
            if slot.running:
                self._running -= 1
                if self._line:
                    self._start(self._line.popleft())
            else:
                self._line.remove(slot)
                slot._turn.set()
