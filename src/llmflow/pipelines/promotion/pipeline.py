"""Wiring of the gate for adapters."""

from kedro.pipeline import Node, Pipeline

from llmflow.pipelines.promotion.nodes import measure_candidate, open_candidate, write_verdict

STORES = ["state_store", "text_index", "vector_store", "graph_store", "raw_store", "embedder", "reranker"]
MODELS = ["params:serving", "model_registry", "model_servers", "state_store"]


def create_pipeline() -> Pipeline:
    return Pipeline(
        [
            Node(open_candidate, ["params:promotion", *MODELS], "gate_case", name="open_candidate"),
            Node(
                measure_candidate,
                [
                    "gate_case",
                    "params:promotion",
                    "params:evaluation",
                    "params:ingestion",
                    "params:retrieval",
                    "params:answering",
                    "prompt_ko",
                    "prompt_en",
                    *STORES,
                ],
                "adapter_evidence",
                name="measure_candidate",
            ),
            Node(
                write_verdict,
                ["gate_case", "adapter_evidence", "params:promotion", *MODELS],
                ["adapter_verdict", "adapter_page"],
                name="write_verdict",
            ),
        ],
        tags=["promotion"],
    )
