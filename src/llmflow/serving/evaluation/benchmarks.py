"""A judged set in an index of its own, cached by fingerprint under the workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from llmflow.adapters.milvus import MilvusConnection
from llmflow.adapters.milvus_vectors import MilvusVectorStore
from llmflow.adapters.raw_files import RawFiles
from llmflow.adapters.sql_graph import SqlGraphStore
from llmflow.adapters.sql_state import SqlStateStore
from llmflow.adapters.tantivy_text import TantivyTextIndex
from llmflow.evaluation.judged_sets import JudgedSet
from llmflow.ingestion.indexing import Progress
from llmflow.ports import Embedder, Reranker, Stores
from llmflow.ports.extraction import EntityExtractor
from llmflow.serving.catalog import Workspace, build_retriever
from llmflow.serving.evaluation.evaluate import SetEvaluation, benchmark_home, evaluate_judged_set, index_judged_set
from llmflow.workspace import home_path


def embedded_stores(
    home: Path, embedder: Embedder, reranker: Reranker | None = None, extractor: EntityExtractor | None = None
) -> Stores:
    """Return the embedded stores of a folder, whatever the environment: a benchmark never touches a production server."""
    return Stores(
        state=SqlStateStore(f"sqlite:///{home}/state.db"),
        text=TantivyTextIndex(home / "text"),
        vectors=MilvusVectorStore(MilvusConnection(str(home / "vectors.db"))),
        graph=SqlGraphStore(f"sqlite:///{home}/graph.db"),
        raw=RawFiles(str(home / "raw")),
        embedder=embedder,
        reranker=reranker,
        extractor=extractor,
    )


@contextmanager
def opened_benchmark(judged: JudgedSet, workspace: Workspace, progress: Progress) -> Iterator[tuple[Stores, dict[str, float]]]:
    """Yield the stores that hold the set, indexed where its index is not cached, and the seconds that this took."""
    ingestion = workspace.ingestion
    embedder = workspace.load("embedder")
    home = benchmark_home(Path(home_path("benchmarks")), judged, ingestion.preparation, embedder.name)
    stores = embedded_stores(home, embedder, workspace.load("reranker"), workspace.load("extractor"))
    try:
        yield stores, index_judged_set(judged, stores, ingestion.preparation, ingestion.workers, ingestion.indexing, progress)
    finally:
        stores.close()


def run_benchmark(judged: JudgedSet, workspace: Workspace, limit: int, latency: bool, progress: Progress) -> SetEvaluation:
    """Index the set where its index is not cached, and evaluate it with the settings that the workspace serves."""
    with opened_benchmark(judged, workspace, progress) as (stores, seconds):
        retriever = build_retriever(stores, workspace.ingestion.preparation, workspace.promotions.served().settings)
        result = evaluate_judged_set(judged, retriever, limit, latency)
        return replace(result, seconds={**result.seconds, **{f"total {key}": value for key, value in seconds.items()}})
