"""The port of the job queue: it hurries jobs along, while the state database remembers them."""

from collections.abc import Callable
from typing import Protocol


class Consumer(Protocol):
    """Threads that take from a queue."""

    def stop(self, wait_s: float) -> bool:
        """Take nothing more, and wait so long for what is being done; return whether it ended. Safe twice."""
        ...


class JobQueue(Protocol):
    """Carries the ids of jobs to whoever works. What is lost here costs a minute: the sweep finds it in the state database.

    Every method raises `StoreUnavailable` when the queue cannot be reached.
    """

    def hurry(self, job_id: str) -> None:
        """Ask that a worker looks at the job soon; once more for the same id does no harm."""
        ...

    def waiting(self, limit: int = 1000) -> list[str]:
        """Return the ids that nobody has taken yet, the next first."""
        ...

    def depth(self) -> int:
        """Return how many ids nobody has taken yet."""
        ...

    def consume(self, look: Callable[[str], None], sweep: Callable[[], None], workers: int, poll_s: float) -> Consumer:
        """Call `look` with each id that comes, in `workers` threads, and `sweep` now and once a minute, until stopped."""
        ...

    def close(self) -> None: ...
