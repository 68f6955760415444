"""Answers that threads write, read by an event loop: nothing of an answer ever runs on the loop."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from llmflow.errors import ModelInterrupted
from llmflow.ports import MessageStatus
from llmflow.serving.conversations.answer_run import AnswerRun
from llmflow.wording import said

Kept = TypeVar("Kept")
HEARTBEAT_SECONDS = 15.0


class AnswerFeed(Generic[Kept]):
    """One running answer, for one task of the loop.

    A reader that is slow never holds the answer back: pieces that were not fetched yet are joined into one, so that what waits is
    at most the answer itself.
    """

    def __init__(self, run: AnswerRun[Kept], threads: ThreadPoolExecutor) -> None:
        self.run = run
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lock = threading.Lock()
        self._ready: deque[Any] = deque()
        self._told = False
        threads.submit(copy_context().run, self._work)  # logs and traces there belong to the request too

    async def items(self, heartbeat_s: float = HEARTBEAT_SECONDS) -> AsyncIterator[str | Kept | None]:
        """Yield pieces, None whenever nothing came for `heartbeat_s` seconds, and last what was kept; or raise its error."""
        while True:
            try:
                async with asyncio.timeout(heartbeat_s):  # wait_for would make a task of each piece
                    await self._news.wait()
            except TimeoutError:
                yield None
                continue
            for item in self._fetch():
                if isinstance(item, BaseException):
                    raise item
                yield item
                if not isinstance(item, str):
                    return

    async def complete(self) -> Kept:
        """Return what was kept of the whole answer."""
        async for item in self.items():
            if item is not None and not isinstance(item, str):
                return item
        raise ModelInterrupted(said("answer.stopped"))

    def stop(self, status: MessageStatus = MessageStatus.STOPPED) -> None:
        """End the answer soon, from the loop, without waiting; what has come is kept."""
        if self.run.kept is None:
            self._threads.submit(self.run.close, status)

    def _work(self) -> None:
        try:
            for item in self.run:
                self._put(item)
                if not isinstance(item, str):
                    return
            self._put(ModelInterrupted(said("answer.stopped")))
        except BaseException as exc:
            self._put(exc)

    def _put(self, item: Any) -> None:
        with self._lock:
            if isinstance(item, str) and self._ready and isinstance(self._ready[-1], str):
                self._ready[-1] += item
                return
            self._ready.append(item)
            if self._told:
                return
            self._told = True
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed: nobody reads any more
            self.run.close(MessageStatus.INTERRUPTED)

    def _fetch(self) -> list[Any]:
        with self._lock:
            items = list(self._ready)
            self._ready.clear()
            self._told = False
            self._news.clear()
        return items
