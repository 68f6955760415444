"""The audit log in the state database: entries that only grow, a signed head, and the key that lies elsewhere."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from llmflow.accounts.audit_chain import SHORTEST_KEY, AuditHead, sealed, signed_head
from llmflow.adapters.sql_application_tables import audit, audit_head
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.adapters.sql_values import ApplicationTables, instant, now, page_of, plain, storable
from llmflow.errors import SettingsError, StoreCorrupt
from llmflow.ports import AuditEntry

READ_AT_ONCE = 1000


class SqlAuditLog(ApplicationTables):
    """AuditLog on SQLite or PostgreSQL. `key` is text of at least 16 characters, or a file that is made on first use."""

    def __init__(self, database: StateDatabase | str, key: str | Path):
        super().__init__(database)
        self._given = key

    @property
    def key(self) -> bytes:
        """The key of the macs. Raises SettingsError when it is short or its file cannot be read."""
        text = _key_of(self._given) if isinstance(self._given, Path) else self._given
        if len(text) < SHORTEST_KEY:
            raise SettingsError(
                f"The audit key has {len(text)} characters. Use at least {SHORTEST_KEY}, such as: openssl rand -hex 32"
            )
        return text.encode()

    def append(
        self, tenant: str, actor: str, action: str, target: str = "", details: Mapping[str, Any] | None = None
    ) -> AuditEntry:
        key = self.key
        with self._write() as connection:
            head = _head(connection, lock=True)
            entry = AuditEntry(
                number=head.number + 1,
                at=now(),
                tenant=storable(tenant),
                actor=storable(actor),
                action=storable(action),
                target=storable(target),
                details=plain(details),
            )
            entry = sealed(entry, head.mac, key)
            values = {name: getattr(entry, name) for name in ("number", "at", "tenant", "actor", "action", "target", "mac")}
            connection.execute(insert(audit).values(**values, details=json.dumps(entry.details, ensure_ascii=False)))
            new = signed_head(entry.number, entry.mac, key)
            moved = {"number": new.number, "mac": new.mac, "signature": new.signature}
            connection.execute(update(audit_head).where(audit_head.c.id == 1).values(**moved))
            return entry

    def entries(
        self, tenant: str, action: str = "", actor: str = "", since: str = "", until: str = "", limit: int = 100, offset: int = 0
    ) -> tuple[list[AuditEntry], int]:
        wanted = select(audit).where(audit.c.tenant == storable(tenant)).order_by(audit.c.number.desc())
        if action:
            wanted = wanted.where(_begins(audit.c.action, action))
        if actor:
            wanted = wanted.where(audit.c.actor == storable(actor))
        if since:
            wanted = wanted.where(audit.c.at >= instant(since))
        if until:
            wanted = wanted.where(audit.c.at < instant(until))
        with self._read() as connection:
            rows, total = page_of(connection, wanted, limit, offset)
        return [_entry(row) for row in rows], total

    def chain(self) -> Iterator[AuditEntry]:
        last = None
        while True:
            wanted = select(audit).order_by(audit.c.number).limit(READ_AT_ONCE)
            with self._read() as connection:
                rows = connection.execute(wanted if last is None else wanted.where(audit.c.number > last)).all()
            yield from map(_entry, rows)
            if len(rows) < READ_AT_ONCE:
                return
            last = rows[-1].number

    def head(self) -> AuditHead:
        """Return the signed end of the chain."""
        with self._read() as connection:
            return _head(connection)


def _begins(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    """Letter for letter: LIKE would read wildcards, and case differently on each database."""
    start = storable(start)
    return func.substr(column, 1, len(start)) == start


def _head(connection: Connection, lock: bool = False) -> AuditHead:
    """Return the head; whoever else would append waits when it is locked."""
    wanted = select(audit_head.c.number, audit_head.c.mac, audit_head.c.signature).where(audit_head.c.id == 1)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise StoreCorrupt("The end of the audit chain is gone from the state database. Restore it from a backup.")
    return AuditHead(*row)


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.number, row.at, row.tenant, row.actor, row.action, row.target, _details(row.details), row.mac)


def _details(text: str) -> Mapping[str, Any]:
    try:
        return json.loads(text)
    except ValueError:  # somebody wrote over it: verification names the entry
        return {"unreadable": text[:200]}


def _key_of(path: Path) -> str:
    """Return the key in a file, which is made with mode 0600 where it is missing; of two processes one makes it."""
    import secrets

    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(new, path)  # whole or not at all, and never over another's
            new.unlink()
        return path.read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise SettingsError(
            f"The audit key {path} cannot be read or made: {exc}. Set LLMFLOW_AUDIT_KEY, or free the path."
        ) from exc
