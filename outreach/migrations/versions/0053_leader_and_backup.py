"""Which machine's scheduler leads, and when the last whole backup was made.

Revision ID: 0053_leader_and_backup
Revises: 0048_regions
"""

import sqlalchemy as sa
from alembic import op

revision = '0053_leader_and_backup'
down_revision = '0048_regions'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('planner_beat', sa.Column('host', sa.String(length=255), nullable=True))
    op.create_table(
        'last_backup',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_last_backup'),
    )


def downgrade() -> None:
    op.drop_table('last_backup')
    op.drop_column('planner_beat', 'host')
