"""One training run around TRL and PEFT: from a recipe, a snapshot and a base to a trained adapter.

TRL's defaults are set aside where they cost or mislead: gradient checkpointing by need instead of always, bf16 only where the
hardware has it, packing only after a probe, loss on the assistant's tokens only. Examples are encoded here, so that tool calls
keep their shape and what does not fit is counted instead of cut in silence.
"""

import json
import logging
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmflow.errors import SettingsError
from llmflow.finetuning import choices
from llmflow.finetuning.base import (
    base_identity,
    linear_names,
    load_base,
    load_tokenizer,
    older_tokenizer_class,
    quiet_libraries,
    reads_together,
)
from llmflow.finetuning.distributed import is_main, main_first
from llmflow.finetuning.encoding import Encoded, encode_dpo, encode_kto, encode_sft, training_template
from llmflow.finetuning.measured import measured_trainer, peak_memory_gb
from llmflow.finetuning.recipe import Recipe, check_servable, check_trainable
from llmflow.finetuning.runs import RunIdentity, claim, digest_of, git_commit, last_checkpoint, read_history, write_history
from llmflow.finetuning.snapshot import Snapshot
from llmflow.finetuning.tiny_base import is_smoke_model
from llmflow.finetuning.types import TRAINED_FILE, Example, Method, Task, TrainedAdapter

LOG = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]
"""Told (stage, done, total)."""
Listener = Callable[[int, Mapping[str, float]], None]
"""Told (step, values) at every log: loss, learning_rate, grad_norm, tokens_per_second, ..., or eval_loss, ..."""


def train(
    recipe: Recipe,
    snapshot: Snapshot,
    base: str | Path,
    out_dir: Path,
    *,
    progress: Progress | None = None,
    listener: Listener | None = None,
) -> TrainedAdapter:
    """Return the adapter that training made, its folder under `out_dir`.

    A run that was killed goes on from its last whole checkpoint when it is called again with the same arguments; a finished one
    is returned as it is. Raises SettingsError before anything is loaded where the recipe cannot be trained or served or `out_dir`
    holds another run, and where nothing fits into `max_length`; ModelUnavailable where the base cannot be loaded.
    """
    servable = check_servable(recipe)
    check_trainable(recipe)
    if snapshot.task is not recipe.task:
        raise SettingsError(f"The recipe is for {recipe.task.value}, the data for {snapshot.task.value}. Make them agree.")
    if recipe.patience and not snapshot.counts.get("validation"):
        raise SettingsError("Early stopping watches the validation split, which is empty. Enlarge it or set patience to 0.")
    device = choices.find_device()
    choices.check_quantisation(recipe, device)
    with main_first():
        claim(out_dir, RunIdentity(recipe.fingerprint(), snapshot.hash, base_identity(str(base))))
    if (out_dir / TRAINED_FILE).exists():
        LOG.info("%s is finished already", out_dir)
        return TrainedAdapter.load(out_dir)
    with quiet_libraries():
        return _run(recipe, snapshot, str(base), out_dir, device, servable, progress, listener)


