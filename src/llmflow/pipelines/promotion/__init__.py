"""A registered adapter to a written verdict: measured against champion and base, kept with the registry."""

from llmflow.pipelines.promotion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
