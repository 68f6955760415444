"""What of a conversation fits the model's context: system text, question, passages, turns, summary and the reply together.

Counts are those of the model's tokenizer where one is at hand. Without it a text counts as many tokens as it has UTF-8 bytes: a
token of a byte-level, byte-fallback or WordPiece vocabulary stands for at least one byte, so that
bound is never too low in Korean or English, and what fits by it needs no tokenizer at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import PromptTooLong, SettingsError
from llmflow.types import ChatTurn

TokenCounter = Callable[[str], int]
MESSAGE_TOKENS = 16
"""What a chat template may put around one message."""


class MemorySettings(Settings):
    context_tokens: int = Field(default=16384, ge=512)
    """Context of the model: prompt and reply together."""
    turns_tokens: int = Field(default=3000, ge=0)
    """Most tokens of recent turns."""
    summary_tokens: int = Field(default=1200, ge=0)
    """Most tokens of the summary of older turns."""
    instructions_tokens: int = Field(default=2000, ge=0)
    """Most tokens of a person's instructions on the form of the answer; longer ones are left out, and the answer says so."""
    examples_tokens: int = Field(default=3000, ge=0)
    """Most tokens of few-shot examples; as many as fit, from the first."""
    tokenizer: str = ""
    """Folder with the model's `tokenizer.json`; empty: the server is asked where it counts tokens, else the bound holds."""
    summarise: bool = True
    """Let the chat model summarise older turns; False, and without a model: by rule."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What goes into the prompt: the newest turns, as many passages and examples from the first as fit, the summary and the
    instructions each whole or not at all."""

    turns: tuple[ChatTurn, ...]
    passages: int
    summary: str
    tokens: int
    """Of everything, the reply's reserve included; at most `context_tokens`."""
    whole: bool
    """Nothing was left out."""
    instructions: str = ""
    examples: int = 0


def estimate_tokens(text: str) -> int:
    """Return the number of UTF-8 bytes, which no vocabulary that the module's docstring names exceeds."""
    return len(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=4)
def tokenizer_counter(folder: str) -> TokenCounter:
    """Return a counter by the tokenizer of a model's folder. Raises SettingsError when there is none."""
    from tokenizers import Tokenizer

    path = Path(folder).expanduser() / "tokenizer.json"
    if not path.is_file():
        raise SettingsError(
            f"answering.memory.tokenizer: there is no {path}. Name a folder that holds tokenizer.json, or leave it empty."
        )
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()  # an encoder's file may ask for both
    tokenizer.no_truncation()
    return lru_cache(maxsize=4096)(lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids))


def recent_turns(turns: Sequence[ChatTurn], count: TokenCounter, budget: int) -> tuple[ChatTurn, ...]:
    """Return the newest turns that fit `budget`, oldest first; they begin with a question, as chat templates ask."""
    kept, used = 0, 0
    for number, turn in enumerate(reversed(turns), 1):
        used += count(turn.content) + MESSAGE_TOKENS
        if used > budget:
            break
        if turn.role == "user":
            kept = number
    return tuple(turns[len(turns) - kept :])


def fit_prompt(
    settings: MemorySettings,
    count: TokenCounter,
    *,
    system: str,
    question: str,
    reply_tokens: int,
    passages: Sequence[str],
    turns: Sequence[ChatTurn] = (),
    summary: str = "",
    instructions: str = "",
    examples: Sequence[str] = (),
) -> Fitted:
    """Return what fits into `context_tokens`, what matters most first: the first passage, instructions, recent turns, examples,
    summary, more passages.

    Raises PromptTooLong when not even the first passage fits beside system text, question and reply.
    """
    left = settings.context_tokens - reply_tokens - count(system) - count(question) - 2 * MESSAGE_TOKENS
    costs = [count(text) + MESSAGE_TOKENS for text in passages]
    if left < sum(costs[:1]):
        raise PromptTooLong(
            f"The question, one passage and {reply_tokens} tokens of answer do not fit answering.memory.context_tokens = "
            f"{settings.context_tokens}. Raise it to the context of the model, or lower answering.max_tokens."
        )
    left -= sum(costs[:1])
    told = _whole(instructions, count, min(settings.instructions_tokens, left - MESSAGE_TOKENS))
    left -= count(told) + MESSAGE_TOKENS if told else 0
    recent = recent_turns(turns, count, min(settings.turns_tokens, left))
    left -= sum(count(turn.content) + MESSAGE_TOKENS for turn in recent)
    room, exemplary = min(settings.examples_tokens, left), 0
    for cost in (count(text) + MESSAGE_TOKENS for text in examples):
        if cost > room:
            break
        room, left, exemplary = room - cost, left - cost, exemplary + 1
    said = _whole(summary, count, min(settings.summary_tokens, left - MESSAGE_TOKENS))
    left -= count(said) + MESSAGE_TOKENS if said else 0
    shown = min(1, len(costs))
    for cost in costs[1:]:
        if cost > left:
            break
        left, shown = left - cost, shown + 1
    whole = shown == len(costs) and len(recent) == len(turns) and said == summary
    whole = whole and told == instructions and exemplary == len(examples)
    return Fitted(recent, shown, said, settings.context_tokens - left, whole, told, exemplary)


def _whole(text: str, count: TokenCounter, room: int) -> str:
    """Return the text where it fits, else nothing of it."""
    return text if text and count(text) <= room else ""
