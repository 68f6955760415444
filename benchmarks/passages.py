"""A corpus of any number of passages in the real stores, made once and kept under the workspace.

The passages are 2WikiMultihopQA's where they are at hand, else invented ones; beyond them come copies in which titles, half of
the names and the numbers are others, so that entities keep a degree that a growing corpus has. They are prepared without masking
and Kiwi, which other parts measure; everything from the state database on is what an ingestion does.
"""

import hashlib
import json
import random
import re
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.corpora import SHARED

TENANT = "bench"
SECTIONS = 4
"""Passages of a document in corpora that are larger than the real one."""
BATCH = 2000
FORM = 2
"""Raised when the corpus changes: it is made anew."""
WORDS = (
    "harbour silver winter bridge council river museum engine valley doctor letter garden theatre planet copper island".split()
)
NAMES = "Alden Brisk Corvin Dunmore Eastley Farrow Grantham Holloway Ingram Jessop Kirkby Lorimer Marlow Norwood Oakham".split()


class RandomEmbedder:
    """Unit vectors that follow from the text alone: only the store's speed is asked."""

    name, dimension, languages = "random_384", 384, frozenset({"en", "ko", "other"})

    def embed_passages(self, texts: Sequence[str]) -> Any:
        import numpy as np

        vectors = np.stack([np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimension) for text in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    embed_queries = embed_passages


@lru_cache(maxsize=1)
def real_passages() -> tuple[tuple[str, str], ...]:
    """Return (title, text) of 2WikiMultihopQA's passages, or of a thousand invented ones where they are missing."""
    path = SHARED / "data" / "retrieval" / "2wiki_corpus" / "2wikimultihopqa_corpus.json"
    if path.exists():
        return tuple((item["title"], item["text"]) for item in json.loads(path.read_text("utf-8")))
    rng = random.Random(7)
    return tuple((f"{rng.choice(NAMES)} {rng.choice(WORDS).title()} {number}", _invent(rng)) for number in range(1000))


def _invent(rng: random.Random) -> str:
    sentence = "{} {} was a {} of the {} {} in {}, near {} {}."
    return " ".join(
        sentence.format(rng.choice(NAMES), rng.choice(NAMES), rng.choice(WORDS), rng.choice(WORDS), rng.choice(WORDS),
                        rng.randint(1700, 2020), rng.choice(NAMES), rng.choice(WORDS))
        for _ in range(4)
    )  # fmt: skip


def open_corpus(home: Path, scale: int, told: Callable[[str], None]) -> tuple[Any, dict[str, float]]:
    """Return the stores of `scale` passages and the seconds that they took to make, stage by stage; made where missing."""
    from llmflow.serving.evaluation.benchmarks import embedded_stores

    folder = home / f"passages-{scale}-{FORM}-{len(real_passages())}"
    stores = embedded_stores(folder, RandomEmbedder())
    done = folder / "made.json"
    if not done.exists():
        told(f"making {scale} passages in {folder.name}")
        seconds = _make(stores, scale, told)
        done.write_text(json.dumps(seconds))
    return stores, json.loads(done.read_text())


def _make(stores: Any, scale: int, told: Callable[[str], None]) -> dict[str, float]:
    from llmflow.batches import batched
    from llmflow.clock import Seconds
    from llmflow.ingestion.indexing import IndexingSettings, index_staged

    seconds = Seconds()
    done = 0
    for batch in batched(_documents(scale, seconds), BATCH):
        start = time.perf_counter()
        files = [file for file, _ in batch]
        stores.state.register(files)
        stores.state.mark_processing([file.document_id for file in files])
        for file, prepared in batch:
            stores.state.stage(prepared, file.groups)
        seconds.add("state", time.perf_counter() - start)
        start = time.perf_counter()
        report = index_staged(stores, IndexingSettings(batch_chunks=BATCH), lambda stage, done, total: None)
        seconds.add("all indexing", time.perf_counter() - start)
        for stage, took in report.seconds.items():
            seconds.add(stage, took)
        done += report.chunks
        told(f"{done} of {scale}")
    return dict(seconds)


def _documents(scale: int, seconds: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (file, prepared document) until `scale` passages are there."""
    from llmflow.ports import PreparedDocument, SourceFile
    from llmflow.types import EVERYONE

    base = real_passages()
    size = 1 if scale <= len(base) else SECTIONS
    start = time.perf_counter()
    prepared = [_prepare(*passage) for passage in base[:scale]]
    seconds.add("find entities", time.perf_counter() - start)
    rng = random.Random(7)
    for first in range(0, scale, size):
        name = hashlib.sha256(f"{scale} {first}".encode()).hexdigest()[:16]
        chunks = []
        for number in range(first, min(first + size, scale)):
            item = prepared[number % len(base)]
            item = item if number < len(base) else _copy(item, rng, number // len(base))
            chunk = replace(item.chunk, id=f"{name}{number - first:04}", document_id=name, ordinal=number - first)
            chunks.append(replace(item, chunk=chunk))
        title = chunks[0].chunk.heading_path[0]
        yield (
            SourceFile(name, TENANT, (EVERYONE,), f"{first}.md", "", name, 1, name, "bench"),
            PreparedDocument(name, name, "bench", title, "md", tuple(chunks)),
        )


def _prepare(title: str, text: str) -> Any:
    from llmflow.ingestion.prepare import PreparationSettings
    from llmflow.ports import PreparedChunk
    from llmflow.retrieval.entities import find_mentions
    from llmflow.retrieval.tokens import tokens_of
    from llmflow.types import Chunk, ElementKind

    settings = PreparationSettings()
    chunk = Chunk("", "", 0, text, ElementKind.TEXT, "en", heading_path=(title,))
    tokens = tokens_of(f"{title} {text}", None, settings.analyser)
    return PreparedChunk(chunk, tokens, find_mentions(text, None, [title], settings.entities))


def _copy(item: Any, rng: random.Random, turn: int) -> Any:
    """Return a passage about something else that is built alike: title and half of the names carry another name."""
    other = f"{rng.choice(NAMES)}{turn}"
    text = re.sub(r"\d{2,4}", lambda _: str(rng.randint(10, 2020)), item.chunk.text)
    mentions = tuple(
        replace(mention, key=f"{mention.key} {other.lower()}", name=f"{mention.name} {other}")
        if mention.role == "title" or zlib.crc32(mention.key.encode()) % 2
        else mention
        for mention in item.mentions
    )
    chunk = replace(item.chunk, text=f"{text} {other}", heading_path=(f"{item.chunk.heading_path[0]} {other}",))
    return replace(item, chunk=chunk, tokens=f"{item.tokens} {other.lower()}", mentions=mentions)


def questions(count: int) -> list[str]:
    """Return questions made of titles and words of passages that are in every corpus."""
    rng = random.Random(11)
    picked = rng.sample(real_passages()[:1000], count)
    return [
        f"What is known about {title} and {' '.join(rng.sample(text.split(), min(4, len(text.split()))))}?"
        for title, text in picked
    ]
