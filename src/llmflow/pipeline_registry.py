"""All pipelines by name. `kedro run` runs the default: ingest the corpus, then measure retrieval on its questions."""

from kedro.pipeline import Pipeline

from llmflow.pipelines import finetuning, ingestion, promotion, retrieval_evaluation


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline; `__default__` is their sum."""
    documents = ingestion.create_pipeline()
    return {
        "finetuning": finetuning.create_pipeline(),
        "ingestion": documents,
        "retrieval_evaluation": retrieval_evaluation.create_pipeline(),
        "promotion": promotion.create_pipeline(),
        "__default__": documents + retrieval_evaluation.create_pipeline(after=("ingestion_report",)),
    }
