"""Traces written in the background: sampled, batched, bounded. An answer pays for putting one value into a list."""

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from pydantic import Field

from llmflow.config import Settings
from llmflow.ports.tracing import AnswerTrace

log = logging.getLogger(__name__)


class TraceSettings(Settings):
    sample: float = Field(default=1.0, ge=0, le=1)
    """Share of the answers that are traced, chosen by trace id, so that every process chooses alike; failed ones always are."""
    content: bool = False
    """Also write the masked answer; the masked question always is."""
    every_s: float = Field(default=2.0, gt=0)
    batch: int = Field(default=64, ge=1)
    waiting: int = Field(default=2000, ge=1)
    """Traces that may wait to be written; more are dropped."""


class TraceWriter(Protocol):
    """Writes traces somewhere; called from one thread. Any error drops the batch."""

    def write(self, traces: Sequence[AnswerTrace]) -> None: ...


class QueuedTracer:
    """Tracer that opens its writer in the background with the first trace: what the writer imports delays no answer."""

    def __init__(self, settings: TraceSettings, open_writer: Callable[[], TraceWriter]) -> None:
        self._settings = settings
        self._open = open_writer
        self._waiting: deque[AnswerTrace] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self.dropped = 0
        """Traces that were not written: too many waited, or the writer failed."""

    def record(self, trace: AnswerTrace) -> None:
        """Keep the trace to be written soon."""
        if self._closing or (trace.status != "failed" and int(trace.id[:8], 16) / 0x1_0000_0000 >= self._settings.sample):
            return
        if not self._settings.content:
            trace = replace(trace, answer="")
        with self._news:
            if len(self._waiting) >= self._settings.waiting:
                self.dropped += 1
                return
            self._waiting.append(trace)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            elif len(self._waiting) >= self._settings.batch:
                self._news.notify()

    def close(self, wait_s: float = 5.0) -> None:
        """Write what is held and end the thread; what is not written within `wait_s` seconds is lost."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(wait_s)
            atexit.unregister(self.close)

    def _work(self) -> None:
        writer: TraceWriter | None = None
        while True:
            with self._news:
                if not self._closing:
                    self._news.wait(self._settings.every_s)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._settings.batch))]
                if not batch and self._closing:
                    return
            if not batch:
                continue
            try:
                writer = writer or self._open()
                writer.write(batch)
            except Exception as exc:  # a trace that cannot be written must not harm what it is of
                self.dropped += len(batch)
                log.warning("%d traces were not written (%s: %s); %d so far", len(batch), type(exc).__name__, exc, self.dropped)
