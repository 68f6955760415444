"""Accounts, conversations, chat memory, templates, jobs, events, and the audit chain, which only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.String(64)
INSTANT = sa.String(32)
NAME = sa.String(256).with_variant(sa.String(256, collation="C"), "postgresql")

REFUSED = "audit entries are only ever added"


def upgrade() -> None:
    _accounts()
    _conversations()
    _operation()
    _only_grows()
    op.execute("DELETE FROM settings WHERE key = 'schema'")  # Alembic's own table says it from here on


def _accounts() -> None:
    op.create_table("tenants", sa.Column("name", NAME, primary_key=True), sa.Column("created_at", INSTANT, nullable=False))
    op.create_table(
        "accounts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("tenant", NAME, sa.ForeignKey("tenants.name"), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("name_key", NAME, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("issuer", NAME),
        sa.Column("subject", NAME),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Index("accounts_by_name", "tenant", "name_key", unique=True),
        sa.Index("accounts_by_subject", "issuer", "subject", unique=True),
    )
    op.create_table(
        "groups",
        sa.Column("tenant", NAME, sa.ForeignKey("tenants.name"), primary_key=True),
        sa.Column("name", NAME, primary_key=True),
    )
    op.create_table(
        "memberships",
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("tenant", NAME, nullable=False),
        sa.ForeignKeyConstraint(["tenant", "name"], ["groups.tenant", "groups.name"], ondelete="CASCADE"),
        sa.Index("memberships_by_group", "tenant", "name"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", ID, primary_key=True),
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_hash", sa.String(128), nullable=False, unique=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
        sa.Index("sign_ins_by_account", "account_id", "kind", "created_at"),
        sa.Index("sign_ins_by_expiry", "expires_at"),
    )


def _conversations() -> None:
    op.create_table(
        "chat_sessions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("forgotten", sa.Integer, nullable=False),
        sa.Index("chat_sessions_by_account", "account_id", "updated_at", "id"),
        sa.Index("chat_sessions_by_tenant", "tenant", "updated_at", "id"),
        sa.Index("chat_sessions_by_time", "updated_at", "id"),
    )
    op.create_table(
        "messages",
        sa.Column("id", ID, primary_key=True),
        sa.Column("session_id", ID, sa.ForeignKey("chat_sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("correction", sa.Text, nullable=False),
        sa.Column("rated_at", INSTANT, nullable=False),
        sa.Index("messages_of_session", "session_id", "ordinal", unique=True),
        sa.Index("messages_by_status", "status", "updated_at"),
        sa.Index("messages_by_rating", "rating", "rated_at"),
    )
    op.create_table(
        "citations",
        sa.Column("message_id", ID, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("chunk_id", ID, nullable=False),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Index("citations_of_document", "document_id"),
    )
    op.create_table(
        "forgotten_documents", sa.Column("document_id", ID, primary_key=True), sa.Column("at", INSTANT, nullable=False)
    )
    op.create_table(
        "chat_memories",
        sa.Column("session_id", sa.String(256), primary_key=True),
        sa.Column("turns", sa.JSON, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("summary_turns", sa.Integer, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Index("chat_memories_by_expiry", "expires_at"),
    )


def _operation() -> None:
    op.create_table(
        "templates",
        sa.Column("id", ID, primary_key=True),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("templates_of_account", "tenant", "account_id", "name", unique=True),
        sa.Index(
            "templates_shared", "tenant", "name", unique=True, sqlite_where=sa.text("shared"), postgresql_where=sa.text("shared")
        ),
    )
    op.create_table(
        "template_versions",
        sa.Column("template_id", ID, sa.ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("variables", sa.JSON, nullable=False),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Index("jobs_by_status", "status", "created_at"),
        sa.Index("jobs_by_tenant", "tenant", "created_at"),
        sa.Index("jobs_by_account", "account_id", "created_at"),
    )
    op.create_table(
        "answer_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("settings_id", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("found", sa.Boolean, nullable=False),
        sa.Column("cached", sa.Boolean, nullable=False),
        sa.Column("ttft_ms", sa.Float, nullable=False),
        sa.Column("total_ms", sa.Float, nullable=False),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("pii", sa.JSON, nullable=False),
        sa.Column("suspicious", sa.Integer, nullable=False),
        sa.Index("answer_events_by_time", "tenant", "at"),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", NAME, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Index("audit_by_tenant", "tenant", "number"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "mac": "", "signature": ""}])


def _only_grows() -> None:
    """Let the database itself refuse to change or remove an audit entry."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_grows()"
        )
        op.execute("CREATE TRIGGER audit_stays BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()")
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER audit_no_{event.lower()} BEFORE {event} ON audit BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END")
