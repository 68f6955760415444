"""Examples to token ids and the tokens that bear loss, through the model's own chat template.

The template decides how tools, calls and observations are written. Where it has no generation markers, TRL's training
variant of a known template takes its place.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llmflow.errors import SettingsError
from llmflow.finetuning.types import Example, Message

IGNORED = -100
_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows for a trainer, and what did not fit."""

    rows: list[dict[str, Any]]
    cut: int = 0
    """Examples that were cut at `max_length`."""
    dropped: tuple[str, ...] = field(default=())
    """Ids of examples left out because nothing to learn from fits."""


def training_template(tokenizer: Any) -> str | None:
    """Return the template to encode with, None for the tokenizer's own.

    Raises SettingsError where there is none, or none that marks what the assistant said.
    """
    own = tokenizer.chat_template
    if own is None:
        raise SettingsError(
            f"The tokenizer of '{tokenizer.name_or_path}' has no chat template: its model was not tuned to chat. "
            "Use the -Instruct variant, or put a chat_template.jinja with {% generation %} markers beside the tokenizer."
        )
    if _GENERATION.search(own if isinstance(own, str) else own["default"]):
        return None
    from trl.chat_template_utils import get_training_chat_template

    try:
        return get_training_chat_template(tokenizer)
    except ValueError as exc:
        raise SettingsError(
            f"The chat template of '{tokenizer.name_or_path}' has no {{% generation %}} markers and TRL knows no variant that "
            "has. Put the markers around the assistant's turns in its chat_template.jinja, or set loss_on to 'everything'."
        ) from exc


def encode_sft(examples: Sequence[Example], tokenizer: Any, template: str | None, max_length: int, everything: bool) -> Encoded:
    """Return rows of `input_ids` and `labels`; labels are -100 where a token bears no loss. Order is kept."""
    rows, cut, dropped = [], 0, []
    for example in examples:
        found = _apply(tokenizer, example.messages, example.tools, template, mask=not everything)
        ids = found["input_ids"]
        mask = [1] * len(ids) if everything else found["assistant_masks"]
        labels = [token if marked else IGNORED for token, marked in zip(ids, mask, strict=True)]
        kept = ids[:max_length], labels[:max_length]
        if all(label == IGNORED for label in kept[1][1:]):  # the first token is never predicted
            dropped.append(example.id)
            continue
        cut += len(ids) > max_length
        rows.append({"input_ids": kept[0], "labels": kept[1]})
    return Encoded(rows, cut, tuple(dropped))


def encode_dpo(examples: Sequence[Example], tokenizer: Any, template: str | None, max_length: int) -> Encoded:
    """Return rows of `prompt_ids`, `chosen_ids`, `rejected_ids`."""
    rows, cut, dropped = [], 0, []
    for example in examples:
        assert example.chosen is not None and example.rejected is not None
        answers = [(*example.prompt, answer) for answer in (example.chosen, example.rejected)]
        prompt = _prompt(tokenizer, example, template)
        chosen, rejected = (_apply(tokenizer, answer, example.tools, template)["input_ids"] for answer in answers)
        start = min(_shared(prompt, chosen), _shared(prompt, rejected))
        if start >= max_length:
            dropped.append(example.id)
            continue
        cut += max(len(chosen), len(rejected)) > max_length
        rows.append({"prompt_ids": prompt[:start], "chosen_ids": chosen[start:], "rejected_ids": rejected[start:]})
    return Encoded(rows, cut, tuple(dropped))


def encode_kto(examples: Sequence[Example], tokenizer: Any, template: str | None, max_length: int, batch: int) -> Encoded:
    """Return rows of `prompt_ids`, `completion_ids`, `label` and `KL_completion_ids`.

    The last is the completion of the row before in the same batch (Ethayarajh et al. 2024: mismatched pairs estimate the KL
    term); alone in the last batch, a row takes that of the batch before. TRL reads the rows in this order.
    """
    rows, cut, dropped = [], 0, []
    for example in examples:
        prompt = _prompt(tokenizer, example, template)
        whole = _apply(tokenizer, example.messages, example.tools, template)["input_ids"]
        start = _shared(prompt, whole)
        if start >= max_length:
            dropped.append(example.id)
            continue
        cut += len(whole) > max_length
        rows.append({"prompt_ids": prompt[:start], "completion_ids": whole[start:], "label": bool(example.desirable)})
    for first in range(0, len(rows), batch):
        group = rows[first : first + batch]
        before = rows[first - 1] if len(group) == 1 else group[-1]
        for row, other in zip(group, [before, *group[:-1]], strict=True):
            row["KL_completion_ids"] = other["completion_ids"]
    return Encoded(rows, cut, tuple(dropped))


def _apply(tokenizer: Any, messages: Sequence[Message], tools: str, template: str | None, mask: bool = False) -> Any:
    return tokenizer.apply_chat_template(
        [message.for_template() for message in messages],
        tools=json.loads(tools) if tools else None,
        chat_template=template,
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=mask,
    )


def _prompt(tokenizer: Any, example: Example, template: str | None) -> list[int]:
    return tokenizer.apply_chat_template(
        [message.for_template() for message in example.prompt],
        tools=json.loads(example.tools) if example.tools else None,
        chat_template=template,
        tokenize=True,
        return_dict=True,
        add_generation_prompt=True,
    )["input_ids"]


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the length of the common beginning: some templates write a prompt alone otherwise than before its answer."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
