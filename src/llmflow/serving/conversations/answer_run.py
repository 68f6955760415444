"""One answer from its place in the line to what is kept of it, however it ends."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from llmflow.answering.citations import drop_unknown_marks
from llmflow.errors import LlmflowError, ModelInterrupted
from llmflow.ingestion.masking import MaskedText
from llmflow.ports import MessageStatus
from llmflow.serving.conversations.answer_slots import Slot
from llmflow.types import Answer
from llmflow.wording import said

log = logging.getLogger(__name__)

Kept = TypeVar("Kept", covariant=True)
_UNEXPECTED = said("server.failed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `text` is masked."""

    text: str
    status: MessageStatus
    answer: Answer | None
    """None unless it is complete."""
    ttft_ms: float
    total_ms: float
    pii: Mapping[str, int] = field(default_factory=dict)
    """Masked here in what the model wrote, by kind."""
    error: str = ""


class Keeper(Protocol[Kept]):
    """Where an answer goes."""

    def progress(self, text: str) -> None:
        """Keep what has come so far; masked. May fail without harm."""
        ...

    def finish(self, outcome: Outcome) -> Kept:
        """Keep the end, once, and return what stands for it."""
        ...


class AnswerRun(Generic[Kept]):
    """An iterator: pieces of text as they come, last what its keeper made of the whole.

    Read by one thread. `close` may be called by any thread at any time, also before the first piece: what has come is kept as
    stopped and the last item is returned at the next step. An error of the answer is kept too and then raised.
    """

    def __init__(
        self,
        source: Callable[[], Iterator[str | Answer]],
        keeper: Keeper[Kept],
        slot: Slot,
        mask: Callable[[str], MaskedText],
        wait_s: float,
        progress_s: float,
    ) -> None:
        self._source = source
        self._keeper = keeper
        self._slot = slot
        self._mask = mask
        self._wait_s = wait_s
        self._progress_s = progress_s
        self._begun = self._saved = time.monotonic()
        self._first: float | None = None
        self._pieces: list[str] = []
        self._items: Iterator[str | Answer] | None = None
        self._reading = threading.Lock()
        """Held while the source is asked for its next piece: it can only be closed by who holds it."""
        self._ending = threading.Lock()
        self._ended = False
        self._exhausted = False
        self.kept: Kept | None = None
        """The last item, once there is one."""
        self.answer: Answer | None = None

    def __iter__(self) -> Iterator[str | Kept]:
        return self

    def __next__(self) -> str | Kept:
        with self._reading:
            if self._exhausted:
                raise StopIteration
            try:
                item = self._step()
            except ModelInterrupted as exc:
                self._fail(MessageStatus.INTERRUPTED, str(exc))
                raise
            except LlmflowError as exc:
                self._fail(MessageStatus.FAILED, str(exc))
                raise
            except BaseException:
                self._fail(MessageStatus.FAILED, _UNEXPECTED)
                raise
            if item is not None:
                return item
            self._exhausted = True
            self._release()
        with self._ending:  # whoever stopped it may still be about to say what was kept
            kept = self.kept
        if kept is None:  # stopped, and what came could not be kept
            raise StopIteration
        return kept

    def close(self, status: MessageStatus = MessageStatus.STOPPED) -> None:
        """End the answer now and keep what has come; safe twice, without effect on one that is complete. Never raises."""
        try:
            self._end(status, None)
        except LlmflowError as exc:
            log.warning("What came of a stopped answer could not be kept: %s", exc)
        except Exception:
            log.exception("What came of a stopped answer could not be kept")
        if not self._slot.running:
            self._slot.leave()
        if self._reading.acquire(blocking=False):  # else its reader sees the end at its next step
            try:
                self._release()
            finally:
                self._reading.release()

    def __del__(self) -> None:
        if not getattr(self, "_exhausted", True):
            self.close()

    def _step(self) -> str | None:
        """Return the next piece, or None once the answer has ended."""
        if self._items is None and not self._ended:
            if not self._slot.wait(self._wait_s):
                return None
            self._items = self._source()
        if self._ended or self._items is None:
            return None
        item = next(self._items, None)
        if self._ended:
            return None
        if item is None:
            raise ModelInterrupted(said("model.stopped"))
        now = time.monotonic()
        self._first = self._first or now
        if isinstance(item, Answer):
            self._end(MessageStatus.DONE, item)
            return None
        self._pieces.append(item)
        if now - self._saved >= self._progress_s:
            self._saved = now
            self._save()
        return item

    def _save(self) -> None:
        try:
            self._keeper.progress(self._mask("".join(self._pieces)).text)
        except LlmflowError as exc:
            log.warning("The progress of an answer could not be kept: %s", exc)  # the end is what counts

    def _fail(self, status: MessageStatus, error: str) -> None:
        self._exhausted = True
        try:
            self._end(status, None, error)
        except LlmflowError as exc:
            log.warning("What came of a failed answer could not be kept: %s", exc)
        except Exception:
            log.exception("What came of a failed answer could not be kept")
        self._release()

    def _end(self, status: MessageStatus, answer: Answer | None, error: str = "") -> None:
        with self._ending:
            if self._ended:
                return
            self._ended = True
            now = time.monotonic()
            masked = self._mask("".join(self._pieces))
            text = answer.text if answer else drop_unknown_marks(masked.text, 0)  # nothing says yet what the marks point to
            first = (self._first or now) - self._begun
            self.answer = answer
            self.kept = self._keeper.finish(
                Outcome(text, status, answer, 1000 * first, 1000 * (now - self._begun), masked.counts, error)
            )

    def _release(self) -> None:
        """Close the source and give the slot back; only by who holds `_reading`."""
        close = getattr(self._items, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                log.exception("An answer's source could not be closed")
        self._slot.leave()


def complete(run: "AnswerRun[Kept]") -> Kept:
    """Read an answer to its end and return the last item."""
    for item in run:
        if not isinstance(item, str):
            return item
    raise ModelInterrupted(said("answer.stopped"))
