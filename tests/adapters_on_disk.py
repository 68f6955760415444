"""Adapter folders as PEFT leaves them, made without torch: the weights are real safetensors of a few numbers."""

import json
from pathlib import Path

import numpy as np


def write_adapter(folder: Path, seed: int = 0, base: str = "/models/base", **config) -> Path:
    """Write adapter_config.json, adapter_model.safetensors and the README that PEFT adds; return the folder."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    weights = np.random.default_rng(seed).normal(size=(8, 4)).astype(np.float32)
    save_file({"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": weights}, folder / "adapter_model.safetensors")
    row = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": base, "target_modules": ["q_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(row | config))
    (folder / "README.md").write_text("# adapter\n")
    return folder
