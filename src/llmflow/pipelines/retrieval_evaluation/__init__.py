"""The corpus's own questions to measures, tables and a plot in MLflow."""

from llmflow.pipelines.retrieval_evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
