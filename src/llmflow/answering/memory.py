"""What is remembered of a session: its turns, and a summary of those that a prompt has no room for.

The conversation store is the truth and ChatMemory a copy of it with a time to live. A memory that is away costs the summary,
never the answer.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

from llmflow.answering.budget import MemorySettings, estimate_tokens, recent_turns
from llmflow.errors import LlmflowError, StoreUnavailable
from llmflow.ports import ChatMemory
from llmflow.types import Answer, ChatTurn

log = logging.getLogger(__name__)

Summarise = Callable[[str, Sequence[ChatTurn], int], str]
"""Earlier summary, older turns, most tokens: the new summary."""
Run = Callable[[Callable[[], None]], object]
"""Runs something: `at_once` or `beside` the caller."""


def at_once(work: Callable[[], None]) -> None:
    work()


def beside(work: Callable[[], None]) -> None:
    """Run in the process's one thread for summaries; a model takes seconds, and nobody waits for a summary."""
    _thread().submit(work)


@lru_cache(maxsize=1)
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="summaries")


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a question may refer to: turns, oldest first, and what stands for those before them."""

    turns: tuple[ChatTurn, ...] = ()
    summary: str = ""

    def __bool__(self) -> bool:
        return bool(self.turns or self.summary)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of all sessions; `store` None remembers nothing beyond the history that is given."""

    settings: MemorySettings = field(default_factory=MemorySettings)
    store: ChatMemory | None = None
    summarise: Summarise | None = None
    run: Run = at_once
    """Where summaries are made: at once, or beside the answer where a model makes them."""

    def recall(self, session_id: str, history: Sequence[ChatTurn] | None) -> Recalled:
        """Return what may be referred to: `history`, with a summary of its oldest turns where one is remembered.

        Without a history (None) the memory alone is asked.
        """
        given = tuple(history or ())
        if self.store is None or not session_id:
            return Recalled(given)
        try:
            remembered = self.store.turns(session_id)
            turns = tuple(remembered or ())
            same = history is None or _asked(turns) == _asked(given[max(0, len(given) - len(turns)) :])
            if not same or (given and not turns):
                remembered = None  # an answer made again, a question edited or a memory reset: the copy is not what was said
            if remembered is None:
                self.store.replace(session_id, given) if given else self.store.forget(session_id)
                return Recalled(given)
            summary, covered = self.store.summary(session_id)
            return Recalled(turns[covered:], summary)
        except StoreUnavailable as exc:
            log.warning("The conversation store stands in for the memory: %s", exc)
            return Recalled(given)

    def keep(self, session_id: str, question: str, answer: Answer) -> None:
        """Remember a question with its answer unless nothing was found, and summarise what no longer fits."""
        if self.store is None or not session_id or not answer.found:
            return
        turns = (ChatTurn("user", question), ChatTurn("assistant", answer.text))
        try:
            self.store.append(session_id, turns)
            self.run(lambda: self._condense(session_id))
        except StoreUnavailable as exc:
            log.warning("Not remembered: %s", exc)

    def forget(self, session_id: str) -> None:
        """Forget a session's turns and summary.

        A memory that is away forgets when their time is up: the conversation store, which decides what may be remembered, has
        forgotten them already.
        """
        if self.store is None or not session_id:
            return
        try:
            self.store.forget(session_id)
        except StoreUnavailable as exc:
            log.warning("Forgotten later: %s", exc)

    def _condense(self, session_id: str) -> None:
        """Summarise the turns that a prompt has no room for, once they are half as much again as what it has room for."""
        if self.store is None or self.summarise is None:
            return
        try:
            turns = self.store.turns(session_id) or []
            summary, covered = self.store.summary(session_id)
            fresh = turns[covered:]
            room = self.settings.turns_tokens
            if len(recent_turns(fresh, estimate_tokens, room + room // 2)) == len(fresh):
                return
            older = fresh[: len(fresh) - len(recent_turns(fresh, estimate_tokens, room))]
            text = self.summarise(summary, older, self.settings.summary_tokens)
            self.store.set_summary(session_id, text, covered + len(older))
        except LlmflowError as exc:
            log.warning("Not summarised: %s", exc)


def _asked(turns: Sequence[ChatTurn]) -> list[str]:
    return ["".join(turn.content.split()) for turn in turns if turn.role == "user"]
