"""Routes for administrators: use, quality, conversations, feedback, audit, personal data. Rows come as JSON or as CSV."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from llmflow.accounts.permissions import Permission
from llmflow.ports import Message
from llmflow.serving.operating.admin_service import AdminService
from llmflow.serving.operating.usage import as_csv
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import problems
from llmflow.types import Account

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Time = Annotated[str, Query(max_length=40, description="ISO 8601, such as 2026-11-25 or 2026-11-25T09:00:00Z.")]
Text = Annotated[str, Query(max_length=200)]
Reason = Annotated[str, Query(max_length=500, description="Kept in the audit log.")]
Format = Annotated[Literal["json", "csv"], Query()]
Model = TypeVar("Model", bound=BaseModel)


class UsageRowOut(BaseModel):
    """`key` is a day, group or model; the last row is `total`. Times are milliseconds, `cost` is in `currency`."""

    key: str
    questions: int
    people: int
    errors: int
    stopped: int
    refused: int
    cached: int
    suspicious: int
    latency_p50_ms: float
    latency_p95_ms: float
    ttft_p50_ms: float
    ttft_p95_ms: float
    prompt_tokens: int
    completion_tokens: int
    cost: float


class UsageOut(BaseModel):
    items: list[UsageRowOut]
    total: int
    currency: str


class ConversationOut(BaseModel):
    id: str
    account_id: str
    title: str
    created_at: str
    updated_at: str
    messages: int


class ConversationsOut(BaseModel):
    items: list[ConversationOut]
    total: int


class ReviewedCitationOut(BaseModel):
    """Without the quote: whoever reviews may not read every document."""

    number: int
    document_id: str
    title: str
    source: str
    page: int | None


class ReviewedMessageOut(BaseModel):
    id: str
    ordinal: int
    role: str
    content: str
    status: str
    created_at: str
    citations: list[ReviewedCitationOut]
    details: dict[str, Any]
    rating: str
    reason: str
    correction: str

    @classmethod
    def of(cls, message: Message) -> "ReviewedMessageOut":
        cited = [
            ReviewedCitationOut(number=c.number, document_id=c.document_id, title=c.title, source=c.source, page=c.page)
            for c in message.citations
        ]
        own = {name: getattr(message, name) for name in cls.model_fields if name not in ("citations", "details")}
        return cls(citations=cited, details=dict(message.details), **own)


class ReviewedConversationOut(BaseModel):
    items: list[ReviewedMessageOut]
    total: int


class FeedbackOut(BaseModel):
    message_id: str
    session_id: str
    at: str
    rating: str
    reason: str
    correction: str
    question: str
    answer: str
    model: str
    settings_id: str
    confidence: float


class FeedbacksOut(BaseModel):
    items: list[FeedbackOut]
    total: int


class AnswerQualityOut(BaseModel):
    key: str
    answers: int
    found_share: float
    mean_confidence: float
    cached_share: float


class FeedbackCountsOut(BaseModel):
    key: str
    judged: int
    up: int
    down: int
    corrected: int
    up_share: float


class ReportOut(BaseModel):
    """The newest report of its kind in the workspace: retrieval, experiments, adapter_verdict, ingestion, finetuning."""

    name: str
    at: str
    content: Any


class QualityOut(BaseModel):
    answers: list[AnswerQualityOut]
    feedback: list[FeedbackCountsOut]
    reports: list[ReportOut]


class AuditEntryOut(BaseModel):
    number: int
    at: str
    actor: str
    action: str
    target: str
    details: dict[str, Any]
    mac: str


class AuditOut(BaseModel):
    items: list[AuditEntryOut]
    total: int


class AuditVerdictOut(BaseModel):
    """`broken` is the number of the first entry that is not as it was written, 0 where the chain holds; `fault` says why."""

    ok: bool
    entries: int
    head: str
    broken: int
    fault: str


class PiiRowOut(BaseModel):
    day: str
    kind: str
    count: int


class PiiOut(BaseModel):
    items: list[PiiRowOut]
    total: int


class ExportIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: str = Field("", max_length=40)
    until: str = Field("", max_length=40)
    judged_only: bool = True
    """Leave out conversations that nobody judged or corrected."""


class ExportOut(BaseModel):
    """Rows as `llmflow finetune` reads them, one a conversation; `snapshot` is their hash, kept in the audit log."""

    items: list[dict[str, Any]]
    total: int
    snapshot: str


def make_router(service: AdminService, guard: Guard) -> APIRouter:
    """Return the routes under /api/admin."""
    router = APIRouter(prefix="/api/admin", tags=["admin"], responses=problems(401, 403, 422))
    reads_usage = Annotated[Account, Depends(guard.require(Permission.USAGE_READ))]
    reads_models = Annotated[Account, Depends(guard.require(Permission.MODELS_READ))]
    reviews = Annotated[Account, Depends(guard.require(Permission.CONVERSATIONS_REVIEW))]
    reads_audit = Annotated[Account, Depends(guard.require(Permission.AUDIT_READ))]

    @router.get("/usage", response_model=UsageOut, responses=_CSV)
    def usage(
        account: reads_usage,  # type: ignore[valid-type]
        since: Time = "",
        until: Time = "",
        by: Literal["day", "group", "model"] = "day",
        format: Format = "json",
    ) -> Any:
        """Count questions, errors, tokens and cost with percentiles of waiting; the last thirty days by default."""
        rows = service.usage(account, since, until, by)
        if format == "csv":
            return _csv("usage", rows)
        return UsageOut(items=_all(UsageRowOut, rows), total=len(rows), currency=service.settings.currency)

    @router.get("/conversations")
    def conversations(
        account: reviews,  # type: ignore[valid-type]
        account_id: Text = "",
        search: Text = "",
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> ConversationsOut:
        """List conversations of the tenant, titles masked, newest first. The look is audited."""
        found, total = service.sessions(account, account_id, search, limit, offset)
        return ConversationsOut(items=_all(ConversationOut, found), total=total)

    @router.get("/conversations/{session_id}", responses=problems(404))
    def conversation(session_id: str, account: reviews) -> ReviewedConversationOut:  # type: ignore[valid-type]
        """Show one conversation, masked and without quotes. The look is audited."""
        messages = [ReviewedMessageOut.of(message) for message in service.messages(account, session_id)]
        return ReviewedConversationOut(items=messages, total=len(messages))

    @router.post("/conversations/export")
    def export(body: ExportIn, account: reviews, reason: Reason = "") -> ExportOut:  # type: ignore[valid-type]
        """Take a training snapshot of the tenant's conversations. Audited with its hash."""
        taken = service.export(account, body.since, body.until, body.judged_only, reason)
        return ExportOut(items=[dict(row) for row in taken.rows], total=len(taken.rows), snapshot=taken.snapshot)

    @router.get("/feedback", response_model=FeedbacksOut, responses=_CSV)
    def feedback(
        account: reviews,  # type: ignore[valid-type]
        rating: Literal["", "up", "down"] = "",
        limit: Limit = 100,
        offset: Offset = 0,
        format: Format = "json",
    ) -> Any:
        """List judged answers with their questions, masked, newest first. The look is audited."""
        rows, total = service.feedback(account, rating, limit, offset)
        return _csv("feedback", rows) if format == "csv" else FeedbacksOut(items=_all(FeedbackOut, rows), total=total)

    @router.get("/quality")
    def quality(
        account: reads_models,  # type: ignore[valid-type]
        since: Time = "",
        until: Time = "",
        by: Literal["day", "language", "model", "settings_id", "reason", "kind"] = "day",
    ) -> QualityOut:
        """Say how many answers found something and what people thought of them, beside the newest evaluation reports.

        By `kind` of question: `stand_alone`, `follow_up`, `several_documents`, `no_answer`; `unknown` before it was kept.
        """
        found = service.quality(account, since, until, by)
        return QualityOut(
            answers=_all(AnswerQualityOut, found.answers),
            feedback=_all(FeedbackCountsOut, found.feedback),
            reports=_all(ReportOut, found.reports),
        )

    @router.get("/audit", response_model=AuditOut, responses=_CSV)
    def audit(
        account: reads_audit,  # type: ignore[valid-type]
        action: Text = "",
        actor: Text = "",
        since: Time = "",
        until: Time = "",
        limit: Limit = 100,
        offset: Offset = 0,
        format: Format = "json",
    ) -> Any:
        """List who did what, newest first; `action` is the beginning of one, such as `document.`."""
        rows, total = service.audit(account, action, actor, since, until, limit, offset)
        return _csv("audit", rows) if format == "csv" else AuditOut(items=_all(AuditEntryOut, rows), total=total)

    @router.get("/audit/verify")
    def verify(account: reads_audit) -> AuditVerdictOut:  # type: ignore[valid-type]
        """Check the whole chain of audit entries."""
        found = service.verify()
        return AuditVerdictOut(ok=found.ok, entries=found.entries, head=found.head.mac, broken=found.broken, fault=found.fault)

    @router.get("/pii", response_model=PiiOut, responses=_CSV)
    def pii(account: reads_audit, since: Time = "", until: Time = "", format: Format = "json") -> Any:  # type: ignore[valid-type]
        """Count personal data masked in questions and answers by day and kind; never the text."""
        rows = service.pii(account, since, until)
        return _csv("pii", rows) if format == "csv" else PiiOut(items=_all(PiiRowOut, rows), total=len(rows))

    return router


_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


def _all(model: type[Model], rows: Sequence[Any]) -> list[Model]:
    names = model.model_fields
    return [model.model_validate({name: value for name, value in asdict(row).items() if name in names}) for row in rows]


def _csv(name: str, rows: Sequence[Any]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}
    return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)
