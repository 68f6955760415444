"""Wiring of the ingestion: every node asks the stores and returns a manifest."""

from kedro.pipeline import Node, Pipeline

from llmflow.pipelines.ingestion.nodes import index_documents, prepare_documents, register_documents, report_ingestion

STORES = [
    "state_store",
    "text_index",
    "vector_store",
    "graph_store",
    "raw_store",
    "embedder",
    "reranker",
    "extractor",
    "application_state",
]


def create_pipeline(**_: object) -> Pipeline:
    """Return the ingestion pipeline; each step is safe to repeat and to be killed."""
    return Pipeline(
        [
            Node(register_documents, ["params:ingestion", *STORES], "registration", name="register"),
            Node(prepare_documents, ["registration", "params:ingestion", *STORES], "prepared", name="prepare"),
            Node(index_documents, ["prepared", "params:ingestion", *STORES], "indexed", name="index"),
            Node(
                report_ingestion,
                ["registration", "prepared", "indexed", "notifier", *STORES],
                "ingestion_report",
                name="report",
            ),
        ],
        tags=["ingestion"],
    )
