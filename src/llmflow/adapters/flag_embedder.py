"""BGE-M3 dense vectors through FlagEmbedding, from a local folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from llmflow.adapters.flag_models import FlagModelSettings, load_bge_m3
from llmflow.config import fingerprint_of
from llmflow.errors import ModelUnavailable

if TYPE_CHECKING:
    import numpy as np


class FlagEmbedderSettings(FlagModelSettings):
    dimension: int = Field(default=1024, ge=1)
    languages: tuple[str, ...] = ("ko", "en", "other")
    max_tokens: int = Field(default=1024, ge=8, le=8192)
    batch: int = Field(default=16, ge=1)


class FlagEmbedder:
    """Embedder over BGEM3FlagModel. Loads on first use; a scorer over the same folder shares the model."""

    def __init__(self, settings: FlagEmbedderSettings):
        self.settings = settings
        self.dimension = settings.dimension
        self.languages = frozenset(settings.languages)
        self.name = f"{Path(settings.model).name}_{fingerprint_of(settings.model_dump(include={'max_tokens', 'half'}))}"

    def embed_passages(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        loaded = load_bge_m3(self.settings)
        with loaded.lock:
            found = loaded.model.encode(list(texts), batch_size=self.settings.batch, max_length=self.settings.max_tokens)
        vectors = np.asarray(found["dense_vecs"], dtype=np.float32)
        if vectors.shape[1] != self.dimension:
            raise ModelUnavailable(
                f"The model in {self.settings.model} makes {vectors.shape[1]} dimensions; `dimension` says {self.dimension}."
            )
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)

    def embed_queries(self, texts: Sequence[str]) -> "np.ndarray":
        return self.embed_passages(texts)
