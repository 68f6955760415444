"""Routes of documents and of the jobs that ingest them."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from llmflow.accounts.permissions import Permission
from llmflow.context import current_language
from llmflow.ingestion.withholding import is_own, speaks_to_models
from llmflow.ports import Job, JobStatus, LeftOut
from llmflow.serving.corpus.document_service import DocumentService, Uploaded
from llmflow.serving.corpus.uploads import receive
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import problems
from llmflow.types import OWN_SPACE, Account, Document, DocumentStatus
from llmflow.wording import in_language

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Search = Annotated[str, Query(max_length=200)]
Reason = Annotated[str, Query(max_length=500, description="Kept in the audit log.")]
UPLOAD_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "One document."},
                        "groups": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "Who may read it, `*` for everyone; needs corpus.manage. Without: your own space.",
                        },
                    },
                }
            }
        },
    }
}


class DocumentOut(BaseModel):
    """A document and what became of it; never its text."""

    id: str
    source: str
    name: str
    title: str
    format: str
    status: DocumentStatus
    reason: str
    """Why it failed and what to do; empty otherwise."""
    groups: list[str]
    space: Literal["own", "shared", "other"]
    """`other`: of the tenant, though not readable for whoever asks."""
    size: int
    pages: int | None
    chunks: int
    pii: dict[str, int]
    """Masked personal data by kind; only for readers."""
    screening: dict[str, int]
    """Passages that speak to a model: `withheld` whole, `cut` (searched without that part), `doubted`. Empty where nothing was
    found."""
    released_at: str
    """When an administrator took this content as it stands; empty where it is judged."""
    content_hash: str
    """SHA-256 of the original, by which a release names what was looked at; empty for other people's own documents."""
    updated_at: str

    @classmethod
    def of(cls, document: Document, account: Account) -> "DocumentOut":
        readable = account.principal().may_read(document.tenant, document.groups)
        own = account.own_space in document.groups
        return cls(
            id=document.id,
            source=document.source,
            name=document.source.rsplit("/", 1)[-1],
            title=document.title,
            format=document.format,
            status=document.status,
            reason=in_language(document.reason, current_language()),
            groups=["own space" if group.startswith(OWN_SPACE) else group for group in document.groups],
            space="own" if own else "shared" if readable else "other",
            size=document.size,
            pages=document.pages,
            chunks=document.chunks,
            pii=dict(document.pii) if readable else {},
            screening=dict(document.screening),
            released_at=document.released_at,
            content_hash=document.content_hash if readable or not is_own(document.groups) else "",
            updated_at=document.updated_at,
        )


