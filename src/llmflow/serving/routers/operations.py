"""Routes of operating the house: liveness, health, metrics, corpus, models and retrieval settings."""

import hmac
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from llmflow.accounts.permissions import Permission
from llmflow.context import current_language
from llmflow.serving.operating.metrics import CONTENT_TYPE, Metrics
from llmflow.serving.operating.operations import Operations
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import problems
from llmflow.types import Account
from llmflow.wording import in_language

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PromoteModelIn(_Body):
    version: Name
    """Name, number or alias, such as `candidate`."""
    reason: Reason


class PromoteRetrievalIn(_Body):
    id: Name
    """Id or label of settings that the gate has judged."""
    reason: Reason


class RollbackIn(_Body):
    reason: Reason


class PartOut(BaseModel):
    name: str
    status: Literal["ok", "degraded", "failed"]
    detail: str
    remedy: str


class HealthOut(BaseModel):
    """`degraded`: questions are answered, with less. `remedy` of a part is one sentence, empty where nothing is wrong."""

    status: Literal["ok", "degraded", "failed"]
    parts: list[PartOut]


class ServedModelOut(BaseModel):
    model: str
    base: str
    replicas: int
    previous: str
    smoke: bool


class ModelVerdictOut(BaseModel):
    decision: str
    made_at: str
    champion: str | None
    reasons: list[str]
    checks: list[dict[str, Any]]


class ModelVersionOut(BaseModel):
    name: str
    number: int
    aliases: list[str]
    base_model: str
    smoke: bool
    created_at: str
    metrics: dict[str, float]
    verdict: ModelVerdictOut | None


class ModelsOut(BaseModel):
    """Adapters newest first; `served` is null until a model was served; `history` newest first."""

    served: ServedModelOut | None
    versions: list[ModelVersionOut]
    history: list[dict[str, Any]]


class RetrievalOut(BaseModel):
    """What is served, the one before, what conf/ says, verdicts and history (newest first)."""

    served: dict[str, Any]
    settings: dict[str, Any]
    previous: dict[str, Any] | None
    configured: str
    not_served_from_conf: dict[str, Any]
    verdicts: list[dict[str, Any]]
    history: list[dict[str, Any]]
    problem: str


class ChangedOut(BaseModel):
    served: str
    before: str


class CorpusOut(BaseModel):
    """Counts of the tenant's documents; `freshness_s` is how long the oldest change has waited to be served, 0 for none."""

    documents: int
    by_status: dict[str, int]
    by_format: dict[str, int]
    by_space: dict[str, int]
    chunks: int
    bytes: int
    pii: dict[str, int]
    screening: dict[str, int]
    """Passages that speak to a model: `withheld`, `cut`, `doubted`; and documents `refused` for it."""
    waiting: int
    oldest_waiting_s: float
    newest_at: str
    freshness_s: float
    embedder: str
    vector_space: str
    failures: list[dict[str, str]]


def make_router(operations: Operations, metrics: Metrics, guard: Guard, metrics_token: str = "") -> APIRouter:
    """Return the routes. `metrics_token` lets Prometheus in without an account; empty: only who may read health."""
    router = APIRouter(tags=["operations"])
    reads_health = Annotated[Account, Depends(guard.require(Permission.HEALTH_READ))]
    reads_corpus = Annotated[Account, Depends(guard.require(Permission.CORPUS_READ))]
    reads_models = Annotated[Account, Depends(guard.require(Permission.MODELS_READ))]
    promotes = Annotated[Account, Depends(guard.require(Permission.MODELS_PROMOTE))]
    changes = problems(401, 403, 404, 409, 422, 503)

    @router.get("/healthz")
    def live() -> dict[str, str]:
        """Say that the process answers; what it depends on is told by /api/health."""
        return {"status": "ok"}

    @router.get("/api/health", responses=problems(401, 403))
    def health(account: reads_health) -> HealthOut:  # type: ignore[valid-type]
        """Look at every dependency: state, what was seen, and what to do where something is wrong."""
        found = operations.health()
        parts = [PartOut(name=p.name, status=p.status, detail=p.detail, remedy=p.remedy) for p in found.parts]  # type: ignore[arg-type]
        return HealthOut(status=found.status, parts=parts)  # type: ignore[arg-type]

    @router.get("/metrics", response_class=PlainTextResponse, responses=problems(401, 403))
    def scrape(request: Request) -> Response:
        """Return the metrics in Prometheus' text format; needs the scrape token or the permission health.read."""
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        known = bool(metrics_token) and scheme.lower() == "bearer"
        if not (known and hmac.compare_digest(sent.strip().encode("utf-8", "replace"), metrics_token.encode())):
            guard.permit(request, Permission.HEALTH_READ)
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @router.get("/api/corpus", responses=problems(401, 403))
    def corpus(account: reads_corpus) -> CorpusOut:  # type: ignore[valid-type]
        """Count the tenant's documents by status, format and readers, and say how fresh the index is."""
        found = operations.corpus(account.tenant)
        told = [{name: in_language(text, current_language()) for name, text in one.items()} for one in found.failures]
        return CorpusOut.model_validate(replace(found, failures=told), from_attributes=True)

    @router.get("/api/models", responses=problems(401, 403, 503))
    def models(account: reads_models) -> ModelsOut:  # type: ignore[valid-type]
        """List adapters with their verdicts, what is served, and the last changes."""
        return ModelsOut.model_validate(operations.models())

    @router.post("/api/models/promote", responses=changes)
    def promote_model(body: PromoteModelIn, account: promotes) -> ChangedOut:  # type: ignore[valid-type]
        """Serve an adapter whose verdict allows it, on every replica; home tenant only."""
        return ChangedOut.model_validate(operations.promote_model(account, body.version, body.reason))

    @router.post("/api/models/rollback", responses=changes)
    def roll_back_model(body: RollbackIn, account: promotes) -> ChangedOut:  # type: ignore[valid-type]
        """Point back to what was served before; home tenant only."""
        return ChangedOut.model_validate(operations.roll_back_model(account, body.reason))

    @router.get("/api/retrieval", responses=problems(401, 403))
    def retrieval(account: reads_models) -> RetrievalOut:  # type: ignore[valid-type]
        """Say which retrieval settings are served, since when and why, and what the gate has judged."""
        return RetrievalOut.model_validate(operations.retrieval())

    @router.post("/api/retrieval/promote", responses=changes)
    def promote_retrieval(body: PromoteRetrievalIn, account: promotes) -> ChangedOut:  # type: ignore[valid-type]
        """Serve judged settings from the next question on, in every process; home tenant only."""
        return ChangedOut.model_validate(operations.promote_retrieval(account, body.id, body.reason))

    @router.post("/api/retrieval/rollback", responses=changes)
    def roll_back_retrieval(body: RollbackIn, account: promotes) -> ChangedOut:  # type: ignore[valid-type]
        """Serve the settings before, from the next question on; home tenant only."""
        return ChangedOut.model_validate(operations.roll_back_retrieval(account, body.reason))

    return router
