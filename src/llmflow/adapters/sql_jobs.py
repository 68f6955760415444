"""Background jobs under leases in the state database."""

from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from llmflow.adapters.sql_application_tables import jobs
from llmflow.adapters.sql_values import ApplicationTables, instant, now, page_of, plain, storable
from llmflow.errors import NameTaken, Refused
from llmflow.ports import Job, JobStatus
from llmflow.wording import kept, restored

ENDS = (JobStatus.DONE, JobStatus.FAILED)


class SqlJobStore(ApplicationTables):
    """JobStore on SQLite or PostgreSQL. Leases are read by the clock of whoever asks: hosts keep theirs in step."""

    def add(self, job: Job) -> None:
        at = now()
        values = {
            "id": job.id,
            "kind": job.kind,
            "tenant": storable(job.tenant),
            "account_id": job.account_id,
            "payload": plain(job.payload),
            "status": str(job.status),
            "progress": job.progress,
            "note": storable(job.note),
            "attempts": job.attempts,
            "worker": "",
            "lease_until": "",
            "created_at": instant(job.created_at) or at,
            "updated_at": instant(job.updated_at) or at,
        }
        with self._write() as connection:
            try:
                connection.execute(insert(jobs).values(**values))
            except IntegrityError as exc:
                raise NameTaken(f"There is a job '{job.id}' already. Every job has an id of its own.") from exc

    def claim(self, job_id: str, worker: str, lease_s: float) -> Job | None:
        at = now()
        taken = {"status": str(JobStatus.RUNNING), "worker": worker, "lease_until": now(lease_s), "updated_at": at}
        own = jobs.c.id == storable(job_id)
        with self._write() as connection:
            claimed = update(jobs).where(own, _free(at)).values(**taken, attempts=jobs.c.attempts + 1)
            if not connection.execute(claimed).rowcount:
                return None
            return _job(connection.execute(select(jobs).where(own)).one())

    def report(self, job_id: str, worker: str, progress: float, note: str, lease_s: float) -> bool:
        reached = {"progress": min(1.0, max(0.0, progress)), "note": storable(note), "note_said": kept(note)}
        with self._write() as connection:
            renewed = update(jobs).where(_held(job_id, worker)).values(**reached, lease_until=now(lease_s), updated_at=now())
            return bool(connection.execute(renewed).rowcount)

    def end(self, job_id: str, worker: str, status: JobStatus, note: str = "") -> bool:
        if status not in ENDS:
            raise Refused(f"A job ends as done or failed, not as {status}.")
        values: dict[str, Any] = {
            "status": str(status),
            "note": storable(note),
            "note_said": kept(note),
            "lease_until": "",
            "updated_at": now(),
        }
        if status is JobStatus.DONE:
            values["progress"] = 1.0
        with self._write() as connection:
            return bool(connection.execute(update(jobs).where(_held(job_id, worker)).values(**values)).rowcount)

    def due(self, limit: int = 100) -> list[Job]:
        wanted = select(jobs).where(_free(now())).order_by(jobs.c.created_at, jobs.c.id).limit(max(0, limit))
        with self._read() as connection:
            return [_job(row) for row in connection.execute(wanted)]

    def job(self, job_id: str) -> Job | None:
        with self._read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == storable(job_id))).one_or_none()
        return _job(row) if row is not None else None

    def jobs(
        self, tenant: str, account_id: str = "", status: JobStatus | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[Job], int]:
        wanted = select(jobs).where(jobs.c.tenant == storable(tenant)).order_by(jobs.c.created_at.desc(), jobs.c.id)
        if account_id:
            wanted = wanted.where(jobs.c.account_id == storable(account_id))
        if status is not None:
            wanted = wanted.where(jobs.c.status == str(status))
        with self._read() as connection:
            rows, total = page_of(connection, wanted, limit, offset)
        return [_job(row) for row in rows], total

    def counts(self) -> dict[JobStatus, int]:
        wanted = select(jobs.c.status, func.count()).group_by(jobs.c.status)
        with self._read() as connection:
            return {JobStatus(status): count for status, count in connection.execute(wanted)}

    def delete_account(self, account_id: str) -> int:
        with self._write() as connection:
            return connection.execute(delete(jobs).where(jobs.c.account_id == storable(account_id))).rowcount


def _free(at: str) -> ColumnElement[bool]:
    dead = (jobs.c.status == str(JobStatus.RUNNING)) & (jobs.c.lease_until <= at)
    return (jobs.c.status == str(JobStatus.WAITING)) | dead


def _held(job_id: str, worker: str) -> ColumnElement[bool]:
    return (jobs.c.id == storable(job_id)) & (jobs.c.worker == worker) & (jobs.c.status == str(JobStatus.RUNNING))


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        tenant=row.tenant,
        account_id=row.account_id,
        payload=row.payload,
        status=JobStatus(row.status),
        progress=row.progress,
        note=restored(row.note, row.note_said),
        attempts=row.attempts,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
