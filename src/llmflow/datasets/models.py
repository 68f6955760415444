"""Catalog entries of models and of what tells other systems."""

from typing import Any

from llmflow.adapters.model_server import merged_options
from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class EmbedderDataset(AdapterDataset):
    """In process: `backend: sentence` or `flag` with a folder. Over HTTP: `backend: tei` or `openai` with `url` and `model`.

    The keys are those of the adapter's settings; `credentials: {url, model, api_key}` where they are not for everyone.
    """

    def open(self, backend: str = "sentence", credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        if backend == "sentence":
            from llmflow.adapters.sentence_embedder import SentenceEmbedder, SentenceEmbedderSettings

            return SentenceEmbedder(SentenceEmbedderSettings(**settings))
        if backend == "flag":
            from llmflow.adapters.flag_embedder import FlagEmbedder, FlagEmbedderSettings

            return FlagEmbedder(FlagEmbedderSettings(**settings))
        if backend in ("tei", "openai"):
            from llmflow.adapters.http_embedder import HttpEmbedderSettings, OpenAIEmbedder, TeiEmbedder

            merged, key = merged_options(settings, credentials)
            return (TeiEmbedder if backend == "tei" else OpenAIEmbedder)(HttpEmbedderSettings(**merged), key)
        raise SettingsError(f"Unknown embedder backend '{backend}'. Choose one of: sentence, flag, tei, openai.")


class RerankerDataset(AdapterDataset):
    """`backend: none`; in process, with a folder, `flag` (cross-encoder) or `m3` (BGE-M3's outputs); over HTTP `tei` or `vllm`.

    Being configured is not being used: `retrieval.rerank.enabled` switches it on.
    """

    def open(self, backend: str = "none", credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        if backend == "none":
            return None
        if backend == "flag":
            from llmflow.adapters.flag_reranker import FlagReranker, FlagRerankerSettings

            return FlagReranker(FlagRerankerSettings(**settings))
        if backend == "m3":
            from llmflow.adapters.m3_scorer import M3Scorer, M3ScorerSettings

            return M3Scorer(M3ScorerSettings(**settings))
        if backend in ("tei", "vllm"):
            from llmflow.adapters.http_reranker import HttpRerankerSettings, TeiReranker, VllmReranker

            merged, key = merged_options(settings, credentials)
            return (TeiReranker if backend == "tei" else VllmReranker)(HttpRerankerSettings(**merged), key)
        raise SettingsError(f"Unknown reranker backend '{backend}'. Choose one of: none, flag, m3, tei, vllm.")


class ChatModelDataset(AdapterDataset):
    """`backend: openai` with an address, or no model: `extractive` (the best sentences are quoted) and `none` open to None."""

    def open(self, backend: str, credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        if backend in ("extractive", "none"):
            return None
        if backend == "openai":
            from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings

            secret = credentials or {}
            merged = {**settings, **{key: secret[key] for key in ("base_url", "model") if key in secret}}
            return OpenAIChat(OpenAIChatSettings(**merged), secret.get("api_key", ""))
        raise SettingsError(f"Unknown chat backend '{backend}'. Choose one of: extractive, none, openai.")


class NotifierDataset(AdapterDataset):
    """A webhook; silent while `url` is empty. `credentials: {secret}` signs the body."""

    def open(self, credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        from llmflow.adapters.webhook import Webhook, WebhookSettings

        return Webhook(WebhookSettings(**settings), (credentials or {}).get("secret", ""))
