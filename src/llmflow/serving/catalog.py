"""The composition root: the same conf/ that Kedro runs on, opened for the CLI, the chat and notebooks."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from llmflow.answering.answerer import Answerer
from llmflow.answering.cache import SemanticCache
from llmflow.answering.conversing import Converser
from llmflow.answering.memory import Memory, at_once, beside
from llmflow.answering.model_judge import ModelJudge
from llmflow.answering.settings import AnsweringSettings
from llmflow.answering.summaries import summariser
from llmflow.config import Settings
from llmflow.errors import LlmflowError, SettingsError
from llmflow.evaluation.adapter_gate import AdapterGateSettings
from llmflow.evaluation.experiments import ExperimentSettings
from llmflow.evaluation.judging import JudgeSettings
from llmflow.evaluation.question_generation import GenerationSettings
from llmflow.finetuning.settings import FinetuningSettings
from llmflow.ingestion.prepare import PreparationSettings, load_masker
from llmflow.ingestion.run import IngestionSettings
from llmflow.ports import ApplicationStores, ChatModel, FollowingChatModel, Notifier, Stores
from llmflow.ports.tracing import NullTracer, Tracer
from llmflow.retrieval.retriever import RetrievalSettings, Retriever
from llmflow.serving.evaluation.promotion import RetrievalPromotions, ServedRetrieval
from llmflow.serving.models.promotion import ModelPromotions, build_model_promotions
from llmflow.serving.models.settings import ServingSettings
from llmflow.serving.operating.logs import LogSettings, configure_logging
from llmflow.serving.operating.settings import JobSettings, OperationsSettings, UploadSettings
from llmflow.workspace import MERGE_STRATEGY, home_path, project_path

QUIET = {
    "KEDRO_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GRADIO_ANALYTICS_ENABLED": "False",
}
"""Set before anything heavy is imported: nothing calls out unless it was configured to."""
STORE_ENTRIES = {
    "state": "state_store",
    "text": "text_index",
    "vectors": "vector_store",
    "graph": "graph_store",
    "raw": "raw_store",
    "embedder": "embedder",
    "reranker": "reranker",
    "extractor": "extractor",
    "application": "application_state",
}


class EvaluationSettings(Settings):
    questions: str
    """Judged questions over the corpus, one JSON a line."""
    covered_only: bool = False
    """Ask only questions whose evidence and forbidden sources are in the corpus: for a corpus that was ingested in part."""
    limit: int = Field(50, ge=1)
    experiment: str = "retrieval"
    judge: JudgeSettings = JudgeSettings()
    """Used where the catalog's `judge_model` is a model."""
    generation: GenerationSettings = GenerationSettings()


