"""What in documents speaks to a model, judged when their passages are made; empty for those made before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("versions", sa.Column("screening", sa.JSON))
    op.add_column("versions", sa.Column("left_out", sa.JSON))
    op.add_column("chunks", sa.Column("judgement", sa.JSON))
