"""BGE-M3 dense vectors through FlagEmbedding, from a local folder."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from llmflow.config import Settings, fingerprint_of
from llmflow.errors import MissingDependency, ModelUnavailable
from llmflow.workspace import project_path

if TYPE_CHECKING:
    import numpy as np


class FlagEmbedderSettings(Settings):
    model: str
    """Folder of the model, relative to the project or absolute; nothing is downloaded."""
    dimension: int = Field(default=1024, ge=1)
    languages: tuple[str, ...] = ("ko", "en", "other")
    max_tokens: int = Field(default=1024, ge=8, le=8192)
    batch: int = Field(default=16, ge=1)
    half: bool = False
    device: str = "cpu"


class FlagEmbedder:
    """Embedder over BGEM3FlagModel. Loads on first use."""

    def __init__(self, settings: FlagEmbedderSettings):
        self.settings = settings
        self.dimension = settings.dimension
        self.languages = frozenset(settings.languages)
        self.name = f"{Path(settings.model).name}_{fingerprint_of(settings.model_dump(include={'max_tokens', 'half'}))}"
        self._lock = threading.Lock()
        self._model: Any = None

    def embed_passages(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:
            model = self._load()
            found = model.encode(list(texts), batch_size=self.settings.batch, max_length=self.settings.max_tokens)["dense_vecs"]
        vectors = np.asarray(found, dtype=np.float32)
        if vectors.shape[1] != self.dimension:
            raise ModelUnavailable(
                f"The model in {self.settings.model} makes {vectors.shape[1]} dimensions; `dimension` says {self.dimension}."
            )
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)

    def embed_queries(self, texts: Sequence[str]) -> "np.ndarray":
        return self.embed_passages(texts)

    def _load(self) -> Any:
        if self._model is None:
            folder = project_path() / Path(self.settings.model).expanduser()
            if not (folder / "config.json").exists():
                raise ModelUnavailable(f"No model in {folder}. Copy the BGE-M3 folder there.")
            try:
                from FlagEmbedding import BGEM3FlagModel
            except ImportError as exc:
                raise MissingDependency("BGE-M3 needs FlagEmbedding. Install it: pip install 'llmflow[train]'") from exc
            self._model = BGEM3FlagModel(str(folder), use_fp16=self.settings.half, devices=self.settings.device)
        return self._model
