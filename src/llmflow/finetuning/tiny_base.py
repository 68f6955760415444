"""A small Llama made on the spot: a tokenizer trained on the given texts, weights from a seed and a few steps of reading them.

It keeps the whole path from data to a served adapter real on a CPU with no download. It knows nothing, and says so: the folder
holds SMOKE_MODEL.md and its config.json `"llmflow_smoke": true`.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from llmflow.config import Settings, fingerprint_of
from llmflow.errors import DatasetError
from llmflow.finetuning.base import older_tokenizer_class, quiet_libraries

SMOKE_KEY = "llmflow_smoke"
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SMOKE_TEXT = """# Smoke model

Built by llmflow from a configuration, for tests and demonstrations on a CPU. It has read a few pages and knows nothing:
its answers mean nothing, and no figure measured on it says anything about a real model.
"""
READY_FILE = "llmflow_ready.json"


class TinyBaseSettings(Settings):
    vocabulary: int = Field(default=2048, ge=300)  # 256 bytes, three special tokens and what merges are left
    hidden: int = Field(default=64, ge=32)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=2, ge=1)  # vLLM's CPU attention wants a head size of 32, 64, 80, 96, 112, 128
    context: int = Field(default=2048, ge=64)
    steps: int = Field(default=150, ge=0)
    """Steps of plain language modelling on the texts; 0 leaves the weights random."""
    batch: int = Field(default=16, ge=1)
    length: int = Field(default=64, ge=8)
    learning_rate: float = Field(default=3e-3, gt=0)
    seed: int = 0


def build_tiny_base(texts: Sequence[str], out_dir: Path, settings: TinyBaseSettings | None = None) -> Path:
    """Return `out_dir` with model and tokenizer in it, ready for transformers, PEFT and vLLM.

    The same texts and settings are built once: a finished folder is returned as it is, a half-made one is made again. Empty
    texts are skipped; DatasetError without any other.
    """
    settings = settings or TinyBaseSettings()
    kept = [text for text in texts if text.strip()]
    if not kept:
        raise DatasetError("The tiny base learns its tokenizer from texts, and all of them are empty. Give it some data.")
    wanted = fingerprint_of([settings.model_dump(mode="json"), kept])
    ready = out_dir / READY_FILE
    if ready.exists() and json.loads(ready.read_text())["fingerprint"] == wanted:
        return out_dir
    shutil.rmtree(out_dir, ignore_errors=True)
    out_dir.mkdir(parents=True)
    tokenizer = _train_tokenizer(kept, settings)
    with quiet_libraries():
        model = _build_model(tokenizer, settings)
        _read(model, tokenizer, kept, settings)
        model.save_pretrained(out_dir)
        tokenizer.save_pretrained(out_dir)
    older_tokenizer_class(out_dir)
    _edit_json(out_dir / "config.json", {SMOKE_KEY: True, "rope_theta": 10000.0, "torch_dtype": "float32"})
    (out_dir / "SMOKE_MODEL.md").write_text(SMOKE_TEXT, encoding="utf-8")
    ready.write_text(json.dumps({"fingerprint": wanted}) + "\n")
    return out_dir


def is_smoke_model(directory: Path | str) -> bool:
    """Return whether a model folder was built here; False for hub names and folders without a readable configuration."""
    try:
        return bool(json.loads((Path(directory) / "config.json").read_text(encoding="utf-8")).get(SMOKE_KEY))
    except (OSError, ValueError, AttributeError):
        return False


def chat_template() -> str:
    """Return the ChatML template with generation markers that the tiny base carries."""
    return (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")


def _train_tokenizer(texts: Sequence[str], settings: TinyBaseSettings) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=SPECIAL_TOKENS[0],
        bos_token=SPECIAL_TOKENS[0],
        eos_token=SPECIAL_TOKENS[2],
        chat_template=chat_template(),
        model_max_length=settings.context,
        clean_up_tokenization_spaces=False,
    )


def _build_model(tokenizer: Any, settings: TinyBaseSettings) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=settings.hidden * 2,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.context,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        return LlamaForCausalLM(config).float()


def _read(model: Any, tokenizer: Any, texts: Sequence[str], settings: TinyBaseSettings) -> None:
    """Train all weights on the texts, each followed by the end token, joined and cut into rows."""
    import torch

    stream = [token for text in texts for token in (*tokenizer.encode(text), tokenizer.eos_token_id)]
    rows = [stream[start : start + settings.length] for start in range(0, len(stream), settings.length)]
    rows[-1] = (rows[-1] + stream * settings.length)[: settings.length]  # the last row goes on with the first text
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)
    model.train()
    for batch in _batches(rows, settings):
        ids = torch.tensor(batch)
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


def _batches(rows: list[list[int]], settings: TinyBaseSettings) -> Iterator[list[list[int]]]:
    import torch

    generator = torch.Generator().manual_seed(settings.seed)
    for _ in range(settings.steps):
        chosen = torch.randint(len(rows), (settings.batch,), generator=generator).tolist()
        yield [rows[index] for index in chosen]


def _edit_json(path: Path, changes: dict[str, Any]) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(value | changes, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