def _run(
    recipe: Recipe,
    snapshot: Snapshot,
    base: str,
    out_dir: Path,
    device: choices.Device,
    servable: bool,
    progress: Progress | None,
    listener: Listener | None,
) -> TrainedAdapter:
    trainer, encoded, chosen = build_trainer(recipe, snapshot, base, out_dir, device, progress, listener)
    with main_first():
        resume = last_checkpoint(out_dir / "checkpoints")
    if resume:
        LOG.info("going on from %s", resume.name)
    result = trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    evaluation = _last_evaluation(trainer, recipe) if encoded["validation"].rows else {}
    trainer.accelerator.wait_for_everyone()
    directory = out_dir / ("model" if recipe.method is Method.FULL else "adapter")
    trainer.save_model(str(directory))
    if is_main():
        _tidy(directory, recipe)
        write_history(out_dir, trainer.state.log_history)
    trainer.accelerator.wait_for_everyone()
    metrics = _metrics(trainer, result.metrics, evaluation, encoded)
    trained = TrainedAdapter(
        directory=directory.resolve(),
        base_model=base,
        task=recipe.task,
        method=recipe.method,
        digest=digest_of(directory),
        rank=0 if recipe.method is Method.FULL else recipe.lora.rank,
        target_modules=() if recipe.method is Method.FULL else _targets(directory),
        metrics=metrics,
        base_identity=base_identity(base),
        snapshot=snapshot.hash,
        recipe=recipe.fingerprint(),
        git_commit=git_commit(Path(__file__).parent),
        smoke=is_smoke_model(base),
        servable=servable,
    )
    if is_main():
        rows = {name: {"value": choice.value, "reason": choice.reason} for name, choice in chosen.items()}
        (out_dir / "choices.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        trained.save(out_dir / TRAINED_FILE)
    return trained


def build_trainer(
    recipe: Recipe,
    snapshot: Snapshot,
    base: str,
    out_dir: Path,
    device: choices.Device,
    progress: Progress | None = None,
    listener: Listener | None = None,
) -> tuple[Any, dict[str, Encoded], dict[str, choices.Choice]]:
    """Return the trainer, what was encoded by split, and what the hardware decided. Logs every choice with its reason."""
    import torch
    from transformers import PrinterCallback

    precision, attention = choices.choose_precision(recipe, device), choices.choose_attention(recipe, device)
    tokenizer = load_tokenizer(base)
    template = training_template(tokenizer) if recipe.loss_on == "assistant" or recipe.task is not Task.SFT else None
    encoded = {split: _encode(recipe, snapshot.examples(split), tokenizer, template) for split in ("train", "validation")}
    if not encoded["train"].rows:
        raise SettingsError(
            f"No example has an answer within max_length {recipe.max_length}: all {len(encoded['train'].dropped)} were left out. "
            "Enlarge max_length."
        )
    model = load_base(base, recipe, precision, attention)
    reads_together(tokenizer, model)
    packing = choices.choose_packing(recipe, model)
    torch.manual_seed(recipe.seed)
    checkpointing = choices.choose_checkpointing(recipe, device, _estimate(recipe, model, precision.value == "bf16"))
    chosen = {"precision": precision, "attention": attention, "packing": packing, "checkpointing": checkpointing}
    for name, choice in chosen.items():
        LOG.info("%s: %s (%s)", name, choice.value, choice.reason)
    config = _arguments(recipe, out_dir, chosen, device, bool(encoded["validation"].rows))
    trainer_class = measured_trainer(recipe.task, out_dir, progress, listener, packed=packing.value)
    trainer = trainer_class(
        model=model,
        args=config,
        train_dataset=_dataset(encoded["train"]),
        eval_dataset=_dataset(encoded["validation"]) if encoded["validation"].rows else None,
        processing_class=tokenizer,
        peft_config=_peft(recipe, model),
    )
    trainer.remove_callback(PrinterCallback)
    if recipe.patience:
        from transformers import EarlyStoppingCallback

        trainer.add_callback(EarlyStoppingCallback(recipe.patience))
    return trainer, encoded, chosen


def _encode(recipe: Recipe, examples: list[Example], tokenizer: Any, template: str | None) -> Encoded:
    random.Random(recipe.seed).shuffle(examples)  # KTO reads in order; the others shuffle again
    if recipe.task is Task.DPO:
        return encode_dpo(examples, tokenizer, template, recipe.max_length)
    if recipe.task is Task.KTO:
        return encode_kto(examples, tokenizer, template, recipe.max_length, recipe.batch)
    return encode_sft(examples, tokenizer, template, recipe.max_length, recipe.loss_on == "everything")


def _dataset(encoded: Encoded) -> Any:
    from datasets import Dataset

    return Dataset.from_list(encoded.rows)


def _peft(recipe: Recipe, model: Any) -> Any:
    if recipe.method is Method.FULL:
        return None
    from peft import LoraConfig

    targets = recipe.lora.targets
    return LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=linear_names(model) if targets == "all-linear" else list(targets),
        modules_to_save=list(recipe.lora.modules_to_save) or None,
        use_dora=recipe.method is Method.DORA,
        use_rslora=recipe.lora.rslora,
        task_type="CAUSAL_LM",
    )


