"""Passages that are texts already, as judged sets bring them, through the same preparation as files."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmflow.batches import batched
from llmflow.ingestion.enriching import open_enricher
from llmflow.ingestion.indexing import Progress
from llmflow.ingestion.prepare import PreparationSettings, prepare_document, with_version
from llmflow.ingestion.preparing import WorkerSettings, worker_count
from llmflow.ingestion.sources import document_id
from llmflow.ingestion.withholding import WithholdingSettings
from llmflow.ingestion.workers import map_files
from llmflow.ports import Plan, PreparedDocument, SourceFile, Stores
from llmflow.types import EVERYONE, Element, ElementKind, ParsedDocument

BATCH = 100


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage to index; `source` is its id in the judged set."""

    source: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Batch:
    pairs: tuple[tuple[PassageText, SourceFile], ...]
    settings: PreparationSettings


def stage_passages(
    passages: Sequence[PassageText],
    tenant: str,
    stores: Stores,
    settings: PreparationSettings,
    workers: WorkerSettings,
    progress: Progress,
) -> int:
    """Stage what is new among the passages, readable by everyone in `tenant`; return how many were prepared.

    They are taken as written, whatever `screening` says: judged sets measure the search. They are judged when they are found.
    """
    settings = settings.model_copy(update={"screening": WithholdingSettings(enabled=False)})
    enricher = open_enricher(stores, settings)
    pairs = [(passage, _source_file(passage, tenant, settings)) for passage in passages if passage.title or passage.text.strip()]
    plan = stores.state.register([file for _, file in pairs])
    wanted = [pair for pair in pairs if plan[pair[1].document_id] is Plan.PREPARE]
    stores.state.mark_processing([file.document_id for _, file in wanted])
    tasks: Iterator[_Batch] = (_Batch(tuple(part), settings) for part in batched(wanted, BATCH))
    processes = worker_count(workers) if len(wanted) > 2 * BATCH else 0
    done = 0
    for task, outcome in map_files(
        _prepare, tasks, processes=processes, timeout_s=workers.timeout_s, memory_bytes=workers.memory_mb * 1024**2
    ):
        if outcome.value is None:
            for _, file in task.pairs:
                stores.state.fail(file.document_id, file.version, outcome.error or "")
        documents = outcome.value or []
        for (_, file), prepared in zip(task.pairs, enricher.enrich(documents) if enricher else documents, strict=False):
            stores.state.stage(prepared, file.groups)
        done += len(task.pairs)
        progress("prepare", done, len(wanted))
    return len(wanted)


def _prepare(batch: _Batch) -> list[PreparedDocument]:
    return [prepare_document(_parsed(passage), file, batch.settings) for passage, file in batch.pairs]


def _parsed(passage: PassageText) -> ParsedDocument:
    text = Element(ElementKind.TEXT, passage.text)
    title = Element(ElementKind.TITLE, passage.title, level=1)
    elements = tuple(element for element in (title, text) if element.text.strip())
    return ParsedDocument(title=passage.title, format="passage", elements=elements)


def _source_file(passage: PassageText, tenant: str, settings: PreparationSettings) -> SourceFile:
    content = f"{passage.title}\0{passage.text}"
    file = SourceFile(
        document_id=document_id(tenant, passage.source),
        tenant=tenant,
        groups=(EVERYONE,),
        source=passage.source,
        path="",
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
        size=len(content.encode()),
        version="",
        fingerprint="",
    )
    return with_version(file, settings)
