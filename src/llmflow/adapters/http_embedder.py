"""Embeddings from a server: Text Embeddings Inference (`/embed`) or OpenAI's protocol (`/embeddings`), vLLM above all."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from llmflow.adapters.model_server import EMPTY, ModelServer, ModelServerSettings
from llmflow.config import fingerprint_of
from llmflow.errors import ModelUnavailable

if TYPE_CHECKING:
    import numpy as np

NAMED_BY = {"model", "dimension", "revision", "query_prompt", "passage_prompt", "truncate_tokens"}


class HttpEmbedderSettings(ModelServerSettings):
    """Keys of `backend: tei` and `backend: openai`."""

    model: str = Field(min_length=1)
    """Name that the server serves; part of the name of the vectors' space."""
    revision: str = ""
    """Raise it when other weights are served under the same name: the server does not tell, and vectors of both do not mix."""
    dimension: int = Field(default=1024, ge=1)
    languages: tuple[str, ...] = ("ko", "en", "other")
    query_prompt: str = ""
    passage_prompt: str = ""
    truncate_tokens: int = Field(default=0, ge=0)
    """Tokens read of a text. `openai`: sent as vLLM's `truncate_prompt_tokens`; 0: not sent, and a longer text is refused by
    the server. `tei` cuts at the model's own limit."""


class HttpEmbedder(ABC):
    """Embedder over a server; subclasses know one wire form. Connects on first use."""

    def __init__(self, settings: HttpEmbedderSettings, api_key: str = ""):
        self.settings = settings
        self.dimension = settings.dimension
        self.languages = frozenset(settings.languages)
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", settings.model.rstrip("/").rsplit("/", 1)[-1])[:60]
        self.name = f"{plain}_{fingerprint_of(settings.model_dump(include=NAMED_BY))}"
        self._server = ModelServer(settings, f"embedding model {settings.model}", api_key)

    def embed_passages(self, texts: Sequence[str]) -> "np.ndarray":
        return self._embed([self.settings.passage_prompt + text for text in texts], query=False)

    def embed_queries(self, texts: Sequence[str]) -> "np.ndarray":
        return self._embed([self.settings.query_prompt + text for text in texts], query=True)

    def check(self) -> None:
        self.embed_queries(["ready"])

    def _embed(self, texts: Sequence[str], query: bool) -> "np.ndarray":
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        sent = [text if text.strip() else EMPTY for text in texts]
        rows = self._server.post_batches(sent, lambda batch: self._checked(self._ask(batch, query), len(batch)), query)
        vectors = np.asarray(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)

    path = ""

    @abstractmethod
    def _ask(self, texts: Sequence[str], query: bool) -> Any:
        """Return one vector a text, in order, as the server gave them."""

    def _checked(self, rows: Any, count: int) -> list[list[float]]:
        """Return the rows, or raise ModelUnavailable when they are not `count` finite vectors of the right dimension."""
        if not isinstance(rows, list) or len(rows) != count:
            raise self._server.unusable(self.path, f"{count} vectors were asked for, {_count(rows)} came")
        for row in rows:
            if not isinstance(row, list) or not all(isinstance(x, (int, float)) and math.isfinite(x) for x in row):
                raise self._server.unusable(self.path, "a vector holds what is no finite number")
            if len(row) != self.dimension:
                raise ModelUnavailable(
                    f"The model {self.settings.model} at {self.settings.url} makes {len(row)} dimensions; "
                    f"`dimension` says {self.dimension}. Set it in the entry `embedder` of catalog.yml."
                )
        return rows


class TeiEmbedder(HttpEmbedder):
    """Text Embeddings Inference: `POST /embed`."""

    path = "/embed"

    def _ask(self, texts: Sequence[str], query: bool) -> Any:
        return self._server.post(self.path, {"inputs": list(texts), "normalize": True, "truncate": True}, query)


class OpenAIEmbedder(HttpEmbedder):
    """OpenAI's protocol: `POST /embeddings` under an address that ends in /v1."""

    path = "/embeddings"

    def _ask(self, texts: Sequence[str], query: bool) -> Any:
        body: dict[str, object] = {"model": self.settings.model, "input": list(texts), "encoding_format": "float"}
        if self.settings.truncate_tokens:
            body["truncate_prompt_tokens"] = self.settings.truncate_tokens
        answer = self._server.post(self.path, body, query)
        try:
            places = {int(item["index"]): item["embedding"] for item in answer["data"]}
            return [places[number] for number in range(len(texts))]
        except (KeyError, TypeError, ValueError) as exc:
            raise self._server.unusable(self.path, f"{len(texts)} vectors were asked for, not all came ({exc})") from exc


def _count(rows: Any) -> str:
    return str(len(rows)) if isinstance(rows, list) else "something else"
