"""Relevance of passages from a server: Text Embeddings Inference, or the form that Jina, Cohere and vLLM share."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from llmflow.adapters.model_server import EMPTY, ModelServer, ModelServerSettings
from llmflow.config import fingerprint_of


class HttpRerankerSettings(ModelServerSettings):
    """Keys of `backend: tei` and `backend: vllm`."""

    model: str = Field(min_length=1)
    """Name that the server serves."""
    revision: str = ""
    truncate_tokens: int = Field(default=0, ge=0)
    """Tokens read of question and passage together. `vllm`: sent as `truncate_prompt_tokens`; 0: not sent, and a longer pair is
    refused by the server. `tei` cuts at the model's own limit."""


class HttpReranker(ABC):
    """Reranker over a server; subclasses know one wire form. Connects on first use."""

    def __init__(self, settings: HttpRerankerSettings, api_key: str = ""):
        self.settings = settings
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", settings.model.rstrip("/").rsplit("/", 1)[-1])[:60]
        shape = settings.model_dump(include={"model", "revision", "truncate_tokens"})
        self.name = f"{plain}_{fingerprint_of(shape)}"
        self._server = ModelServer(settings, f"reranker {settings.model}", api_key)

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        sent = [text if text.strip() else EMPTY for text in passages]
        return self._server.post_batches(sent, lambda batch: self._scores(question, batch), query=True)

    def check(self) -> None:
        self.score("ready", ["ready"])

    path = "/rerank"
    _score_key = ""

    @abstractmethod
    def _ask(self, question: str, passages: Sequence[str]) -> Any:
        """Return the list of rows with `index` and a score, in any order."""

    def _scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return one finite score a passage, in order, or raise ModelUnavailable."""
        rows = self._ask(question, passages)
        try:
            places = {int(row["index"]): float(row[self._score_key]) for row in rows}
            scores = [places[number] for number in range(len(passages))]
        except (KeyError, TypeError, ValueError) as exc:
            raise self._server.unusable(self.path, f"{len(passages)} scores were asked for, not all came ({exc})") from exc
        if not all(math.isfinite(score) for score in scores):
            raise self._server.unusable(self.path, "a score is no finite number")
        return scores


class TeiReranker(HttpReranker):
    """Text Embeddings Inference: `POST /rerank`, rows `{index, score}`; raw scores, which do not meet at 0 and 1."""

    _score_key = "score"

    def _ask(self, question: str, passages: Sequence[str]) -> Any:
        body = {"query": question, "texts": list(passages), "raw_scores": True, "truncate": True}
        return self._server.post(self.path, body, query=True)


class VllmReranker(HttpReranker):
    """Jina's and Cohere's form: `POST /rerank`, rows `{index, relevance_score}` under `results`; vLLM also has it under /v1."""

    _score_key = "relevance_score"

    def _ask(self, question: str, passages: Sequence[str]) -> Any:
        body: dict[str, object] = {"model": self.settings.model, "query": question, "documents": list(passages)}
        if self.settings.truncate_tokens:
            body["truncate_prompt_tokens"] = self.settings.truncate_tokens
        answer = self._server.post(self.path, body, query=True)
        return answer.get("results") if isinstance(answer, dict) else None
