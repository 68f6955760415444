"""`llmflow accounts` over a real state database: what is printed once, what is kept, what is refused."""

import json

import pytest
from typer.testing import CliRunner

from llmflow.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))

    def call(*arguments: str, status: int = 0):
        monkeypatch.setattr("sys.argv", ["llmflow", *arguments])
        done = CliRunner().invoke(app, ["accounts", *arguments])
        assert done.exit_code == status, done.output
        return json.loads(done.stdout) if "--json" in arguments else done.output

    return call


def test_an_account_from_its_first_password_to_its_end(run):
    made = run("add", "kim", "--role", "engineer", "-g", "hr", "--json")
    assert (made["tenant"], made["role"], made["groups"]) == ("hanbit", "engineer", ["hr"]) and made["must_change_password"]
    assert made["one_time_password"] not in json.dumps(run("list", "--json"))
    assert run("reset-password", "kim", "--json")["one_time_password"] != made["one_time_password"]
    assert run("groups", "kim", "it", "finance", "--json")["groups"] == ["finance", "it"]
    assert run("role", "kim", "user", "--json")["role"] == "user"
    assert run("disable", "kim", "--json")["disabled"] and not run("enable", "KIM", "--json")["disabled"]
    secret = run("key", "kim", "--label", "reports", "--days", "1", "--json")
    assert secret["secret"].startswith("lf-")
    [listed] = run("key", "kim", "--list", "--json")
    assert listed["id"] == secret["id"] and secret["secret"] not in json.dumps(listed)
    assert run("key", "kim", "--revoke", secret["id"], "--json") == {"revoked": secret["id"]}
    removed = run("delete", "kim", "--yes", "--json")
    assert removed["removed"] == {"conversations": 0, "templates": 0, "jobs": 0, "documents": 0}
    assert run("list", "--json")["total"] == 0


def test_what_cannot_be_is_told_with_what_can(run):
    run("add", "boss", "--role", "administrator", "--json")
    assert "user, engineer, administrator" in run("add", "x", "--role", "root", "--json", status=2)["error"]
    assert "only administrator" in run("role", "boss", "user", "--json", status=2)["error"]
    assert "only administrator" in run("delete", "boss", "--yes", "--json", status=2)["error"]
    assert "already" in run("add", "BOSS", "--json", status=2)["error"]
    assert "no account 'nobody'" in run("disable", "nobody", "--json", status=2)["error"]
    assert "own spaces" in run("groups", "boss", "user:1", "--json", status=2)["error"]
    assert run("list", "--tenant", "nuri", "--json")["total"] == 0


def test_text_for_people_shows_the_password_once_and_asks_before_deleting(run):
    told = run("add", "kim")
    assert "hanbit/kim" in told and told.count("one-time password:") == 1
    assert "1 accounts in 'hanbit'" in run("list")
    assert "Delete 'kim'" in run("delete", "kim", status=1)
    assert "kim" in run("list")