@dataclass(frozen=True)
class Workspace:
    """One environment, opened. Adapters connect on first use."""

    env: str
    catalog: Any
    parameters: dict[str, Any]

    def load(self, entry: str) -> Any:
        """Return what a catalog entry opens. Raises our own error, or SettingsError when its keys are wrong."""
        from kedro.io import DatasetError

        try:
            return self.catalog.load(entry)
        except DatasetError as exc:
            cause: BaseException = exc
            while cause.__cause__ is not None and not isinstance(cause, LlmflowError):
                cause = cause.__cause__
            if isinstance(cause, LlmflowError):
                raise cause from exc
            raise SettingsError(
                f"The catalog entry '{entry}' of '{self.env}' cannot be opened: {cause}. Compare it with conf/base/catalog.yml."
            ) from exc

    @cached_property
    def stores(self) -> Stores:
        return Stores(**{name: self.load(entry) for name, entry in STORE_ENTRIES.items()})

    @cached_property
    def application(self) -> ApplicationStores:
        """Accounts, conversations and operation: the same that `stores` has."""
        return self.load(STORE_ENTRIES["application"])

    @cached_property
    def ingestion(self) -> IngestionSettings:
        return anchor_sources(parse_settings(IngestionSettings, self.parameters, "ingestion"))

    @cached_property
    def retrieval(self) -> RetrievalSettings:
        return parse_settings(RetrievalSettings, self.parameters, "retrieval")

    @cached_property
    def answering(self) -> AnsweringSettings:
        return parse_settings(AnsweringSettings, self.parameters, "answering")

    @cached_property
    def evaluation(self) -> EvaluationSettings:
        return parse_settings(EvaluationSettings, self.parameters, "evaluation")

    @cached_property
    def serving(self) -> ServingSettings:
        return parse_settings(ServingSettings, self.parameters, "serving")

    @cached_property
    def promotion(self) -> AdapterGateSettings:
        return parse_settings(AdapterGateSettings, self.parameters, "promotion")

    @cached_property
    def models(self) -> ModelPromotions:
        return build_model_promotions(self.load("model_registry"), self.load("model_servers"), self.stores.state, self.serving)

    @cached_property
    def finetuning(self) -> FinetuningSettings:
        return parse_settings(FinetuningSettings, self.parameters, "finetuning")

    @cached_property
    def experiments(self) -> ExperimentSettings:
        return parse_settings(ExperimentSettings, self.parameters, "experiments")

    @cached_property
    def logs(self) -> LogSettings:
        return parse_settings(LogSettings, self.parameters, "logs")

    @cached_property
    def uploads(self) -> UploadSettings:
        return parse_settings(UploadSettings, self.parameters, "uploads")

    @cached_property
    def jobs(self) -> JobSettings:
        return parse_settings(JobSettings, self.parameters, "jobs")

    @cached_property
    def operations(self) -> OperationsSettings:
        return parse_settings(OperationsSettings, self.parameters, "operations")

    @cached_property
    def tracer(self) -> Tracer:
        """What keeps traces; nothing where the catalog names nothing."""
        return self.load("tracer") if "tracer" in self.catalog else NullTracer()

    @property
    def notifier(self) -> Notifier:
        return self.load("notifier")

    @cached_property
    def promotions(self) -> RetrievalPromotions:
        return RetrievalPromotions(self.stores.state, self.retrieval)

    @property
    def retriever(self) -> Retriever:
        """The retriever with the settings that are served now; ask for it once a question."""
        return self._following.retriever

    @property
    def answerer(self) -> Answerer:
        """The answerer over `retriever`; one that is in hand keeps its settings to the end of its answer."""
        return replace(self._answerer, retriever=self.retriever)

    @cached_property
    def searching(self) -> threading.BoundedSemaphore:
        """Held by whoever searches for a person; see `AnsweringSettings.searches_at_once`."""
        return threading.BoundedSemaphore(self.answering.searches_at_once)

    @property
    def converser(self) -> Converser:
        """The converser over `answerer`; ask for it once a question."""
        return Converser(self.traced_answerer, self._memory, self._cache, self._rewrite_prompt, self.searching)

    @cached_property
    def _cache(self) -> SemanticCache | None:
        if self.application.answers is None:
            return None
        analyser = self.ingestion.preparation.analyser
        settings = self.answering.cache
        second = ModelJudge(self._answerer.model, self.load("same_question_prompt")) if settings.ask_model else None
        return SemanticCache(self.application.answers, settings, analyser, self.stores.embedder, second=second)

    @cached_property
    def _rewrite_prompt(self) -> str:
        return self.load("followup_prompt")

    @cached_property
    def _memory(self) -> Memory:
        settings, answerer = self.answering.memory, self._answerer
        model = answerer.model if settings.summarise else None
        summarise = summariser(model, self.load("summary_prompt"), answerer.mask)
        return Memory(settings, self.application.memory, summarise, beside if model is not None else at_once)

    @property
    def traced_answerer(self) -> Answerer:
        """The answerer of people's questions: what evaluations and commands ask leaves no trace among theirs."""
        return replace(self.answerer, tracer=self.tracer)

    def answerer_with(self, settings: RetrievalSettings) -> Answerer:
        """The answerer that would serve with these settings: what the gate asks."""
        return replace(self._answerer, retriever=build_retriever(self.stores, self.ingestion.preparation, settings))

    @cached_property
    def _following(self) -> "_FollowingRetriever":
        return _FollowingRetriever(self)

    @cached_property
    def _answerer(self) -> Answerer:
        prompts = {"ko": self.load("prompt_ko"), "en": self.load("prompt_en")}
        model = self.load("chat_model")
        return build_answerer(self.stores, self.ingestion.preparation, self.retrieval, self.answering, prompts, model)

    def close(self) -> None:
        for opened in ("stores", "application"):
            if opened in self.__dict__:
                self.__dict__[opened].close()
        if "_answerer" in self.__dict__ and isinstance(self._answerer.model, FollowingChatModel):
            self._answerer.model.close()
        if "tracer" in self.__dict__:
            self.tracer.close()
        if "models" in self.__dict__:
            self.models.gateway.close()


