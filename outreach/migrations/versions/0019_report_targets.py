"""Clinics aim for something, with a plan and a day.

Revision ID: 0019_report_targets
Revises: 0018_text_limits
"""

import sqlalchemy as sa
from alembic import op

revision = '0019_report_targets'
down_revision = '0018_text_limits'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'report_target',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('measure', sa.String(length=40), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('share', sa.Numeric(precision=4, scale=3), nullable=True),
        sa.Column('plan', sa.Text(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=True),
        sa.Column('by_staff_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_report_target_by_staff_id')),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_report_target_clinic_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_report_target')),
        sa.UniqueConstraint('clinic_id', 'measure', 'number', name=op.f('uq_report_target_clinic_id_measure_number')),
    )


def downgrade() -> None:
    op.drop_table('report_target')
