"""What the operations routes ask: health, corpus, models, retrieval, and the gauges of the metrics."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from llmflow.errors import NotFound, Refused, SettingsError
from llmflow.evaluation.gate import verdict_from_json
from llmflow.ports import AuditLog, JobQueue, JobStatus, JobStore, ModelVersion, Stores
from llmflow.serving.corpus.overview import CorpusOverview, corpus_overview, documents_by_status, seconds_since
from llmflow.serving.evaluation.promotion_overview import overview
from llmflow.serving.operating.health import Check, Health, jobs_check, look_at, queue_check, workspace_checks
from llmflow.serving.operating.metrics import Metrics
from llmflow.types import Account, DocumentStatus
from llmflow.wording import said

SHOWN_HISTORY = 20
HEALTH_KEPT_S = 3.0


class Operations:
    """Operating one workspace over HTTP. Every change is audited under the account that asked for it."""

    def __init__(
        self,
        workspace: Any,
        jobs: JobStore,
        queue: JobQueue,
        audit: AuditLog,
        min_free_gb: float = 2.0,
        more_checks: Sequence[Check] = (),
    ):
        self._workspace, self._jobs, self._queue, self._audit = workspace, jobs, queue, audit
        self._min_free_gb, self._more = min_free_gb, tuple(more_checks)
        self._looking = threading.Lock()
        self._seen: tuple[float, Health | None] = (0.0, None)

    @property
    def stores(self) -> Stores:
        return self._workspace.stores

    def health(self) -> Health:
        """Look at every part; never raises. Whoever asks within a few seconds gets what the first one saw."""
        with self._looking:
            at, found = self._seen
            if found is None or time.monotonic() - at > HEALTH_KEPT_S:
                found = self._look()
                self._seen = (time.monotonic(), found)
            return found

    def _look(self) -> Health:
        checks = workspace_checks(self._workspace, self._min_free_gb)
        own = [queue_check(self._queue), jobs_check(lambda: len(self._jobs.due(100)))]
        return look_at([*checks, *own, *self._more])

    def corpus(self, tenant: str) -> CorpusOverview:
        return corpus_overview(self.stores, tenant)

    def models(self) -> dict[str, Any]:
        """Return adapters newest first, what is served, and the last changes."""
        models = self._workspace.models
        pointer = models.gateway.pointer()
        history = models.registry.history(SHOWN_HISTORY)
        return {
            "served": None
            if pointer is None
            else {
                "model": pointer.model,
                "base": pointer.base,
                "replicas": len(pointer.replicas),
                "previous": pointer.previous.name if pointer.previous else "",
                "smoke": pointer.smoke,
            },
            "versions": [self._version(version) for version in models.registry.versions()],
            "history": [asdict(event) for event in history],
        }

    def promote_model(self, account: Account, version: str, reason: str) -> dict[str, Any]:
        """Serve an adapter whose verdict allows it. Raises PromotionRefused."""
        models = self._workspace.models
        try:
            name = models.registry.version(version).adapter.name
        except SettingsError as exc:
            raise NotFound(str(exc)) from exc
        done = models.promote(name, account.name, _given(reason))
        return self._changed(account, "model.promote", done.champion, done.before, reason)

    def roll_back_model(self, account: Account, reason: str) -> dict[str, Any]:
        done = self._workspace.models.roll_back(account.name, _given(reason))
        return self._changed(account, "model.rollback", done.champion, done.before, reason)

    def retrieval(self) -> dict[str, Any]:
        return overview(self._workspace.promotions)

    def promote_retrieval(self, account: Account, candidate: str, reason: str) -> dict[str, Any]:
        """Serve judged settings from the next question on. Raises PromotionRefused."""
        record = self._workspace.promotions.promote(candidate, account.name, _given(reason))
        return self._settings_changed(account, "retrieval.promote", record, reason)

    def roll_back_retrieval(self, account: Account, reason: str) -> dict[str, Any]:
        record = self._workspace.promotions.roll_back(account.name, _given(reason))
        return self._settings_changed(account, "retrieval.rollback", record, reason)

    def watch(self, metrics: Metrics) -> None:
        """Add the gauges of documents, jobs, queue and index."""
        state = self.stores.state

        def documents() -> dict[tuple[str, ...], float]:
            return {(status,): float(count) for status, count in documents_by_status(state.documents()).items()}

        def freshness() -> dict[tuple[str, ...], float]:
            waiting = (*state.documents(status=DocumentStatus.PENDING), *state.documents(status=DocumentStatus.PROCESSING))
            return {(): seconds_since(min((document.updated_at for document in waiting), default=""))}

        def jobs() -> dict[tuple[str, ...], float]:
            counts = self._jobs.counts()
            return {(str(status),): float(counts.get(status, 0)) for status in JobStatus}

        metrics.watch("llmflow_documents", "Documents by status, over all tenants.", ("status",), documents)
        metrics.watch("llmflow_jobs", "Jobs by status, over all tenants.", ("status",), jobs)
        metrics.watch("llmflow_queue_depth", "Jobs in the queue that nobody has taken.", (), _one(self._queue.depth))
        metrics.watch("llmflow_index_freshness_seconds", "How long the oldest change waits to be served.", (), freshness)

    def _version(self, version: ModelVersion) -> dict[str, Any]:
        text = self._workspace.models.registry.verdict(version)
        verdict = verdict_from_json(text, f"verdict of {version.adapter.name}") if text else None
        return {
            "name": version.adapter.name,
            "number": version.number,
            "aliases": sorted(version.aliases),
            "base_model": version.base_model,
            "smoke": version.smoke,
            "created_at": version.created_at,
            "metrics": dict(version.metrics),
            "verdict": None
            if verdict is None
            else {
                "decision": verdict.decision,
                "made_at": verdict.made_at,
                "champion": verdict.champion,
                "reasons": list(verdict.reasons),
                "checks": [asdict(check) for check in verdict.checks],
            },
        }

    def _changed(self, account: Account, action: str, now: str, before: str, reason: str) -> dict[str, Any]:
        self._audit.append(account.tenant, account.id, action, now, {"before": before, "reason": reason[:500]})
        return {"served": now, "before": before}

    def _settings_changed(self, account: Account, action: str, record: Any, reason: str) -> dict[str, Any]:
        from llmflow.serving.evaluation.experiments import log_promotion

        log_promotion(self._workspace.evaluation.experiment, record)
        change = record.history[-1]
        return self._changed(account, action, change.id, change.before, reason)


def _given(reason: str) -> str:
    """Return the reason without white space around it. Raises Refused for an empty one."""
    if not reason.strip():
        raise Refused(said("reason.missing"))
    return reason.strip()


def _one(read: Callable[[], int]) -> Callable[[], dict[tuple[str, ...], float]]:
    return lambda: {(): float(read())}
