"""How many texts a clinic sends a patient, as it chooses.

Revision ID: 0018_text_limits
Revises: 0017_own_queue
"""

import sqlalchemy as sa
from alembic import op

revision = '0018_text_limits'
down_revision = '0017_own_queue'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('text_limit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('per_day', sa.Integer(), nullable=False),
    sa.Column('per_week', sa.Integer(), nullable=False),
    sa.Column('unreachable_times', sa.Integer(), nullable=False),
    sa.Column('settle_minutes', sa.Integer(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_text_limit_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_text_limit_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_text_limit')),
    sa.UniqueConstraint('clinic_id', name=op.f('uq_text_limit_clinic_id'))
    )


def downgrade() -> None:
    # A text of which nobody knows whether it went out was, to an older release, one that failed.
    op.execute("UPDATE message SET status = 'failed' WHERE status = 'lost'")
    op.drop_table('text_limit')
