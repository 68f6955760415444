"""What training made, in the form that others load: the adapter as it is, or merged into whole weights.

vLLM serves the adapter on its base. Merged weights are for what it cannot load as an adapter (DoRA, modules_to_save, a high
rank), for other servers, and for GGUF (`gguf_export`).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmflow.errors import DatasetError, SettingsError
from llmflow.finetuning.base import base_identity, load_tokenizer, older_tokenizer_class, quiet_libraries
from llmflow.finetuning.runs import digest_of
from llmflow.finetuning.tiny_base import SMOKE_TEXT
from llmflow.finetuning.types import Method, TrainedAdapter

PROBE_TOKENS = 24
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.15, "float16": 0.03}
"""How far merged logits may lie from the adapter's, in units of their standard deviation."""


@dataclass(frozen=True, slots=True)
class Merged:
    directory: Path
    difference: float
    """Largest distance between the logits of merged weights and of base with adapter on a probe, in standard deviations."""


def check_weights(trained: TrainedAdapter) -> None:
    """Raise DatasetError where the weights are not those that training wrote."""
    if not trained.directory.is_dir():
        raise DatasetError(f"{trained.directory} is missing. Train again, or restore the folder.")
    if (found := digest_of(trained.directory)) != trained.digest:
        raise DatasetError(
            f"{trained.directory} has digest {found[:12]}, training wrote {trained.digest[:12]}. Restore the folder."
        )


def export_adapter(trained: TrainedAdapter, out_dir: Path) -> Path:
    """Return `out_dir` with a copy of the adapter. Raises SettingsError where vLLM could not load it."""
    check_weights(trained)
    if trained.method is Method.FULL:
        raise SettingsError("Full fine-tuning makes whole weights and no adapter. Export them as 'merged'.")
    if not trained.servable:
        raise SettingsError("This adapter cannot be loaded by vLLM (see the recipe's serving limits). Export it as 'merged'.")
    _copy(trained.directory, out_dir)
    return out_dir


def export_merged(trained: TrainedAdapter, out_dir: Path, base: str = "") -> Merged:
    """Return whole weights with tokenizer in `out_dir`, in the precision of the base.

    `base` names where the base lies now, if not where it was. Merging is done in fp32 and checked: SettingsError where the base
    is not the one that was trained on, or the merged logits are not those of base and adapter.
    """
    check_weights(trained)
    if trained.method is Method.FULL:
        _copy(trained.directory, out_dir)
        return Merged(out_dir, 0.0)
    if trained.base_identity and base_identity(base or trained.base_model) != trained.base_identity:
        raise SettingsError(
            f"'{base or trained.base_model}' is not the base that was trained on, or was changed since. Name that one."
        )
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with quiet_libraries():
        tokenizer = load_tokenizer(base or trained.base_model)
        plain = AutoModelForCausalLM.from_pretrained(base or trained.base_model, dtype="auto")
        precision = plain.dtype
        model: Any = PeftModel.from_pretrained(plain.float(), str(trained.directory)).eval()
        probe = torch.arange(PROBE_TOKENS)[None] * 7 % min(len(tokenizer), model.config.vocab_size)
        with torch.no_grad():
            expected = model(input_ids=probe).logits
            merged = model.merge_and_unload(safe_merge=True).to(precision)
            found = merged(input_ids=probe).logits.float()
        difference = float((found - expected).abs().max() / expected.std())
        limit = TOLERANCE.get(str(precision).rpartition(".")[2], 0.15)
        if not difference <= limit:
            raise SettingsError(
                f"Merged logits differ from the adapter's by {difference:.3g} standard deviations, allowed are {limit}. "
                "Serve the adapter on its base instead."
            )
        shutil.rmtree(out_dir, ignore_errors=True)
        merged.save_pretrained(out_dir)
        tokenizer.save_pretrained(out_dir)
    older_tokenizer_class(out_dir)
    if trained.smoke:
        (out_dir / "SMOKE_MODEL.md").write_text(SMOKE_TEXT, encoding="utf-8")
    return Merged(out_dir, difference)


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
