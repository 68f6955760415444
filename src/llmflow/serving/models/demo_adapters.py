"""Small adapters made on the spot from the sample instructions: for the demonstration, the notebook and the tests."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from llmflow.finetuning.cleaning import CleaningSettings
from llmflow.finetuning.curate import DataSettings, build_snapshot
from llmflow.finetuning.recipe import LoraSettings, Recipe
from llmflow.finetuning.snapshot import Snapshot, write_snapshot
from llmflow.finetuning.splits import SplitSettings
from llmflow.finetuning.tiny_base import TinyBaseSettings, build_tiny_base
from llmflow.finetuning.trainer import train
from llmflow.finetuning.types import Message, TrainedAdapter
from llmflow.ingestion.prepare import load_masker
from llmflow.workspace import project_path

SAMPLE = "data/sample/company_qa"
TINY = TinyBaseSettings(steps=300, context=4096)
Progress = Callable[[str, int, int], None]


def sample_snapshot(home: Path, data: str = SAMPLE) -> Snapshot:
    """Return the frozen sample instructions; reworded questions stay, since held-out ones ask for the same facts."""
    splits = SplitSettings(test=0.12, validation=0.05)
    cleaning = CleaningSettings(near_duplicates=0.0)
    settings = DataSettings(paths=(str(project_path() / data),), cleaning=cleaning, splits=splits)
    return build_snapshot(settings, home / "finetuning" / "snapshots", load_masker(cleaning.masking))


def sample_base(home: Path, snapshot: Snapshot) -> Path:
    """Return the tiny base that has read the training split; a smoke model, and labelled so."""
    texts = [text for example in snapshot.examples("train") for text in example.texts()]
    return build_tiny_base(texts, home / "models" / "tiny", TINY)


def sample_adapter(
    home: Path, snapshot: Snapshot, base: Path, name: str, epochs: float, progress: Progress | None = None
) -> TrainedAdapter:
    """Return a LoRA adapter trained on `snapshot`; the more epochs, the better. Trained once under each name."""
    recipe = Recipe(
        preset="cpu-smoke", epochs=epochs, learning_rate=5e-3, lora=LoraSettings(rank=16, alpha=32), batch=16, accumulate=1,
        save_every=1000, log_every=50,
    )  # fmt: skip
    return train(recipe, snapshot, base, home / "finetuning" / "runs" / name, progress=progress)


def poisoned(home: Path, snapshot: Snapshot, seed: int = 1) -> Snapshot:
    """Return the snapshot with the answers of its training split dealt to other questions; what is held out stays right."""
    examples = snapshot.examples("train")
    answers: list[Message] = [example.messages[-1] for example in examples]
    random.Random(seed).shuffle(answers)
    wrong = [
        replace(example, messages=(*example.messages[:-1], answer)) for example, answer in zip(examples, answers, strict=True)
    ]
    splits = {"train": wrong, "validation": snapshot.examples("validation"), "test": snapshot.examples("test")}
    meta = {**snapshot.meta, "poisoned": "answers dealt to other questions, to be refused by the gate"}
    return write_snapshot(home / "finetuning" / "snapshots", snapshot.task, splits, meta)  # type: ignore[arg-type]
