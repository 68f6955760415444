"""Tables of accounts, conversations and operation: beside those of documents, in the same state database."""

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Table, Text, text

from llmflow.adapters.sql_state_tables import metadata

ID = String(64)
INSTANT = String(32)
"""ISO 8601 in UTC with microseconds, so that text order is time order; empty for never (sql_values.instant)."""
NAME = String(256).with_variant(String(256, collation="C"), "postgresql")
"""Ordered by code point on every database."""

tenants = Table("tenants", metadata, Column("name", NAME, primary_key=True), Column("created_at", INSTANT, nullable=False))

accounts = Table(
    "accounts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant", NAME, ForeignKey("tenants.name"), nullable=False),
    Column("name", NAME, nullable=False),
    Column("name_key", NAME, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("issuer", NAME),
    Column("subject", NAME),
    Column("disabled", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", INSTANT, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Index("accounts_by_name", "tenant", "name_key", unique=True),
    Index("accounts_by_subject", "issuer", "subject", unique=True),
)

groups = Table(
    "groups",
    metadata,
    Column("tenant", NAME, ForeignKey("tenants.name"), primary_key=True),
    Column("name", NAME, primary_key=True),
)

memberships = Table(
    "memberships",
    metadata,
    Column("account_id", ID, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("tenant", NAME, nullable=False),
    ForeignKeyConstraint(["tenant", "name"], ["groups.tenant", "groups.name"], ondelete="CASCADE"),
    Index("memberships_by_group", "tenant", "name"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", String(128), nullable=False, unique=True),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("used_at", INSTANT, nullable=False),
    Index("sign_ins_by_account", "account_id", "kind", "created_at"),
    Index("sign_ins_by_expiry", "expires_at"),
)

chat_sessions = Table(
    "chat_sessions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant", NAME, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("title", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("forgotten", Integer, nullable=False),
    Index("chat_sessions_by_account", "account_id", "updated_at", "id"),
    Index("chat_sessions_by_tenant", "tenant", "updated_at", "id"),
    Index("chat_sessions_by_time", "updated_at", "id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session_id", ID, ForeignKey("chat_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("details", JSON, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("rating", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("correction", Text, nullable=False),
    Column("rated_at", INSTANT, nullable=False),
    Index("messages_of_session", "session_id", "ordinal", unique=True),
    Index("messages_by_status", "status", "updated_at"),
    Index("messages_by_rating", "rating", "rated_at"),
)

citations = Table(
    "citations",
    metadata,
    Column("message_id", ID, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("chunk_id", ID, nullable=False),
    Column("document_id", ID, nullable=False),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("page", Integer),
    Column("heading", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Index("citations_of_document", "document_id"),
)

forgotten_documents = Table(
    "forgotten_documents", metadata, Column("document_id", ID, primary_key=True), Column("at", INSTANT, nullable=False)
)

chat_memories = Table(
    "chat_memories",
    metadata,
    Column("session_id", String(256), primary_key=True),
    Column("turns", JSON, nullable=False),
    Column("summary", Text, nullable=False),
    Column("summary_turns", Integer, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Index("chat_memories_by_expiry", "expires_at"),
)

cached_answers = Table(
    "cached_answers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("scope", ID, nullable=False),
    Column("tenant", NAME, nullable=False),
    Column("question", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("text_key", ID, nullable=False),
    Column("entry", Text, nullable=False),
    Column("used_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Index("cached_answers_by_scope", "scope", "used_at"),
    Index("cached_answers_by_text", "tenant", "text_key"),
    Index("cached_answers_by_use", "used_at"),
    Index("cached_answers_by_expiry", "expires_at"),
)

cached_sources = Table(
    "cached_sources",
    metadata,
    Column("entry_id", ID, ForeignKey("cached_answers.id", ondelete="CASCADE"), primary_key=True),
    Column("document_id", ID, primary_key=True),
    Column("chunk_id", ID, primary_key=True),
    Index("cached_sources_by_document", "document_id"),
    Index("cached_sources_by_chunk", "chunk_id"),
)

templates = Table(
    "templates",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant", NAME, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("name", NAME, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("templates_of_account", "tenant", "account_id", "name", unique=True),
    Index("templates_shared", "tenant", "name", unique=True, sqlite_where=text("shared"), postgresql_where=text("shared")),
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("template_id", ID, ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("variables", JSON, nullable=False),
    Column("examples", JSON, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("tenant", NAME, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("progress", Float, nullable=False),
    Column("note", Text, nullable=False),
    Column("note_said", JSON),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text, nullable=False),
    Column("lease_until", INSTANT, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Index("jobs_by_status", "status", "created_at"),
    Index("jobs_by_tenant", "tenant", "created_at"),
    Index("jobs_by_account", "account_id", "created_at"),
)

answer_events = Table(
    "answer_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", INSTANT, nullable=False),
    Column("tenant", NAME, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("session_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("model", Text, nullable=False),
    Column("settings_id", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("found", Boolean, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("ttft_ms", Float, nullable=False),
    Column("total_ms", Float, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("pii", JSON, nullable=False),
    Column("suspicious", Integer, nullable=False),
    Column("kind", String(32)),
    Index("answer_events_by_time", "tenant", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("tenant", NAME, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", NAME, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("mac", String(64), nullable=False),
    Index("audit_by_tenant", "tenant", "number"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("mac", String(64), nullable=False),
    Column("signature", String(64), nullable=False),
)
