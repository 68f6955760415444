"""A BERT sentence encoder on torch alone: the same vectors as sentence-transformers gives, without its seconds of imports.

sentence-transformers and transformers take 5 s of processor time to import; the model that they then run is six matrix products a
layer (Devlin et al. 2019). Folders of another kind are left to them (sentence_embedder.py).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULES = ("Transformer", "Pooling", "Normalize")


def is_plain_bert(folder: Path) -> bool:
    """Return whether a sentence-transformers folder is a BERT with mean pooling, which is all that `BertEncoder` knows."""
    try:
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
        config = json.loads((folder / "config.json").read_text("utf-8"))
        pooling = json.loads((folder / modules[1]["path"] / "config.json").read_text("utf-8"))
    except (OSError, ValueError, LookupError, TypeError):
        return False
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value is True}
    return (
        tuple(module["type"].rsplit(".", 1)[-1] for module in modules) in (MODULES, MODULES[:2])
        and config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and modes == {"pooling_mode_mean_tokens"}
        and all((folder / name).exists() for name in ("model.safetensors", "tokenizer.json"))
    )


@dataclass(frozen=True)
class _Layer:
    """Each matrix with its bias."""

    inward: tuple[Any, Any]
    """Query, key and value in one: (3 x hidden, hidden)."""
    outward: tuple[Any, Any]
    wide: tuple[Any, Any]
    narrow: tuple[Any, Any]
    norms: tuple[tuple[Any, Any], tuple[Any, Any]]


class BertEncoder:
    """Token ids to sentence vectors, on the GPU where there is one."""

    def __init__(self, folder: Path, dtype: Any):
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text("utf-8"))
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.dimension: int = config["hidden_size"]
        self._heads: int = config["num_attention_heads"]
        self._epsilon: float = config["layer_norm_eps"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        loaded = load_file(folder / "model.safetensors")
        weights = {key.removeprefix("bert."): value for key, value in loaded.items()}

        def pair(name: str) -> tuple[Any, Any]:
            return weights[f"{name}.weight"].to(self.device, dtype), weights[f"{name}.bias"].to(self.device, dtype)

        def layer(at: str) -> _Layer:
            inward = [pair(f"{at}.attention.self.{part}") for part in ("query", "key", "value")]
            joined = torch.cat([weight for weight, _ in inward]), torch.cat([bias for _, bias in inward])
            norms = pair(f"{at}.attention.output.LayerNorm"), pair(f"{at}.output.LayerNorm")
            outward, wide = pair(f"{at}.attention.output.dense"), pair(f"{at}.intermediate.dense")
            return _Layer(joined, outward, wide, pair(f"{at}.output.dense"), norms)

        table = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        self._places = table.to(self.device, dtype)
        self._words = weights["embeddings.word_embeddings.weight"].to(self.device, dtype)
        self._norm = pair("embeddings.LayerNorm")
        self._layers = [layer(f"encoder.layer.{number}") for number in range(config["num_hidden_layers"])]

    def tokenize(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """Return the ids of each text, special tokens included, cut to `max_tokens`."""
        self._tokenizer.enable_truncation(min(max_tokens, len(self._places)))
        return [found.ids for found in self._tokenizer.encode_batch(list(texts))]

    def pool(self, batch: Sequence[Sequence[int]]) -> Any:
        """Return (texts, dimension): the mean of each text's token vectors. Call it under `torch.inference_mode`."""
        import torch
        from torch.nn import functional

        lengths = torch.tensor([len(ids) for ids in batch])
        longest = int(lengths.max())
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        for number, row in enumerate(batch):
            ids[number, : len(row)] = torch.tensor(row)
        real = (torch.arange(longest) < lengths[:, None]).to(self.device)
        mask = None if bool(real.all()) else real[:, None, None, :]
        state = self._normed(functional.embedding(ids.to(self.device), self._words) + self._places[:longest], self._norm)
        for layer in self._layers:
            state = self._through(layer, state, mask)
        weights = real[:, :, None].to(torch.float32)
        return (state.float() * weights).sum(1) / weights.sum(1)

    def _through(self, layer: _Layer, state: Any, mask: Any) -> Any:
        from torch.nn import functional

        count, length, width = state.shape
        parts = functional.linear(state, *layer.inward).view(count, length, 3, self._heads, width // self._heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(count, length, width)
        state = self._normed(state + functional.linear(seen, *layer.outward), layer.norms[0])
        wide = functional.gelu(functional.linear(state, *layer.wide))
        return self._normed(state + functional.linear(wide, *layer.narrow), layer.norms[1])

    def _normed(self, state: Any, norm: tuple[Any, Any]) -> Any:
        from torch.nn import functional

        return functional.layer_norm(state, (self.dimension,), norm[0], norm[1], self._epsilon)
