"""Nodes of the gate for adapters."""

from typing import Any

from llmflow.answering.settings import AnsweringSettings
from llmflow.evaluation.adapter_gate import AdapterEvidence, AdapterGateSettings
from llmflow.ingestion.run import IngestionSettings
from llmflow.ports import ModelRegistry, StateStore, Stores
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.catalog import EvaluationSettings, build_answerer
from llmflow.serving.evaluation.promotion import RetrievalPromotions
from llmflow.serving.models.gate import GateCase, choose_documents, measure_adapters, open_case, reach_verdict
from llmflow.serving.models.gate_report import adapter_report, log_gate
from llmflow.serving.models.promotion import Servers, build_model_promotions
from llmflow.serving.models.settings import ServingSettings
from llmflow.serving.progress import log_progress
from llmflow.serving.tables import print_verdict


def open_candidate(
    settings: AdapterGateSettings, serving: ServingSettings, registry: ModelRegistry, servers: Servers, state: StateStore
) -> GateCase:
    """Return the candidate and what it is held against; a training run that is named is registered first."""
    return open_case(build_model_promotions(registry, servers, state, serving), settings)


def measure_candidate(
    case: GateCase,
    settings: AdapterGateSettings,
    evaluation: EvaluationSettings,
    ingestion: IngestionSettings,
    retrieval: RetrievalSettings,
    answering: AnsweringSettings,
    prompt_ko: str,
    prompt_en: str,
    *stores: Any,
) -> AdapterEvidence:
    """Measure base, champion and candidate on the same examples and, through the answerer that serves, on the corpus."""
    prompts = {"ko": prompt_ko, "en": prompt_en}
    opened = Stores(*stores)
    served = RetrievalPromotions(opened.state, retrieval).served().settings
    answerer = build_answerer(opened, ingestion.preparation, served, answering, prompts, None)
    documents = choose_documents(answerer, opened.state, evaluation.questions, settings.questions)
    with log_progress() as progress:
        return measure_adapters(case, settings, documents, progress)


def write_verdict(
    case: GateCase,
    evidence: AdapterEvidence,
    settings: AdapterGateSettings,
    serving: ServingSettings,
    registry: ModelRegistry,
    servers: Servers,
    state: StateStore,
) -> tuple[dict[str, Any], str]:
    """Decide, keep the verdict with the candidate, print it, log it; return it as JSON and as a page."""
    verdict = reach_verdict(case, evidence, settings)
    build_model_promotions(registry, servers, state, serving).keep_verdict(case.candidate, verdict)
    print_verdict(verdict)
    report, page = adapter_report(case, evidence, verdict)
    log_gate(evidence, verdict, page, settings.experiment)
    return report, page
