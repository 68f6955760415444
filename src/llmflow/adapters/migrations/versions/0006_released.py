"""What refused documents were refused for, and which contents an administrator has released; empty for what was read before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("documents", sa.Column("screening", sa.JSON))
    op.add_column("documents", sa.Column("left_out", sa.JSON))
    op.add_column("documents", sa.Column("content_hash", sa.String(64)))
    op.add_column("documents", sa.Column("release", sa.JSON))
