"""Wiring of the fine-tuning: every step is found done when it is run again."""

from kedro.pipeline import Node, Pipeline

from llmflow.pipelines.finetuning.nodes import curate_data, prepare_base, report_training, train_adapter

SETTINGS = "params:finetuning"


def create_pipeline(**_: object) -> Pipeline:
    """Return the fine-tuning pipeline; `trained_adapter` and `finetuning_run_folder` are what a promotion goes on with."""
    return Pipeline(
        [
            Node(curate_data, SETTINGS, "instruction_snapshot", name="curate"),
            Node(prepare_base, [SETTINGS, "instruction_snapshot"], "base_model", name="prepare_base"),
            Node(
                train_adapter,
                [SETTINGS, "params:serving", "instruction_snapshot", "base_model"],
                ["finetuning_run_folder", "trained_adapter"],
                name="train",
            ),
            Node(
                report_training,
                [SETTINGS, "instruction_snapshot", "finetuning_run_folder", "trained_adapter"],
                "finetuning_report",
                name="report_training",
            ),
        ],
        tags=["finetuning"],
    )
