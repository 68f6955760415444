"""The catalog entry of accounts, conversations and operation."""

from pathlib import Path
from typing import Any

from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class ApplicationStateDataset(AdapterDataset):
    """`url` of the state database and `audit_key_file`, or `credentials: {url, audit_key, redis_url}`.

    `memory` says what keeps the turns that a model may remember: `{backend: sql, limit, ttl_s}`.
    """

    def open(
        self,
        url: str = "",
        audit_key_file: str = "",
        memory: dict[str, Any] | None = None,
        credentials: dict[str, str] | None = None,
    ) -> Any:
        from llmflow.adapters.sql_accounts import SqlAccountStore
        from llmflow.adapters.sql_audit import SqlAuditLog
        from llmflow.adapters.sql_conversations import SqlConversationStore
        from llmflow.adapters.sql_events import SqlEventLog
        from llmflow.adapters.sql_jobs import SqlJobStore
        from llmflow.adapters.sql_state_database import StateDatabase
        from llmflow.adapters.sql_templates import SqlTemplateStore
        from llmflow.ports import ApplicationStores

        secret = credentials or {}
        database = StateDatabase(secret.get("url") or url)
        return ApplicationStores(
            accounts=SqlAccountStore(database),
            conversations=SqlConversationStore(database),
            memory=_memory(database, **(memory or {"backend": "sql"})),
            templates=SqlTemplateStore(database),
            jobs=SqlJobStore(database),
            events=SqlEventLog(database),
            audit=SqlAuditLog(database, secret.get("audit_key") or Path(audit_key_file)),
        )


def _memory(database: Any, backend: str, limit: int = 100, ttl_s: float = 86_400.0) -> Any:
    if backend == "sql":
        from llmflow.adapters.sql_memory import SqlChatMemory

        return SqlChatMemory(database, limit, ttl_s)
    raise SettingsError(f"Unknown chat memory backend '{backend}'. Choose one of: sql.")
