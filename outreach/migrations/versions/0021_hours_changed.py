"""Clinics whose hours changed: their open calls are moved by a job.

Revision ID: 0021_hours_changed
Revises: 0020_patient_list
"""

import sqlalchemy as sa
from alembic import op

revision = '0021_hours_changed'
down_revision = '0020_patient_list'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('clinic', schema=None) as batch_op:
        batch_op.add_column(sa.Column('hours_changed_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('clinic', schema=None) as batch_op:
        batch_op.drop_column('hours_changed_at')
