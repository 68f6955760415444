"""What one browser session has said so far: frozen values, replaced and never mutated."""

from dataclasses import dataclass, replace
from typing import Literal

from llmflow.types import Answer, ChatTurn, Citation

Status = Literal["pending", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what became of it."""

    question: str
    text: str = ""
    """What has arrived of the answer."""
    status: Status = "pending"
    answer: Answer | None = None
    """The complete answer; None until `status` is `done`."""
    error: str = ""

    def turns(self) -> tuple[ChatTurn, ...]:
        """Return the two turns a model may remember; none unless the answer is complete and was found."""
        if self.answer is None or not self.answer.found:
            return ()
        return ChatTurn("user", self.question), ChatTurn("assistant", self.answer.text)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Exchanges, oldest first."""

    exchanges: tuple[Exchange, ...] = ()

    @property
    def pending(self) -> bool:
        return bool(self.exchanges) and self.exchanges[-1].status == "pending"

    def ask(self, question: str, keep: int = 50) -> "Conversation":
        """Return the conversation with a pending question at its end; only the newest `keep` exchanges stay."""
        return Conversation((*self.exchanges, Exchange(question))[-keep:])

    def retry(self) -> "Conversation":
        """Return the conversation with its last question pending again."""
        return Conversation((*self.exchanges[:-1], Exchange(self.exchanges[-1].question))) if self.exchanges else self

    def last(self, **changes: object) -> "Conversation":
        """Return the conversation with fields of its last exchange replaced."""
        return Conversation((*self.exchanges[:-1], replace(self.exchanges[-1], **changes)))  # type: ignore[arg-type]

    def stop(self) -> "Conversation":
        """Return the conversation with a pending answer marked as stopped; unchanged when none is pending."""
        return self.last(status="stopped") if self.pending else self

    def history(self, limit: int) -> tuple[ChatTurn, ...]:
        """Return the last `limit` turns before the pending question, oldest first."""
        turns = [turn for exchange in self.exchanges[:-1] for turn in exchange.turns()]
        return tuple(turns[-limit:]) if limit else ()

    def citation(self, exchange: int, number: int) -> Citation | None:
        """Return citation `number` of exchange number `exchange` (from 0), or None: a browser may ask for anything."""
        if not 0 <= exchange < len(self.exchanges):
            return None
        answer = self.exchanges[exchange].answer
        return next((cite for cite in answer.citations if cite.number == number), None) if answer else None
