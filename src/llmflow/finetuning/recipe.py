"""How to train: settings with defaults that say why, presets by hardware, and what a server could not load.

>>> recipe = Recipe(preset="cpu-smoke", epochs=2)
>>> recipe.batch, recipe.epochs, recipe.learning_rate_used
(8, 2.0, 0.003)
>>> serving_problems(Recipe(method="dora"))
['DoRA adapters cannot be loaded by vLLM']
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from llmflow.config import Settings
from llmflow.errors import SettingsError
from llmflow.finetuning.types import Method, Task

Preset = Literal["", "h100", "h200", "24gb", "cpu-smoke"]
Switch = Literal["auto", "on", "off"]

PRESETS: dict[str, dict[str, Any]] = {
    "h100": {"max_length": 4096, "batch": 4, "accumulate": 4, "packing": "auto", "precision": "bf16"},
    "h200": {"max_length": 8192, "batch": 4, "accumulate": 4, "packing": "auto", "precision": "bf16"},
    "24gb": {"method": "qlora", "max_length": 2048, "batch": 1, "accumulate": 16, "checkpointing": "on", "precision": "bf16"},
    "cpu-smoke": {
        "max_length": 256, "batch": 8, "accumulate": 1, "epochs": 6, "learning_rate": 3e-3, "precision": "fp32", "packing": "off",
        "log_every": 1,
    },
}  # fmt: skip
"""What a preset puts in place of the defaults; keys that a recipe states itself stay as stated."""

LEARNING_RATES = {
    (Task.SFT, False): 2e-4,  # QLoRA (Dettmers et al. 2023); about ten times what full fine-tuning takes
    (Task.SFT, True): 2e-5,
    (Task.DPO, False): 1e-5,
    (Task.DPO, True): 1e-6,  # TRL's default
    (Task.KTO, False): 1e-5,
    (Task.KTO, True): 1e-6,
}
"""By task and whether all weights move."""


class LoraSettings(Settings):
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)  # twice the rank: the update keeps its size when the rank is changed with it
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """All linear layers: attention alone learns less at the same size (Dettmers et al. 2023, fig. 2)."""
    modules_to_save: tuple[str, ...] = ()
    rslora: bool = False


class ServingLimits(Settings):
    """What the server that will load the adapter was started with; a server that is configured here lowers the rank."""

    max_lora_rank: int = Field(default=64, ge=1)  # what our servers are started with
    unservable: Literal["refuse", "merge"] = "refuse"
    """Refuse before training what vLLM cannot load, or train it and merge it into the base at export."""


class Recipe(Settings):
    preset: Preset = ""
    task: Task = Task.SFT
    method: Method = Method.LORA
    lora: LoraSettings = LoraSettings()
    serving: ServingLimits = ServingLimits()
    max_length: int = Field(default=2048, ge=16)
    """Longer examples are cut at the end; those whose answer would be cut away whole are left out and counted."""
    batch: int = Field(default=4, ge=1)
    accumulate: int = Field(default=4, ge=1)
    epochs: float = Field(default=1.0, gt=0)
    max_steps: int = Field(default=0, ge=0)
    """Optimiser steps; 0 follows `epochs`."""
    learning_rate: float = Field(default=0.0, ge=0)
    """0 takes the usual one for task and method."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    loss_on: Literal["assistant", "everything"] = "assistant"
    beta: float = Field(default=0.1, gt=0)
    """DPO and KTO: how dear it is to leave the base."""
    packing: Switch = "auto"
    """Several examples in one row (SFT only). `auto` packs where a probe shows that they cannot see each other."""
    checkpointing: Switch = "auto"
    """Recompute activations instead of keeping them: a fifth slower. `auto` where the estimate exceeds the memory."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = "auto"
    evaluate_every: int = Field(default=0, ge=0)
    """Steps between measures of the validation split; 0: once an epoch's end."""
    save_every: int = Field(default=50, ge=1)
    keep_checkpoints: int = Field(default=2, ge=1)
    patience: int = Field(default=0, ge=0)
    """Measures without improvement before training stops and the best weights are taken; 0 never stops early."""
    log_every: int = Field(default=5, ge=1)
    deepspeed: str = ""
    """A DeepSpeed JSON such as deploy/training/zero2.json; empty where `accelerate launch` brings its own or for one device."""
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("preset") in PRESETS:
            return {**PRESETS[values["preset"]], **values}
        return values

    @property
    def learning_rate_used(self) -> float:
        return self.learning_rate or LEARNING_RATES[self.task, self.method is Method.FULL]


def serving_problems(recipe: Recipe) -> list[str]:
    """Return what keeps vLLM from loading the adapter, a clause each; empty when nothing does or no adapter is made."""
    if recipe.method is Method.FULL:
        return []
    problems = []
    if recipe.method is Method.DORA:
        problems.append("DoRA adapters cannot be loaded by vLLM")
    if recipe.lora.modules_to_save:
        problems.append(f"modules_to_save ({', '.join(recipe.lora.modules_to_save)}) cannot be loaded by vLLM")
    heads = [name for name in recipe.lora.targets if name in ("lm_head", "embed_tokens")] if _named(recipe) else []
    if heads:
        problems.append(f"an adapter on {', '.join(heads)} cannot be loaded by vLLM")
    if recipe.lora.rank > recipe.serving.max_lora_rank:
        problems.append(f"rank {recipe.lora.rank} is above the server's max_lora_rank {recipe.serving.max_lora_rank}")
    return problems


def check_servable(recipe: Recipe) -> bool:
    """Return whether vLLM can load what the recipe makes. Raises SettingsError where it cannot and is not to be merged."""
    problems = serving_problems(recipe)
    if problems and recipe.serving.unservable == "refuse":
        raise SettingsError(
            f"This adapter could not be served: {'; '.join(problems)}. Use method lora or qlora on linear layers with rank up "
            f"to {recipe.serving.max_lora_rank}, or set serving.unservable to 'merge' and export merged weights."
        )
    return not problems


def check_trainable(recipe: Recipe) -> None:
    """Raise SettingsError where TRL itself would fail, or silently train nothing."""
    if _named(recipe) and "lm_head" in recipe.lora.targets:
        raise SettingsError(
            "TRL computes the loss from lm_head.weight itself, so an adapter on lm_head is never trained. Remove it from "
            "lora.targets, or name it in lora.modules_to_save with serving.unservable 'merge'."
        )
    if recipe.task is not Task.SFT and recipe.packing == "on":
        raise SettingsError(f"Packing is for SFT; {recipe.task.value} compares whole answers. Set packing to 'off' or 'auto'.")
    if recipe.task is Task.KTO and recipe.batch < 2:
        raise SettingsError("KTO estimates its KL term from mismatched pairs inside a batch: set batch to 2 or more.")


def _named(recipe: Recipe) -> bool:
    return recipe.method is not Method.FULL and recipe.lora.targets != "all-linear"
