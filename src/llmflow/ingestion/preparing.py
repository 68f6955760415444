"""Wanted files to staged documents: in parallel, one failure at a time, each result kept as soon as it is there."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from time import perf_counter

from pydantic import Field

from llmflow.clock import Seconds
from llmflow.config import Settings
from llmflow.ingestion.enriching import Enricher, open_enricher
from llmflow.ingestion.indexing import Progress
from llmflow.ingestion.prepare import PreparationSettings, PreparationTask, prepare_file
from llmflow.ingestion.workers import Outcome, map_files
from llmflow.ports import Embedder, Plan, PreparedDocument, SourceFile, Stores

INLINE_FILES = 4
"""Up to so many small files are prepared in this process: starting workers would take longer."""
INLINE_BYTES = 100_000
WORKER_FILES = 50
"""A further worker pays, beside its three seconds of start, for so many files or so many bytes."""
WORKER_BYTES = 500_000


class WorkerSettings(Settings):
    processes: int = Field(default=0, ge=0, le=64)
    """0: one a core, at most 8."""
    timeout_s: float = Field(default=300.0, gt=0)
    """For one file; longer and the file fails, the rest goes on."""
    memory_mb: int = Field(default=6144, ge=512)
    """Address space of one worker; a file that needs more fails."""


@dataclass
class PrepareReport:
    """What one preparation run did."""

    prepared: int = 0
    failed: int = 0
    unchanged: int = 0
    resumed: int = 0
    failed_before: int = 0
    pii: Counter[str] = field(default_factory=Counter)
    seconds: Seconds = field(default_factory=Seconds)
    """Worker seconds by step; they overlap when several workers run."""
    extraction: Counter[str] = field(default_factory=Counter)
    """Passages that a language model was `asked` for, remembered ones included, and that `failed`; empty where it is off."""
    wall_seconds: float = 0.0


def prepare_documents(
    files: Sequence[SourceFile],
    plan: Mapping[str, Plan],
    stores: Stores,
    settings: PreparationSettings,
    workers: WorkerSettings,
    progress: Progress,
) -> PrepareReport:
    """Prepare the planned files and stage each one at once; a file that cannot be read is marked failed with its reason."""
    start = perf_counter()
    enricher = open_enricher(stores, settings)
    counts = Counter(plan[file.document_id] for file in files)
    report = PrepareReport(unchanged=counts[Plan.UNCHANGED], resumed=counts[Plan.INDEX], failed_before=counts[Plan.FAILED_BEFORE])
    # the largest first, so that no worker is left alone with a long one at the end
    wanted = sorted((f for f in files if plan[f.document_id] is Plan.PREPARE), key=lambda f: (-f.size, f.source))
    stores.state.mark_processing([file.document_id for file in wanted])
    warm_up = _WarmUp(stores.embedder)
    outcomes = _run(_tasks(wanted, stores, settings), wanted, workers)
    for done, (task, outcome) in enumerate(_enriched(outcomes, enricher) if enricher else outcomes, start=1):
        _keep(task.file, outcome, stores, report)
        warm_up.consider(outcome.value)
        progress("prepare", done, len(wanted))
    report.extraction.update(enricher.counts if enricher else {})
    report.wall_seconds = perf_counter() - start
    return report


def _enriched(
    outcomes: Iterator[tuple[PreparationTask, Outcome[PreparedDocument]]], enricher: Enricher
) -> Iterator[tuple[PreparationTask, Outcome[PreparedDocument]]]:
    """Yield the outcomes, in order, with what the language model found; the workers go on while it is asked."""
    waiting: list[tuple[PreparationTask, PreparedDocument, Outcome[PreparedDocument]]] = []

    def flush() -> Iterator[tuple[PreparationTask, Outcome[PreparedDocument]]]:
        documents = enricher.enrich([document for _, document, _ in waiting])
        for (task, _, outcome), document in zip(waiting, documents, strict=True):
            yield task, replace(outcome, value=document)
        waiting.clear()

    for task, outcome in outcomes:
        if outcome.value is None:
            yield task, outcome
            continue
        waiting.append((task, outcome.value, outcome))
        if sum(len(document.chunks) for _, document, _ in waiting) >= enricher.worth:
            yield from flush()
    yield from flush()


def worker_count(workers: WorkerSettings) -> int:
    return workers.processes or min(os.cpu_count() or 1, 8)


def workers_for(files: Sequence[SourceFile], workers: WorkerSettings) -> int:
    """Return how many worker processes pay for these files; 0: this process prepares them. A configured number is kept."""
    size = sum(file.size for file in files)
    if len(files) <= INLINE_FILES and size <= INLINE_BYTES:
        return 0
    enough = 1 + max(len(files) // WORKER_FILES, size // WORKER_BYTES)
    return workers.processes or min(worker_count(workers), enough)


class _WarmUp:
    """Loads the embedder beside the workers, as soon as a document turns up that it reads; a Korean corpus never pays for it."""

    def __init__(self, embedder: Embedder):
        self._embedder, self._started = embedder, False

    def consider(self, prepared: PreparedDocument | None) -> None:
        if self._started or prepared is None:
            return
        if any(item.chunk.language in self._embedder.languages for item in prepared.chunks):
            self._started = True
            Thread(target=self._load, name="embedder", daemon=True).start()

    def _load(self) -> None:
        with suppress(Exception):  # the indexing meets the same error and reports it
            self._embedder.embed_queries(["ready"])


def _tasks(files: Sequence[SourceFile], stores: Stores, settings: PreparationSettings) -> Iterator[PreparationTask]:
    for file in files:
        keep_original(file, stores)
        yield PreparationTask(file, settings)


def keep_original(file: SourceFile, stores: Stores) -> None:
    """Copy the file to the raw store; one that cannot be read is left to the worker, which fails it with a reason."""
    if os.access(file.path, os.R_OK):
        stores.raw.put(file.document_id, file.tenant, Path(file.source).name, Path(file.path))


def _run(
    tasks: Iterator[PreparationTask], files: Sequence[SourceFile], workers: WorkerSettings
) -> Iterator[tuple[PreparationTask, Outcome[PreparedDocument]]]:
    return map_files(
        prepare_file,
        tasks,
        processes=workers_for(files, workers),
        timeout_s=workers.timeout_s,
        memory_bytes=workers.memory_mb * 1024**2,
    )


def _keep(file: SourceFile, outcome: Outcome[PreparedDocument], stores: Stores, report: PrepareReport) -> None:
    if outcome.value is None:
        stores.state.fail(file.document_id, file.version, outcome.error or "It failed without a reason.")
        report.failed += 1
        return
    stores.state.stage(outcome.value, file.groups)
    report.prepared += 1
    report.pii.update(outcome.value.pii)
    for step, seconds in outcome.value.seconds.items():
        report.seconds.add(step, seconds)
