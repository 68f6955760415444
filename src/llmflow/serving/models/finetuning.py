"""The fine-tuning loop in a workspace: where snapshots, bases and runs lie, and the steps that pipeline, CLI and notebook share.

<home>/finetuning/snapshots/<task>-<hash>   <home>/finetuning/bases/tiny-<settings>
<home>/finetuning/runs/<task>-<method>-<what it is a run of>/adapter | model | merged | gguf
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from llmflow.config import fingerprint_of
from llmflow.errors import SettingsError
from llmflow.finetuning.base import base_identity
from llmflow.finetuning.curate import build_snapshot
from llmflow.finetuning.distributed import is_main, main_first
from llmflow.finetuning.export import export_adapter, export_merged
from llmflow.finetuning.gguf_export import export_gguf
from llmflow.finetuning.recipe import PRESETS
from llmflow.finetuning.report import training_report
from llmflow.finetuning.settings import TINY, FinetuningSettings, anchored, limited
from llmflow.finetuning.snapshot import Snapshot
from llmflow.finetuning.tiny_base import READY_FILE, build_tiny_base, is_smoke_model
from llmflow.finetuning.trainer import Progress, train
from llmflow.finetuning.types import TrainedAdapter
from llmflow.ingestion.prepare import load_masker
from llmflow.serving.models.settings import ServingSettings
from llmflow.serving.models.training_log import log_result, logged_training
from llmflow.workspace import home_path, project_path

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinetuningRun:
    """What one run made, and where."""

    directory: Path
    snapshot: Snapshot
    trained: TrainedAdapter
    exports: Mapping[str, Path]

    def report(self) -> dict[str, Any]:
        return {**training_report(self.trained, self.snapshot, self.exports), "run": str(self.directory)}


def changed_recipe(settings: FinetuningSettings, preset: str = "", max_steps: int = 0, base: str = "") -> FinetuningSettings:
    """Return the settings with another preset in place of the whole recipe, another number of steps or another base."""
    recipe: dict[str, Any] = settings.recipe.model_dump(mode="json", exclude_unset=True)
    if preset:
        recipe = {"preset": preset} | ({"serving": recipe["serving"]} if "serving" in recipe else {})
    recipe |= {"max_steps": max_steps} if max_steps else {}
    changed = settings.model_dump(mode="json", exclude_unset=True) | {"recipe": recipe} | ({"base": base} if base else {})
    try:
        return FinetuningSettings.model_validate(changed)
    except ValidationError as exc:
        raise SettingsError(f"Unknown preset '{preset}'. Choose one of: {', '.join(PRESETS)}.") from exc


def curate(settings: FinetuningSettings, progress: Progress | None = None) -> Snapshot:
    """Return the snapshot of the configured data; unchanged data give the snapshot that is there."""
    settings = anchored(settings, project_path())
    keep_out = [Path(path) for path in settings.data.cleaning.keep_out]
    masker = load_masker(settings.data.cleaning.masking)
    with main_first():
        return build_snapshot(settings.data, snapshots_folder(), masker, keep_out, progress if is_main() else None)


def resolve_base(settings: FinetuningSettings, snapshot: Snapshot) -> str:
    """Return the base to train on. `tiny` is built from the first snapshot's training texts and then stays what it is: adapters
    belong to one base, and every new one is trained from it."""
    settings = anchored(settings, project_path())
    if settings.base != TINY:
        return settings.base
    folder = Path(home_path("finetuning/bases")) / f"tiny-{settings.tiny.fingerprint()}"
    with main_first():
        if not (folder / READY_FILE).exists():
            LOG.info("building the smoke model in %s", folder)
            build_tiny_base(["\n".join(example.texts()) for example in snapshot.examples("train")], folder, settings.tiny)
    return str(folder)


def train_adapter(
    settings: FinetuningSettings, serving: ServingSettings, snapshot: Snapshot, base: str, progress: Progress | None = None
) -> tuple[Path, TrainedAdapter]:
    """Return the run's folder and the trained adapter. A killed run of the same data, recipe and base goes on."""
    settings = limited(anchored(settings, project_path()), serving.max_lora_rank)
    recipe = settings.recipe
    identity = fingerprint_of([recipe.fingerprint(), snapshot.hash, base_identity(base)])
    run_dir = runs_folder() / f"{recipe.task.value}-{recipe.method.value}-{identity}"
    with logged_training(settings, snapshot, base, is_smoke_model(base), run_dir) as listener:
        trained = train(recipe, snapshot, base, run_dir, progress=progress, listener=listener)
        if is_main():
            log_result(trained, run_dir)
    return run_dir, trained


def export(trained: TrainedAdapter, run_dir: Path, forms: tuple[str, ...]) -> dict[str, Path]:
    """Return where each wanted form was written: `adapter`, `merged`, `gguf` (from merged weights). The main process writes."""
    made: dict[str, Path] = {}
    if not is_main():
        return made
    for form in forms:
        if form == "adapter":
            made[form] = export_adapter(trained, run_dir / "export" / "adapter")
        if form in ("merged", "gguf") and "merged" not in made:
            made["merged"] = export_merged(trained, run_dir / "export" / "merged").directory
        if form == "gguf":
            made[form] = export_gguf(made["merged"], run_dir / "export" / "model.gguf")
    return made


def run_finetuning(settings: FinetuningSettings, serving: ServingSettings, progress: Progress | None = None) -> FinetuningRun:
    """Curate, train and export as configured."""
    snapshot = curate(settings, progress)
    run_dir, trained = train_adapter(settings, serving, snapshot, resolve_base(settings, snapshot), progress)
    return FinetuningRun(run_dir, snapshot, trained, export(trained, run_dir, settings.export))


def finished_runs() -> list[tuple[Path, TrainedAdapter]]:
    """Return every finished run of the workspace, oldest first."""
    files = sorted(runs_folder().glob("*/trained.json"), key=lambda path: (path.stat().st_mtime, path.parent.name))
    return [(path.parent, TrainedAdapter.load(path.parent)) for path in files]


def snapshots_folder() -> Path:
    return Path(home_path("finetuning/snapshots"))


def runs_folder() -> Path:
    return Path(home_path("finetuning/runs"))


def describe_run(run: FinetuningRun) -> str:
    """Return a few lines for people."""
    trained, counts = run.trained, run.snapshot.counts
    smoke = "SMOKE MODEL, figures mean nothing: " if trained.smoke else ""
    figures = ", ".join(f"{name} {value:.4g}" for name, value in trained.metrics.items())
    lines = [
        f"{smoke}{trained.method.value} {trained.task.value} on {counts['train']} examples ({counts['validation']} to validate)",
        figures,
        f"weights  {trained.directory}",
        f"data     {run.snapshot.directory / 'card.md'}",
        *(f"{name:<8} {path}" for name, path in run.exports.items()),
    ]
    return "\n".join(lines)
