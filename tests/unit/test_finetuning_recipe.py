"""Recipes, presets, what a server could not load, what hardware decides, and the launch files for several devices."""

import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from llmflow.errors import MissingDependency, SettingsError
from llmflow.finetuning.choices import (
    Device,
    check_quantisation,
    choose_attention,
    choose_checkpointing,
    choose_precision,
    estimate_bytes,
)
from llmflow.finetuning.recipe import (
    PRESETS,
    LoraSettings,
    Recipe,
    ServingLimits,
    check_servable,
    check_trainable,
    serving_problems,
)
from llmflow.finetuning.runs import RunIdentity, claim, git_commit, last_checkpoint
from llmflow.finetuning.settings import FinetuningSettings, limited
from llmflow.finetuning.types import Method, Task
from llmflow.serving.models.finetuning import changed_recipe

ROOT = Path(__file__).resolve().parents[2]
CPU = Device(cuda=False, bf16=False, memory=0, flash_attention=False, bitsandbytes=False)
H100 = Device(cuda=True, bf16=True, memory=80 * 2**30, flash_attention=True, bitsandbytes=True)
OLD = Device(cuda=True, bf16=False, memory=16 * 2**30, flash_attention=False, bitsandbytes=False)


class TestPresets:
    @pytest.mark.parametrize("name", PRESETS)
    def test_a_preset_fills_what_is_not_said(self, name):
        recipe = Recipe.model_validate({"preset": name, "batch": 3})
        assert recipe.batch == 3
        assert all(getattr(recipe, key) == value for key, value in PRESETS[name].items() if key != "batch")

    def test_a_preset_survives_being_written_and_read(self):
        recipe = Recipe(preset="24gb", epochs=3)
        assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe

    def test_unknown_keys_and_presets_are_refused(self):
        with pytest.raises(ValidationError, match="lora_rank"):
            Recipe.model_validate({"lora_rank": 8})
        with pytest.raises(ValidationError, match="h100"):
            Recipe.model_validate({"preset": "a100"})

    def test_the_learning_rate_follows_task_and_method_unless_it_is_said(self):
        assert Recipe(method=Method.FULL).learning_rate_used < Recipe().learning_rate_used
        assert Recipe(task=Task.DPO).learning_rate_used < Recipe().learning_rate_used
        assert Recipe(learning_rate=1e-3).learning_rate_used == 1e-3


UNSERVABLE = [
    (Recipe(method=Method.DORA), "DoRA"),
    (Recipe(lora=LoraSettings(modules_to_save=("lm_head",))), "modules_to_save .lm_head."),
    (Recipe(lora=LoraSettings(targets=("q_proj", "embed_tokens"))), "an adapter on embed_tokens"),
    (Recipe(lora=LoraSettings(rank=128)), "rank 128 is above the server's max_lora_rank 64"),
]


class TestServing:
    @pytest.mark.parametrize(("recipe", "message"), UNSERVABLE)
    def test_what_vllm_cannot_load_is_refused_or_left_to_merging(self, recipe, message):
        with pytest.raises(SettingsError, match=message):
            check_servable(recipe)
        merged = recipe.model_copy(update={"serving": ServingLimits(unservable="merge")})
        assert check_servable(merged) is False

    def test_all_reasons_are_told_at_once(self):
        recipe = Recipe(method=Method.DORA, lora=LoraSettings(rank=128, modules_to_save=("lm_head",)))
        assert len(serving_problems(recipe)) == 3

    @pytest.mark.parametrize(
        "recipe", [Recipe(), Recipe(method=Method.QLORA), Recipe(method=Method.FULL, lora=LoraSettings(rank=64))]
    )
    def test_the_rest_is_served(self, recipe):
        assert check_servable(recipe) is True

    def test_a_server_that_takes_less_lowers_the_rank_and_one_that_takes_more_does_not_raise_it(self):
        settings = FinetuningSettings(recipe=Recipe(lora=LoraSettings(rank=32)))
        assert limited(settings, 512) == settings
        with pytest.raises(SettingsError, match="max_lora_rank 16"):
            check_servable(limited(settings, 16).recipe)

    def test_a_preset_replaces_the_recipe_but_not_what_the_server_takes(self):
        settings = FinetuningSettings(recipe=Recipe(epochs=9, serving=ServingLimits(max_lora_rank=8)))
        changed = changed_recipe(settings, preset="h100", max_steps=3, base="models/base")
        assert (changed.recipe.max_length, changed.recipe.epochs, changed.recipe.max_steps) == (4096, 1, 3)
        assert (changed.recipe.serving.max_lora_rank, changed.base) == (8, "models/base")
        assert changed_recipe(settings) == settings
        with pytest.raises(SettingsError, match=r"Unknown preset 'a100'\. Choose one of: h100, h200, 24gb, cpu-smoke"):
            changed_recipe(settings, preset="a100")

    def test_what_trl_would_not_train_is_refused(self):
        with pytest.raises(SettingsError, match="never trained"):
            check_trainable(Recipe(lora=LoraSettings(targets=("lm_head",))))
        with pytest.raises(SettingsError, match="Packing is for SFT"):
            check_trainable(Recipe(task=Task.DPO, packing="on"))
        with pytest.raises(SettingsError, match="batch to 2"):
            check_trainable(Recipe(task=Task.KTO, batch=1))


