"""What people and administrators do to documents over HTTP: upload, look, fetch the original, index again, delete."""

import hashlib
import logging
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from llmflow.accounts.permissions import Permission
from llmflow.errors import NotFound, PermissionDenied, StoreUnavailable
from llmflow.ingestion.prepare import PreparationSettings, with_version
from llmflow.ingestion.releasing import as_released
from llmflow.ingestion.sources import document_id as id_of
from llmflow.ports import AuditLog, Job, JobQueue, JobStatus, JobStore, LeftOut, Plan, SourceFile, Stores
from llmflow.serving.corpus.ingesting import remove_document
from llmflow.serving.corpus.uploads import Received, check_content, too_large
from llmflow.serving.locks import ingestion_lock
from llmflow.serving.operating.settings import UploadSettings
from llmflow.serving.web.http_errors import HttpProblem
from llmflow.types import EVERYONE, OWN_SPACE, Account, Document, DocumentStatus
from llmflow.wording import said

log = logging.getLogger(__name__)

UPLOADS = "uploads"
SHARED = "shared"
DELETE_WAIT_S = 2.0
ALREADY = "It is there already; nothing has to be done."
Permissions = frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Uploaded:
    document: Document
    job: Job


@dataclass(frozen=True, slots=True)
class Deleted:
    """`job` carries the removal out as soon as an ingestion that runs has ended; None: it is carried out already."""

    document: Document
    job: Job | None


