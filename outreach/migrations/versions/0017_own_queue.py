"""A caller may leave out of the queue whom they call in somebody else's place.

Revision ID: 0017_own_queue
Revises: 0016_inbox
"""

import sqlalchemy as sa
from alembic import op

revision = '0017_own_queue'
down_revision = '0016_inbox'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('sees_own_only', sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.drop_column('sees_own_only')
