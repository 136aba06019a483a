"""Limits of a patient's own, and welfare checks of those whom calls don't reach.

Revision ID: 0015_limits_and_welfare
Revises: 0014_tries
"""

import sqlalchemy as sa
from alembic import op

revision = '0015_limits_and_welfare'
down_revision = '0014_tries'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('welfare_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('follow_up_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('outcome', sa.String(length=40), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_welfare_step_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_welfare_step_clinic_id')),
    sa.ForeignKeyConstraint(['follow_up_id'], ['follow_up.id'], name=op.f('fk_welfare_step_follow_up_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_welfare_step_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_welfare_step'))
    )
    op.create_index(op.f('ix_welfare_step_follow_up_id_welfare_step_id'), 'welfare_step', ['follow_up_id', 'id'])
    op.create_index(op.f('ix_welfare_step_patient_id'), 'welfare_step', ['patient_id'])
    op.create_table('emergency_contact',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('relation', sa.String(length=60), nullable=False),
    sa.Column('e164', sa.String(length=20), nullable=False),
    sa.Column('is_agreed', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_emergency_contact_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_emergency_contact_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_emergency_contact_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_emergency_contact'))
    )
    op.create_index(op.f('ix_emergency_contact_patient_id_emergency_contact_id'), 'emergency_contact', ['patient_id', 'id'])
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
    op.drop_table('emergency_contact')
    op.drop_table('welfare_step')
