"""Answers that are being written, apart from the pages that watch them.

A page may be closed, reloaded or lose its network: the answer is written to its end and kept, and a page that opens the
session again joins it.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from apps.chat.backend import SessionRun
from llmflow.errors import Busy
from llmflow.ports.conversations import Message

log = logging.getLogger(__name__)


class Running:
    """One answer: what has come of it, and what ended it."""

    def __init__(self, run: SessionRun) -> None:
        self.question: Message = run.question
        self.done = False
        self.failure: Exception | None = None
        self._run = run
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def stop(self) -> None:
        """End it; what has come is kept. A model that says nothing for a while keeps nobody waiting."""
        self._run.close()
        self.done = True

    def write(self) -> None:
        """Take pieces until the end; never raises."""
        try:
            for piece in self._run:
                if isinstance(piece, str):
                    self._pieces.append(piece)
        except Exception as exc:
            self.failure = exc
        finally:
            self.done = True


class RunningAnswers:
    """The answers that pages of this process asked for; `limit` are read at once, the rest wait."""

    def __init__(self, limit: int) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="answer")
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], Running] = {}

    def start(self, account_id: str, session_id: str, run: SessionRun) -> Running:
        """Read `run` to its end in the background. Raises `Busy` while the server goes down; the answer is then stopped."""
        running, key = Running(run), (account_id, session_id)

        def write() -> None:
            try:
                running.write()
            finally:
                with self._lock:
                    if self._running.get(key) is running:
                        del self._running[key]

        with self._lock:
            self._running[key] = running
        try:
            self._pool.submit(write)
        except RuntimeError as exc:
            run.close()
            with self._lock:
                self._running.pop(key, None)
            raise Busy("The server is being stopped. Ask again in a minute.") from exc
        return running

    def of(self, account_id: str, session_id: str) -> Running | None:
        """Return the answer that is being written in a session."""
        with self._lock:
            running = self._running.get((account_id, session_id))
        return None if running is None or running.done else running

    def stop(self, account_id: str, session_id: str) -> None:
        running = self.of(account_id, session_id)
        if running is not None:
            running.stop()

    def __len__(self) -> int:
        return len(self._running)

    def close(self) -> None:
        """Stop all answers, keeping what has come, and start no more; does not wait for them."""
        self._pool.shutdown(wait=False)
        with self._lock:
            running = list(self._running.values())
        for one in running:
            one.stop()
