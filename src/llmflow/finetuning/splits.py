"""Train, validation and test that do not know each other: no user in two of them, nothing in test older than what is trained on.

Which split a user or a question belongs to follows from a hash, so it never changes when data are added.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from llmflow.config import Settings
from llmflow.finetuning.near_duplicates import normalised
from llmflow.finetuning.snapshot import SPLITS, Split
from llmflow.finetuning.types import Example


class SplitSettings(Settings):
    validation: float = Field(default=0.05, ge=0, lt=0.5)
    test: float = Field(default=0.05, ge=0, lt=0.5)
    newest: float = Field(default=0.2, ge=0, lt=1)
    """Where every example has a user and a time: held-out users keep only this newest share, the others only what is older.
    The rest is set aside, by name. 0 looks at users alone."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Splitted:
    splits: dict[Split, list[Example]]
    unused: tuple[str, ...] = ()
    """Ids of examples on the wrong side of the cut in time."""
    cut: str = ""
    """ISO 8601; empty where time did not matter."""


def split_examples(examples: Sequence[Example], settings: SplitSettings) -> Splitted:
    """Return the examples by split, each in its order.

    Grouped by user where known, else by the compared form of the first question, so that a question asked twice with two
    answers stays together. A split with a share gets at least one group where there are three or more.
    """
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(_group(example), []).append(example)
    ordered = sorted(groups, key=lambda group: (_place(group, settings.seed), group))
    chosen: dict[str, Split] = {}
    for group in ordered:
        place = _place(group, settings.seed)
        held = place < settings.test + settings.validation
        chosen[group] = "test" if place < settings.test else "validation" if held else "train"
    _fill_empty(chosen, ordered, settings)
    cut = _cut(examples, settings)
    splits: dict[Split, list[Example]] = {split: [] for split in SPLITS}
    unused = []
    for example in examples:
        split = chosen[_group(example)]
        if cut and (example.time >= cut) != (split != "train"):
            unused.append(example.id)
        else:
            splits[split].append(example)
    return Splitted(splits, tuple(unused), cut)


def _group(example: Example) -> str:
    if example.user:
        return f"user {example.user}"
    first = next((message.content for message in example.messages if message.role == "user"), example.id)
    return f"question {normalised(first)}"


def _place(group: str, seed: int) -> float:
    """Return where in [0, 1) a group falls."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{group}".encode()).digest()[:7], "big") / 2**56


def _fill_empty(chosen: dict[str, Split], ordered: Sequence[str], settings: SplitSettings) -> None:
    """Give a split that has a share and no group one of the split with most groups, of training where that can spare one."""
    wanted: list[tuple[Split, float]] = [("test", settings.test), ("validation", settings.validation)]
    for split, share in wanted:
        if share and split not in chosen.values() and len(ordered) >= 3:
            chosen[next(group for group in ordered if chosen[group] == _richest(chosen))] = split
    if ordered and "train" not in chosen.values():
        chosen[next(group for group in reversed(ordered) if chosen[group] == _richest(chosen))] = "train"


def _richest(chosen: Mapping[str, Split]) -> Split:
    counts = Counter(chosen.values())
    return "train" if counts["train"] > 1 else max(counts, key=lambda split: (counts[split], split))


def _cut(examples: Sequence[Example], settings: SplitSettings) -> str:
    """Return the moment from which the newest examples lie; empty where time does not matter."""
    held = settings.test + settings.validation
    if not settings.newest or not held or not examples or not all(example.time and example.user for example in examples):
        return ""
    times = sorted(example.time for example in examples)
    return times[min(len(times) - 1, int(len(times) * (1 - settings.newest)))]
