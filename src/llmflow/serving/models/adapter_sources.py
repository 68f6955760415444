"""An adapter on disk, as training or PEFT left it, read as something that can be registered."""

from pathlib import Path

from llmflow.errors import SettingsError
from llmflow.finetuning.adapter_files import CONFIG, read_facts
from llmflow.finetuning.tiny_base import is_smoke_model
from llmflow.finetuning.types import TRAINED_FILE, TrainedAdapter
from llmflow.serving.models.promotion import AdapterSource


def adapter_source(folder: Path) -> AdapterSource:
    """Return the adapter of a training run's folder, or of a folder that PEFT saved. Raises SettingsError for anything else."""
    if (folder / TRAINED_FILE).is_file():
        return trained_source(TrainedAdapter.load(folder))
    if (folder / CONFIG).is_file():
        base = read_facts(folder).base_model
        return AdapterSource(folder, base, is_smoke_model(base))
    raise SettingsError(f"{folder} holds neither {TRAINED_FILE} of a training run nor {CONFIG} of an adapter.")


def trained_source(trained: TrainedAdapter) -> AdapterSource:
    """Return what a training run made. Raises SettingsError for whole weights, which are served as a base and not promoted."""
    if trained.rank == 0:
        raise SettingsError(
            f"{trained.directory} holds whole weights. Serve them as a base of their own: serving.servers, model: that folder."
        )
    metrics = tuple((name, float(value)) for name, value in sorted(trained.metrics.items()))
    return AdapterSource(trained.directory, str(trained.base_model), trained.smoke, trained.snapshot, metrics)