class JobOut(BaseModel):
    """Work that goes on after the request."""

    id: str
    kind: str
    document_id: str
    source: str
    status: JobStatus
    progress: float
    note: str
    """The step it is at, or why it failed and what to do."""
    attempts: int
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        return cls(
            id=job.id,
            kind=job.kind,
            document_id=str(job.payload.get("document_id", "")),
            source=str(job.payload.get("source", "")),
            status=job.status,
            progress=job.progress,
            note=in_language(job.note, current_language()),
            attempts=job.attempts,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class UploadedOut(BaseModel):
    document: DocumentOut
    job: JobOut

    @classmethod
    def of(cls, done: Uploaded, account: Account) -> "UploadedOut":
        return cls(document=DocumentOut.of(done.document, account), job=JobOut.of(done.job))


class DeletedOut(BaseModel):
    deleted: str
    job: JobOut | None
    """Set where another ingestion runs: the document is gone from answers, and leaves the stores when that has ended."""


class DocumentsOut(BaseModel):
    items: list[DocumentOut]
    total: int


class SpeakingPassageOut(BaseModel):
    """A passage in which something speaks to a model, or may."""

    ordinal: int
    """Its place in the document, from 0."""
    heading: str
    page: int | None
    found: str
    """`withheld`: all of it is left out; `cut`: these sentences are; `doubted`: it is searched, these are not answered from."""
    reasons: list[str]
    excerpt: str
    """What speaks: masked, shortened."""

    @classmethod
    def of(cls, part: LeftOut) -> "SpeakingPassageOut":
        return cls(
            ordinal=part.ordinal,
            heading=" > ".join(part.heading_path),
            page=part.page,
            found=part.what,
            reasons=list(part.reasons),
            excerpt=part.text,
        )


class SpeakingOut(BaseModel):
    items: list[SpeakingPassageOut]
    total: int


class JobsOut(BaseModel):
    items: list[JobOut]
    total: int


def make_router(service: DocumentService, guard: Guard) -> APIRouter:
    """Return the routes under /api/documents and /api/jobs."""
    router = APIRouter(tags=["documents"])
    chats = Annotated[Account, Depends(guard.require(Permission.CHAT))]
    uploads = Annotated[Account, Depends(guard.require(Permission.UPLOAD))]

    @router.get("/api/documents", responses=problems(401, 403))
    def listing(
        account: chats,  # type: ignore[valid-type]
        space: Literal["own", "shared", "all"] = "own",
        status: DocumentStatus | None = None,
        search: Search = "",
        instructions: bool = False,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> DocumentsOut:
        """List documents by source: your own, those shared with you, or with corpus.read all of the tenant.

        With `instructions` only those in which passages speak to a model, or may, those that failed for it, and released ones.
        """
        found = service.listing(account, guard.permissions(account), space, status or "", search)
        if instructions:
            found = [d for d in found if d.screening or d.released_at or speaks_to_models(d.reason)]
        page = found[offset : offset + limit]
        return DocumentsOut(items=[DocumentOut.of(document, account) for document in page], total=len(found))

    @router.post("/api/documents", status_code=202, responses=problems(401, 403, 413, 422), openapi_extra=UPLOAD_FORM)
    async def upload(request: Request, account: uploads, reason: Reason = "") -> UploadedOut:  # type: ignore[valid-type]
        """Take a document; the job tells when it can be searched. The same content again is the same document."""
        received = await receive(request, service.settings.max_bytes, service.settings.max_name_chars)
        try:
            done = await run_in_threadpool(service.upload, account, received, guard.permissions(account), reason)
        finally:
            received.file.close()
        return UploadedOut.of(done, account)

    @router.get("/api/documents/{document_id}", responses=problems(401, 404))
    def document(document_id: str, account: chats) -> DocumentOut:  # type: ignore[valid-type]
        """Return one document with its status."""
        return DocumentOut.of(service.document(account, guard.permissions(account), document_id), account)

    @router.get("/api/documents/{document_id}/file", responses=_FILE, response_class=Response)
    def original(document_id: str, account: chats) -> Response:  # type: ignore[valid-type]
        """Return the original as it was given, to be saved and never shown; for readers only."""
        found, content = service.original(account, document_id)
        return Response(content, media_type="application/octet-stream", headers=_attachment(found.source.rsplit("/", 1)[-1]))

    @router.get("/api/documents/{document_id}/instructions", responses=problems(401, 404))
    def instructions(document_id: str, account: chats, limit: Limit = 50, offset: Offset = 0) -> SpeakingOut:  # type: ignore[valid-type]
        """List the passages of a document that speak to a model, or may, with reasons; for readers only."""
        found = service.speaking(account, document_id)
        items = [SpeakingPassageOut.of(part) for part in found[offset : offset + limit]]
        return SpeakingOut(items=items, total=len(found))

    @router.delete("/api/documents/{document_id}", responses=problems(401, 403, 404))
    def delete(document_id: str, account: chats, reason: Reason = "") -> DeletedOut:  # type: ignore[valid-type]
        """Delete a document from every store: your own, or with corpus.manage any of the tenant."""
        done = service.delete(account, guard.permissions(account), document_id, reason)
        return DeletedOut(deleted=done.document.id, job=JobOut.of(done.job) if done.job else None)

    @router.post("/api/documents/{document_id}/reindex", status_code=202, responses=problems(401, 403, 404))
    def reindex(document_id: str, account: chats, reason: Reason = "") -> UploadedOut:  # type: ignore[valid-type]
        """Read the original once more and write it into every store; also what to do with one that failed."""
        return UploadedOut.of(service.reindex(account, guard.permissions(account), document_id, reason), account)

    @router.get("/api/jobs", responses=problems(401, 403))
    def jobs(
        account: chats,  # type: ignore[valid-type]
        everyone: bool = False,
        status: JobStatus | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> JobsOut:
        """List your jobs, newest first; with `everyone` and corpus.read those of the tenant."""
        found, total = service.jobs(account, guard.permissions(account), everyone, status, limit, offset)
        return JobsOut(items=[JobOut.of(job) for job in found], total=total)

    @router.get("/api/jobs/{job_id}", responses=problems(401, 404))
    def job(job_id: str, account: chats) -> JobOut:  # type: ignore[valid-type]
        """Return one job with its progress."""
        return JobOut.of(service.job(account, guard.permissions(account), job_id))

    return router


_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    **problems(401, 404),
}


def _attachment(name: str) -> dict[str, str]:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
