"""The corpus under other preparation settings, in an index of its own: what a condition with another chunker is measured on.

An index is a cache under LLMFLOW_HOME/experiments. It is brought up to date before each use, and every one is dropped when a
document is deleted: deleting reaches everything.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from llmflow.config import fingerprint_of
from llmflow.ingestion.indexing import Progress, carry_out_removals, index_staged
from llmflow.ingestion.prepare import PreparationSettings, with_version
from llmflow.ingestion.preparing import prepare_documents
from llmflow.ingestion.releasing import as_released
from llmflow.ingestion.run import IngestionSettings
from llmflow.ports import SourceFile, Stores
from llmflow.serving.evaluation.benchmarks import embedded_stores
from llmflow.types import Document
from llmflow.workspace import home_path

FOLDER = "experiments"


@contextmanager
def corpus_copy(
    stores: Stores, preparation: PreparationSettings, ingestion: IngestionSettings, progress: Progress
) -> Iterator[Stores]:
    """Yield stores that hold what `stores` serve, prepared otherwise; what is there already is not prepared again.

    Tenants, groups and sources are those of the corpus, so questions of every principal see the same documents. A document
    that cannot be prepared so is missing in the copy.
    """
    name = f"corpus-{preparation.fingerprint()}-{fingerprint_of(stores.embedder.name)}"
    home = Path(home_path(FOLDER)) / name
    copy = embedded_stores(home, stores.embedder, stores.reranker, stores.extractor)
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = as_released(list(_originals(stores, Path(folder), preparation)), stores.state, preparation)
            _leave_out(copy, files)
            plan = copy.state.register(files)
            report = prepare_documents(files, plan, copy, preparation, ingestion.workers, progress)
        shutil.rmtree(home / "raw", ignore_errors=True)  # the corpus keeps the originals; the copy needs none
        index_staged(copy, ingestion.indexing, progress, report.prepared + report.resumed)
        yield copy
    finally:
        copy.close()


def drop_copies() -> None:
    """Remove every index of the corpus under other settings; the next experiment makes what it needs."""
    shutil.rmtree(home_path(FOLDER), ignore_errors=True)


def _originals(stores: Stores, folder: Path, preparation: PreparationSettings) -> Iterator[SourceFile]:
    """Write the originals of the served documents to `folder`, each under its own name, which readers look at."""
    for number, document in enumerate(d for d in stores.state.documents() if d.version):
        content = stores.raw.get(document.id)
        if content is None:
            continue
        path = folder / str(number) / Path(document.source).name
        path.parent.mkdir()
        path.write_bytes(content)
        yield with_version(_source_file(document, path, content), preparation)


def _source_file(document: Document, path: Path, content: bytes) -> SourceFile:
    digest = hashlib.sha256(content).hexdigest()
    return SourceFile(
        document_id=document.id,
        tenant=document.tenant,
        groups=document.groups,
        source=document.source,
        path=str(path),
        content_hash=digest,
        size=len(content),
        version="",
        fingerprint="",
    )


def _leave_out(copy: Stores, files: Sequence[SourceFile]) -> None:
    """Delete from the copy what the corpus serves no longer."""
    wanted = {file.document_id for file in files}
    gone = [document.id for document in copy.state.documents() if document.id not in wanted]
    if gone:
        copy.state.delete(gone)
        carry_out_removals(copy)
