"""Conversations that the chat collected, as the state database exports them: one JSON object a line.

    {"conversation": "c-17", "tenant": "hanbit", "user": "u-4", "time": "2026-11-25T09:00:00Z", "messages": [
      {"role": "user", "content": "..."}, {"role": "assistant", "content": "...", "feedback": "up" | "down" | null,
       "correction": "what it should have said"}]}

This row is the port: whatever keeps conversations writes it. What a conversation teaches follows from the feedback.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from llmflow.finetuning.dataset_info import OPENAI_TAGS
from llmflow.finetuning.fields import Fields, Wrong
from llmflow.finetuning.turns import read_turns
from llmflow.finetuning.types import Example, Message, Task

FEEDBACK = ("up", "down")


class ConversationSource(Protocol):
    """Something that keeps conversations, such as the state database."""

    def conversations(self, since: str = "") -> Iterable[Mapping[str, Any]]:
        """Yield rows of the form above, oldest first; only those that went on after `since` (ISO 8601) where it is given."""
        ...


def export_conversations(source: ConversationSource, path: Path, since: str = "") -> int:
    """Write the rows of a source as JSON Lines and return how many there were."""
    rows = [json.dumps(dict(row), ensure_ascii=False) + "\n" for row in source.conversations(since)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(rows), encoding="utf-8", newline="\n")
    return len(rows)


def read_collected(fields: Fields, task: Task, identifier: str) -> list[Example]:
    """Return what a conversation teaches for `task`; empty where nobody judged it.

    SFT: the turns up to the last answer that was liked or corrected, corrections in place, if none on the way was only disliked.
    KTO: every judged answer after the turns before it. DPO: every correction against what was said.
    """
    turns = fields.items("messages")
    messages = read_turns(fields, "messages", OPENAI_TAGS, ends_open=_ends_open(turns))
    offset = len(messages) - len(turns)
    judged = [(place + offset, _feedback(turn, place), _correction(fields, turn, place)) for place, turn in enumerate(turns)]
    user = _opaque(fields.text("tenant", optional=True), fields.text("user", optional=True))
    time = fields.time("time")
    make = {Task.SFT: _for_sft, Task.KTO: _for_kto, Task.DPO: _for_dpo}[task]
    return [replace(example, user=user, time=time) for example in make(messages, judged, identifier)]


_Judged = list[tuple[int, str, str]]


def _for_sft(messages: tuple[Message, ...], judged: _Judged, identifier: str) -> list[Example]:
    last = max((place for place, feedback, correction in judged if correction or feedback == "up"), default=None)
    if last is None or any(feedback == "down" and not correction for place, feedback, correction in judged if place <= last):
        return []
    corrected = {place: correction for place, _, correction in judged if correction}
    kept = [replace(message, content=corrected.get(place, message.content)) for place, message in enumerate(messages[: last + 1])]
    return [Example(identifier, Task.SFT, tuple(kept))]


def _for_kto(messages: tuple[Message, ...], judged: _Judged, identifier: str) -> list[Example]:
    return [
        Example(f"{identifier}#{place}", Task.KTO, messages[: place + 1], desirable=feedback == "up")
        for place, feedback, _ in judged
        if feedback
    ]


def _for_dpo(messages: tuple[Message, ...], judged: _Judged, identifier: str) -> list[Example]:
    return [
        Example(
            f"{identifier}#{place}",
            Task.DPO,
            messages[:place],
            chosen=Message("assistant", correction),
            rejected=messages[place],
        )
        for place, _, correction in judged
        if correction and correction != messages[place].content
    ]


def _ends_open(turns: list[Any]) -> bool:
    return isinstance(turns[-1], dict) and turns[-1].get("role") in ("user", "tool")


def _feedback(turn: Mapping[str, Any], place: int) -> str:
    value = turn.get("feedback") or ""
    if value and (value not in FEEDBACK or turn.get("role") != "assistant"):
        raise Wrong(f"messages[{place}].feedback", f"is {str(value)[:20]!r}; an assistant's turn may have 'up' or 'down'")
    return value


def _correction(fields: Fields, turn: Mapping[str, Any], place: int) -> str:
    value = turn.get("correction")
    return fields.checked(value, f"messages[{place}].correction") if value else ""


def _opaque(tenant: str, user: str) -> str:
    """Return an id that tells users apart and does not name them."""
    return hashlib.sha256(f"{tenant}\n{user}".encode()).hexdigest()[:12] if user else ""
