"""Summaries of the turns that a prompt has no room for: by the chat model, or by rule."""

import logging
import re
from collections.abc import Callable, Sequence

from llmflow.answering.budget import estimate_tokens
from llmflow.errors import ModelUnavailable
from llmflow.ports import ChatModel, ChatRequest, FollowingChatModel, current_model
from llmflow.types import ChatTurn

log = logging.getLogger(__name__)

MARKS = re.compile(r"\s*\[\d{1,2}\]")
TURN_CHARACTERS = 800
"""Of one turn that a model is shown: the prompt stays bounded whatever was said."""
SHOWN_TURNS = 20
SENTENCES = 8


def by_rule(summary: str, turns: Sequence[ChatTurn], budget: int) -> str:
    """Return one line an exchange, the question and the first sentence of its answer, oldest first.

    What exceeds `budget` (as `estimate_tokens` counts) goes from the oldest on: what was said last is asked about most.
    """
    lines = [line for line in summary.split("\n") if line.strip()]
    question = ""
    for turn in turns:
        if turn.role == "user":
            question = " ".join(turn.content.split())
            continue
        said = MARKS.sub("", turn.content).strip().split("\n")[0].strip()
        lines.append(f"- {question} → {said}" if question else f"- {said}")
        question = ""
    kept: list[str] = []
    used = 0
    for line in reversed(lines):
        used += estimate_tokens(line) + 1
        if used > budget:
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def summariser(
    model: ChatModel | FollowingChatModel | None, prompt: str, mask: Callable[[str], str]
) -> Callable[[str, Sequence[ChatTurn], int], str]:
    """Return a function that summarises by the model that is served, and by rule where there is none, it is away or says nothing.

    The model's words are masked, and cut to the budget at the end of a sentence where they exceed it.
    """

    def summarise(summary: str, turns: Sequence[ChatTurn], budget: int) -> str:
        current = current_model(model)
        if current is None or not prompt:
            return by_rule(summary, turns, budget)
        said = "\n".join(f"{turn.role}: {' '.join(turn.content.split())[:TURN_CHARACTERS]}" for turn in turns[-SHOWN_TURNS:])
        asked = prompt.replace("{sentences}", str(SENTENCES)).replace("{summary}", f"{summary}\n" if summary else "")
        request = ChatRequest("", (ChatTurn("user", asked.replace("{conversation}", said)),), max_tokens=max(16, budget))
        try:
            text = mask("".join(current.stream(request)).strip())
        except ModelUnavailable as exc:
            log.warning("Summarised by rule: %s", exc)
            text = ""
        return _cut(text, budget) or by_rule(summary, turns, budget)

    return summarise


def _cut(text: str, budget: int) -> str:
    """Return whole sentences from the beginning that fit the budget."""
    if estimate_tokens(text) <= budget:
        return text
    kept = ""
    for sentence in re.findall(r"[^.!?\n]+[.!?\n]*\s*", text):
        if estimate_tokens(kept + sentence) > budget:
            break
        kept += sentence
    return kept.strip()
