"""Examples fit to train on: personal data masked, nothing twice, nothing that an evaluation asks."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import Field

from llmflow.config import Settings
from llmflow.finetuning.decontamination import HeldOut
from llmflow.finetuning.near_duplicates import find_near_duplicates, normalised
from llmflow.finetuning.types import Example, Message
from llmflow.ingestion.masking import MaskedText, MaskingSettings

Progress = Callable[[str, int, int], None]


class TextMasker(Protocol):
    """The part of llmflow.ingestion.masking.Masker that is needed here."""

    def mask(self, text: str) -> MaskedText: ...


class CleaningSettings(Settings):
    masking: MaskingSettings = MaskingSettings()
    near_duplicates: float = Field(default=0.85, ge=0, le=1)
    """Share of common character 5-grams from which two examples are one; 0 keeps all that are not equal."""
    keep_out: tuple[str, ...] = ()
    """Evaluation sets whose questions are not trained on; paths relative to the project."""
    max_characters: int = Field(default=100_000, ge=100)


@dataclass(frozen=True, slots=True)
class Removal:
    """An example that was taken out after it was read."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    examples: tuple[Example, ...]
    removed: tuple[Removal, ...]
    masked: dict[str, int] = field(default_factory=dict)
    """Pieces of personal data that were replaced, by kind."""
    steps: dict[str, int] = field(default_factory=dict)
    """Examples left after each step, in order."""


def clean(
    examples: Sequence[Example],
    settings: CleaningSettings,
    masker: TextMasker,
    held_out: HeldOut,
    progress: Progress | None = None,
) -> Cleaned:
    """Return the examples that stay, in their order, masked; of several that say the same the first stays."""
    removed: list[Removal] = []
    steps = {"read": len(examples)}
    kept = [example for example in examples if _length(example) <= settings.max_characters]
    removed += [
        Removal(example.id, f"{_length(example)} characters, above {settings.max_characters}")
        for example in examples
        if _length(example) > settings.max_characters
    ]
    steps["short enough"] = len(kept)
    kept, masked = mask_examples(kept, masker, progress)
    kept = _without_equals(kept, removed)
    steps["exact duplicates out"] = len(kept)
    if settings.near_duplicates:
        twins = find_near_duplicates(["\n".join(example.texts()) for example in kept], settings.near_duplicates)
        removed += [Removal(kept[index].id, f"nearly the same as {kept[twin].id}") for index, twin in twins.items()]
        kept = [example for index, example in enumerate(kept) if index not in twins]
        steps["near duplicates out"] = len(kept)
    overlaps = [next((found for text in example.texts() if (found := held_out.overlap(text))), "") for example in kept]
    removed += [
        Removal(example.id, "shares words with an evaluation set: " + found[:80])
        for example, found in zip(kept, overlaps, strict=True)
        if found
    ]
    kept = [example for example, found in zip(kept, overlaps, strict=True) if not found]
    steps["evaluation texts out"] = len(kept)
    return Cleaned(tuple(kept), tuple(removed), masked, steps)


def mask_examples(
    examples: Sequence[Example], masker: TextMasker, progress: Progress | None = None
) -> tuple[list[Example], dict[str, int]]:
    """Return the examples with personal data replaced in every text, tool call and tool description, and counts by kind."""
    counts: Counter[str] = Counter()

    def masked(text: str) -> str:
        found = masker.mask(text)
        counts.update(found.counts)
        return found.text

    result = []
    for number, example in enumerate(examples, start=1):
        result.append(_mapped(example, masked))
        if progress is not None and (number % 200 == 0 or number == len(examples)):
            progress("mask", number, len(examples))
    return result, dict(sorted(counts.items()))


def content_key(example: Example) -> str:
    """Return a key that is equal for examples that teach the same: every turn, call and judgement in compared form."""
    turns = [*example.messages, *(message for message in (example.chosen, example.rejected) if message is not None)]
    parts = [[turn.role, normalised(turn.content), *((call.name, call.arguments) for call in turn.tool_calls)] for turn in turns]
    text = json.dumps([parts, example.desirable, example.tools], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_equals(examples: Sequence[Example], removed: list[Removal]) -> list[Example]:
    first: dict[str, str] = {}
    kept = []
    for example in examples:
        key = content_key(example)
        if key in first:
            removed.append(Removal(example.id, f"the same as {first[key]}"))
        else:
            first[key] = example.id
            kept.append(example)
    return kept


def _length(example: Example) -> int:
    return sum(map(len, example.texts())) + len(example.tools)


def _mapped(example: Example, change: Callable[[str], str]) -> Example:
    def turn(message: Message | None) -> Message | None:
        if message is None:
            return None
        calls = tuple(replace(call, arguments=_mapped_json(call.arguments, change)) for call in message.tool_calls)
        return Message(message.role, change(message.content), calls)

    messages = tuple(changed for message in example.messages if (changed := turn(message)) is not None)
    tools = _mapped_json(example.tools, change) if example.tools else ""
    return replace(example, messages=messages, chosen=turn(example.chosen), rejected=turn(example.rejected), tools=tools)


def _mapped_json(text: str, change: Callable[[str], str]) -> str:
    """Change texts and numbers inside JSON, so that it stays JSON; a number that is changed becomes text."""

    def inner(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: inner(item) for key, item in value.items()}
        if isinstance(value, list):
            return [inner(item) for item in value]
        if isinstance(value, str):
            return change(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and (changed := change(str(value))) != str(value):
            return changed
        return value

    return json.dumps(inner(json.loads(text)), ensure_ascii=False)
