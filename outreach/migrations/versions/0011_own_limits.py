"""Limits of a patient's own: a nurse hears of values that matter for this person.

Revision ID: 0011_own_limits
Revises: 0010_coming_pauses
"""

import sqlalchemy as sa
from alembic import op

revision = '0011_own_limits'
down_revision = '0010_coming_pauses'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('own_limits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('low', sa.Numeric(precision=9, scale=3), nullable=True),
    sa.Column('high', sa.Numeric(precision=9, scale=3), nullable=True),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_own_limits_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_own_limits_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_own_limits_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_own_limits')),
    sa.UniqueConstraint('patient_id', 'kind', 'number', name=op.f('uq_own_limits_patient_id_kind_number'))
    )


def downgrade() -> None:
    op.drop_table('own_limits')
