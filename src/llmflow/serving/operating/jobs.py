"""Background work: jobs are taken from the state database under a lease, done, and finished by another when a worker dies.

The queue only says that there is something to look at. What it loses the sweep finds, so a job is done at least once; that is
enough, since ingestion does nothing twice.
"""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from llmflow.errors import LlmflowError, ModelUnavailable, StoreUnavailable
from llmflow.ingestion.prepare import warm_up
from llmflow.ingestion.run import IngestionSettings
from llmflow.ingestion.workers import WarmWorkers
from llmflow.ports import Consumer, Job, JobQueue, JobStatus, JobStore, Stores
from llmflow.serving.corpus.ingesting import ingest_original, remove_document
from llmflow.serving.locks import ingestion_lock
from llmflow.serving.operating.settings import JobSettings
from llmflow.types import Document, DocumentStatus
from llmflow.wording import said

log = logging.getLogger(__name__)

LOCK_TRY_S = 2.0
STAGES = {"prepare": (0.05, 0.6), "index": (0.6, 0.95), "re-embed": (0.6, 0.95)}
"""Where a stage begins and ends in the progress of its job."""
NOTES = {"prepare": "Reading the document", "index": "Writing into the stores", "re-embed": "Embedding the corpus anew"}

Report = Callable[[float, str], None]
"""Called with (progress 0 to 1, note)."""
Handler = Callable[[Job, Report], tuple[JobStatus, str]]


class JobLost(Exception):
    """Another worker has the job by now."""


class JobRunner:
    """Does jobs. `handlers` by kind return how a job ended and the note for a person."""

    def __init__(
        self,
        jobs: JobStore,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        settings: JobSettings,
        alive: Callable[[], None] = lambda: None,
    ):
        """`alive` is called with every sweep and every renewed lease, to show from outside that work goes on."""
        self._jobs, self._queue, self._handlers, self._settings = jobs, queue, handlers, settings
        self._abandoned, self._alive = threading.Event(), alive
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"

    def look(self, job_id: str) -> None:
        """Do the job if it waits or its worker died; nothing happens otherwise."""
        job = self._jobs.claim(job_id, self.worker, self._settings.lease_s)
        if job is None:
            return
        if job.attempts > self._settings.max_attempts:
            note = said("job.died", attempts=job.attempts - 1, note=job.note)
            self._end(job, JobStatus.FAILED, note)
            return
        handler = self._handlers.get(job.kind)
        if handler is None:
            self._end(job, JobStatus.FAILED, f"This version does not know jobs of kind '{job.kind}'.")
            return
        try:
            with self._reporting(job) as report:
                status, note = handler(job, report)
            self._end(job, status, note)
        except JobLost:
            log.warning("Job %s is another worker's by now.", job.id)
        except (StoreUnavailable, ModelUnavailable) as exc:
            self._try_later(job, str(exc))
        except LlmflowError as exc:
            self._end(job, JobStatus.FAILED, str(exc))
        except Exception as exc:
            log.exception("Job %s failed", job.id)
            self._end(job, JobStatus.FAILED, f"It failed unexpectedly ({type(exc).__name__}). Tell your administrator.")

    def due(self) -> list[Job]:
        return self._jobs.due()

    def sweep(self) -> None:
        """Put every job into the queue that is due and not there: new ones that were lost, and those of dead workers."""
        self._alive()
        try:
            known = set(self._queue.waiting())
            for job in self._jobs.due():
                if job.id not in known:
                    self._queue.hurry(job.id)
        except StoreUnavailable as exc:
            log.warning("The sweep found nothing out: %s", exc)

    def abandon(self) -> None:
        """Leave what is being done to the next worker: this process ends, and with it what its threads need."""
        self._abandoned.set()

    def _end(self, job: Job, status: JobStatus, note: str) -> None:
        if not self._abandoned.is_set():  # what failed now failed because the process ends
            self._jobs.end(job.id, self.worker, status, note)

    def _try_later(self, job: Job, reason: str) -> None:
        """Leave the job to whoever comes when the wait is over."""
        if job.attempts >= self._settings.max_attempts:
            self._end(job, JobStatus.FAILED, said("job.given_up", attempts=job.attempts, reason=reason))
            return
        wait = self._settings.retry_s * 2 ** (job.attempts - 1)
        log.warning("Job %s is tried again in %.0f s: %s", job.id, wait, reason)
        self._jobs.report(job.id, self.worker, job.progress, f"Tried again in {wait:.0f} s: {reason}", wait)

    @contextmanager
    def _reporting(self, job: Job) -> Iterator[Report]:
        """Renew the lease while the block runs; what it reports is kept, and JobLost is raised in it when the job is gone."""
        ended, lost = threading.Event(), threading.Event()
        reached = [job.progress, job.note]
        lease = self._settings.lease_s

        def renew() -> None:
            self._alive()
            if not self._jobs.report(job.id, self.worker, float(reached[0]), str(reached[1]), lease):
                lost.set()

        def beat() -> None:
            while not ended.wait(lease / 3):
                try:
                    renew()
                except StoreUnavailable as exc:
                    log.warning("The lease of job %s was not renewed: %s", job.id, exc)

        def report(progress: float, note: str) -> None:
            reached[:] = [progress, note]
            renew()
            if lost.is_set():
                raise JobLost

        thread = threading.Thread(target=beat, name=f"lease-{job.id}", daemon=True)
        thread.start()
        try:
            yield report
        finally:
            ended.set()
            thread.join()


