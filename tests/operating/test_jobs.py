"""Jobs: done once by one worker, finished by another when it dies, tried again, given up; and what the queue carries."""

import json
import pickle
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from llmflow.adapters import sql_application_tables as tables
from llmflow.adapters.huey_queue import HueyQueue, JobSerializer
from llmflow.adapters.sql_jobs import SqlJobStore
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.errors import DocumentError, StoreUnavailable
from llmflow.ports import Job, JobStatus
from llmflow.serving.operating.jobs import Handler, JobRunner
from llmflow.serving.operating.settings import JobSettings

PATIENCE_S = 120.0


@pytest.fixture
def jobs(tmp_path: Path) -> SqlJobStore:
    return SqlJobStore(StateDatabase(f"sqlite:///{tmp_path / 'state.db'}"))


@dataclass
class Seen:
    """A handler that remembers what it was given and does what the test wants."""

    act: Callable[[Job], None] = lambda job: None
    jobs: list[str] = field(default_factory=list)

    def __call__(self, job: Job, report) -> tuple[JobStatus, str]:
        self.jobs.append(job.id)
        report(0.5, "half way")
        self.act(job)
        return JobStatus.DONE, "well done"


def add(jobs: SqlJobStore, kind: str = "ingest", **payload) -> Job:
    job = Job(uuid.uuid4().hex, kind, "acme", "a1", payload)
    jobs.add(job)
    return job


def runner(jobs: SqlJobStore, queue: HueyQueue, handler: Handler, **settings) -> JobRunner:
    return JobRunner(jobs, queue, {"ingest": handler}, JobSettings(**{"lease_s": 30, **settings}))


@pytest.fixture
def queue(tmp_path: Path):
    queue = HueyQueue(path=tmp_path / "jobs.db")
    yield queue
    queue.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_job_is_done_once_whoever_looks(jobs, queue):
    seen = Seen()
    job = add(jobs)
    for worker in (runner(jobs, queue, seen), runner(jobs, queue, seen)):
        worker.look(job.id)
    done = jobs.job(job.id)
    assert seen.jobs == [job.id] and done is not None
    assert (done.status, done.progress, done.note, done.attempts) == (JobStatus.DONE, 1.0, "well done", 1)


def test_an_unknown_id_is_nothing_to_do(jobs, queue):
    runner(jobs, queue, Seen()).look("nowhere")


def test_a_job_whose_worker_died_is_finished_by_another(jobs, queue):
    """The first worker takes the job and says nothing any more, as after kill -9."""
    job = add(jobs)
    assert jobs.claim(job.id, "dead", 0.05) is not None
    seen = Seen()
    other = runner(jobs, queue, seen)
    wait_for(lambda: [j.id for j in jobs.due()] == [job.id])
    other.sweep()
    assert queue.waiting() == [job.id]
    other.look(job.id)
    ended = jobs.job(job.id)
    assert ended is not None and ended.status is JobStatus.DONE and ended.attempts == 2 and seen.jobs == [job.id]
    assert not jobs.end(job.id, "dead", JobStatus.FAILED)


def test_work_renews_its_lease_so_that_nobody_takes_it(jobs, queue):
    job, beside = add(jobs), Seen()

    def lease() -> tuple[str, str]:
        """Return when the lease was taken or renewed, and when it runs out."""
        with jobs._database.reading() as connection:
            table = tables.jobs
            return connection.execute(select(table.c.updated_at, table.c.lease_until).where(table.c.id == job.id)).one()._tuple()

    def long(_: Job) -> None:
        _, until = lease()
        wait_for(lambda: lease()[1] > until)
        assert lease()[0] < until and jobs.due() == []
        runner(jobs, queue, beside).look(job.id)

    runner(jobs, queue, Seen(long), lease_s=3).look(job.id)
    ended = jobs.job(job.id)
    assert beside.jobs == [] and ended is not None and ended.status is JobStatus.DONE


def test_a_worker_that_lost_its_job_stops(jobs, queue):
    job, after = add(jobs), []

    def handler(job: Job, report) -> tuple[JobStatus, str]:
        report(0.1, "begins")
        assert jobs.report(job.id, first.worker, 0.1, "", 0.0)  # the lease ran out, as on a machine that was suspended
        assert jobs.claim(job.id, "other", 60) is not None
        report(0.2, "goes on")
        after.append("went on")
        return JobStatus.DONE, ""

    first = JobRunner(jobs, queue, {"ingest": handler}, JobSettings())
    first.look(job.id)
    held = jobs.job(job.id)
    assert after == [] and held is not None and held.status is JobStatus.RUNNING


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (DocumentError("It is damaged. Save it again."), "It is damaged. Save it again."),
        (RuntimeError("with a secret inside"), "unexpectedly (RuntimeError)"),
    ],
)
def test_what_fails_says_why_without_telling_too_much(jobs, queue, error, note):
    def fail(_: Job) -> None:
        raise error

    job = add(jobs)
    runner(jobs, queue, Seen(fail)).look(job.id)
    ended = jobs.job(job.id)
    assert ended is not None and ended.status is JobStatus.FAILED and note in ended.note and "secret" not in ended.note


