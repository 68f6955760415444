"""The contract of `AuditLog`, and that whatever is done to its rows behind its back is found."""

import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from llmflow.accounts.audit_chain import verify
from llmflow.adapters.sql_audit import SqlAuditLog
from llmflow.errors import LlmflowError, Refused, SettingsError
from llmflow.ports import AuditLog

KEY = "a key of this test, long enough"
Fresh = Callable[[], SqlAuditLog]
TAMPERINGS = {
    "changed action": (["UPDATE audit SET action = 'document.read' WHERE number = 3"], 3),
    "changed details": (["UPDATE audit SET details = '{\"n\": 99}' WHERE number = 4"], 4),
    "details that are no JSON": (["UPDATE audit SET details = 'x' WHERE number = 4"], 4),
    "changed tenant": (["UPDATE audit SET tenant = 'rival' WHERE number = 1"], 1),
    "changed time": (["UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE number = 6"], 6),
    "changed mac": (["UPDATE audit SET mac = 'ff' WHERE number = 2"], 2),
    "removed first": (["DELETE FROM audit WHERE number = 1"], 1),
    "removed middle": (["DELETE FROM audit WHERE number = 3"], 3),
    "removed and closed up": (["DELETE FROM audit WHERE number = 3", "UPDATE audit SET number = number - 1 WHERE number > 3"], 3),
    "truncated": (["DELETE FROM audit WHERE number > 4"], 5),
    "truncated with its head": (
        [
            "UPDATE audit_head SET number = 4, mac = (SELECT mac FROM audit WHERE number = 4)",
            "DELETE FROM audit WHERE number > 4",
        ],
        4,
    ),
    "emptied": (["DELETE FROM audit"], 1),
    "exchanged": (
        [
            "UPDATE audit SET number = -1 WHERE number = 2",
            "UPDATE audit SET number = 2 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = -1",
        ],
        2,
    ),
    "inserted at the end": (
        ["INSERT INTO audit SELECT 7, at, tenant, actor, action, target, details, mac FROM audit WHERE number = 6"],
        7,
    ),
    "inserted in the middle": (
        [
            "UPDATE audit SET number = number + 100 WHERE number > 3",
            "INSERT INTO audit SELECT 4, at, tenant, actor, action, target, details, mac FROM audit WHERE number = 3",
            "UPDATE audit SET number = number - 99 WHERE number > 100",
        ],
        4,
    ),
    "forged head": (["UPDATE audit_head SET signature = 'ff'"], 6),
}


