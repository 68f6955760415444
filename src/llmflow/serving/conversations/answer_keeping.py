"""What is kept of an answer: its message in the session, what may be remembered of it, and the figures that are counted."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from llmflow.errors import LlmflowError
from llmflow.ports import AnswerEvent, ConversationStore, EventLog, Message, MessageStatus
from llmflow.serving.conversations.answer_run import Outcome
from llmflow.serving.conversations.question_kinds import question_kind
from llmflow.types import Account, Answer, ChatTurn
from llmflow.wording import in_language, kept

log = logging.getLogger(__name__)

Channel = Literal["chat", "api", "websocket", "openai"]
ANSWER = "assistant"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is counted."""

    account: Account
    language: str
    channel: Channel
    pii: Mapping[str, int]
    session_id: str = ""


class CountingKeeper:
    """Keeps nothing but the figures."""

    def __init__(self, asked: Asked, events: EventLog) -> None:
        self._asked = asked
        self._events = events

    def progress(self, text: str) -> None:
        pass

    def finish(self, outcome: Outcome) -> Answer:
        count_answer(self._events, self._asked, outcome, "")
        return outcome.answer or Answer(outcome.text, False)


class SessionKeeper:
    """Keeps an answer in its session."""

    def __init__(self, asked: Asked, events: EventLog, store: ConversationStore, pending: Message) -> None:
        self._asked = asked
        self._events = events
        self._store = store
        self._pending = pending

    def progress(self, text: str) -> None:
        self._store.progress(self._pending.id, self._asked.account.id, text)

    def finish(self, outcome: Outcome) -> Message:
        citations = outcome.answer.citations if outcome.answer else ()
        details = details_of(outcome, self._asked.language)
        account_id = self._asked.account.id
        message = self._store.finish(self._pending.id, account_id, outcome.text, outcome.status, citations, details)
        count_answer(self._events, self._asked, outcome, message.id)
        return message


def count_answer(events: EventLog, asked: Asked, outcome: Outcome, message_id: str) -> None:
    """Record one answer's figures; one that cannot be counted was given all the same."""
    answer = outcome.answer or Answer("", False, model="")
    pii = {kind: asked.pii.get(kind, 0) + outcome.pii.get(kind, 0) for kind in {*asked.pii, *outcome.pii}}
    event = AnswerEvent(
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        tenant=asked.account.tenant,
        account_id=asked.account.id,
        groups=asked.account.groups,
        session_id=asked.session_id,
        message_id=message_id,
        model=answer.model,
        settings_id=answer.settings_id,
        language=asked.language,
        status=outcome.status,
        found=answer.found,
        cached=answer.cached,
        ttft_ms=round(outcome.ttft_ms, 1),
        total_ms=round(outcome.total_ms, 1),
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        confidence=answer.confidence,
        channel=asked.channel,
        pii=dict(sorted(pii.items())),
        suspicious=len(answer.suspicious),
        kind=question_kind(outcome.answer),
    )
    try:
        events.record(event)
    except LlmflowError as exc:
        log.warning("An answer was not counted: %s", exc)


def details_of(outcome: Outcome, language: str) -> dict[str, Any]:
    """Return what is kept of how an answer was made."""
    times = {"ttft_ms": round(outcome.ttft_ms, 1), "total_ms": round(outcome.total_ms, 1), "language": language}
    answer = outcome.answer
    if answer is None:
        if not outcome.error:
            return times
        beside = kept(outcome.error)
        return {**times, "error": in_language(outcome.error, "en"), **({"error_said": beside} if beside else {})}
    return {
        **times,
        "found": answer.found,
        "kind": str(question_kind(answer)),
        "model": answer.model,
        "confidence": round(answer.confidence, 4),
        "settings_id": answer.settings_id,
        "notice": answer.notice,
        "asked": answer.asked,
        "cached": answer.cached,
        "suspicious": list(answer.suspicious),
        "doubted": list(answer.doubted),
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "trace_id": answer.trace_id,
        "space": str(answer.space),
        "documents": list(answer.documents),
        "examples": answer.examples,
    }


def turns_of(messages: Sequence[Message]) -> tuple[ChatTurn, ...]:
    """Return what may be remembered of messages: questions with complete answers in which something was found, in order."""
    turns: list[ChatTurn] = []
    asked: Message | None = None
    for message in messages:
        if message.role != ANSWER:
            asked = message
        elif asked is not None:
            complete = message.status == MessageStatus.DONE and not message.details.get("withdrawn")
            if complete and message.details.get("found"):
                turns += [ChatTurn("user", asked.content), ChatTurn(ANSWER, message.content)]
            asked = None
    return tuple(turns)
