"""The contract of `EventLog`: every answer is counted once, in its tenant and its time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from llmflow.adapters.sql_events import SqlEventLog
from llmflow.errors import Refused
from llmflow.ports import AnswerEvent, EventLog

Fresh = Callable[[], EventLog]
EVENT = AnswerEvent(
    at="2026-11-25T12:00:00.000000+00:00",
    tenant="acme",
    account_id="kim",
    groups=("hr", "연구"),
    session_id="s",
    message_id="m",
    model="extractive",
    settings_id="abc",
    language="ko",
    status="done",
    found=True,
    cached=False,
    ttft_ms=12.5,
    total_ms=99.25,
    prompt_tokens=10,
    completion_tokens=20,
    confidence=0.5,
    channel="websocket",
    pii={"email": 2},
    suspicious=1,
)


class EventLogContract:
    """Subclasses give `fresh`: a function that opens the same log again. Every test has an empty one."""

    @pytest.fixture
    def log(self, fresh: Fresh) -> Iterator[EventLog]:
        log = fresh()
        yield log
        log.close()
        log.close()

    def test_an_event_comes_back_as_it_was(self, log: EventLog):
        assert log.events("acme", "") == []
        log.record(EVENT)
        log.record(EVENT)
        assert log.events("acme", "2026-11-25") == [EVENT, EVENT]

    def test_a_tenant_counts_its_own(self, log: EventLog):
        log.record(EVENT)
        log.record(replace(EVENT, tenant="rival", account_id="zoe"))
        assert [event.account_id for event in log.events("rival", "")] == ["zoe"]
        assert log.events("nobody", "") == log.events("ac%", "") == []

    def test_since_counts_and_until_does_not(self, log: EventLog):
        for hour in ("14", "12", "13"):
            log.record(replace(EVENT, at=f"2026-11-25T{hour}:00:00Z", message_id=hour))
        asked = {
            ("", ""): ["12", "13", "14"],
            ("2026-11-25T13:00:00Z", ""): ["13", "14"],
            ("2026-11-25T12:00:00Z", "2026-11-25T14:00:00+00:00"): ["12", "13"],
            ("2026-11-25T22:00:00+09:00", "2026-11-25T22:00:00.000001+09:00"): ["13"],
            ("2026-11-26", ""): [],
        }
        for (since, until), expected in asked.items():
            assert [event.message_id for event in log.events("acme", since, until)] == expected, (since, until)

    def test_a_time_that_is_none_is_refused(self, log: EventLog):
        with pytest.raises(Refused, match="ISO 8601"):
            log.record(replace(EVENT, at="noon"))
        with pytest.raises(Refused, match="ISO 8601"):
            log.events("acme", "yesterday")
        assert log.events("acme", "") == []

    def test_events_of_threads_at_once_are_all_counted(self, log: EventLog, fresh: Fresh):
        other = fresh()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda place: (log, other)[place % 2].record(EVENT), range(32)))
        assert len(log.events("acme", "")) == 32
        other.close()


class TestSqlite(EventLogContract):
    @pytest.fixture
    def fresh(self, sqlite_state_url: str) -> Fresh:
        return lambda: SqlEventLog(sqlite_state_url)


@pytest.mark.services
class TestPostgresql(EventLogContract):
    @pytest.fixture
    def fresh(self, postgres_state_url: str) -> Fresh:
        return lambda: SqlEventLog(postgres_state_url)
