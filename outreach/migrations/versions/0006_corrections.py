"""Corrections of recorded calls, and who has a call open, found by person.

Revision ID: 0006_corrections
Revises: 0004_questionnaires
"""

import sqlalchemy as sa
from alembic import op

revision = '0006_corrections'
down_revision = '0004_questionnaires'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('call_lease', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_call_lease_staff_id'), ['staff_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('call_lease', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_call_lease_staff_id'))