class TestChoices:
    def test_bf16_only_where_the_hardware_has_it(self):
        assert [choose_precision(Recipe(), device).value for device in (CPU, OLD, H100)] == ["fp32", "fp32", "bf16"]
        assert choose_precision(Recipe(precision="bf16"), CPU).reason == "set in the recipe"

    def test_attention_is_what_is_installed(self):
        assert [choose_attention(Recipe(), device).value for device in (CPU, OLD, H100)] == ["sdpa", "sdpa", "flash_attention_2"]

    def test_activations_are_recomputed_only_where_memory_is_short(self):
        small = estimate_bytes(Recipe(preset="h100", max_length=512), int(1e9), int(1e7), 2048, 16, bf16=True)
        large = estimate_bytes(Recipe(preset="h100", batch=16), int(8e9), int(4e7), 4096, 32, bf16=True)
        assert choose_checkpointing(Recipe(), H100, small).value is False
        choice = choose_checkpointing(Recipe(), H100, large)
        assert choice.value is True and "the device has 80" in choice.reason
        assert choose_checkpointing(Recipe(), CPU, large).value is False
        assert choose_checkpointing(Recipe(checkpointing="off"), H100, large).value is False

    def test_qlora_says_what_it_lacks(self):
        recipe = Recipe(method=Method.QLORA)
        with pytest.raises(SettingsError, match="no CUDA device"):
            check_quantisation(recipe, CPU)
        with pytest.raises(MissingDependency, match="pip install bitsandbytes"):
            check_quantisation(recipe, OLD)
        check_quantisation(recipe, H100)


class TestRuns:
    IDENTITY = RunIdentity("recipe", "snapshot", "base")

    def test_a_folder_is_of_one_run(self, tmp_path):
        claim(tmp_path / "run", self.IDENTITY)
        claim(tmp_path / "run", self.IDENTITY)
        with pytest.raises(SettingsError, match="with another snapshot"):
            claim(tmp_path / "run", RunIdentity("recipe", "changed", "base"))

    def test_half_written_checkpoints_are_passed_over_and_removed(self, tmp_path):
        assert last_checkpoint(tmp_path) is None
        for step, state in ((2, "{}"), (10, "{}"), (12, '{"half'), (14, None)):
            folder = tmp_path / f"checkpoint-{step}"
            folder.mkdir()
            if state is not None:
                (folder / "trainer_state.json").write_text(state)
        assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-2"]

    def test_the_commit_is_told_where_there_is_one(self, tmp_path):
        assert git_commit(tmp_path) == ""


class TestLaunchFiles:
    """accelerate and DeepSpeed read them; no second device is had here, so they are loaded and not run."""

    @pytest.mark.parametrize(("name", "stage"), [("zero2", 2), ("zero3", 3)])
    def test_accelerate_loads_them(self, name, stage):
        from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file

        path = ROOT / "deploy" / "training" / f"accelerate_{name}.yaml"
        config = load_config_from_file(str(path))
        assert isinstance(config, ClusterConfig) and str(config.distributed_type).endswith("DEEPSPEED")
        named = (ROOT / yaml.safe_load(path.read_text())["deepspeed_config"]["deepspeed_config_file"]).resolve()
        assert json.loads(named.read_text())["zero_optimization"]["stage"] == stage

    @pytest.mark.parametrize(("name", "stage"), [("zero2", 2), ("zero3", 3)])
    def test_transformers_reads_them_and_leaves_sizes_to_the_recipe(self, name, stage):
        from accelerate.utils.deepspeed import HfDeepSpeedConfig

        path = ROOT / "deploy" / "training" / f"{name}.json"
        config = HfDeepSpeedConfig(str(path))
        assert (config.is_zero2(), config.is_zero3()) == (stage == 2, stage == 3)
        assert not config.is_offload()
        left = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping")
        assert {config.get_value(key) for key in left} == {"auto"}
        assert config.get_value("bf16.enabled") == "auto"