def test_a_store_that_is_away_is_waited_for_and_then_given_up(jobs, queue):
    def away(_: Job) -> None:
        raise StoreUnavailable("The vectors cannot be reached. Start Milvus.")

    job = add(jobs)
    worker = runner(jobs, queue, Seen(away), retry_s=0.1, max_attempts=2)
    worker.look(job.id)
    waiting = jobs.job(job.id)
    assert waiting is not None and waiting.status is JobStatus.RUNNING and "Tried again" in waiting.note
    wait_for(lambda: bool(jobs.due()))
    worker.look(job.id)
    ended = jobs.job(job.id)
    assert ended is not None and ended.status is JobStatus.FAILED and "2 attempts" in ended.note and "Milvus" in ended.note


def test_a_job_that_ends_its_workers_is_given_up(jobs, queue):
    job, seen = add(jobs), Seen()
    worker = runner(jobs, queue, seen, max_attempts=2)
    for number in range(2):
        assert jobs.claim(job.id, f"dead-{number}", 0.0) is not None
    wait_for(lambda: bool(jobs.due()))
    worker.look(job.id)
    ended = jobs.job(job.id)
    assert seen.jobs == [] and ended is not None and ended.status is JobStatus.FAILED and "Given up" in ended.note


def test_a_job_that_is_not_finished_when_the_process_stops_is_left_to_the_next(jobs, queue):
    """The stop waits a moment only; what the job meets after that is a fault of the end, not of the job."""
    begun, go_on = threading.Event(), threading.Event()

    def long(_: Job) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        raise RuntimeError("its worker process is gone")

    job = add(jobs)
    worker = runner(jobs, queue, Seen(long), lease_s=1)
    consumer = queue.consume(worker.look, worker.sweep, workers=1, poll_s=0.05)
    assert begun.wait(PATIENCE_S)
    assert not consumer.stop(0.1)
    worker.abandon()
    go_on.set()
    wait_for(lambda: [j.id for j in jobs.due()] == [job.id])
    runner(jobs, queue, Seen()).look(job.id)
    ended = jobs.job(job.id)
    assert ended is not None and ended.status is JobStatus.DONE


def test_a_kind_that_nobody_knows_fails(jobs, queue):
    job = add(jobs, kind="export")
    runner(jobs, queue, Seen()).look(job.id)
    ended = jobs.job(job.id)
    assert ended is not None and ended.status is JobStatus.FAILED and "'export'" in ended.note


def test_the_sweep_puts_in_what_is_missing_and_nothing_twice(jobs, queue):
    first, second = add(jobs), add(jobs)
    queue.hurry(first.id)
    worker = runner(jobs, queue, Seen())
    worker.sweep()
    worker.sweep()
    assert queue.waiting() == [first.id, second.id] and queue.depth() == 2


def test_a_sweep_without_its_queue_is_told_and_nothing_more(jobs, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    broken = HueyQueue(path=tmp_path / "file" / "jobs.db")
    add(jobs)
    with pytest.raises(StoreUnavailable, match="job queue"):
        broken.hurry("j1")
    runner(jobs, broken, Seen()).sweep()
    assert "sweep" in caplog.text


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.services)])
def any_queue(request, tmp_path):
    if request.param == "redis":
        opened = HueyQueue(url=request.getfixturevalue("redis_url"))
    else:
        opened = HueyQueue(path=tmp_path / "jobs.db")
    yield opened
    opened.close()


def test_a_consumer_takes_what_comes_sweeps_at_once_and_stops(jobs, any_queue):
    seen, threads = Seen(), []
    waiting = add(jobs)
    worker = runner(jobs, any_queue, seen)

    def look(job_id: str) -> None:
        threads.append(threading.current_thread().name)
        worker.look(job_id)

    consumer = any_queue.consume(look, worker.sweep, workers=1, poll_s=0.05)
    wait_for(lambda: seen.jobs == [waiting.id])  # nobody hurried it: the sweep found it
    hurried = add(jobs)
    any_queue.hurry(hurried.id)
    wait_for(lambda: hurried.id in seen.jobs)
    assert consumer.stop(PATIENCE_S) and consumer.stop(PATIENCE_S)
    any_queue.hurry(add(jobs).id)
    assert any_queue.depth() >= 1 and threading.current_thread().name not in threads


def test_messages_are_json_and_name_a_job(queue, tmp_path):
    queue.hurry("j1")
    with sqlite3.connect(tmp_path / "jobs.db") as database:
        (data,) = database.execute("select data from task").fetchone()
    assert json.loads(bytes(data))["job"] == "j1"


class Evil:
    """What a pickle would run."""

    def __reduce__(self):
        return (print, ("unpickled",))


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Evil()),
        b'{"id": "1", "task": "look", "job": "../../etc"}',
        b'{"id": "1", "task": "look", "job": 5}',
        b'{"id": "1", "task": "look", "job": "j", "eta": "now"}',
        b'["look"]',
        b"\xff\x00",
    ],
)
def test_a_message_of_another_form_is_refused_and_never_unpickled(queue, jobs, tmp_path, data, capsys):
    with pytest.raises(ValueError):
        JobSerializer().deserialize(data)
    queue.hurry("j1")
    with sqlite3.connect(tmp_path / "jobs.db") as database:
        database.execute("insert into task (queue, data, priority) values ('llmflow', ?, 99)", (data,))
    looked: list[str] = []
    consumer = queue.consume(looked.append, lambda: None, workers=1, poll_s=0.05)
    wait_for(lambda: looked == ["j1"])
    consumer.stop(PATIENCE_S)
    assert "unpickled" not in capsys.readouterr().out
