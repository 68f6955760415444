"""Documents, jobs, operations and administration of one workspace, put together for the application and the worker."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter

from llmflow.errors import StoreUnavailable
from llmflow.ingestion.prepare import load_masker
from llmflow.ports import ApplicationStores, JobQueue
from llmflow.serving.catalog import Workspace
from llmflow.serving.corpus.document_service import DocumentService
from llmflow.serving.corpus.releases import Releases
from llmflow.serving.operating.admin_service import AdminService
from llmflow.serving.operating.auditing import ChainedLog, verify_chain
from llmflow.serving.operating.health import audit_check, memory_check
from llmflow.serving.operating.jobs import BackgroundWork
from llmflow.serving.operating.metrics import CountedEvents, Metrics
from llmflow.serving.operating.operations import Operations
from llmflow.serving.operating.settings import JobSettings
from llmflow.serving.people.auth import Guard
from llmflow.serving.routers import admin, documents, operations, releases

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operating:
    """What the application mounts: `routers`, `metrics` (with `MetricsMiddleware`), `events` to record answers in, `work`."""

    documents: DocumentService
    releases: Releases
    operations: Operations
    admin: AdminService
    metrics: Metrics
    events: CountedEvents
    work: BackgroundWork
    jobs: JobSettings
    metrics_token: str

    def routers(self, guard: Guard) -> list[APIRouter]:
        return [
            documents.make_router(self.documents, guard),
            releases.make_router(self.releases, guard),
            operations.make_router(self.operations, self.metrics, guard, self.metrics_token),
            admin.make_router(self.admin, guard),
        ]

    def start(self) -> None:
        """Work on jobs in this process where `jobs.in_chat` says so."""
        if not self.jobs.in_chat:
            return
        try:
            self.work.start(warm=self.jobs.warm)
        except StoreUnavailable as exc:  # questions are answered without it, and /api/health tells
            log.error("Uploads are kept and not read until this is started anew: %s", exc)

    def stop(self) -> None:
        """Finish what is being done; safe twice."""
        self.work.stop()


def build_operating(workspace: Workspace, metrics: Metrics | None = None) -> Operating:
    """Return the parts over an opened workspace; nothing is connected and no model is loaded yet."""
    stores, application, queue = workspace.stores, workspace.application, workspace.load("job_queue")
    settings = workspace.operations
    metrics = metrics or Metrics()
    checks = [_audit_check(application), memory_check(lambda: application.memory.turns("health"))]
    run = Operations(workspace, application.jobs, queue, application.audit, settings.min_free_gb, checks)
    run.watch(metrics)
    events = CountedEvents(application.events, metrics)
    preparation = workspace.ingestion.preparation
    service = DocumentService(
        stores,
        application.jobs,
        queue,
        application.audit,
        application.accounts.groups,
        application.forget_document,
        workspace.uploads,
        preparation,
    )
    return Operating(
        documents=service,
        releases=Releases(stores, service, application.audit, preparation),
        operations=run,
        admin=AdminService(
            events,
            application.conversations,
            application.audit,
            lambda: verify_chain(cast(ChainedLog, application.audit)),
            lambda text: load_masker(preparation.masking).mask(text).text,
            settings,
        ),
        metrics=metrics,
        events=events,
        work=build_work(workspace, queue),
        jobs=workspace.jobs,
        metrics_token=workspace.load("metrics_token"),
    )


def build_work(workspace: Workspace, queue: JobQueue | None = None, alive: Callable[[], None] = lambda: None) -> BackgroundWork:
    """Return what does the jobs of a workspace: for the chat's threads and for `llmflow worker`."""
    application = workspace.application
    chosen = queue or workspace.load("job_queue")
    return BackgroundWork(application.jobs, chosen, workspace.stores, workspace.ingestion, workspace.jobs, alive)


def _audit_check(application: ApplicationStores) -> Any:
    def head() -> tuple[int, str]:
        audit: Any = application.audit
        found = audit.head()
        return found.number, found.mac

    return audit_check(head)