class DocumentService:
    """Documents of a tenant as an account may see and change them. Safe to share between threads."""

    def __init__(
        self,
        stores: Stores,
        jobs: JobStore,
        queue: JobQueue,
        audit: AuditLog,
        groups_of: Callable[[str], Collection[str]],
        forget: Callable[[str], None],
        settings: UploadSettings,
        preparation: PreparationSettings,
    ):
        """`groups_of` returns the groups of a tenant, for uploads that others may read; `forget` takes a deleted document out
        of what is kept beside the stores, such as answers that quote it.
        """
        self._stores, self._jobs, self._queue, self._audit = stores, jobs, queue, audit
        self._groups_of, self._forget, self.settings, self._preparation = groups_of, forget, settings, preparation
        self._registering = threading.Lock()

    def upload(self, account: Account, received: Received, permissions: Permissions, reason: str = "") -> Uploaded:
        """Keep a file and the job that ingests it. The same content in the same place is one document.

        Raises HttpProblem for what is refused, and PermissionDenied for readers that the account may not choose.
        """
        if received.size > self.settings.max_bytes:
            raise too_large(self.settings.max_bytes)
        groups = self._readers(account, received.groups, permissions)
        own = groups == (account.own_space,)
        source = f"{UPLOADS}/{account.id if own else SHARED}/{received.name}"
        with tempfile.TemporaryDirectory(prefix="llmflow-") as folder:
            path = Path(folder) / "upload"
            with path.open("wb") as kept:
                shutil.copyfileobj(received.file, kept, 1 << 20)
            check_content(path, received.name, self._preparation.parser)
            sent = self._source_file(account, source, groups, path)
            (file,) = as_released([sent], self._stores.state, self._preparation)
            return self._keep(account, file, received.name, path, own, reason)

    def listing(
        self, account: Account, permissions: Permissions, space: str, status: str = "", search: str = ""
    ) -> list[Document]:
        """Return documents of a space by source: `own`, `shared` (readable, not own), `all` (the tenant's; corpus.read)."""
        chosen = DocumentStatus(status) if status else None
        if space == "all":
            _demand(Permission.CORPUS_READ, permissions)
            found = [d for d in self._stores.state.documents(status=chosen) if d.tenant == account.tenant]
        else:
            readable = self._stores.state.documents(account.principal(), chosen)
            found = [d for d in readable if (account.own_space in d.groups) == (space == "own")]
        wanted = search.casefold()
        shown = [self.shown(document, account) for document in found]
        return [d for d in shown if not wanted or wanted in d.source.casefold() or wanted in d.title.casefold()]

    def document(self, account: Account, permissions: Permissions, document_id: str) -> Document:
        """Return a document that the account may know of. Raises NotFound for every other id."""
        found = self._stores.state.document(document_id)
        if found is None or found.tenant != account.tenant:
            raise _no_document()
        if not account.principal().may_read(found.tenant, found.groups) and Permission.CORPUS_READ not in permissions:
            raise _no_document()
        return self.shown(found, account)

    @staticmethod
    def shown(document: Document, account: Account) -> Document:
        """Return the document as the account may see it: a title comes from the text, so only readers see it."""
        if account.principal().may_read(document.tenant, document.groups):
            return document
        return replace(document, title=Path(document.source).name)

    def speaking(self, account: Account, document_id: str) -> tuple[LeftOut, ...]:
        """Return what of a document's passages speaks to a model, or may, in order; for readers only. Raises NotFound."""
        found = self._stores.state.document(document_id)
        if found is None or not account.principal().may_read(found.tenant, found.groups):
            raise _no_document()
        return self._stores.state.left_out(document_id)

    def original(self, account: Account, document_id: str) -> tuple[Document, bytes]:
        """Return a document and its original, for readers only. Raises NotFound."""
        found = self._stores.state.document(document_id)
        if found is None or not account.principal().may_read(found.tenant, found.groups):
            raise _no_document()
        content = self._stores.raw.get(document_id)
        if content is None:
            raise NotFound(said("document.original_missing"))
        return found, content

    def delete(self, account: Account, permissions: Permissions, document_id: str, reason: str = "") -> Deleted:
        """Delete a document: nobody finds it from now on. It leaves every store at once, or by a job while another writes."""
        document = self._changeable(account, permissions, document_id)
        self._stores.state.delete([document_id])
        self._forget(document_id)
        try:
            with ingestion_lock(DELETE_WAIT_S):
                remove_document(self._stores, document_id)
            job = None
        except StoreUnavailable as exc:
            log.warning("The removal of %s is left to a job: %s", document_id, exc)
            job = self._add("delete", account, document)
        own = account.own_space in document.groups
        self._audit.append(account.tenant, account.id, "document.delete", document_id, {"own": own, **_why(reason)})
        return Deleted(document, job)

    def reindex(self, account: Account, permissions: Permissions, document_id: str, reason: str = "") -> Uploaded:
        """Have the original prepared and written into every store once more; what is served stays served meanwhile."""
        document = self._changeable(account, permissions, document_id)
        again = self.read_again(account, document)
        self._audit.append(account.tenant, account.id, "document.reindex", document_id, _why(reason))
        return again

    def read_again(self, account: Account, document: Document) -> Uploaded:
        """Have a job prepare a document that the account may change once more."""
        return Uploaded(document, self._open_job(account, document.id, "reindex") or self._add("reindex", account, document))

    def jobs(
        self, account: Account, permissions: Permissions, everyone: bool, status: JobStatus | None, limit: int, offset: int
    ) -> tuple[list[Job], int]:
        """Return the account's jobs, newest first, or with corpus.read the tenant's."""
        if everyone:
            _demand(Permission.CORPUS_READ, permissions)
        return self._jobs.jobs(account.tenant, "" if everyone else account.id, status, limit, offset)

    def job(self, account: Account, permissions: Permissions, job_id: str) -> Job:
        found = self._jobs.job(job_id)
        mine = found is not None and found.tenant == account.tenant
        if found is None or not mine or (found.account_id != account.id and Permission.CORPUS_READ not in permissions):
            raise NotFound(said("job.none"))
        return found

    def _readers(self, account: Account, asked: tuple[str, ...] | None, permissions: Permissions) -> tuple[str, ...]:
        if not asked or asked == (account.own_space,):
            return (account.own_space,)
        _demand(Permission.CORPUS_MANAGE, permissions)
        known = {EVERYONE, *self._groups_of(account.tenant)}
        wrong = sorted({group for group in asked if group.startswith(OWN_SPACE) or group not in known})
        if wrong:
            allowed = said("upload.groups", groups=", ".join(sorted(known)))
            raise HttpProblem(
                422, said("upload.no_group", groups=", ".join(map(repr, wrong))), allowed, said("upload.choose_group")
            )
        return tuple(sorted(set(asked)))

    def _source_file(self, account: Account, source: str, groups: tuple[str, ...], path: Path) -> SourceFile:
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
                size += len(block)
        file = SourceFile(
            document_id=id_of(account.tenant, source),
            tenant=account.tenant,
            groups=groups,
            source=source,
            path=str(path),
            content_hash=digest.hexdigest(),
            size=size,
            version="",
            fingerprint="",
        )
        return with_version(file, self._preparation)

    def _keep(self, account: Account, file: SourceFile, name: str, path: Path, own: bool, reason: str) -> Uploaded:
        with self._registering:  # two uploads of one account must not both fit into the last place
            if own:
                mine = [d for d in self._stores.state.documents(account.principal()) if account.own_space in d.groups]
                same = next((d for d in mine if d.version == file.version and d.id != file.document_id), None)
                if same is not None:
                    return self.nothing_to_do(account, same)
                self._check_room(mine, file)
            plan = self._stores.state.register([file], retry_failed=True)[file.document_id]
        document = self._stores.state.document(file.document_id)
        if document is None:  # deleted in the same moment
            raise _no_document()
        if plan is Plan.UNCHANGED:
            return self.nothing_to_do(account, document)
        self._stores.raw.put(file.document_id, file.tenant, name, path)
        waiting = self._open_job(account, file.document_id, "ingest", file.version)
        job = waiting or self._add("ingest", account, document, file.version)
        details = {"bytes": file.size, "groups": [] if own else list(file.groups), **_why(reason)}
        self._audit.append(account.tenant, account.id, "document.upload", document.id, details)
        return Uploaded(document, job)

    def _check_room(self, mine: Iterable[Document], file: SourceFile) -> None:
        others = [document for document in mine if document.id != file.document_id]
        settings = self.settings
        used = sum(document.size for document in others)
        if len(others) >= settings.max_documents:
            error = said("upload.space_full", count=f"{len(others):,}")
            raise HttpProblem(
                422, error, said("upload.most_documents", most=f"{settings.max_documents:,}"), said("upload.delete_some")
            )
        if used + file.size > settings.max_account_bytes:
            error = said("upload.space_bytes", size=f"{(used + file.size) / 1024**2:,.0f}")
            allowed = said("upload.most_bytes", most=f"{settings.max_account_bytes / 1024**2:,.0f}")
            raise HttpProblem(422, error, allowed, said("upload.delete_some"))

    def _changeable(self, account: Account, permissions: Permissions, document_id: str) -> Document:
        """Return a document that the account may change: its own, or with corpus.manage any of the tenant."""
        document = self.document(account, permissions, document_id)
        if account.own_space in document.groups:
            _demand(Permission.UPLOAD, permissions)
        else:
            _demand(Permission.CORPUS_MANAGE, permissions)
        return document

    def _add(self, kind: str, account: Account, document: Document, version: str = "") -> Job:
        payload = {"document_id": document.id, "source": document.source, "version": version}
        job = Job(uuid.uuid4().hex, kind, account.tenant, account.id, payload)
        self._jobs.add(job)
        try:
            self._queue.hurry(job.id)
        except StoreUnavailable as exc:
            log.warning("Job %s waits for the sweep: %s", job.id, exc)
        return self._jobs.job(job.id) or job

    def _open_job(self, account: Account, document_id: str, kind: str, version: str = "") -> Job | None:
        """Return the account's newest job that waits to do the same, so that asking twice is doing once."""
        waiting, _ = self._jobs.jobs(account.tenant, account.id, JobStatus.WAITING, limit=200)
        same = (job for job in waiting if job.kind == kind and job.payload.get("document_id") == document_id)
        return next((job for job in same if job.payload.get("version", "") == version), None)

    def nothing_to_do(self, account: Account, document: Document) -> Uploaded:
        """Return a document with a job that is done already."""
        payload = {"document_id": document.id, "source": document.source}
        job = Job(uuid.uuid4().hex, "ingest", account.tenant, account.id, payload, JobStatus.DONE, 1.0, ALREADY)
        self._jobs.add(job)
        return Uploaded(document, self._jobs.job(job.id) or job)


def _why(reason: str) -> dict[str, str]:
    """Return what the audit keeps of a reason that was given."""
    return {"reason": reason.strip()} if reason.strip() else {}


def _demand(permission: Permission, permissions: Permissions) -> None:
    if permission not in permissions:
        raise PermissionDenied(said("permission.missing", permission=permission))


def _no_document() -> NotFound:
    return NotFound(said("document.none"))
