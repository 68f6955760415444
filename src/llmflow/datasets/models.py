"""Catalog entries of models and of what tells other systems."""

from typing import Any

from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class EmbedderDataset(AdapterDataset):
    """`backend: sentence` (in process) with the keys of SentenceEmbedderSettings."""

    def open(self, backend: str = "sentence", **settings: Any) -> Any:
        if backend == "sentence":
            from llmflow.adapters.sentence_embedder import SentenceEmbedder, SentenceEmbedderSettings

            return SentenceEmbedder(SentenceEmbedderSettings(**settings))
        if backend == "flag":
            from llmflow.adapters.flag_embedder import FlagEmbedder, FlagEmbedderSettings

            return FlagEmbedder(FlagEmbedderSettings(**settings))
        raise SettingsError(f"Unknown embedder backend '{backend}'. Choose one of: sentence, flag.")


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
