"""The model that is trained: a local folder or a hub name, with its tokenizer."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmflow.config import fingerprint_of
from llmflow.errors import ModelUnavailable
from llmflow.finetuning.choices import Choice
from llmflow.finetuning.recipe import Method, Recipe

IDENTIFYING = ("config.json", "tokenizer.json", "chat_template.jinja")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep transformers, datasets and TRL from drawing bars and announcing renamed options of their own."""
    import datasets
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    datasets.disable_progress_bars()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|trl|peft|accelerate)\.")
        yield


def base_identity(base: str) -> str:
    """Return 12 hex digits that change with the model: small files by content, weights by name and size; a hub name by itself."""
    folder = Path(base)
    if not folder.is_dir():
        return fingerprint_of(base)
    small = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in IDENTIFYING if (folder / name).exists()}
    weights = sorted((path.name, path.stat().st_size) for path in folder.glob("*.safetensors"))
    return fingerprint_of([small, weights])


def load_tokenizer(base: str) -> Any:
    """Return the base's tokenizer with a padding token. Raises ModelUnavailable."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as exc:
        raise ModelUnavailable(_missing(base, exc)) from exc
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_base(base: str, recipe: Recipe, precision: Choice, attention: Choice) -> Any:
    """Return the model on the device where it is trained, quantised for QLoRA. Raises ModelUnavailable.

    Frozen weights lie in the precision of the computation. Weights that all move stay in fp32: bf16 swallows small updates.
    """
    import torch
    from transformers import AutoModelForCausalLM

    half = precision.value == "bf16" and recipe.method is not Method.FULL
    options: dict[str, Any] = {"dtype": torch.bfloat16 if half else torch.float32, "attn_implementation": attention.value}
    if recipe.method is Method.QLORA:
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(base, **options)
    except (OSError, ValueError, ImportError) as exc:
        raise ModelUnavailable(_missing(base, exc)) from exc
    model.config.use_cache = False
    return model


def reads_together(tokenizer: Any, model: Any) -> None:
    """Raise ModelUnavailable where the tokenizer knows tokens that the model has no row for."""
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ModelUnavailable(
            f"The tokenizer has {len(tokenizer)} tokens and the model {rows} embeddings: they are not of one model. "
            "Use the folder as it was published."
        )


def linear_names(model: Any) -> list[str]:
    """Return the last names of all linear layers but the output head, sorted: what PEFT's "all-linear" means, in the short
    form that servers look up."""
    import torch

    head = model.get_output_embeddings()
    return sorted(
        {
            name.rpartition(".")[2]
            for name, layer in model.named_modules()
            if isinstance(layer, torch.nn.Linear) and layer is not head
        }
    )


def older_tokenizer_class(folder: Path) -> None:
    """Name the tokenizer's class as transformers 4 knows it: servers lag behind, and read it from `tokenizer_config.json`."""
    path = folder / "tokenizer_config.json"
    if path.exists():
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.get("tokenizer_class") in ("TokenizersBackend", None):
            path.write_text(
                json.dumps(value | {"tokenizer_class": "PreTrainedTokenizerFast"}, ensure_ascii=False, indent=2) + "\n",
                encoding="utf-8",
            )


def _missing(base: str, exc: Exception) -> str:
    return (
        f"The base model '{base}' cannot be loaded: {exc} Name a folder with config.json, weights and tokenizer, 'tiny' for the "
        "smoke model, or a hub name where the network allows it (HF_HUB_OFFLINE=0)."
    )