def document_handlers(stores: Stores, ingestion: IngestionSettings, warm: WarmWorkers | None = None) -> dict[str, Handler]:
    """Return what does the jobs of documents; each takes the writer's lock of the workspace."""

    def ingest(job: Job, report: Report, again: bool = False) -> tuple[JobStatus, str]:
        again = again or job.attempts > 1  # what an attempt left as failed may have failed because its process ended
        with _writing(report):
            document = ingest_original(stores, ingestion, str(job.payload["document_id"]), _in_steps(report), warm, again)
        if document is None:
            return JobStatus.DONE, "The document was deleted meanwhile."
        if document.status is DocumentStatus.FAILED:
            return JobStatus.FAILED, document.reason
        return JobStatus.DONE, _searchable(document)

    def reindex(job: Job, report: Report) -> tuple[JobStatus, str]:
        return ingest(job, report, again=True)

    def delete(job: Job, report: Report) -> tuple[JobStatus, str]:
        with _writing(report):
            remove_document(stores, str(job.payload["document_id"]))
        return JobStatus.DONE, "It is gone from every store."

    return {"ingest": ingest, "reindex": reindex, "delete": delete}


def _searchable(document: Document) -> str:
    count, left = document.chunks, document.screening.get("withheld", 0) + document.screening.get("cut", 0)
    return said("document.searchable_but", count=count, left=left) if left else said("document.searchable", count=count)


@contextmanager
def _writing(report: Report) -> Iterator[None]:
    """Hold the writer's lock; while another ingestion has it, the job says so and keeps its lease."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(ingestion_lock(LOCK_TRY_S))
                break
            except StoreUnavailable:
                report(0.0, "Waits for another ingestion to end")
        yield


def _in_steps(report: Report) -> Callable[[str, int, int], None]:
    def progress(stage: str, done: int, total: int) -> None:
        begin, end = STAGES.get(stage, (0.6, 0.95))
        report(begin + (end - begin) * done / max(total, 1), NOTES.get(stage, stage))

    return progress


class BackgroundWork:
    """Threads of this process that do jobs, from `start` to `stop`."""

    def __init__(
        self,
        jobs: JobStore,
        queue: JobQueue,
        stores: Stores,
        ingestion: IngestionSettings,
        settings: JobSettings,
        alive: Callable[[], None] = lambda: None,
    ):
        self._queue, self._settings, self._preparation = queue, settings, ingestion.preparation
        self._warm = WarmWorkers(settings.processes, ingestion.workers.memory_mb * 1024**2, settings.idle_s)
        self.runner = JobRunner(jobs, queue, document_handlers(stores, ingestion, self._warm), settings, alive)
        self._consumer: Consumer | None = None

    def start(self, warm: bool = False) -> None:
        """Begin; with `warm`, load now what the first file needs. Raises StoreUnavailable when the queue cannot be reached."""
        if warm:
            self._warm.begin(warm_up, self._preparation)
        if self._consumer is None:
            self._consumer = self._queue.consume(self.runner.look, self._sweep, self._settings.workers, self._settings.poll_s)

    def stop(self) -> None:
        """Take nothing more, finish what is being done within `stop_s`, end the workers. Safe twice."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None and not consumer.stop(self._settings.stop_s):
            log.warning("A job was not finished in time; the next worker takes it up.")
            self.runner.abandon()
            return  # its process ends with this one; ended now, it would look like a fault of the document
        self._warm.close()

    def do_due(self) -> int:
        """Do every job that is due now, in this thread, and return how many were looked at; the queue is not asked."""
        done: set[str] = set()
        while due := [job for job in self.runner.due() if job.id not in done]:
            for job in due:
                self.runner.look(job.id)
                done.add(job.id)
        return len(done)

    def _sweep(self) -> None:
        self.runner.sweep()
        if self._settings.workers == 1:  # with several, another one may be reading just now
            self._warm.release_idle()
