"""All settings of one fine-tuning run, as `finetuning` stands in conf/."""

from pathlib import Path
from typing import Literal

from llmflow.config import Settings
from llmflow.finetuning.curate import DataSettings
from llmflow.finetuning.recipe import Recipe
from llmflow.finetuning.tiny_base import TinyBaseSettings

TINY = "tiny"


class FinetuningSettings(Settings):
    data: DataSettings = DataSettings()
    base: str = TINY
    """A local folder, a hub name, or `tiny`: the smoke model, built from the training data."""
    tiny: TinyBaseSettings = TinyBaseSettings()
    recipe: Recipe = Recipe(preset="cpu-smoke")
    export: tuple[Literal["adapter", "merged", "gguf"], ...] = ()
    experiment: str = "finetuning"


def limited(settings: FinetuningSettings, max_lora_rank: int) -> FinetuningSettings:
    """Return the settings with no higher rank allowed than the server takes that will load the adapter."""
    serving = settings.recipe.serving
    serving = serving.model_copy(update={"max_lora_rank": min(serving.max_lora_rank, max_lora_rank)})
    return settings.model_copy(update={"recipe": settings.recipe.model_copy(update={"serving": serving})})


def anchored(settings: FinetuningSettings, project: Path) -> FinetuningSettings:
    """Return the settings with relative paths made absolute from the project; a base that is no folder there is a hub name."""

    def absolute(path: str) -> str:
        return str(project / Path(path).expanduser())

    data = settings.data
    cleaning = data.cleaning.model_copy(update={"keep_out": tuple(map(absolute, data.cleaning.keep_out))})
    replay = data.replay.model_copy(update={"snapshot": absolute(data.replay.snapshot) if data.replay.snapshot else ""})
    data = data.model_copy(update={"paths": tuple(map(absolute, data.paths)), "cleaning": cleaning, "replay": replay})
    recipe = settings.recipe
    if recipe.deepspeed:
        recipe = recipe.model_copy(update={"deepspeed": absolute(recipe.deepspeed)})
    base = absolute(settings.base) if settings.base != TINY and Path(absolute(settings.base)).is_dir() else settings.base
    return settings.model_copy(update={"data": data, "base": base, "recipe": recipe})
