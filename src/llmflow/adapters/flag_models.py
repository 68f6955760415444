"""FlagEmbedding models from local folders: each is loaded once a process, whoever asks for it."""

import os
import threading
from pathlib import Path
from typing import Any

from llmflow.config import Settings
from llmflow.errors import MissingDependency, ModelUnavailable
from llmflow.workspace import project_path

INSTALL = "pip install 'llmflow[train]'"
HEADS = ("sparse_linear.pt", "colbert_linear.pt")
_LOADED: dict[tuple[str, Path, bool, str], "FlagModel"] = {}
_LOADING = threading.Lock()


class FlagModelSettings(Settings):
    model: str
    """Folder of the model, relative to the project or absolute; nothing is downloaded."""
    half: bool = False
    """Half precision: for a GPU."""
    device: str = "cpu"
    """`cpu`, `cuda:0` and the like."""


class FlagModel:
    """A loaded model and the lock under which it is asked: the library moves and pads in place."""

    def __init__(self, model: Any):
        self.model = model
        self.lock = threading.Lock()


def load_bge_m3(settings: FlagModelSettings, heads: bool = False) -> FlagModel:
    """Return BGE-M3. With `heads` its sparse and multi-vector layers have to be there.

    The library fills missing ones with random numbers and says nothing. Raises ModelUnavailable or MissingDependency.
    """
    folder = model_folder(settings, "BGE-M3")
    missing = [name for name in HEADS if heads and not (folder / name).exists()]
    if missing:
        raise ModelUnavailable(
            f"{folder} lacks {' and '.join(missing)}. Copy the whole BGE-M3 folder, or use its dense vectors only."
        )
    return _load("BGEM3FlagModel", folder, settings)


def load_reranker(settings: FlagModelSettings) -> FlagModel:
    """Return a cross-encoder such as bge-reranker-v2-m3. Raises ModelUnavailable or MissingDependency."""
    return _load("FlagReranker", model_folder(settings, "reranker"), settings)


def model_folder(settings: FlagModelSettings, what: str) -> Path:
    folder = project_path() / Path(settings.model).expanduser()
    if not (folder / "config.json").exists():
        raise ModelUnavailable(f"No model in {folder}. Copy the {what} folder there (docs/guides/models.md).")
    return folder.resolve()


def _load(kind: str, folder: Path, settings: FlagModelSettings) -> FlagModel:
    key = (kind, folder, settings.half, settings.device)
    with _LOADING:
        if key not in _LOADED:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            try:
                import FlagEmbedding
            except ImportError as exc:
                raise MissingDependency(f"{folder.name} needs FlagEmbedding. Install it: {INSTALL}") from exc
            try:
                model = getattr(FlagEmbedding, kind)(str(folder), use_fp16=settings.half, devices=settings.device)
            except (OSError, ValueError, RuntimeError, KeyError) as exc:
                raise ModelUnavailable(f"The model in {folder} cannot be loaded: {exc}") from exc
            _LOADED[key] = FlagModel(model)
        return _LOADED[key]
