"""Milliseconds a query by channel, and what the graph adds, over passages in the real stores."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.passages import TENANT, RandomEmbedder, open_corpus, questions

QUERIES = 100
TURNS = 3
"""Times that every question is asked in each way. The fastest counts: what else runs on a machine only ever adds."""
WAYS: dict[str, tuple[str, ...]] = {
    "text": ("text",), "dense": ("dense",), "text + dense": ("text", "dense"), "whole": ("text", "dense", "graph"),
}  # fmt: skip


def measure_scale(scale: int, home: Path, told: Callable[[str], None]) -> dict[str, Any]:
    """Return latencies, memory, disk use and seconds to build of stores with `scale` passages, kept under `home`."""
    stores, seconds = open_corpus(home, scale, told)
    try:
        told(f"asking {scale}")
        found: dict[str, Any] = {"latency": _latencies(stores), "build_s": seconds, **_memory(stores)}
        graph = seconds["graph"]
        found["graph_passages_per_s"] = scale / graph
        found["graph_passages_per_s_with_entities"] = min(scale, 6119) / (
            seconds["find entities"] + graph * min(scale, 6119) / scale
        )
        found["disk_mb"] = sum(path.stat().st_size for path in _folder(stores).rglob("*") if path.is_file()) / 1024**2
        return found
    finally:
        stores.close()


def _latencies(stores: Any) -> dict[str, dict[str, float]]:
    """Ask each question in every way in turn, so that the load of the machine falls on all of them; the fastest turn counts."""
    from llmflow.ingestion.prepare import PreparationSettings
    from llmflow.retrieval.retriever import RetrievalSettings, Retriever
    from llmflow.serving.chat import calm_collector
    from llmflow.types import Principal

    preparation = PreparationSettings()
    whole = Retriever(stores, RetrievalSettings(), preparation.analyser, preparation.entities)
    principal = Principal(TENANT)
    asked = questions(QUERIES)
    retrievers = {
        name: replace(whole, settings=whole.settings.model_copy(update={"channels": channels})) for name, channels in WAYS.items()
    }
    encoder = _encoder()
    if encoder is not None:
        retrievers["whole with encoder"] = replace(whole, stores=replace(stores, embedder=_Encoding(encoder)))
    times: dict[str, list[float]] = {name: [] for name in retrievers}
    for retriever in retrievers.values():
        for text in asked[:3]:
            retriever.search(text, principal, 10)
    calm_collector()  # as the chat does when it is warm
    for text in asked:
        turns: dict[str, list[float]] = {name: [] for name in retrievers}
        for _ in range(TURNS):
            for name, retriever in retrievers.items():
                turns[name].append(_milliseconds(lambda r=retriever, q=text: r.search(q, principal, 10)))
        for name, taken in turns.items():
            times[name].append(min(taken))
    times["graph adds"] = [all_of - without for all_of, without in zip(times["whole"], times["text + dense"], strict=True)]
    if encoder is not None:
        times["encode (bundled model)"] = [_milliseconds(lambda q=text: encoder.embed_queries([q])) for text in asked]
    return {name: _percentiles(values) for name, values in times.items()}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    from llmflow.evaluation.metrics import latency_summary

    summary = latency_summary(values)
    return {"p50": summary.p50, "p95": summary.p95}


class _Encoding(RandomEmbedder):
    """The random vectors at the cost of real ones."""

    def __init__(self, encoder: Any):
        self._encoder = encoder

    def embed_queries(self, texts: Sequence[str]) -> Any:
        self._encoder.embed_queries(texts)
        return self.embed_passages(texts)


def _encoder() -> Any:
    from llmflow.adapters.sentence_embedder import SentenceEmbedder, SentenceEmbedderSettings
    from llmflow.errors import ModelUnavailable

    encoder = SentenceEmbedder(SentenceEmbedderSettings())
    try:
        encoder.embed_queries(["warm"])
    except ModelUnavailable:
        return None
    return encoder


def _milliseconds(search: Callable[[], object]) -> float:
    start = time.perf_counter()
    search()
    return 1000 * (time.perf_counter() - start)


def _folder(stores: Any) -> Path:
    return Path(stores.vectors._connection.uri).parent


def _memory(stores: Any) -> dict[str, float]:
    import psutil

    server = psutil.Process(int((_folder(stores) / "vectors.db.port").read_text().split()[0]))
    return {
        "memory_mb": psutil.Process().memory_info().rss / 1024**2,
        "server_mb": server.memory_info().rss / 1024**2,
    }
