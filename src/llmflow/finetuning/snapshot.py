"""A frozen, hashed state of the training data on disk.

A snapshot's folder: `train.jsonl`, `validation.jsonl`, `test.jsonl` (one `Example` a line), `rejected.jsonl` (source, row,
column, reason), `snapshot.json`, `card.json`, `card.md` and plots. The folder is named by the hash and never changed.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from llmflow.errors import DatasetError
from llmflow.finetuning.types import Example, Task

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SNAPSHOT_FILE = "snapshot.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Opened lazily: counts are known, examples are read when asked for."""

    directory: Path
    hash: str
    """SHA-256 over the examples of every split, 64 hex digits."""
    task: Task
    counts: Mapping[str, int] = field(default_factory=dict)
    """Examples by split."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Sources with their digests, settings, what each step removed."""

    def examples(self, split: Split) -> list[Example]:
        """Return the examples of a split in their order; empty for an empty split."""
        with (self.directory / f"{split}.jsonl").open(encoding="utf-8") as file:
            return [Example.from_row(json.loads(line)) for line in file]


def write_snapshot(
    root: Path, task: Task, splits: Mapping[Split, Sequence[Example]], meta: Mapping[str, Any] | None = None
) -> Snapshot:
    """Write the examples under `root` in a folder named by task and hash, and return it; the same data is written once.

    The folder appears whole or not at all. Raises DatasetError where an example is of another task or none is left to
    train on.
    """
    lines = {split: [_line(example, task) for example in splits.get(split, ())] for split in SPLITS}
    if not lines["train"]:
        raise DatasetError("No example is left to train on. Look at rejected.jsonl, the limits of cleaning and the split.")
    digest = hashlib.sha256()
    for split in SPLITS:
        digest.update(f"{split}\n".encode())
        for line in lines[split]:
            digest.update(line.encode())
    name = digest.hexdigest()
    directory = root / f"{task.value}-{name[:12]}"
    if not (directory / SNAPSHOT_FILE).exists():
        building = root / f".{directory.name}.building"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for split in SPLITS:
            (building / f"{split}.jsonl").write_text("".join(lines[split]), encoding="utf-8", newline="\n")
        counts = {split: len(lines[split]) for split in SPLITS}
        row = {"hash": name, "task": task.value, "counts": counts, "meta": dict(meta or {})}
        (building / SNAPSHOT_FILE).write_text(json.dumps(row, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(directory, ignore_errors=True)
        building.rename(directory)
    return open_snapshot(directory)


def open_snapshot(directory: Path, verify: bool = False) -> Snapshot:
    """Return the snapshot in a folder. Raises DatasetError where there is none, or with `verify` where a line was changed."""
    path = directory / SNAPSHOT_FILE
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        snapshot = Snapshot(directory, row["hash"], Task(row["task"]), row["counts"], row["meta"])
    except (OSError, ValueError, KeyError) as exc:
        raise DatasetError(f"{directory}: no data snapshot ({exc}). Make one with `llmflow finetune data build`.") from exc
    if verify:
        digest = hashlib.sha256()
        for split in SPLITS:
            digest.update(f"{split}\n".encode() + (directory / f"{split}.jsonl").read_bytes())
        if digest.hexdigest() != snapshot.hash:
            raise DatasetError(f"{directory}: the examples are not those that were hashed. Build the snapshot again.")
    return snapshot


def _line(example: Example, task: Task) -> str:
    if example.task is not task:
        raise DatasetError(f"{example.id}: an example for {example.task.value} in a snapshot for {task.value}. Build one each.")
    return json.dumps(example.to_row(), ensure_ascii=False, sort_keys=True) + "\n"
