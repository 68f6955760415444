"""The files of a LoRA adapter: what may be in them, which adapter they are, and a copy that is never changed.

Only JSON and safetensors are read by whoever loads an adapter. A pickle runs code when it is read, so a folder that offers one in
the place of weights is refused, whoever trained it.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.finetuning.runs import digest_of

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What a server has to know before it loads the adapter."""

    rank: int
    base_model: str
    unservable: tuple[str, ...]
    """Why vLLM cannot serve it, in sentences; empty when it can."""


def adapter_digest(folder: Path) -> str:
    """Return 64 hex digits of SHA-256 over name and content of configuration and weights.

    Raises SettingsError when one is missing or the weights are pickled.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise SettingsError(_missing(folder, name))
    return digest_of(folder)


def read_facts(folder: Path) -> AdapterFacts:
    """Return rank, base and what a server would refuse. Raises SettingsError for a folder that is no LoRA adapter."""
    if not (folder / CONFIG).is_file():
        raise SettingsError(_missing(folder, CONFIG))
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        rank, kind = int(config["r"]), config["peft_type"]
    except (ValueError, KeyError, TypeError) as exc:
        raise SettingsError(f"{folder / CONFIG} describes no LoRA adapter: {exc}. Name the folder that training wrote.") from exc
    if kind != "LORA":
        raise SettingsError(f"{folder} holds an adapter of kind {kind}. Only LORA is served.")
    return AdapterFacts(rank, str(config.get("base_model_name_or_path") or ""), tuple(_unservable(config)))


def place_adapter(source: Path, target: Path, digest: str) -> None:
    """Copy configuration and weights of `source` to `target` in one step, and nothing else that lies beside them.

    Raises SettingsError when the copy is not what `digest` names; then `target` is not there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".placing-", dir=target.parent))
    try:
        for name in (CONFIG, WEIGHTS):
            if not (source / name).is_file():
                raise SettingsError(_missing(source, name))
            shutil.copyfile(source / name, partial / name)
            (partial / name).chmod(0o444)
        if adapter_digest(partial) != digest:
            raise SettingsError(f"{source} changed while it was copied. Register it again.")
        partial.chmod(0o755)
        if not target.exists():
            os.rename(partial, target)
        check_adapter(target, digest)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_adapter(folder: Path, digest: str) -> None:
    """Raise ModelUnavailable unless `folder` holds exactly what `digest` names, and only files that are safe to load."""
    try:
        strange = sorted(path.name for path in folder.iterdir() if path.suffix not in (".json", ".safetensors"))
    except OSError as exc:
        raise ModelUnavailable(f"The adapter in {folder} is gone: {exc.strerror}. Register it again, or roll back.") from exc
    if strange:
        raise ModelUnavailable(f"{folder} holds {', '.join(strange)}. Only .json and .safetensors are loaded: remove the rest.")
    try:
        found = adapter_digest(folder)
    except SettingsError as exc:
        raise ModelUnavailable(str(exc)) from exc
    if found != digest:
        raise ModelUnavailable(
            f"The files in {folder} are not what was registered: digest {found[:12]} in place of {digest[:12]}. "
            "They were changed afterwards and are not loaded. Register the adapter again under a new name."
        )


def base_fingerprint(base: Path | str) -> str:
    """Return 12 hex digits that change with a base's configuration, tokenizer or weights; empty where it is no local folder."""
    from llmflow.finetuning.base import base_identity

    return base_identity(str(base)) if Path(base).is_dir() else ""


def _unservable(config: Mapping[str, object]) -> list[str]:
    found = []
    if config.get("use_dora"):
        found.append("it is DoRA, whose magnitudes vLLM does not apply")
    if config.get("modules_to_save"):
        found.append(f"it saves whole modules ({config['modules_to_save']}), which vLLM does not replace")
    targets = config.get("target_modules")
    if isinstance(targets, list) and "lm_head" in targets:
        found.append("it changes lm_head")
    if config.get("bias", "none") != "none":
        found.append("it trains biases")
    return found


def _missing(folder: Path, name: str) -> str:
    pickled = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLED)
    if name == WEIGHTS and pickled:
        return (
            f"{folder} has no {WEIGHTS}, but {', '.join(pickled)}: a pickle runs code when it is read and is never loaded. "
            "Save the adapter as safetensors."
        )
    return f"{folder} has no {name}. Name the folder of a LoRA adapter that PEFT saved as safetensors."