class AuditLogContract:
    """Subclasses give `fresh` and `url`, and how to take the triggers away as an administrator of the database can."""

    without_triggers: list[str]

    @pytest.fixture
    def log(self, fresh: Fresh) -> Iterator[AuditLog]:
        log = fresh()
        yield log
        log.close()
        log.close()

    @pytest.fixture
    def six(self, fresh: Fresh) -> Iterator[SqlAuditLog]:
        with closing(fresh()) as log:
            for place in range(6):
                log.append(
                    "acme", "kim", "document.delete", f"문서 {place}", {"n": place, "share": 0.1 + 0.2, "a": {"b": [None]}}
                )
            yield log

    def test_entries_come_back_newest_first_and_by_what_is_asked(self, log: AuditLog):
        assert log.entries("acme") == ([], 0) and list(log.chain()) == []
        made = [
            log.append("acme", "kim", "document.delete", "d1", {"title": "제목", "n": 1}),
            log.append("rival", "zoe", "document.delete"),
            log.append("acme", "lee", "document_x"),
            log.append("acme", "kim", "account.sign_in"),
        ]
        assert [entry.number for entry in made] == [1, 2, 3, 4]
        assert list(log.chain()) == made
        assert log.entries("acme") == ([made[3], made[2], made[0]], 3)
        assert log.entries("acme", "document.")[0] == [made[0]]
        assert log.entries("acme", "document")[0] == [made[2], made[0]]
        assert log.entries("acme", "document_")[0] == [made[2]]
        assert log.entries("acme", "%") == log.entries("acme", "Document") == ([], 0)
        assert log.entries("acme", actor="kim")[0] == [made[3], made[0]]
        assert log.entries("acme", since=made[2].at)[0] == [made[3], made[2]]
        assert log.entries("acme", until=made[2].at)[0] == [made[0]]
        assert log.entries("acme", limit=1, offset=1) == ([made[2]], 3)

    def test_writers_at_once_make_one_chain(self, log: AuditLog, fresh: Fresh):
        logs = [fresh() for _ in range(4)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda place: logs[place % 4].append("acme", "kim", "a", str(place)), range(32)))
        assert [entry.number for entry in log.chain()] == list(range(1, 33))
        verdict = verify(log.chain(), logs[0].head(), logs[0].key)
        assert verdict.ok and verdict.entries == 32
        for other in logs:
            other.close()

    def test_a_long_chain_is_read_in_parts(self, log: AuditLog, fresh: Fresh, monkeypatch):
        monkeypatch.setattr("llmflow.adapters.sql_audit.READ_AT_ONCE", 3)
        for _ in range(6):
            log.append("acme", "kim", "a")
        assert [entry.number for entry in log.chain()] == [1, 2, 3, 4, 5, 6]

    def test_what_is_no_json_is_refused_and_nothing_is_added(self, log: AuditLog):
        with pytest.raises(Refused, match="JSON"):
            log.append("acme", "kim", "a", "", {"object": object()})
        assert log.append("acme", "kim", "a", "", {"x": float("inf"), "text": "\x00"}).details == {"x": None, "text": "\ufffd"}
        assert [entry.number for entry in log.chain()] == [1]

    def test_an_untouched_chain_holds(self, six: SqlAuditLog):
        verdict = verify(six.chain(), six.head(), six.key)
        assert verdict.ok and (verdict.entries, verdict.broken, verdict.head.number) == (6, 0, 6)

    def test_the_database_refuses_to_change_entries(self, six: SqlAuditLog, url: str):
        statements = ["UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE number = 6", "DELETE FROM audit"]
        for statement in [*statements, *(["TRUNCATE audit"] if "postgresql" in url else [])]:
            with pytest.raises(DBAPIError, match="only ever added"):
                tamper(url, [statement])
        assert verify(six.chain(), six.head(), six.key).ok

    @pytest.mark.parametrize("name", TAMPERINGS)
    def test_tampering_is_found_at_its_first_entry(self, six: SqlAuditLog, url: str, name: str):
        statements, broken = TAMPERINGS[name]
        tamper(url, [*self.without_triggers, *statements])
        verdict = verify(six.chain(), six.head(), six.key)
        assert not verdict.ok and verdict.broken == broken and verdict.fault, verdict

    def test_a_rewind_of_the_whole_database_is_found_by_heads_that_were_seen(self, six: SqlAuditLog, url: str):
        seen = six.head()
        old = [
            "UPDATE audit_head SET number = 0, mac = '', signature = ''",
            "DELETE FROM audit",
        ]
        tamper(url, [*self.without_triggers, *old])
        assert verify(six.chain(), six.head(), six.key).ok  # nothing in the database tells
        verdict = verify(six.chain(), six.head(), six.key, [seen])
        assert (verdict.broken, verdict.ok) == (1, False) and "6 entries were seen before" in verdict.fault
        for place in range(7):
            six.append("acme", "kim", "written anew", str(place))
        assert verify(six.chain(), six.head(), six.key).ok
        verdict = verify(six.chain(), six.head(), six.key, [seen])
        assert verdict.broken == 6 and "written anew" in verdict.fault

    def test_another_key_does_not_fit(self, six: SqlAuditLog):
        verdict = verify(six.chain(), six.head(), b"another key, long enough")
        assert verdict.broken == 1

    @pytest.mark.parametrize("key", ["", "short"])
    def test_a_short_key_is_refused_before_anything_is_added(self, url: str, key: str):
        with closing(SqlAuditLog(url, key)) as log:
            with pytest.raises(SettingsError, match="at least 16"):
                log.append("acme", "kim", "a")
            assert list(log.chain()) == []

    def test_the_key_file_is_made_once_and_for_its_owner_alone(self, url: str, tmp_path: Path):
        path = tmp_path / "deep" / "audit.key"
        logs = [SqlAuditLog(url, path) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda log: log.key, logs))
        assert len(keys) == 1 and len(keys.pop()) == 64
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.listdir(path.parent) == ["audit.key"]

    def test_a_key_that_cannot_be_read_is_our_error(self, url: str, tmp_path: Path):
        with closing(SqlAuditLog(url, tmp_path)) as log, pytest.raises(LlmflowError, match="audit key"):
            log.append("acme", "kim", "a")


def tamper(url: str, statements: list[str]) -> None:
    """Change rows as somebody with a shell of the database does."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))


class TestSqlite(AuditLogContract):
    without_triggers = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]  # noqa: RUF012

    @pytest.fixture
    def url(self, sqlite_state_url: str) -> str:
        return sqlite_state_url

    @pytest.fixture
    def fresh(self, url: str) -> Fresh:
        return lambda: SqlAuditLog(url, KEY)


@pytest.mark.services
class TestPostgresql(AuditLogContract):
    without_triggers = ["SET session_replication_role = replica"]  # noqa: RUF012

    @pytest.fixture
    def url(self, postgres_state_url: str) -> str:
        return postgres_state_url

    @pytest.fixture
    def fresh(self, url: str) -> Fresh:
        return lambda: SqlAuditLog(url, KEY)
