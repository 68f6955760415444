"""Catalog entries of models and of what tells other systems."""

from typing import Any

from llmflow.adapters.model_server import merged_options
from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError
from llmflow.workspace import project_path


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


class ExtractorDataset(AdapterDataset):
    """`backend: none`, or `backend: openai`: a language model that finds entities, asked `parallel` passages at once.

    `prompt` is a file of the project, `cache` the folder of remembered answers; the other keys are OpenAIChatSettings.
    Being configured is not being used: `ingestion.preparation.extraction.enabled` switches it on.
    """

    def open(
        self,
        backend: str = "none",
        prompt: str = "",
        cache: str = "",
        parallel: int = 4,
        credentials: dict[str, str] | None = None,
        **settings: Any,
    ) -> Any:
        if backend == "none":
            return None
        if backend == "openai":
            from llmflow.adapters.folder_cache import FolderCache
            from llmflow.ingestion.extraction import LanguageModelExtractor

            model = ChatModelDataset(backend="openai", credentials=credentials, **settings).load()
            text = (project_path() / prompt).read_text(encoding="utf-8")
            return LanguageModelExtractor(model, text, FolderCache(cache), parallel)
        raise SettingsError(f"Unknown extractor backend '{backend}'. Choose one of: none, openai.")


class ChatModelDataset(AdapterDataset):
    """What answers.

    `served` follows the pointer in the state database at `state` (which may stand in the credentials): the promoted adapter, the
    base, or while nothing was ever served the address in the credentials, or no model. `openai` is one fixed address.
    `extractive` (the best sentences are quoted) and `none` open to None.
    """

    def open(self, backend: str, credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        if backend in ("extractive", "none"):
            return None
        if backend == "openai":
            from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings

            secret = credentials or {}
            merged = {**settings, **{key: secret[key] for key in ("base_url", "model") if key in secret}}
            return OpenAIChat(OpenAIChatSettings(**merged), secret.get("api_key", ""))
        if backend == "served":
            return _served(dict(credentials or {}), **settings)
        raise SettingsError(f"Unknown chat backend '{backend}'. Choose one of: extractive, none, openai, served.")


class NotifierDataset(AdapterDataset):
    """A webhook; silent while `url` is empty. `credentials: {secret}` signs the body."""

    def open(self, credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        from llmflow.adapters.webhook import Webhook, WebhookSettings

        return Webhook(WebhookSettings(**settings), (credentials or {}).get("secret", ""))


class ModelServersDataset(AdapterDataset):
    """Opens to VllmServers: connections to model servers by address. `credentials: {api_key}` where they ask for a key."""

    def open(self, credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        from llmflow.adapters.vllm_server import VllmServers, VllmSettings

        secret = credentials or {}
        return VllmServers(VllmSettings(**settings), secret.get("api_key", ""), secret.get("base_url", ""))


class ModelRegistryDataset(AdapterDataset):
    """MLflow at `uri`, or `credentials: {uri}`; `artifacts` is where a local one keeps files, `model` the registered model."""

    def open(self, uri: str = "", model: str = "chat", artifacts: str = "", credentials: dict[str, str] | None = None) -> Any:
        from llmflow.adapters.mlflow_registry import MlflowRegistry

        named = (credentials or {}).get("uri", "")
        return MlflowRegistry(named or uri, model, "" if named else artifacts)


def _served(secret: dict[str, str], state: str = "", **settings: Any) -> Any:
    from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings
    from llmflow.adapters.served_chat import ServedChat, ServedChatSettings
    from llmflow.adapters.sql_state import SqlStateStore
    from llmflow.adapters.vllm_server import VllmServers

    key = secret.get("api_key", "")
    fallback = None
    if secret.get("base_url"):
        fallback = OpenAIChat(OpenAIChatSettings(base_url=secret["base_url"], model=secret["model"]), key)
    store = SqlStateStore(secret.get("state") or state)
    return ServedChat(ServedChatSettings(**settings), store, VllmServers(api_key=key).connect, key, fallback)
