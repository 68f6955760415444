"""Routes by which an administrator takes a document as it stands, and takes that back."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from llmflow.accounts.permissions import Permission
from llmflow.serving.corpus.releases import MOST, Releases
from llmflow.serving.people.auth import Guard
from llmflow.serving.routers.documents import Reason, UploadedOut
from llmflow.serving.web.http_errors import problems
from llmflow.types import Account


class ReleaseIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=MOST, description="Kept in the audit log.")
    content_hash: str = Field(
        default="",
        max_length=64,
        description="Of the document as it was looked at; another content by now is refused. Empty: what it holds now.",
    )


def make_router(service: Releases, guard: Guard) -> APIRouter:
    """Return the routes under /api/documents/{document_id}/release."""
    router = APIRouter(tags=["documents"])
    manages = Annotated[Account, Depends(guard.require(Permission.CORPUS_MANAGE))]

    @router.post("/api/documents/{document_id}/release", status_code=202, responses=problems(401, 403, 404, 422))
    def release(document_id: str, body: ReleaseIn, account: manages) -> UploadedOut:  # type: ignore[valid-type]
        """Take a document's content as it stands though something in it speaks to a model; a changed file is judged anew."""
        done = service.release(account, guard.permissions(account), document_id, body.reason, body.content_hash)
        return UploadedOut.of(done, account)

    @router.delete("/api/documents/{document_id}/release", status_code=202, responses=problems(401, 403, 404))
    def withdraw(document_id: str, account: manages, reason: Reason = "") -> UploadedOut:  # type: ignore[valid-type]
        """Take a release back: questions judge the document from now on, and a job prepares it without what is found."""
        return UploadedOut.of(service.withdraw(account, guard.permissions(account), document_id, reason), account)

    return router
