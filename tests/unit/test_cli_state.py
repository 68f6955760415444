"""`llmflow state`, `audit` and `conversations`: what they print, how they end, and what an export is good for."""

import json
import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmflow.cli import app
from llmflow.errors import SettingsError
from llmflow.finetuning.dataset_info import load_dataset_info
from llmflow.finetuning.formats import read_dataset
from llmflow.finetuning.types import Task
from llmflow.ports import MessageStatus
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.operating.auditing import parse_head, verify_chain

pytestmark = pytest.mark.xdist_group("cli")


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    workspace = open_catalog("base")
    yield workspace
    workspace.close()


@pytest.fixture
def command(home: Path, monkeypatch):
    def run(*arguments: str, status: int = 0):
        monkeypatch.setattr(sys, "argv", ["llmflow", *arguments, "--json"])
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    return run


def test_state_is_shown_and_upgraded(command, home: Path):
    before = command("state", "show", status=1)
    assert before["revision"] is None and before["address"].endswith("/state.db")
    needed = before["needed"]
    assert command("state", "upgrade") == {"before": None, "after": needed}
    assert command("state", "upgrade") == {"before": needed, "after": needed}
    assert command("state", "show")["revision"] == needed


def test_audit_is_listed_and_verified(command, workspace: Workspace, home: Path):
    audit = workspace.application.audit
    for place in range(3):
        audit.append("hanbit", "kim", "document.delete", f"d{place}")
    audit.append("nuri", "lee", "account.sign_in")
    found = command("audit", "list", "--action", "document.", "--limit", "2")
    assert [entry["target"] for entry in found] == ["d2", "d1"]
    assert [entry["actor"] for entry in command("audit", "list", "--tenant", "nuri")] == ["lee"]
    verdict = command("audit", "verify")
    assert (verdict["ok"], verdict["entries"], verdict["broken"]) == (True, 4, 0)
    assert command("audit", "verify", "--noted", verdict["head"])["ok"]
    with sqlite3.connect(home / "state.db") as raw:
        raw.execute("DROP TRIGGER audit_no_update")
        raw.execute("UPDATE audit SET target = 'd9' WHERE number = 2")
    verdict = command("audit", "verify", status=1)
    assert (verdict["ok"], verdict["broken"]) == (False, 2)
    told = CliRunner().invoke(app, ["audit", "verify"])
    assert told.exit_code == 1 and told.stdout.startswith("Entry 2 is broken.")


def test_a_chain_that_was_rewound_as_a_whole_is_found_by_what_the_workspace_saw(command, workspace: Workspace, home: Path):
    audit = workspace.application.audit
    audit.append("hanbit", "kim", "first")
    end = command("audit", "verify")["head"]
    with sqlite3.connect(home / "state.db") as raw:
        raw.execute("DROP TRIGGER audit_no_delete")
        raw.execute("DELETE FROM audit")
        raw.execute("UPDATE audit_head SET number = 0, mac = '', signature = ''")
    assert "1 entries were seen before" in command("audit", "verify", status=1)["fault"]
    (home / "audit.seen").unlink()
    assert command("audit", "verify")["ok"]  # this is why the end is worth noting elsewhere
    assert command("audit", "verify", "--noted", end, status=1)["broken"] == 1


def test_entries_that_are_added_while_a_chain_is_verified_do_not_break_it(workspace: Workspace, tmp_path: Path):
    audit = workspace.application.audit
    audit.append("hanbit", "kim", "first")

    class Busy:
        """A log that others write to in the middle of a verification."""

        key = audit.key  # type: ignore[attr-defined]
        head = staticmethod(audit.head)  # type: ignore[attr-defined]

        def chain(self):
            audit.append("hanbit", "kim", "before it was read")
            yield from audit.chain()
            audit.append("hanbit", "kim", "after it was read")

    assert verify_chain(Busy(), tmp_path / "seen").ok  # type: ignore[arg-type]
    assert verify_chain(audit, tmp_path / "seen").entries == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "1", "1:abc", "x:" + "0" * 64])
def test_an_end_that_is_none_is_refused(text: str):
    with pytest.raises(SettingsError, match="NUMBER:MAC"):
        parse_head(text)


def test_a_broken_note_of_the_end_is_told(command, home: Path):
    home.mkdir()
    (home / "audit.seen").write_text("{")
    assert "audit.seen" in command("audit", "verify", status=2)["error"]


def test_exported_conversations_are_masked_and_teach(command, workspace: Workspace, tmp_path: Path):
    store = workspace.application.conversations
    for tenant, owner in (("hanbit", "kim"), ("nuri", "lee")):
        session = store.create(tenant, owner).id
        for question, rating, correction in (("연차는?", "up", ""), ("전화는?", "down", "010-1234-5678로 전화하세요.")):
            _, pending = store.begin(session, owner, question)
            store.finish(pending.id, owner, f"{question} 답", MessageStatus.DONE)
            store.rate(pending.id, owner, rating, "", correction)
    file = tmp_path / "out" / "conversations.jsonl"
    assert command("conversations", "export", str(file)) == {"file": str(file), "conversations": 2}
    assert command("conversations", "export", str(tmp_path / "one.jsonl"), "--tenant", "nuri")["conversations"] == 1
    assert command("conversations", "export", str(tmp_path / "none.jsonl"), "--since", "2100-01-01")["conversations"] == 0
    assert "ISO 8601" in command("conversations", "export", str(file), "--since", "soon", status=2)["error"]
    written = file.read_text(encoding="utf-8")
    assert "1234-5678" not in written and stat.S_IMODE(file.stat().st_mode) == 0o600 and os.listdir(file.parent) == [file.name]
    (tmp_path / "out" / "dataset_info.json").write_text(
        json.dumps({"chats": {"file_name": file.name, "formatting": "collected"}}), encoding="utf-8"
    )
    [entry] = load_dataset_info(tmp_path / "out")
    for task, count in {Task.SFT: 2, Task.KTO: 4, Task.DPO: 2}.items():
        result = read_dataset(entry, task)
        assert (len(result.examples), list(result.rejected)) == (count, [])
    exported = command("audit", "list", "--action", "conversation.export")
    assert [(row["actor"], row["details"]["conversations"]) for row in exported] == [("cli", 0), ("cli", 1), ("cli", 2)]
