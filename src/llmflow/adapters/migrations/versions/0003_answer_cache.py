"""Answers that may be given again, with what each rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.String(64)
INSTANT = sa.String(32)
NAME = sa.String(256).with_variant(sa.String(256, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "cached_answers",
        sa.Column("id", ID, primary_key=True),
        sa.Column("scope", ID, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("text_key", ID, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Index("cached_answers_by_scope", "scope", "used_at"),
        sa.Index("cached_answers_by_text", "tenant", "text_key"),
        sa.Index("cached_answers_by_use", "used_at"),
        sa.Index("cached_answers_by_expiry", "expires_at"),
    )
    op.create_table(
        "cached_sources",
        sa.Column("entry_id", ID, sa.ForeignKey("cached_answers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("document_id", ID, primary_key=True),
        sa.Column("chunk_id", ID, primary_key=True),
        sa.Index("cached_sources_by_document", "document_id"),
        sa.Index("cached_sources_by_chunk", "chunk_id"),
    )
