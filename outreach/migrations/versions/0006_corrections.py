"""Corrections of recorded calls, what is put off in the queue, leases found by person.

Revision ID: 0006_corrections
Revises: 0005_about_the_person
"""

import sqlalchemy as sa
from alembic import op

revision = '0006_corrections'
down_revision = '0005_about_the_person'
branch_labels = None
depends_on = None

MARKS = (('attempt', 'superseded_at'), ('call_note', 'superseded_at'), ('promise', 'withdrawn_at'), ('reading', 'withdrawn_at'))


def upgrade() -> None:
    with op.batch_alter_table('call_lease', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_call_lease_staff_id'), ['staff_id'], unique=False)

    for table, column in MARKS:
        op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))

    op.create_table('attempt_before',
    sa.Column('attempt_id', sa.Integer(), nullable=False),
    sa.Column('dial_from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('dial_until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('complete_by_on', sa.Date(), nullable=False),
    sa.Column('is_agreed', sa.Boolean(), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_attempt_before_attempt_id')),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_attempt_before'))
    )
    op.create_table('attempt_correction',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('attempt_id', sa.Integer(), nullable=False),
    sa.Column('replaced_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_attempt_correction_attempt_id')),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_attempt_correction_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_attempt_correction_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_attempt_correction_patient_id')),
    sa.ForeignKeyConstraint(['replaced_by_id'], ['attempt.id'], name=op.f('fk_attempt_correction_replaced_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt_correction')),
    sa.UniqueConstraint('attempt_id', name=op.f('uq_attempt_correction_attempt_id'))
    )
    with op.batch_alter_table('attempt_correction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attempt_correction_patient_id'), ['patient_id'], unique=False)
    op.create_table('promise_move',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('promise_id', sa.Integer(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=True),
    sa.Column('to_on', sa.Date(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_promise_move_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_promise_move_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_promise_move_patient_id')),
    sa.ForeignKeyConstraint(['promise_id'], ['promise.id'], name=op.f('fk_promise_move_promise_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_promise_move'))
    )
    with op.batch_alter_table('promise_move', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_promise_move_promise_id'), ['promise_id'], unique=False)

    op.create_table('call_hiding',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('planned_call_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('shown_again_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_call_hiding_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_call_hiding_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_call_hiding_patient_id')),
    sa.ForeignKeyConstraint(['planned_call_id'], ['planned_call.id'], name=op.f('fk_call_hiding_planned_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_hiding'))
    )
    with op.batch_alter_table('call_hiding', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_call_hiding_planned_call_id'), ['planned_call_id'], unique=False)


def downgrade() -> None:
    op.drop_table('call_hiding')
    op.drop_table('promise_move')
    op.drop_table('attempt_correction')
    op.drop_table('attempt_before')
    for table, column in reversed(MARKS):
        op.drop_column(table, column)
    with op.batch_alter_table('call_lease', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_call_lease_staff_id'))
