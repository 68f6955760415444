"""Documents to an index: register, prepare, index, report."""

from llmflow.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
