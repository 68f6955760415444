"""An administrator takes a document as it stands, though something in it speaks to a model, and takes that back.

What is released is a content, not a name: a changed file is judged anew. Its passages are served whole, and are data like those
of any other document (`llmflow.answering.untrusted`). What lies in somebody's own space is never released: anybody may have put
it there, and nobody else can look at it.
"""

import hashlib
from pathlib import Path

from llmflow.accounts.permissions import Permission
from llmflow.errors import NotFound, PermissionDenied, Refused
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.ingestion.withholding import is_own, speaks_to_models
from llmflow.ports import AuditLog, Stores
from llmflow.serving.corpus.document_service import DocumentService, Permissions, Uploaded
from llmflow.serving.corpus.ingesting import original_as_source, wanted_source
from llmflow.types import TRUSTED, Account, Document, DocumentStatus
from llmflow.wording import said

MOST = 500
"""Characters of a reason that the audit log keeps."""


class Releases:
    """Releases of a tenant's documents. Safe to share between threads."""

    def __init__(self, stores: Stores, documents: DocumentService, audit: AuditLog, preparation: PreparationSettings):
        self._stores, self._documents, self._audit, self._preparation = stores, documents, audit, preparation

    def release(self, account: Account, permissions: Permissions, document_id: str, reason: str, seen: str = "") -> Uploaded:
        """Release what a document holds now and have it prepared again, whole. Twice is once.

        `seen` is the hash of the content that was looked at, where the caller knows it. Raises NotFound, PermissionDenied, and
        Refused for a document that is somebody's own, of which nothing was left out, or that is another by now.
        """
        document = self._manageable(account, permissions, document_id)
        details = {"reason": given(reason)}
        content_hash = releasable(self._stores, document, seen)
        if not document.released_at:
            self._audit.append(account.tenant, account.id, "document.release", document_id, details)  # before it is done
            self._stores.state.release(document_id, content_hash)
        return self._read_again(account, document)

    def withdraw(self, account: Account, permissions: Permissions, document_id: str, reason: str = "") -> Uploaded:
        """Take a release back: from now on the document's passages are judged, and a job prepares them without what is found."""
        document = self._manageable(account, permissions, document_id)
        if self._stores.state.released([document_id]):
            details = {"reason": reason.strip()[:MOST]} if reason.strip() else {}
            self._audit.append(account.tenant, account.id, "document.withdraw_release", document_id, details)
            withdraw_release(self._stores, document, self._preparation)
        elif document.status == DocumentStatus.FAILED:
            return self._documents.nothing_to_do(account, document)
        return self._read_again(account, document)

    def _manageable(self, account: Account, permissions: Permissions, document_id: str) -> Document:
        if Permission.CORPUS_MANAGE not in permissions:
            raise PermissionDenied(said("permission.missing", permission=Permission.CORPUS_MANAGE))
        return self._documents.document(account, permissions, document_id)

    def _read_again(self, account: Account, document: Document) -> Uploaded:
        """Have a job prepare the document, unless what it would make is served already: one asked before may have been lost."""
        document = self._stores.state.document(document.id) or document
        content = self._stores.raw.get(document.id)
        if content is not None and document.status == DocumentStatus.READY:
            wanted = wanted_source(self._stores, document, content, Path(), self._preparation)
            if wanted.version == document.version:
                return self._documents.nothing_to_do(account, document)
        return self._documents.read_again(account, document)


def given(reason: str) -> str:
    """Return a reason without white space around it, as long as it is kept. Raises Refused for an empty one."""
    if not reason.strip():
        raise Refused(said("reason.missing"))
    return reason.strip()[:MOST]


def releasable(stores: Stores, document: Document, seen: str = "") -> str:
    """Return the hash of what a document holds now, where that may be released or is. Raises as `Releases.release` does."""
    if is_own(document.groups):
        raise Refused(said("release.own"))
    if document.status not in (DocumentStatus.READY, DocumentStatus.FAILED):
        raise Refused(said("release.being_read"))
    content = stores.raw.get(document.id)
    if content is None:
        raise NotFound(said("document.original_missing"))
    found = hashlib.sha256(content).hexdigest()
    if found != (seen or found) or found != (document.content_hash or found):
        raise Refused(said("release.changed"))
    if not document.released_at and not document.screening and not speaks_to_models(document.reason):
        raise Refused(said("release.nothing"))
    return found


def withdraw_release(stores: Stores, document: Document, preparation: PreparationSettings) -> None:
    """Forget a document's release; answers that rest on it are not given again."""
    file = original_as_source(document, b"", Path(), preparation)
    by_settings = preparation.screening.judge_for(file) == TRUSTED
    stores.state.withdraw_release(document.id, judge_again=not by_settings)
    if stores.application is not None:
        stores.application.forget_answers(document.id)
