"""The whole ingestion, in the four steps that the Kedro pipeline runs as nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

from llmflow.config import Settings
from llmflow.ingestion.indexing import IndexingSettings, IndexReport, Progress, index_staged
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.ingestion.preparing import PrepareReport, WorkerSettings, keep_original, prepare_documents
from llmflow.ingestion.releasing import as_released
from llmflow.ingestion.sources import SourceSettings, find_files
from llmflow.ingestion.withholding import screening_counts
from llmflow.ports import Notifier, Plan, SourceFile, Stores
from llmflow.types import DocumentStatus


class IngestionSettings(Settings):
    """Everything under `ingestion:` in the parameters."""

    sources: SourceSettings
    preparation: PreparationSettings = PreparationSettings()
    workers: WorkerSettings = WorkerSettings()
    indexing: IndexingSettings = IndexingSettings()
    retry_failed: bool = False


@dataclass(frozen=True, slots=True)
class Registration:
    """The wanted files and what to do with each."""

    files: tuple[SourceFile, ...]
    plan: Mapping[str, Plan]


@dataclass(frozen=True, slots=True)
class IngestionReport:
    """What a run did and what the corpus looks like after it; plain values, fit for JSON."""

    files: int
    prepared: int
    unchanged: int
    resumed: int
    failed: int
    failed_before: int
    indexed: int
    chunks_indexed: int
    embedded: int
    documents: Mapping[str, Mapping[str, int]]
    """Documents of this run's sources by format and status."""
    failures: tuple[Mapping[str, str], ...]
    chunks: int
    pii: Mapping[str, int]
    """Masked personal data by kind, over the documents of this run's sources."""
    screening: Mapping[str, int]
    """`screening_counts` of the documents of this run's sources."""
    extraction: Mapping[str, int]
    """Passages that a language model was asked for and that failed; empty where it is off."""
    graph: Mapping[str, int]
    seconds: Mapping[str, float]
    """Parse to analyse are worker seconds and overlap; the rest is wall time."""
    wall_seconds: float


def register(settings: IngestionSettings, stores: Stores) -> Registration:
    """Find the files and enter them in the state database."""
    files = as_released(find_files(settings.sources, settings.preparation), stores.state, settings.preparation)
    _restore_originals(files, stores)
    return Registration(tuple(files), stores.state.register(files, settings.retry_failed))


def _restore_originals(files: Sequence[SourceFile], stores: Stores) -> None:
    """Keep the originals of files that changed back to what is served before their change was finished.

    Registration will call them unchanged, but the stopped run has already kept the original of the change. Done before
    registration, so that a kill in between leaves them to the next run.
    """
    unfinished = {d.id: d.version for d in stores.state.documents() if d.version and d.status is not DocumentStatus.READY}
    for file in files:
        if unfinished.get(file.document_id) == file.version:
            keep_original(file, stores)


def prepare(registration: Registration, settings: IngestionSettings, stores: Stores, progress: Progress) -> PrepareReport:
    return prepare_documents(registration.files, registration.plan, stores, settings.preparation, settings.workers, progress)


def index(prepared: PrepareReport, settings: IngestionSettings, stores: Stores, progress: Progress) -> IndexReport:
    return index_staged(stores, settings.indexing, progress, prepared.prepared + prepared.resumed)


def summarise(
    registration: Registration, prepared: PrepareReport, indexed: IndexReport, stores: Stores, wall_seconds: float
) -> IngestionReport:
    """Return the report of a run: counts, failures with reasons, personal data by kind, seconds a stage."""
    wanted = {file.document_id for file in registration.files}
    documents = [document for document in stores.state.documents() if document.id in wanted]
    by_format: dict[str, dict[str, int]] = {}
    pii: dict[str, int] = {}
    for document in documents:
        name = document.format or _suffix(document.source)
        statuses = by_format.setdefault(name, {})
        statuses[document.status] = statuses.get(document.status, 0) + 1
        for kind, count in document.pii.items():
            pii[kind] = pii.get(kind, 0) + count
    return IngestionReport(
        files=len(registration.files),
        prepared=prepared.prepared,
        unchanged=prepared.unchanged,
        resumed=prepared.resumed,
        failed=prepared.failed,
        failed_before=prepared.failed_before,
        indexed=indexed.documents,
        chunks_indexed=indexed.chunks,
        embedded=indexed.embedded,
        documents=dict(sorted(by_format.items())),
        failures=tuple({"source": d.source, "tenant": d.tenant, "reason": d.reason} for d in documents if d.reason),
        chunks=sum(document.chunks for document in documents),
        pii=dict(sorted(pii.items())),
        screening=screening_counts(documents),
        extraction=dict(prepared.extraction),
        graph=asdict(stores.graph.statistics()),
        seconds={name: round(value, 3) for name, value in {**prepared.seconds, **indexed.seconds}.items()},
        wall_seconds=round(wall_seconds, 2),
    )


def run_ingestion(settings: IngestionSettings, stores: Stores, notifier: Notifier, progress: Progress) -> IngestionReport:
    """Run all four steps and tell the webhook."""
    start = perf_counter()
    registration = register(settings, stores)
    prepared = prepare(registration, settings, stores, progress)
    indexed = index(prepared, settings, stores, progress)
    report = summarise(registration, prepared, indexed, stores, perf_counter() - start)
    announce(report, notifier)
    return report


def announce(report: IngestionReport, notifier: Notifier) -> bool:
    """Tell the webhook that a batch ended: counts only, no names and no text."""
    keys = ("files", "prepared", "unchanged", "resumed", "failed", "failed_before", "indexed", "chunks", "wall_seconds")
    return notifier.notify("ingestion.finished", {key: getattr(report, key) for key in keys})


def _suffix(source: str) -> str:
    return source.rsplit(".", 1)[-1].lower()[:12] if "." in source.rsplit("/", 1)[-1] else "unknown"