def _arguments(
    recipe: Recipe, out_dir: Path, chosen: Mapping[str, choices.Choice], device: choices.Device, evaluated: bool
) -> Any:
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.sft_config import SFTConfig

    packing = chosen["packing"].value
    every = recipe.evaluate_every or recipe.save_every
    by_steps = evaluated and bool(recipe.evaluate_every or recipe.patience)
    flat_row = packing and chosen["attention"].value != "flash_attention_2"
    # Packed rows of a batch become one row; without flash attention its mask grows with the square of that, so rows go singly.
    batch, accumulate = (1, recipe.accumulate * recipe.batch) if flat_row else (recipe.batch, recipe.accumulate)
    shared: dict[str, Any] = {
        "output_dir": str(out_dir / "checkpoints"),
        "max_length": recipe.max_length,
        "per_device_train_batch_size": batch,
        "per_device_eval_batch_size": batch,
        "gradient_accumulation_steps": accumulate,
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.max_steps or -1,
        "learning_rate": recipe.learning_rate_used,
        "lr_scheduler_type": recipe.schedule,
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "bf16": chosen["precision"].value == "bf16",
        "use_cpu": not device.cuda,
        "gradient_checkpointing": chosen["checkpointing"].value,
        "eval_strategy": ("steps" if by_steps else "epoch") if evaluated else "no",
        "eval_steps": every if by_steps else None,
        "save_strategy": "steps",
        "save_steps": _multiple(recipe.save_every, every) if recipe.patience else recipe.save_every,
        "save_total_limit": recipe.keep_checkpoints,
        "load_best_model_at_end": bool(recipe.patience),
        "metric_for_best_model": "eval_loss" if recipe.patience else None,
        "greater_is_better": False if recipe.patience else None,
        "prediction_loss_only": True,
        "logging_steps": recipe.log_every,
        "seed": recipe.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": device.cuda,
        "deepspeed": recipe.deepspeed or None,
        "ddp_find_unused_parameters": False,  # every adapter is used in every step; looking for others costs time
    }
    if recipe.task is Task.DPO:
        return DPOConfig(**shared, beta=recipe.beta)
    if recipe.task is Task.KTO:
        return KTOConfig(**shared, beta=recipe.beta)
    return SFTConfig(**shared, packing=packing, eval_packing=packing, packing_strategy="bfd")


def _multiple(save: int, every: int) -> int:
    """Return the save interval that the best checkpoint needs: a multiple of the evaluation interval."""
    return max(1, round(save / every)) * every


def _estimate(recipe: Recipe, model: Any, bf16: bool) -> int:
    parameters = sum(weight.numel() for weight in model.parameters())
    config = model.config.get_text_config()
    width, layers = config.hidden_size, config.num_hidden_layers
    lora = 2 * recipe.lora.rank * 7 * 2 * width * layers  # seven linear layers a block, each about twice the width on one side
    trainable = parameters if recipe.method is Method.FULL else min(lora, parameters)
    return choices.estimate_bytes(recipe, parameters, trainable, width, layers, bf16)


def _tidy(directory: Path, recipe: Recipe) -> None:
    """Leave what a server needs: weights, configuration, and the tokenizer where the folder is a whole model."""
    (directory / "training_args.bin").unlink(missing_ok=True)
    (directory / "README.md").unlink(missing_ok=True)
    if recipe.method is Method.FULL:
        older_tokenizer_class(directory)
        return
    path = directory / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(config["target_modules"], list):  # a set in PEFT, written in any order: the digest must not change with it
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for pattern in ("tokenizer*", "special_tokens_map.json", "chat_template.jinja"):
        for path in directory.glob(pattern):
            path.unlink()


def _last_evaluation(trainer: Any, recipe: Recipe) -> Mapping[str, float]:
    """Return the measure of the weights that are kept; the one of the last step where those are the last."""
    measured = [row for row in trainer.state.log_history if "eval_loss" in row]
    if measured and measured[-1]["step"] == trainer.state.global_step and not recipe.patience:
        return measured[-1]
    return trainer.evaluate()


def _targets(directory: Path) -> tuple[str, ...]:
    found = json.loads((directory / "adapter_config.json").read_text(encoding="utf-8"))["target_modules"]
    return tuple(sorted(found)) if isinstance(found, list) else (found,)


def _metrics(
    trainer: Any, result: Mapping[str, float], evaluation: Mapping[str, float], encoded: dict[str, Encoded]
) -> dict[str, float]:
    last: dict[str, float] = {}
    for row in trainer.state.log_history:
        last |= {key: float(value) for key, value in row.items() if isinstance(value, int | float)}
    kept = ("tokens_per_second", "loss_tokens_per_second", "grad_norm")
    counts = {
        "examples": len(encoded["train"].rows),
        "examples_cut": encoded["train"].cut,
        "examples_dropped": len(encoded["train"].dropped),
    }
    metrics = {key: last[key] for key in kept if key in last} | {key: float(value) for key, value in counts.items()}
    metrics |= {"steps": float(trainer.state.global_step), "train_loss": float(result["train_loss"])}
    metrics["peak_memory_gb"] = peak_memory_gb()
    if "eval_loss" in evaluation:
        metrics["eval_loss"] = float(evaluation["eval_loss"])
    return metrics


__all__ = ["Listener", "Progress", "build_trainer", "read_history", "train"]
