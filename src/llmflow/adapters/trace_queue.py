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
    every_s: float = Field(default=10.0, gt=0)
    """MLflow takes 11 ms of processor for a trace among five, 8 among thirty."""
    batch: int = Field(default=64, ge=1)
    waiting: int = Field(default=2000, ge=1)
    """Traces that may wait to be written; more are dropped."""
    closing_s: float = Field(default=8.0, ge=0)
    """Longest that the end of the process waits for what is still held; containers are killed after ten."""


class TraceWriter(Protocol):
    """Writes traces somewhere; called from one thread. Any error drops the batch."""

    def write(self, traces: Sequence[AnswerTrace]) -> None: ...


class QueuedTracer:
    """Tracer that writes in one thread of its own, which opens the writer: what that imports delays no answer."""

    def __init__(self, settings: TraceSettings, open_writer: Callable[[], TraceWriter]) -> None:
        self._settings = settings
        self._open = open_writer
        self._waiting: deque[AnswerTrace] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._writing = 0
        self.dropped = 0
        """Traces that were not written: too many waited, the writer failed, or the time to close was over."""

    def begin(self) -> None:
        with self._news:
            self._start()

    def _start(self) -> None:
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def record(self, trace: AnswerTrace) -> None:
        """Keep the trace to be written soon."""
        if trace.status != "failed" and int(trace.id[:8], 16) / 0x1_0000_0000 >= self._settings.sample:
            return
        if not self._settings.content:
            trace = replace(trace, answer="")
        with self._news:
            if self._closing or len(self._waiting) >= self._settings.waiting:
                self.dropped += 1
                return
            self._waiting.append(trace)
            self._start()
            if len(self._waiting) >= self._settings.batch:
                self._news.notify()

    def close(self) -> None:
        """Write what is held and end the thread; what is not written within `closing_s` seconds is lost, counted and logged."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread is None or self._thread is threading.current_thread():
            return
        if self._waiting or self._writing:
            self._thread.join(self._settings.closing_s)
        atexit.unregister(self.close)
        with self._news:
            lost = len(self._waiting) + self._writing
            self._waiting.clear()
            self._writing = 0
            self.dropped += lost
        if lost:
            log.warning("%d traces could not be written in %g s at the end and are lost", lost, self._settings.closing_s)

    def _opened(self) -> TraceWriter | None:
        """Return the writer, opened before there is anything to write; None where that fails, and it is tried again then."""
        try:
            return self._open()
        except Exception as exc:
            log.warning("Traces cannot be written yet (%s: %s)", type(exc).__name__, exc)
            return None

    def _work(self) -> None:
        writer = self._opened()
        while True:
            with self._news:
                if not self._closing and len(self._waiting) < self._settings.batch:  # a burst is not told again
                    self._news.wait(self._settings.every_s)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._settings.batch))]
                self._writing = len(batch)
                if not batch and self._closing:
                    return
            if not batch:
                continue
            try:
                writer = writer or self._open()
                writer.write(batch)
            except Exception as exc:  # a trace that cannot be written must not harm what it is of
                with self._news:
                    self.dropped += self._writing
                log.warning("%d traces were not written (%s: %s); %d so far", len(batch), type(exc).__name__, exc, self.dropped)
            finally:
                with self._news:
                    self._writing = 0
