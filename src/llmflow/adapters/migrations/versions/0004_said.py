"""Code and values beside kept sentences, so that they can be said in the reader's language; the kind of a question."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("documents", sa.Column("reason_said", sa.JSON))
    op.add_column("jobs", sa.Column("note_said", sa.JSON))
    op.add_column("answer_events", sa.Column("kind", sa.String(32)))
