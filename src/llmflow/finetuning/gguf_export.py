"""Whole weights as one GGUF file, for llama.cpp and what is built on it.

llama.cpp's own converter is in none of its packages (`gguf` holds the writer and the names of tensors, and is used here). This
one knows Llama, Qwen2 and Qwen3 with byte-level BPE tokenizers whose splitting llama.cpp has a name for. Everything else is
refused with the name of llama.cpp's script, since a wrong splitting or scaling would answer, and answer wrongly.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from llmflow.errors import MissingDependency, SettingsError

ARCHITECTURES = {"LlamaForCausalLM": "llama", "Qwen2ForCausalLM": "qwen2", "Qwen3ForCausalLM": "qwen3"}
_ENGLISH = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITTINGS = {
    "": "gpt-2",  # ByteLevel with its own expression
    _ENGLISH + r"\p{N}{1,3}" + _REST: "llama-bpe",
    _ENGLISH + r"\p{N}" + _REST: "qwen2",
}
"""llama.cpp's names of the expressions that byte-level tokenizers split text with."""
OTHERWISE = "Convert the merged folder with convert_hf_to_gguf.py of llama.cpp."
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


def export_gguf(model_dir: Path, out_file: Path, precision: Literal["f32", "f16", "bf16"] = "f16") -> Path:
    """Return `out_file` with the weights, tokenizer and chat template of a folder; vectors stay in f32.

    Raises SettingsError for an architecture, tokenizer or position scaling that is not known here, MissingDependency without
    the package.
    """
    try:
        import gguf
    except ImportError as exc:
        raise MissingDependency("GGUF needs the package gguf. Install it: pip install 'llmflow[train]'") from exc

    config = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    name = next(iter(config.get("architectures", [])), "")
    if name not in ARCHITECTURES:
        raise SettingsError(f"GGUF of '{name}' is not written here; known are {', '.join(ARCHITECTURES)}. {OTHERWISE}")
    tokenizer = json.loads((model_dir / "tokenizer.json").read_text(encoding="utf-8"))
    splitting = _splitting(tokenizer)
    out_file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(out_file), ARCHITECTURES[name])
    _write_shape(
        writer,
        config,
        model_dir.name,
        getattr(gguf.LlamaFileType, {"f32": "ALL_F32"}.get(precision, f"MOSTLY_{precision.upper()}")),
    )
    _write_tokenizer(writer, model_dir, tokenizer, config, splitting)
    names = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, ARCHITECTURES[name].upper()), config["num_hidden_layers"])
    kind = getattr(gguf.GGMLQuantizationType, precision.upper())
    for tensor_name, tensor in _tensors(model_dir):
        new = names.get_name(tensor_name, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise SettingsError(f"GGUF has no place for the tensor '{tensor_name}'. {OTHERWISE}")
        value = _rotated(tensor_name, tensor, config).float().numpy() if name == "LlamaForCausalLM" else tensor.float().numpy()
        if value.ndim > 1 and precision != "f32":
            writer.add_tensor(new, gguf.quants.quantize(value, kind), raw_dtype=kind)
        else:
            writer.add_tensor(new, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out_file


def _write_shape(writer: Any, config: dict[str, Any], name: str, file_type: int) -> None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", "default") != "default":
        raise SettingsError(f"GGUF with '{rope['rope_type']}' scaling of positions is not written here. {OTHERWISE}")
    heads = config["num_attention_heads"]
    writer.add_name(name)
    writer.add_file_type(file_type)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads", heads))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    width = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_rope_dimension_count(width)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_freq_base(float(rope.get("rope_theta", config.get("rope_theta", 10000.0))))
    writer.add_vocab_size(config["vocab_size"])


def _write_tokenizer(writer: Any, model_dir: Path, tokenizer: dict[str, Any], config: dict[str, Any], splitting: str) -> None:
    import gguf

    special = {token["id"]: token for token in tokenizer["added_tokens"]}
    texts = {identifier: text for text, identifier in tokenizer["model"]["vocab"].items()}
    texts |= {identifier: token["content"] for identifier, token in special.items()}
    size = config["vocab_size"]  # embeddings may have more rows than there are tokens
    kinds = gguf.TokenType
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitting)
    writer.add_token_list([texts.get(place, f"[PAD{place}]") for place in range(size)])
    writer.add_token_types(
        [
            kinds.UNUSED if place not in texts else kinds.CONTROL if special.get(place, {}).get("special") else
            kinds.USER_DEFINED if place in special else kinds.NORMAL
            for place in range(size)
        ]
    )  # fmt: skip
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["model"]["merges"]])
    for key, add in (("bos", writer.add_bos_token_id), ("eos", writer.add_eos_token_id), ("pad", writer.add_pad_token_id)):
        value = config.get(f"{key}_token_id")
        if value is not None:
            add(value[0] if isinstance(value, list) else value)
    template = model_dir / "chat_template.jinja"
    writer.add_add_bos_token(False)  # chat templates write it where the model wants it
    if template.exists():
        writer.add_chat_template(_GENERATION.sub("", template.read_text(encoding="utf-8")))  # training's marks, unknown elsewhere


def _splitting(tokenizer: dict[str, Any]) -> str:
    """Return llama.cpp's name for how the tokenizer splits text."""
    before = tokenizer.get("pre_tokenizer") or {}
    parts = before.get("pretokenizers", [before])
    expression = next((part["pattern"].get("Regex", "?") for part in parts if part.get("type") == "Split"), "")
    byte_level = any(part.get("type") == "ByteLevel" for part in parts)
    if tokenizer["model"]["type"] != "BPE" or not byte_level or expression not in SPLITTINGS or len(parts) > 2:
        raise SettingsError(f"GGUF of this tokenizer is not written here: llama.cpp's name for it is not known. {OTHERWISE}")
    return SPLITTINGS[expression]


def _tensors(model_dir: Path) -> Iterator[tuple[str, Any]]:
    from safetensors import safe_open

    for path in sorted(model_dir.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (a safetensors handle, no mapping)
                yield name, file.get_tensor(name)


def _rotated(name: str, tensor: Any, config: dict[str, Any]) -> Any:
    """Return query and key rows in the order of llama.cpp's Llama: it turns neighbouring pairs, transformers the two halves."""
    if not re.search(r"\.(q|k)_proj\.(weight|bias)$", name):
        return tensor
    heads = (
        config["num_attention_heads"] if ".q_proj." in name else config.get("num_key_value_heads", config["num_attention_heads"])
    )
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return halves.swapaxes(1, 2).reshape(tensor.shape)
