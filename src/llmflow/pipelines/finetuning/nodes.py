"""Nodes of the fine-tuning: they translate between the catalog and llmflow.serving.models.finetuning."""

from pathlib import Path
from typing import Any

from llmflow.finetuning.settings import FinetuningSettings
from llmflow.finetuning.snapshot import Snapshot
from llmflow.finetuning.types import TrainedAdapter
from llmflow.serving.models import finetuning
from llmflow.serving.models.settings import ServingSettings
from llmflow.serving.progress import log_progress
from llmflow.serving.tables import print_lines


def curate_data(settings: FinetuningSettings) -> Snapshot:
    """Return the hashed snapshot of the configured data."""
    with log_progress() as progress:
        return finetuning.curate(settings, progress)


def prepare_base(settings: FinetuningSettings, snapshot: Snapshot) -> str:
    """Return the base model's folder or name; the tiny one is built."""
    return finetuning.resolve_base(settings, snapshot)


def train_adapter(
    settings: FinetuningSettings, serving: ServingSettings, snapshot: Snapshot, base: str
) -> tuple[Path, TrainedAdapter]:
    """Return the run's folder and what it trained."""
    with log_progress() as progress:
        return finetuning.train_adapter(settings, serving, snapshot, base, progress)


def report_training(settings: FinetuningSettings, snapshot: Snapshot, run_dir: Path, trained: TrainedAdapter) -> dict[str, Any]:
    """Export what is configured, print what was made and return the run's report."""
    exports = finetuning.export(trained, run_dir, settings.export)
    run = finetuning.FinetuningRun(run_dir, snapshot, trained, exports)
    print_lines(finetuning.describe_run(run))
    return run.report()
