"""Questions a second when a judged set is evaluated in batches, through the retriever that serves."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpora import SHARED

SET = SHARED / "data" / "retrieval" / "korquad_v1_dev"
BATCH = 256


def measure_evaluation(home: Path, count: int, told: Callable[[str], None]) -> dict[str, Any] | None:
    """Return questions a second over KorQuAD's first `count` questions, by stage; None where the set is missing."""
    if not SET.exists():
        return None
    from llmflow.adapters.sentence_embedder import SentenceEmbedder, SentenceEmbedderSettings
    from llmflow.clock import Seconds
    from llmflow.evaluation.judged_sets import BENCHMARK_TENANT, load_judged_set
    from llmflow.ingestion.indexing import IndexingSettings
    from llmflow.ingestion.prepare import PreparationSettings
    from llmflow.ingestion.preparing import WorkerSettings
    from llmflow.retrieval.retriever import RetrievalSettings, Retriever
    from llmflow.serving.evaluation.benchmarks import embedded_stores
    from llmflow.serving.evaluation.evaluate import benchmark_home, index_judged_set
    from llmflow.types import Principal

    judged, preparation = load_judged_set(SET), PreparationSettings()
    embedder = SentenceEmbedder(SentenceEmbedderSettings())
    stores = embedded_stores(benchmark_home(home, judged, preparation, embedder.name), embedder)
    try:
        told(f"indexing {len(judged.passages)} passages")
        index_judged_set(judged, stores, preparation, WorkerSettings(), IndexingSettings(), lambda stage, done, total: None)
        retriever = Retriever(stores, RetrievalSettings(), preparation.analyser, preparation.entities)
        asked = [question.text for question in judged.questions if question.relevant][:count]
        retriever.search_many(asked[:8], Principal(BENCHMARK_TENANT), 10)
        told(f"asking {len(asked)} questions")
        seconds, start = Seconds(), time.perf_counter()
        for first in range(0, len(asked), BATCH):
            retriever.search_many(asked[first : first + BATCH], Principal(BENCHMARK_TENANT), 10, seconds)
        took = time.perf_counter() - start
    finally:
        stores.close()
    return {"questions": len(asked), "questions_per_s": len(asked) / took, "seconds": dict(seconds)}
