"""What the hardware decides: precision, attention, checkpointing, packing. Every choice carries its reason."""

import importlib.util
import os
from dataclasses import dataclass
from typing import Any

from llmflow.errors import MissingDependency, SettingsError
from llmflow.finetuning.recipe import Method, Recipe, Task

ACTIVATION_BYTES = 34
"""Bytes a token, a layer and a unit of width leave behind in 16 bits (Korthikanti et al. 2022, with fused attention)."""
MEMORY_SHARE = 0.85
"""How much of the device may be planned for; the rest goes to buffers and fragments."""


@dataclass(frozen=True, slots=True)
class Device:
    """What training runs on."""

    cuda: bool
    bf16: bool
    memory: int
    """Bytes of one device; 0 on a CPU."""
    flash_attention: bool
    bitsandbytes: bool


@dataclass(frozen=True, slots=True)
class Choice:
    value: Any
    reason: str


def find_device() -> Device:
    """Return what torch sees."""
    import torch

    cuda = torch.cuda.is_available()
    if cuda:  # each process of a run has a device of its own, and weights are loaded onto the current one
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    memory = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory if cuda else 0
    bf16 = cuda and torch.cuda.is_bf16_supported(including_emulation=False)
    return Device(cuda, bf16, memory, cuda and _installed("flash_attn"), _installed("bitsandbytes"))


def check_quantisation(recipe: Recipe, device: Device) -> None:
    """Raise where QLoRA cannot run."""
    if recipe.method is not Method.QLORA:
        return
    if not device.cuda:
        raise SettingsError("QLoRA quantises with CUDA kernels and there is no CUDA device. Use method lora, or a GPU host.")
    if not device.bitsandbytes:
        raise MissingDependency("QLoRA needs bitsandbytes. Install it: pip install bitsandbytes")


def choose_precision(recipe: Recipe, device: Device) -> Choice:
    """Return bf16 where asked for or where the hardware has it; TRL's own default is bf16 even on a CPU."""
    if recipe.precision != "auto":
        return Choice(recipe.precision, "set in the recipe")
    if device.bf16:
        return Choice("bf16", "the device computes in bf16")
    return Choice("fp32", "no bf16 in hardware" if device.cuda else "on a CPU bf16 is emulated or slower to settle")


def choose_attention(recipe: Recipe, device: Device) -> Choice:
    if recipe.attention != "auto":
        return Choice(recipe.attention, "set in the recipe")
    if device.flash_attention:
        return Choice("flash_attention_2", "flash_attn is installed")
    return Choice("sdpa", "torch's own; flash_attn is not installed")


def choose_checkpointing(recipe: Recipe, device: Device, estimate: int) -> Choice:
    """Return True where activations are to be recomputed. `estimate` is bytes without recomputation."""
    if recipe.checkpointing != "auto":
        return Choice(recipe.checkpointing == "on", "set in the recipe")
    if not device.cuda:
        return Choice(False, "main memory holds the activations")
    need, have = estimate / 2**30, device.memory / 2**30
    if estimate > MEMORY_SHARE * device.memory:
        return Choice(True, f"about {need:.0f} GiB without it, the device has {have:.0f}")
    return Choice(
        False, f"about {need:.0f} of {have:.0f} GiB without it: recomputing would cost a fifth of the speed for nothing"
    )


def estimate_bytes(recipe: Recipe, parameters: int, trainable: int, width: int, layers: int, bf16: bool) -> int:
    """Return roughly what one step needs: weights, gradients and Adam's moments, activations of one micro-batch."""
    size = 2 if bf16 else 4
    weights = parameters * (4 if recipe.method is Method.FULL else size)
    if recipe.method is Method.QLORA:
        weights = parameters // 2 + parameters // 8  # four bits, and scales
    states = trainable * 12  # gradient and two moments in 32 bits
    rows = recipe.batch * (2 if recipe.task is not Task.SFT else 1)  # chosen and rejected; matched and mismatched
    activations = ACTIVATION_BYTES * size // 2 * rows * recipe.max_length * width * layers
    return weights + states + activations


def choose_packing(recipe: Recipe, model: Any) -> Choice:
    """Return whether to pack, after a probe on the model itself. Raises SettingsError where packing is forced and would mix."""
    if recipe.task is not Task.SFT or recipe.packing == "off":
        return Choice(False, "off in the recipe" if recipe.task is Task.SFT else "whole answers are compared")
    if packs_apart(model):
        return Choice(True, "the probe shows that packed examples do not see each other")
    if recipe.packing == "on":
        raise SettingsError(
            "With this model and attention, packed examples see each other and the loss would be wrong. Set packing to 'auto' or "
            "'off', or attention to 'sdpa' or 'flash_attention_2'."
        )
    return Choice(False, "the probe shows that packed examples would see each other")


def packs_apart(model: Any) -> bool:
    """Return whether what stands before an example in a packed row leaves its outputs as they are.

    Two rows of two examples differ in the first example only. Where the second's logits stay the same, the attention reads
    the position ids and keeps examples apart. Believed of no library version: measured.
    """
    import torch

    first, second = 6, 5
    positions = torch.cat([torch.arange(first), torch.arange(second)])[None].to(model.device)
    high = min(model.config.get_text_config().vocab_size, 200)
    ids = (torch.arange(first + second) * 7 % high)[None].to(model.device)
    other = ids.clone()
    other[0, :first] = (other[0, :first] + 11) % high
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            logits = [
                model(input_ids=row, position_ids=positions, use_cache=False).logits[0, first:].float() for row in (ids, other)
            ]
    finally:
        model.train(training)
    return bool((logits[0] - logits[1]).abs().max() <= 1e-5 * logits[0].abs().max().clamp(min=1e-6))


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
