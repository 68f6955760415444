"""One kept original to the stores: what the jobs `ingest`, `reindex` and `delete` do. The writer's lock is the caller's."""

import hashlib
import tempfile
from pathlib import Path

from llmflow.errors import DocumentError
from llmflow.ingestion.indexing import Progress, carry_out_removals, index_staged
from llmflow.ingestion.prepare import PreparationSettings, with_version
from llmflow.ingestion.preparing import prepare_documents
from llmflow.ingestion.releasing import as_released
from llmflow.ingestion.run import IngestionSettings
from llmflow.ingestion.workers import WarmWorkers
from llmflow.ports import Plan, SourceFile, Stores
from llmflow.serving.evaluation.experiment_index import drop_copies
from llmflow.types import Document
from llmflow.wording import said


def original_as_source(document: Document, content: bytes, path: Path, preparation: PreparationSettings) -> SourceFile:
    """Return the wanted file of a document whose original is `content`, with the version that these settings give it."""
    file = SourceFile(
        document_id=document.id,
        tenant=document.tenant,
        groups=document.groups,
        source=document.source,
        path=str(path),
        content_hash=hashlib.sha256(content).hexdigest(),
        size=len(content),
        version="",
        fingerprint="",
    )
    return with_version(file, preparation)


def wanted_source(stores: Stores, document: Document, content: bytes, path: Path, preparation: PreparationSettings) -> SourceFile:
    """Return `original_as_source`, marked and versioned as released where this very content is."""
    (file,) = as_released([original_as_source(document, content, path, preparation)], stores.state, preparation)
    return file


def ingest_original(
    stores: Stores,
    settings: IngestionSettings,
    document_id: str,
    progress: Progress,
    warm: WarmWorkers | None = None,
    again: bool = False,
) -> Document | None:
    """Prepare and index the original that the raw store keeps; return the document after it, None when it was deleted.

    What was done before is not done twice. With `again`, what failed is tried once more, and what is served is written into every
    store once more. Raises DocumentError when the original is gone.
    """
    document = stores.state.document(document_id)
    if document is None:
        return None
    content = stores.raw.get(document_id)
    if content is None:
        raise DocumentError(said("document.original_gone", source=document.source))
    with tempfile.TemporaryDirectory(prefix="llmflow-") as folder:
        path = Path(folder) / "original"
        path.write_bytes(content)
        file = wanted_source(stores, document, content, path, settings.preparation)
        plan = stores.state.register([file], retry_failed=again)
        if again and plan[document_id] is Plan.UNCHANGED:
            stores.state.mark_processing([document_id])  # served, and to be written once more
        prepare_documents([file], plan, stores, settings.preparation, settings.workers, progress, warm)
    index_staged(stores, settings.indexing, progress, 1)
    return stores.state.document(document_id)


def remove_document(stores: Stores, document_id: str) -> None:
    """Delete a document from the state database and from every store; nothing happens when it is gone already."""
    stores.state.delete([document_id])
    carry_out_removals(stores)
    drop_copies()
