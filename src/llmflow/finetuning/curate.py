"""Files to a snapshot: read, mask, remove what stands twice or is asked in an evaluation, split, mix in replay, freeze."""

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import DatasetError
from llmflow.finetuning.cleaning import Cleaned, CleaningSettings, TextMasker, clean, content_key
from llmflow.finetuning.data_card import write_card
from llmflow.finetuning.dataset_info import DatasetEntry, load_dataset_info
from llmflow.finetuning.decontamination import HeldOut, read_evaluation_texts
from llmflow.finetuning.formats import Rejection, check_present, read_dataset, task_of
from llmflow.finetuning.snapshot import Snapshot, open_snapshot, write_snapshot
from llmflow.finetuning.splits import SplitSettings, Splitted, split_examples
from llmflow.finetuning.types import Example, Task

Progress = Callable[[str, int, int], None]
REJECTED_FILE = "rejected.jsonl"


class ReplaySettings(Settings):
    snapshot: str = ""
    """Folder of an earlier snapshot, whose training examples are mixed in against forgetting; empty for none."""
    share: float = Field(default=0.1, ge=0, lt=1)
    """Of the mixed training split."""


class DataSettings(Settings):
    paths: tuple[str, ...] = ()
    """dataset_info.json files, folders with one, or data files; relative to the project."""
    datasets: tuple[str, ...] = ()
    """Names out of the descriptions; empty for all."""
    task: Task = Task.SFT
    cleaning: CleaningSettings = CleaningSettings()
    splits: SplitSettings = SplitSettings()
    replay: ReplaySettings = ReplaySettings()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files hold, before anything is removed."""

    examples: tuple[Example, ...]
    rejected: tuple[Rejection, ...]
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name: file, SHA-256 of its bytes, rows read well, rows rejected."""


def read_sources(settings: DataSettings, progress: Progress | None = None) -> Reading:
    """Return the examples of every described file for the wanted task, files of another task left out by name.

    Raises DatasetError where a file is missing or unreadable, names stand twice, or nothing is for the task.
    """
    entries = _entries(settings)
    check_present(entries)
    wanted = [entry for entry in entries if task_of(entry) in (None, settings.task)]
    if not wanted:
        raise DatasetError(
            f"None of {', '.join(entry.name for entry in entries) or 'no file'} is for {settings.task.value}. Name data for "
            "it, or set task to what the data is for."
        )
    examples: list[Example] = []
    rejected: list[Rejection] = []
    sources = {}
    for number, entry in enumerate(wanted, start=1):
        result = read_dataset(entry, settings.task)
        examples += result.examples
        rejected += result.rejected
        digest = hashlib.sha256(entry.path.read_bytes()).hexdigest()
        sources[entry.name] = {
            "file": entry.path.name, "sha256": digest, "examples": len(result.examples), "rejected": len(result.rejected),
        }  # fmt: skip
        if progress is not None:
            progress("read", number, len(wanted))
    return Reading(tuple(examples), tuple(rejected), sources)


def build_snapshot(
    settings: DataSettings, root: Path, masker: TextMasker, keep_out: Sequence[Path] = (), progress: Progress | None = None
) -> Snapshot:
    """Return the snapshot of the described data under `root`, with its card and `rejected.jsonl`.

    The same data and settings give the same folder. Raises DatasetError where nothing is left to train on.
    """
    reading = read_sources(settings, progress)
    held_out = HeldOut.of(read_evaluation_texts(keep_out))
    cleaned = clean(reading.examples, settings.cleaning, masker, held_out, progress)
    split = split_examples(cleaned.examples, settings.splits)
    replayed = choose_replay(settings.replay, split.splits["train"], cleaned.examples, settings.task)
    splits = dict(split.splits)
    splits["train"] = [*splits["train"], *replayed]
    meta = _meta(settings, reading, cleaned, split, len(replayed), [path.name for path in keep_out])
    snapshot = write_snapshot(root, settings.task, splits, meta)
    if not (snapshot.directory / REJECTED_FILE).exists():
        _write_rejected(snapshot.directory / REJECTED_FILE, reading, cleaned, split)
        write_card(snapshot)
    return snapshot


def choose_replay(settings: ReplaySettings, train: Sequence[Example], known: Sequence[Example], task: Task) -> list[Example]:
    """Return training examples of the earlier snapshot, as many as make up the share, chosen by a seed that follows from both.

    None that the new data holds in any split. Fewer where the earlier snapshot has not enough.
    """
    if not settings.snapshot or not settings.share:
        return []
    earlier = open_snapshot(Path(settings.snapshot))
    if earlier.task is not task:
        raise DatasetError(
            f"{settings.snapshot} is for {earlier.task.value}, the new data for {task.value}. Replay what is alike."
        )
    held = {content_key(example) for example in known}
    pool = [example for example in earlier.examples("train") if content_key(example) not in held]
    wanted = min(len(pool), round(len(train) * settings.share / (1 - settings.share)))
    chosen = random.Random(f"{earlier.hash}{len(train)}").sample(pool, wanted)
    return [replace(example, id=f"replay/{example.id.removeprefix('replay/')}") for example in chosen]


def _entries(settings: DataSettings) -> list[DatasetEntry]:
    entries = [entry for path in settings.paths for entry in load_dataset_info(Path(path))]
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"The name {', '.join(twice)} is described twice. Names are unique over all paths; rename one.")
    unknown = [name for name in settings.datasets if name not in names]
    if unknown:
        raise DatasetError(f"There is no data set {', '.join(unknown)}. There are: {', '.join(names)}.")
    return [entry for entry in entries if not settings.datasets or entry.name in settings.datasets]


def _meta(
    settings: DataSettings, reading: Reading, cleaned: Cleaned, split: Splitted, replayed: int, keep_out: Sequence[str]
) -> dict[str, Any]:
    return {
        "sources": reading.sources,
        "settings": settings.model_dump(mode="json", exclude={"paths", "replay"}),
        "rows_rejected": len(reading.rejected),
        "steps": cleaned.steps,
        "masked": cleaned.masked,
        "cut": split.cut,
        "set_aside": len(split.unused),
        "replayed": replayed,
        "kept_out": list(keep_out),
        "placeholders": sum(any("{{" in text for text in example.texts()) for example in cleaned.examples),
    }


def _write_rejected(path: Path, reading: Reading, cleaned: Cleaned, split: Splitted) -> None:
    rows = [{"source": row.source, "row": row.row, "column": row.column, "reason": row.reason} for row in reading.rejected]
    rows += [_removed(removal.id, removal.reason) for removal in cleaned.removed]
    rows += [_removed(name, f"on the other side of the cut in time, {split.cut}") for name in split.unused]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _removed(identifier: str, reason: str) -> dict[str, Any]:
    source, _, row = identifier.partition("#")[0].rpartition(":")
    return {"source": source, "row": int(row) if row.isdigit() else 0, "column": "", "reason": reason}
