"""Nodes of the ingestion: they translate between the catalog and llmflow.ingestion.run."""

from dataclasses import asdict
from typing import Any

from llmflow.ingestion import run
from llmflow.ingestion.indexing import IndexReport
from llmflow.ingestion.preparing import PrepareReport
from llmflow.ports import Notifier, Stores
from llmflow.serving.catalog import anchor_sources
from llmflow.serving.locks import ingestion_lock
from llmflow.serving.progress import log_progress
from llmflow.serving.tables import print_ingestion


def register_documents(settings: run.IngestionSettings, *stores: Any) -> run.Registration:
    """Return the wanted files and what to do with each."""
    with ingestion_lock():
        return run.register(anchor_sources(settings), Stores(*stores))


def prepare_documents(registration: run.Registration, settings: run.IngestionSettings, *stores: Any) -> PrepareReport:
    """Parse, chunk, mask and analyse what is new or changed."""
    with ingestion_lock(), log_progress() as progress:
        return run.prepare(registration, settings, Stores(*stores), progress)


def index_documents(prepared: PrepareReport, settings: run.IngestionSettings, *stores: Any) -> IndexReport:
    """Write staged documents to every store and serve them."""
    with ingestion_lock(), log_progress() as progress:
        return run.index(prepared, settings, Stores(*stores), progress)


def report_ingestion(
    registration: run.Registration, prepared: PrepareReport, indexed: IndexReport, notifier: Notifier, *stores: Any
) -> dict[str, Any]:
    """Return the run's report, print it and tell the webhook."""
    wall = sum(indexed.seconds.values()) + prepared.wall_seconds
    report = run.summarise(registration, prepared, indexed, Stores(*stores), wall)
    run.announce(report, notifier)
    print_ingestion(report)
    return asdict(report)
