"""The catalog entry of accounts, conversations and operation."""

from pathlib import Path
from typing import Any

from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class ApplicationStateDataset(AdapterDataset):
    """`url` of the state database and `audit_key_file`, or `credentials: {url, audit_key, redis_url}`.

    `memory` says what keeps the turns that a model may remember, `{backend: sql | redis, limit, ttl_s}`; `cache` what keeps the
    answers that may be given again, `{backend: sql | redis | none, limit, ttl_s}`. `redis` needs `redis_url`; `prefix` stands
    before its keys.
    """

    def open(
        self,
        url: str = "",
        audit_key_file: str = "",
        memory: dict[str, Any] | None = None,
        cache: dict[str, Any] | None = None,
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
            memory=_memory(database, secret.get("redis_url", ""), **(memory or {"backend": "sql"})),
            templates=SqlTemplateStore(database),
            jobs=SqlJobStore(database),
            events=SqlEventLog(database),
            audit=SqlAuditLog(database, secret.get("audit_key") or Path(audit_key_file)),
            answers=_answers(database, secret.get("redis_url", ""), **(cache or {"backend": "sql"})),
        )


def _memory(
    database: Any, redis_url: str, backend: str, limit: int = 100, ttl_s: float = 86_400.0, prefix: str = "llmflow:"
) -> Any:
    if backend == "sql":
        from llmflow.adapters.sql_memory import SqlChatMemory

        return SqlChatMemory(database, limit, ttl_s)
    if backend == "redis":
        from llmflow.adapters.redis_memory import RedisChatMemory

        return RedisChatMemory(_redis(redis_url, prefix), limit, ttl_s)
    raise SettingsError(f"Unknown chat memory backend '{backend}'. Choose one of: sql, redis.")


def _answers(
    database: Any, redis_url: str, backend: str, limit: int = 5000, ttl_s: float = 86_400.0, prefix: str = "llmflow:"
) -> Any:
    if backend == "none":
        return None
    if backend == "sql":
        from llmflow.adapters.sql_answer_cache import SqlAnswerCache

        return SqlAnswerCache(database, limit, ttl_s)
    if backend == "redis":
        from llmflow.adapters.redis_answer_cache import RedisAnswerCache

        return RedisAnswerCache(_redis(redis_url, prefix), limit, ttl_s)
    raise SettingsError(f"Unknown answer cache backend '{backend}'. Choose one of: sql, redis, none.")


def _redis(url: str, prefix: str) -> Any:
    from llmflow.adapters.redis_connection import RedisConnection

    if not url:
        raise SettingsError("The backend redis needs an address: set LLMFLOW_REDIS_URL, such as redis://redis:6379/0.")
    return RedisConnection(url, prefix)
