"""A session's messages as the page shows them: each question with its answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.ports.conversations import Message, MessageStatus
from llmflow.types import Citation


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what became of it. `answer` is None for a question that was kept without one."""

    question: Message
    answer: Message | None = None


def exchanges_of(messages: Sequence[Message]) -> list[Exchange]:
    """Pair messages in their order; an answer without a question before it is left out."""
    pairs: list[Exchange] = []
    for message in messages:
        if message.role == "user":
            pairs.append(Exchange(message))
        elif pairs and pairs[-1].answer is None:
            pairs[-1] = Exchange(pairs[-1].question, message)
    return pairs


def pending_exchange(question: Message, text: str = "") -> Exchange:
    """Return a question whose answer is being written, with what has come of it."""
    answer = Message("", question.session_id, question.ordinal + 1, "assistant", text, MessageStatus.PENDING, "")
    return Exchange(question, answer)


def citation_in(messages: Sequence[Message], message_id: str, number: int) -> Citation | None:
    """Return citation `number` of a message, or None: a browser may ask for anything."""
    found = next((one for one in messages if one.id == message_id), None)
    return next((cite for cite in found.citations if cite.number == number), None) if found else None
