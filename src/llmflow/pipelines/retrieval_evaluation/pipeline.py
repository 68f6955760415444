"""Wiring of the retrieval evaluation: the served retriever and answerer on the judged questions of the corpus."""

from kedro.pipeline import Node, Pipeline

from llmflow.pipelines.retrieval_evaluation.nodes import evaluate_questions, log_evaluation, read_questions

STORES = ["state_store", "text_index", "vector_store", "graph_store", "raw_store", "embedder", "reranker", "extractor"]


def create_pipeline(after: tuple[str, ...] = ()) -> Pipeline:
    """Return the evaluation pipeline; its first node waits for the datasets in `after`."""
    return Pipeline(
        [
            Node(read_questions, ["params:evaluation", *after], "questions", name="read_questions"),
            Node(
                evaluate_questions,
                [
                    "questions",
                    "params:ingestion",
                    "params:retrieval",
                    "params:answering",
                    "params:evaluation",
                    "prompt_ko",
                    "prompt_en",
                    "chat_model",
                    "judge_prompt_ko",
                    "judge_prompt_en",
                    "judge_model",
                    *STORES,
                ],
                "corpus_evaluation",
                name="evaluate_questions",
            ),
            Node(
                log_evaluation,
                ["corpus_evaluation", "params:evaluation", "params:retrieval", "params:answering"],
                "retrieval_report",
                name="log_evaluation",
            ),
        ],
        tags=["retrieval_evaluation"],
    )
