"""Milliseconds a query by channel over passages in the real stores, without parsing and without a large model.

Dense vectors are random unit vectors, because only the store's speed is asked; the line `encode` is the bundled model's own time.
"""

import json
import random
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.corpora import SHARED

PRINCIPAL_TENANT = "bench"
QUERIES = 60
BATCH = 2000
WORDS = (
    "harbour silver winter bridge council river museum engine valley doctor letter garden theatre planet copper island".split()
)
NAMES = "Alden Brisk Corvin Dunmore Eastley Farrow Grantham Holloway Ingram Jessop Kirkby Lorimer Marlow Norwood Oakham".split()


class RandomEmbedder:
    """Unit vectors that follow from the text alone."""

    name, dimension, languages = "random_384", 384, frozenset({"en", "ko", "other"})

    def embed_passages(self, texts: Sequence[str]):
        import zlib

        import numpy as np

        vectors = np.stack([np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimension) for text in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    embed_queries = embed_passages


def measure_scale(scale: int) -> dict[str, Any]:
    """Build stores of `scale` chunks in a temporary folder and return latencies, memory and disk use."""
    from llmflow.ingestion.indexing import IndexingSettings, index_staged
    from llmflow.serving.benchmarks import embedded_stores

    with tempfile.TemporaryDirectory(prefix="llmflow-queries-") as temporary:
        home = Path(temporary)
        stores = embedded_stores(home, RandomEmbedder())
        try:
            start = time.perf_counter()
            for part in _parts(passages(scale), BATCH):
                _stage(part, stores)
                index_staged(stores, IndexingSettings(batch_chunks=BATCH), lambda stage, done, total: None)
            build = time.perf_counter() - start
            found = {"latency": _latencies(stores, scale), "build_s": build, **_memory(home)}
            found["disk_mb"] = sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) / 1024**2
            return found
        finally:
            stores.close()


def passages(count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Yield (title, text): real passages where there are some, then variations with other names, numbers and orders."""
    rng = random.Random(seed)
    real = _real_passages() or [(f"{rng.choice(NAMES)} {rng.choice(WORDS)} {n}", _invent(rng)) for n in range(1000)]
    for number in range(count):
        title, text = real[number % len(real)]
        if number >= len(real):
            sentences = re.split(r"(?<=[.!?]) ", text)
            rng.shuffle(sentences)
            text = re.sub(r"\d+", lambda _: str(rng.randint(1, 2000)), " ".join(sentences))
            title = f"{title} {rng.choice(NAMES)} {number // len(real)}"
        yield title, text


def _real_passages() -> list[tuple[str, str]]:
    path = SHARED / "data" / "retrieval" / "2wiki_corpus" / "2wikimultihopqa_corpus.json"
    return [(item["title"], item["text"]) for item in json.loads(path.read_text("utf-8"))] if path.exists() else []


def _invent(rng: random.Random) -> str:
    sentence = "{} {} was a {} of the {} {} in {}, near {} {}."
    return " ".join(
        sentence.format(rng.choice(NAMES), rng.choice(NAMES), rng.choice(WORDS), rng.choice(WORDS), rng.choice(WORDS),
                        rng.randint(1700, 2020), rng.choice(NAMES), rng.choice(WORDS))
        for _ in range(4)
    )  # fmt: skip


def _stage(part: Sequence[tuple[str, str]], stores: Any) -> None:
    from llmflow.config import fingerprint_of
    from llmflow.ingestion.passages import PassageText, stage_passages
    from llmflow.ingestion.prepare import PreparationSettings
    from llmflow.ingestion.preparing import WorkerSettings

    texts = [PassageText(f"{title}#{fingerprint_of([title, text])}", title, text) for title, text in part]
    settings = PreparationSettings()
    stage_passages(texts, PRINCIPAL_TENANT, stores, settings, WorkerSettings(), lambda stage, done, total: None)


def _latencies(stores: Any, scale: int) -> dict[str, dict[str, float]]:
    from llmflow.evaluation.metrics import latency_summary
    from llmflow.ingestion.prepare import PreparationSettings
    from llmflow.retrieval.retriever import RetrievalSettings, Retriever
    from llmflow.types import Principal

    preparation = PreparationSettings()
    whole = Retriever(stores, RetrievalSettings(), preparation.analyser, preparation.entities)
    principal = Principal(PRINCIPAL_TENANT)
    asked = _questions(scale)
    found: dict[str, dict[str, float]] = {}
    ways: dict[str, tuple[str, ...]] = {
        "text": ("text",), "dense": ("dense",), "text + dense": ("text", "dense"), "whole": ("text", "dense", "graph"),
    }  # fmt: skip
    for name, channels in ways.items():
        retriever = replace(whole, settings=whole.settings.model_copy(update={"channels": channels}))
        retriever.search(asked[0], principal, 10)
        summary = latency_summary([_milliseconds(lambda q, r=retriever: r.search(q, principal, 10), text) for text in asked])
        found[name] = {"p50": summary.p50, "p95": summary.p95}
    encoder = _encoder()
    if encoder is not None:
        encoder.embed_queries(asked[:1])
        times = [_milliseconds(lambda q: encoder.embed_queries([q]), text) for text in asked]
        added = latency_summary(times)
        found["encode (bundled model)"] = {"p50": added.p50, "p95": added.p95}
        both = replace(whole, stores=replace(stores, embedder=_Encoding(encoder)))
        summary = latency_summary([_milliseconds(lambda q: both.search(q, principal, 10), text) for text in asked])
        found["whole with encoder"] = {"p50": summary.p50, "p95": summary.p95}
    return found


class _Encoding(RandomEmbedder):
    """The random vectors at the cost of real ones."""

    def __init__(self, encoder: Any):
        self._encoder = encoder

    def embed_queries(self, texts: Sequence[str]):
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


def _questions(scale: int) -> list[str]:
    """Questions made of titles and words of passages that are there."""
    rng = random.Random(11)
    chosen = list(passages(min(scale, 1000)))
    picked = rng.sample(chosen, QUERIES)
    return [
        f"What is known about {title} and {' '.join(rng.sample(text.split(), min(4, len(text.split()))))}?"
        for title, text in picked
    ]


def _milliseconds(search: Any, text: str) -> float:
    start = time.perf_counter()
    search(text)
    return 1000 * (time.perf_counter() - start)


def _memory(home: Path) -> dict[str, float]:
    import psutil

    server = psutil.Process(int((home / "vectors.db.port").read_text().split()[0]))
    return {
        "memory_mb": psutil.Process().memory_info().rss / 1024**2,
        "server_mb": server.memory_info().rss / 1024**2,
    }


def _parts(pairs: Iterator[tuple[str, str]], size: int) -> Iterator[list[tuple[str, str]]]:
    from llmflow.batches import batched

    yield from batched(pairs, size)
