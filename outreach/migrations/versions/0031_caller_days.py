"""Which callers' days changed, so that the calls of their panel are looked through.

Revision ID: 0031_caller_days
Revises: 0029_retention
"""

import sqlalchemy as sa
from alembic import op

revision = '0031_caller_days'
down_revision = '0029_retention'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('caller_profile', schema=None) as batch_op:
        batch_op.add_column(sa.Column('days_changed_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('caller_profile', schema=None) as batch_op:
        batch_op.drop_column('days_changed_at')
