"""Instruction data to a trained adapter: curate, train, export, report."""

from llmflow.pipelines.finetuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