class _FollowingRetriever:
    """Builds the retriever anew when other settings are promoted, and only then."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._built: tuple[ServedRetrieval, Retriever] | None = None

    @property
    def retriever(self) -> Retriever:
        served, built = self._workspace.promotions.served(), self._built
        if built is None or built[0] is not served:
            workspace = self._workspace
            built = (served, build_retriever(workspace.stores, workspace.ingestion.preparation, served.settings))
            self._built = built
        return built[1]


def build_retriever(stores: Stores, preparation: PreparationSettings, settings: RetrievalSettings) -> Retriever:
    """Return the one retriever that evaluation and chat share.

    Raises SettingsError when it is to ask a reranker that the catalog does not have.
    """
    if settings.rerank.enabled and stores.reranker is None:
        raise SettingsError(
            "retrieval.rerank.enabled is true, but the catalog entry `reranker` has no model. Give it a backend "
            "(flag, m3, tei or vllm; docs/guides/models.md), or set retrieval.rerank.enabled to false."
        )
    return Retriever(stores, settings, preparation.analyser, preparation.entities)


def build_answerer(
    stores: Stores,
    preparation: PreparationSettings,
    retrieval: RetrievalSettings,
    answering: AnsweringSettings,
    prompts: Mapping[str, str],
    model: ChatModel | FollowingChatModel | None,
) -> Answerer:
    """Return the one answerer that evaluation and chat share."""
    masker = load_masker(preparation.masking)
    retriever = build_retriever(stores, preparation, retrieval)
    return Answerer(retriever, answering, masker, prompts, model, shelf=stores.state)


def open_catalog(env: str = "base") -> Workspace:
    """Return the workspace of `env`. Raises SettingsError when conf/ is wrong or the environment is unknown."""
    import os
    import warnings

    warnings.filterwarnings("ignore", message=".*register_new_resolver.*")  # Kedro's own call of a renamed function
    for key, value in QUIET.items():
        os.environ.setdefault(key, value)
    from kedro.config import OmegaConfigLoader
    from kedro.io import DataCatalog
    from omegaconf.errors import OmegaConfBaseException

    project = project_path()
    if not (project / "conf" / env).is_dir():
        known = sorted(path.name for path in (project / "conf").iterdir() if path.is_dir())
        raise SettingsError(f"There is no environment '{env}'. Choose one of: {', '.join(known)}.")
    try:
        loader = OmegaConfigLoader(
            str(project / "conf"),
            env=env,
            base_env="base",
            default_run_env="base",
            merge_strategy=MERGE_STRATEGY,
            custom_resolvers={"home": home_path},
        )
        parameters = dict(loader["parameters"])
        entries = _anchor(dict(loader["catalog"]), project)
        catalog = DataCatalog.from_config(entries, dict(loader["credentials"]))
    except OmegaConfBaseException as exc:
        raise SettingsError(f"The configuration of '{env}' cannot be read: {exc}. Is an environment variable missing?") from exc
    return Workspace(env, catalog, parameters)


def parse_settings(model: type[Any], parameters: dict[str, Any], key: str) -> Any:
    """Return the settings under `key`; SettingsError names every wrong key with what is allowed."""
    try:
        return model.model_validate(parameters.get(key, {}))
    except ValidationError as exc:
        wrong = "; ".join(f"{key}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise SettingsError(f"The parameters are wrong: {wrong}. See conf/base/parameters.yml for what is allowed.") from exc


def anchor_sources(settings: IngestionSettings) -> IngestionSettings:
    """Return the settings with source paths made absolute: in conf/ they are relative to the project, wherever one works."""
    paths = tuple(str(project_path() / Path(path).expanduser()) for path in settings.sources.paths)
    return settings.model_copy(update={"sources": settings.sources.model_copy(update={"paths": paths})})


def _anchor(entries: dict[str, Any], project: Path) -> dict[str, Any]:
    """Make file paths of entries absolute, so that a workspace opens from any folder."""
    anchored = {}
    for name, entry in entries.items():
        path = entry.get("filepath") if isinstance(entry, dict) else None
        if path and "://" not in path and not Path(path).is_absolute():
            entry = {**entry, "filepath": str(project / path)}
        anchored[name] = entry
    return anchored


def open_service(env: str = "base") -> Any:
    """Return the ChatService of `env`; the logs of this process are what the environment's `logs` says from here on."""
    from llmflow.serving.chat import WorkspaceChat

    workspace = open_catalog(env)
    configure_logging(workspace.logs)
    return WorkspaceChat(workspace)
