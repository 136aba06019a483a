"""Whether a patient agreed that a nurse makes sure they are well when nobody reaches them.

Revision ID: 0057_welfare_check_agreed
Revises: 0054_sender_pace
"""

import sqlalchemy as sa
from alembic import op

revision = '0057_welfare_check_agreed'
down_revision = '0054_sender_pace'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('patient', sa.Column('is_welfare_check_agreed', sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('patient') as batch_op:
        batch_op.drop_column('is_welfare_check_agreed')
