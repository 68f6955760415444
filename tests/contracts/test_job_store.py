"""The contract of `JobStore`: one worker at a time, and none that died keeps a job."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmflow.adapters.sql_jobs import SqlJobStore
from llmflow.errors import NameTaken, Refused
from llmflow.ports import Job, JobStatus, JobStore

Fresh = Callable[[], JobStore]


def job(key: str, tenant: str = "acme", account: str = "kim", at: str = "") -> Job:
    return Job(key, "ingest", tenant, account, {"name": "휴가.pdf", "n": 1}, created_at=at)


def ids(jobs) -> list[str]:
    return [found.id for found in jobs]


class JobStoreContract:
    """Subclasses give `fresh`: a function that opens the same store again. Every test has an empty one."""

    @pytest.fixture
    def store(self, fresh: Fresh) -> Iterator[JobStore]:
        store = fresh()
        yield store
        store.close()
        store.close()

    def test_the_life_of_a_job(self, store: JobStore):
        assert store.due() == [] and store.job("j") is None and store.jobs("acme") == ([], 0)
        store.add(job("j"))
        waiting = store.job("j")
        assert (
            waiting is not None
            and waiting.created_at
            and (waiting.status, waiting.payload["name"])
            == (
                JobStatus.WAITING,
                "휴가.pdf",
            )
        )
        claimed = store.claim("j", "w1", 60)
        assert claimed is not None and (claimed.status, claimed.attempts) == (JobStatus.RUNNING, 1)
        assert store.due() == [] and store.claim("j", "w2", 60) is None
        assert store.report("j", "w1", 0.5, "embedding", 60)
        found = store.job("j")
        assert found is not None and (found.progress, found.note) == (0.5, "embedding")
        assert store.end("j", "w1", JobStatus.DONE, "42 chunks")
        found = store.job("j")
        assert found is not None and (found.status, found.progress, found.note) == (JobStatus.DONE, 1.0, "42 chunks")
        assert store.claim("j", "w1", 60) is None and store.due() == []

    def test_a_failed_job_says_why_and_keeps_how_far_it_came(self, store: JobStore):
        store.add(job("j"))
        store.claim("j", "w", 60)
        store.report("j", "w", 0.25, "parsing", 60)
        assert store.end("j", "w", JobStatus.FAILED, "The file is encrypted.")
        found = store.job("j")
        assert found is not None and (found.status, found.progress, found.note) == (
            JobStatus.FAILED,
            0.25,
            "The file is encrypted.",
        )

    @pytest.mark.parametrize("status", [JobStatus.WAITING, JobStatus.RUNNING])
    def test_a_job_does_not_end_as_going_on(self, store: JobStore, status: JobStatus):
        store.add(job("j"))
        store.claim("j", "w", 60)
        with pytest.raises(Refused):
            store.end("j", "w", status)

    def test_a_job_whose_lease_ran_out_is_claimed_again(self, store: JobStore):
        store.add(job("j"))
        assert store.claim("j", "dead", 0) is not None
        assert ids(store.due()) == ["j"]
        again = store.claim("j", "alive", 60)
        assert again is not None and again.attempts == 2
        assert not store.report("j", "dead", 0.9, "late", 60) and not store.end("j", "dead", JobStatus.DONE)
        found = store.job("j")
        assert found is not None and (found.status, found.progress) == (JobStatus.RUNNING, 0.0)
        assert store.end("j", "alive", JobStatus.DONE)

    def test_a_report_renews_a_lease_that_nobody_took(self, store: JobStore):
        store.add(job("j"))
        store.claim("j", "w", 0)
        assert store.report("j", "w", 0.1, "late but first", 60)
        assert store.due() == [] and store.claim("j", "other", 60) is None

    def test_progress_stays_between_nothing_and_all(self, store: JobStore):
        store.add(job("j"))
        store.claim("j", "w", 60)
        for given, kept in {-1.0: 0.0, 2.0: 1.0}.items():
            store.report("j", "w", given, "", 60)
            found = store.job("j")
            assert found is not None and found.progress == kept

    def test_unknown_jobs_belong_to_nobody(self, store: JobStore):
        assert store.claim("x", "w", 60) is None
        assert not store.report("x", "w", 0.5, "", 60) and not store.end("x", "w", JobStatus.DONE)

    def test_one_id_is_one_job(self, store: JobStore):
        store.add(job("j"))
        with pytest.raises(NameTaken):
            store.add(job("j", tenant="rival"))

    def test_of_many_workers_one_gets_a_job(self, store: JobStore, fresh: Fresh):
        others = [fresh() for _ in range(4)]
        for key in "abc":
            store.add(job(key))

        def claim(place: int) -> list[str]:
            return [key for key in "abc" if others[place % 4].claim(key, f"w{place}", 60)]

        with ThreadPoolExecutor(8) as pool:
            assert sorted(key for claimed in pool.map(claim, range(8)) for key in claimed) == ["a", "b", "c"]
        assert [found.attempts for found in store.jobs("acme")[0]] == [1, 1, 1]
        for other in others:
            other.close()

    def test_due_is_oldest_first_and_lists_are_newest_first(self, store: JobStore):
        for place, key in enumerate("cab"):
            store.add(job(key, at=f"2026-11-25T0{place}:00:00Z"))
        store.add(job("lee's", account="lee", at="2026-11-25T08:00:00Z"))
        store.add(job("rival's", tenant="rival", at="2026-11-25T09:00:00Z"))
        assert ids(store.due()) == ["c", "a", "b", "lee's", "rival's"] and ids(store.due(2)) == ["c", "a"]
        found, total = store.jobs("acme")
        assert (ids(found), total) == (["lee's", "b", "a", "c"], 4)
        assert ids(store.jobs("acme", "kim", limit=2, offset=1)[0]) == ["a", "c"]
        store.claim("a", "w", 60)
        assert ids(store.jobs("acme", status=JobStatus.RUNNING)[0]) == ["a"]
        assert store.jobs("acme", "kim", JobStatus.WAITING)[1] == 2
        assert store.jobs("rival", "kim")[1] == 1

    def test_jobs_of_all_tenants_are_counted_by_status(self, store: JobStore):
        assert sum(store.counts().values()) == 0
        for key, tenant in {"a": "acme", "b": "rival", "c": "acme"}.items():
            store.add(job(key, tenant=tenant))
        store.claim("a", "w", 60)
        assert {status: count for status, count in store.counts().items() if count} == {
            JobStatus.RUNNING: 1,
            JobStatus.WAITING: 2,
        }

    def test_a_restart_loses_no_job(self, store: JobStore, fresh: Fresh):
        store.add(job("j"))
        store.claim("j", "w", 60)
        store.close()
        again = fresh()
        found = again.job("j")
        assert found is not None and found.status is JobStatus.RUNNING
        assert again.end("j", "w", JobStatus.DONE)
        again.close()

    def test_an_account_that_goes_takes_its_jobs(self, store: JobStore):
        store.add(job("a"))
        store.add(job("b", account="lee"))
        store.add(job("c"))
        store.claim("c", "w", 60)
        assert store.delete_account("kim") == 2
        assert ids(store.jobs("acme")[0]) == ["b"] and not store.report("c", "w", 0.5, "", 60)


class TestSqlite(JobStoreContract):
    @pytest.fixture
    def fresh(self, sqlite_state_url: str) -> Fresh:
        return lambda: SqlJobStore(sqlite_state_url)


@pytest.mark.services
class TestPostgresql(JobStoreContract):
    @pytest.fixture
    def fresh(self, postgres_state_url: str) -> Fresh:
        return lambda: SqlJobStore(postgres_state_url)
