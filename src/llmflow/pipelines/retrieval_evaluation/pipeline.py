"""Wiring of the retrieval evaluation: the served retriever and answerer, then every condition beside them."""

from kedro.pipeline import Node, Pipeline

from llmflow.pipelines.retrieval_evaluation.nodes import (
    check_expected,
    compare_settings,
    evaluate_questions,
    keep_verdict,
    log_evaluation,
    make_answerers,
    read_questions,
)

STORES = ["state_store", "text_index", "vector_store", "graph_store", "raw_store", "embedder", "reranker", "extractor"]
JUDGE = ["judge_prompt_ko", "judge_prompt_en", "judge_model"]


def create_pipeline(after: tuple[str, ...] = ()) -> Pipeline:
    """Return the evaluation pipeline; its first node waits for the datasets in `after`."""
    return Pipeline(
        [
            Node(read_questions, ["params:evaluation", *after], "questions", name="read_questions"),
            Node(
                make_answerers,
                ["params:ingestion", "params:answering", "prompt_ko", "prompt_en", "chat_model", *STORES],
                "answerer_for",
                name="make_answerers",
            ),
            Node(
                evaluate_questions,
                ["questions", "answerer_for", "params:retrieval", "params:evaluation", *JUDGE, "state_store"],
                "corpus_evaluation",
                name="evaluate_questions",
            ),
            Node(
                compare_settings,
                [
                    "corpus_evaluation",
                    "answerer_for",
                    "params:experiments",
                    "params:ingestion",
                    "params:retrieval",
                    "params:evaluation",
                    *STORES,
                ],
                "experiments",
                name="compare_settings",
            ),
            Node(keep_verdict, ["experiments", "params:retrieval", "state_store"], "experiment_report", name="keep_verdict"),
            Node(
                log_evaluation,
                ["corpus_evaluation", "experiments", "params:evaluation", "params:retrieval", "params:answering"],
                ["retrieval_report", "experiment_page"],
                name="log_evaluation",
            ),
            Node(check_expected, ["experiments", "retrieval_report"], None, name="check_expected"),
        ],
        tags=["retrieval_evaluation"],
    )
