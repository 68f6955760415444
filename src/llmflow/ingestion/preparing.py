"""Wanted files to staged documents: in parallel, one failure at a time, each result kept as soon as it is there."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.prepare import PreparationSettings, PreparationTask, prepare_file
from llmflow.ingestion.withholding import speaks_to_models
from llmflow.ingestion.workers import Outcome, WarmWorkers, map_files
from llmflow.ports import NOTHING_FOUND, Plan, PreparedDocument, Screening, SourceFile, Stores
from llmflow.retrieval.tokens import HANGUL
from llmflow.wording import said

INLINE_FILES = 4
"""Up to so many small files are prepared in this process: starting workers would take longer."""
INLINE_BYTES = 100_000
WORKER_FILES = 250
"""A further worker pays, beside its six seconds of processor time to start, for so many plain files or so many bytes."""
WORKER_BYTES = 500_000
PACKED = (".docx", ".pptx", ".xlsx", ".hwpx", ".odt", ".epub")
"""Archives, mostly of markup and pictures: a tenth of their bytes is text. Each, like a PDF, takes as long as four others."""
SNIFFED_FILES, SNIFFED_BYTES = 40, 4096
"""What is looked into to tell early whether the embedder will be needed."""


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
    warm: WarmWorkers | None = None,
) -> PrepareReport:
    """Prepare the planned files and stage each one at once; a file that cannot be read is marked failed with its reason.

    In `warm` workers where they are given, whatever the number and size of the files.
    """
    start = perf_counter()
    enricher = open_enricher(stores, settings)
    counts = Counter(plan[file.document_id] for file in files)
    report = PrepareReport(unchanged=counts[Plan.UNCHANGED], resumed=counts[Plan.INDEX], failed_before=counts[Plan.FAILED_BEFORE])
    # the largest first, so that no worker is left alone with a long one at the end
    wanted = sorted((f for f in files if plan[f.document_id] is Plan.PREPARE), key=lambda f: (-f.size, f.source))
    stores.state.mark_processing([file.document_id for file in wanted])
    warm_up = _WarmUp(stores)
    warm_up.begin(wanted)
    outcomes = _run(_tasks(wanted, stores, settings), wanted, workers, warm)
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
    size = sum(file.size // 10 if file.source.lower().endswith(PACKED) else file.size for file in files)
    if len(files) <= INLINE_FILES and size <= INLINE_BYTES:
        return 0
    slow = sum(file.source.lower().endswith((*PACKED, ".pdf")) for file in files)
    enough = 1 + max((len(files) + 3 * slow) // WORKER_FILES, size // WORKER_BYTES)
    return workers.processes or min(worker_count(workers), enough)


class _WarmUp:
    """Starts beside the workers what the indexing will need: the vector store, and the embedder where its language turns up.

    A Korean corpus never pays for an English embedder.
    """

    def __init__(self, stores: Stores):
        self._stores, self._started = stores, False

    def begin(self, files: Sequence[SourceFile]) -> None:
        """Start the vector store, and the embedder if a text file shows already that it will be asked."""
        if files:
            _aside("vector store", self._stores.vectors.spaces)
        if any(_speaks(file, self._stores.embedder.languages) for file in files[-SNIFFED_FILES:]):  # the smallest
            self._load()

    def consider(self, prepared: PreparedDocument | None) -> None:
        languages = self._stores.embedder.languages
        if prepared is not None and any(item.chunk.language in languages for item in prepared.chunks):
            self._load()

    def _load(self) -> None:
        if not self._started:
            self._started = True
            _aside("embedder", lambda: self._stores.embedder.embed_queries(["ready"]))


def _aside(name: str, action: Callable[[], object]) -> None:
    def run() -> None:
        with suppress(Exception):  # the indexing meets the same error and reports it
            action()

    Thread(target=run, name=name, daemon=True).start()


def _speaks(file: SourceFile, languages: frozenset[str]) -> bool:
    """Return whether a plain text file starts in one of the languages, and with no Korean in between."""
    if not file.source.lower().endswith((".txt", ".md")):
        return False
    try:
        with open(file.path, "rb") as opened:
            start = opened.read(SNIFFED_BYTES).decode("utf-8", errors="ignore")
    except OSError:
        return False
    return not HANGUL.search(start) and detect_language(start) in languages


def _tasks(files: Sequence[SourceFile], stores: Stores, settings: PreparationSettings) -> Iterator[PreparationTask]:
    for file in files:
        keep_original(file, stores)
        yield PreparationTask(file, settings)


def keep_original(file: SourceFile, stores: Stores) -> None:
    """Copy the file to the raw store; one that cannot be read is left to the worker, which fails it with a reason."""
    if os.access(file.path, os.R_OK):
        stores.raw.put(file.document_id, file.tenant, Path(file.source).name, Path(file.path))


def _run(
    tasks: Iterator[PreparationTask], files: Sequence[SourceFile], workers: WorkerSettings, warm: WarmWorkers | None
) -> Iterator[tuple[PreparationTask, Outcome[PreparedDocument]]]:
    return map_files(
        prepare_file,
        tasks,
        processes=workers_for(files, workers),
        timeout_s=workers.timeout_s,
        memory_bytes=workers.memory_mb * 1024**2,
        warm=warm,
    )


def _keep(file: SourceFile, outcome: Outcome[PreparedDocument], stores: Stores, report: PrepareReport) -> None:
    if outcome.value is None:
        reason = outcome.error or said("worker.no_reason")
        found = outcome.details if isinstance(outcome.details, Screening) else NOTHING_FOUND
        stores.state.fail(file.document_id, file.version, reason, withdraw=speaks_to_models(reason), found=found)
        report.failed += 1
        return
    stores.state.stage(outcome.value, file.groups)
    report.prepared += 1
    report.pii.update(outcome.value.pii)
    for step, seconds in outcome.value.seconds.items():
        report.seconds.add(step, seconds)
