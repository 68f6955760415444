"""The audit log beyond single entries: the chain held against its key and what was seen before, and what commands did."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from llmflow.accounts.audit_chain import AuditHead, AuditVerdict, verify
from llmflow.errors import SettingsError
from llmflow.ports import AuditEntry, AuditLog
from llmflow.serving.chat_settings import load_auth_settings
from llmflow.workspace import home_path

log = logging.getLogger(__name__)

COMMAND_LINE = "cli"
"""Who acts where somebody with a shell of the installation does."""


class ChainedLog(AuditLog, Protocol):
    """An audit log that also gives what its chain is verified with."""

    @property
    def key(self) -> bytes: ...

    def head(self) -> AuditHead: ...


def verify_chain(audit: ChainedLog, seen: Path | None = None, noted: Sequence[AuditHead] = ()) -> AuditVerdict:
    """Check every entry against the key, and that the ends of the chain that were seen before are still in it.

    The file `seen` (the workspace's `audit.seen` by default) keeps the end of the longest chain that held: who can write into the
    database alone cannot rewind it unnoticed. `noted` are ends that somebody wrote down elsewhere.
    """
    path = seen or Path(home_path("audit.seen"))
    before = _read(path)
    verdict = verify(audit.chain(), audit.head(), audit.key, [*before, *noted], later=audit.head)
    if verdict.ok and verdict.head.number > max((item.number for item in before), default=0):
        _write(path, verdict.head)
    return verdict


def parse_head(text: str) -> AuditHead:
    """Return the end of a chain written as NUMBER:MAC. Raises SettingsError."""
    number, _, mac = text.partition(":")
    if not (number.isdecimal() and len(mac) == 64):
        raise SettingsError(f"'{text[:80]}' is no end of a chain. Write it as `llmflow audit verify` prints it: NUMBER:MAC.")
    return AuditHead(int(number), mac)


def record_command(
    workspace: Any, action: str, target: str = "", details: Mapping[str, Any] | None = None, tenant: str = ""
) -> AuditEntry:
    """Enter what a command did, in the home tenant unless another is named."""
    home = tenant or load_auth_settings(workspace.env).home_tenant
    return workspace.application.audit.append(home, COMMAND_LINE, action, target, details)


def _read(path: Path) -> list[AuditHead]:
    if not path.is_file():
        return []
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        return [AuditHead(int(row["number"]), str(row["mac"]))]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SettingsError(
            f"{path}, which keeps the end of the audit chain, cannot be read: {exc}. Restore it from a backup; where you know "
            "why it is broken, remove it."
        ) from exc


def _write(path: Path, head: AuditHead) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps({"number": head.number, "mac": head.mac}) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as exc:
        log.warning("The end of the audit chain was not noted in %s: %s", path, exc)
