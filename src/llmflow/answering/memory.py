"""What is remembered of a session: its turns, and a summary of those that a prompt has no room for.

The conversation store is the truth and ChatMemory a copy of it with a time to live. A memory that is away costs the summary,
never the answer.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmflow.answering.budget import MemorySettings, estimate_tokens, recent_turns
from llmflow.errors import StoreUnavailable
from llmflow.ports import ChatMemory
from llmflow.types import Answer, ChatTurn

log = logging.getLogger(__name__)

Summarise = Callable[[str, Sequence[ChatTurn], int], str]
"""Earlier summary, older turns, most tokens: the new summary."""


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

    settings: MemorySettings
    store: ChatMemory | None = None
    summarise: Summarise | None = None

    def recall(self, session_id: str, history: Sequence[ChatTurn]) -> Recalled:
        """Return what may be referred to; `history` where the memory is away or knows nothing, and where both disagree."""
        history = tuple(history)[-self.settings.limit :]
        if self.store is None or not session_id:
            return Recalled(history)
        try:
            remembered = self.store.turns(session_id)
            if remembered is None:
                if history:
                    self.store.replace(session_id, history)
                return Recalled(history)
            turns = tuple(remembered)
            if history and _asked(turns) != _asked(history[len(history) - len(turns) :]):
                self.store.replace(session_id, history)  # an answer made again or a question edited cuts the memory too
                return Recalled(history)
            summary, covered = self.store.summary(session_id)
            return Recalled(turns[covered:], summary)
        except StoreUnavailable as exc:
            log.warning("The conversation store stands in for the memory: %s", exc)
            return Recalled(history)

    def keep(self, session_id: str, question: str, answer: Answer, recalled: Recalled) -> None:
        """Remember a question with its answer unless nothing was found, and summarise what no longer fits."""
        if self.store is None or not session_id or not answer.found:
            return
        turns = (ChatTurn("user", question), ChatTurn("assistant", answer.text))
        try:
            self.store.append(session_id, turns)
            self._condense(session_id)
        except StoreUnavailable as exc:
            log.warning("Not remembered: %s", exc)

    def forget(self, session_id: str) -> None:
        """Forget a session's turns and summary; raises StoreUnavailable, since a wish to be forgotten must not fail silently."""
        if self.store is not None and session_id:
            self.store.replace(session_id, ())

    def _condense(self, session_id: str) -> None:
        """Summarise the turns that a prompt has no room for, once they are half as much again as what it has room for."""
        assert self.store is not None
        if self.summarise is None:
            return
        turns = self.store.turns(session_id) or []
        summary, covered = self.store.summary(session_id)
        fresh = turns[covered:]
        room = self.settings.turns_tokens
        if len(recent_turns(fresh, estimate_tokens, room + room // 2)) == len(fresh):
            return
        recent = recent_turns(fresh, estimate_tokens, room)
        older = fresh[: len(fresh) - len(recent)]
        self.store.set_summary(session_id, self.summarise(summary, older, self.settings.summary_tokens), covered + len(older))


def _asked(turns: Sequence[ChatTurn]) -> list[str]:
    return ["".join(turn.content.split()) for turn in turns if turn.role == "user"]
