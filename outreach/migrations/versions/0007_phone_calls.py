"""Calls on the telephone, and those that are returned.

Revision ID: 0007_phone_calls
Revises: 0006_corrections
"""

import sqlalchemy as sa
from alembic import op

revision = '0007_phone_calls'
down_revision = '0006_corrections'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('phone_call',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('press_key', sa.String(length=80), nullable=False),
    sa.Column('direction', sa.Enum('out', 'in', name='direction', native_enum=False, length=40), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=True),
    sa.Column('planned_call_id', sa.Integer(), nullable=True),
    sa.Column('caller_id', sa.Integer(), nullable=True),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('staff_number', sa.String(length=20), nullable=True),
    sa.Column('shown_number', sa.String(length=40), nullable=False),
    sa.Column('may_leave_voicemail', sa.Boolean(), nullable=False),
    sa.Column('staff_leg', sa.Enum('none', 'initiated', 'ringing', 'answered', 'completed', 'busy', 'no_answer', 'failed', 'cancelled', name='legstatus', native_enum=False, length=40), nullable=False),
    sa.Column('patient_leg', sa.Enum('none', 'initiated', 'ringing', 'answered', 'completed', 'busy', 'no_answer', 'failed', 'cancelled', name='legstatus', native_enum=False, length=40), nullable=False),
    sa.Column('staff_sid', sa.String(length=64), nullable=True),
    sa.Column('patient_sid', sa.String(length=64), nullable=True),
    sa.Column('answered_by', sa.Enum('human', 'machine', 'unknown', name='answeredby', native_enum=False, length=40), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('heard_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seconds', sa.Integer(), nullable=True),
    sa.Column('ending', sa.Enum('talked', 'machine', 'no_answer', 'busy', 'unreachable', 'given_up', 'nobody_there', 'not_placed', 'lost', name='ending', native_enum=False, length=40), nullable=True),
    sa.Column('failure', sa.String(length=80), nullable=False),
    sa.Column('stop_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['caller_id'], ['staff_member.id'], name=op.f('fk_phone_call_caller_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_phone_call_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_phone_call_patient_id')),
    sa.ForeignKeyConstraint(['planned_call_id'], ['planned_call.id'], name=op.f('fk_phone_call_planned_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phone_call')),
    sa.UniqueConstraint('press_key', name=op.f('uq_phone_call_press_key'))
    )
    with op.batch_alter_table('phone_call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_phone_call_ended_at_phone_call_heard_at'), ['ended_at', 'heard_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_phone_call_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_phone_call_planned_call_id_phone_call_caller_id'), ['planned_call_id', 'caller_id'], unique=False)
        batch_op.create_index('uq_phone_call_live_about', ['planned_call_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND planned_call_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND planned_call_id IS NOT NULL'))
        batch_op.create_index('uq_phone_call_live', ['caller_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND caller_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND caller_id IS NOT NULL'))

    op.create_table('phone_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('phone_call_id', sa.Integer(), nullable=False),
    sa.Column('leg', sa.Enum('staff', 'patient', name='leg', native_enum=False, length=40), nullable=False),
    sa.Column('status', sa.Enum('none', 'initiated', 'ringing', 'answered', 'completed', 'busy', 'no_answer', 'failed', 'cancelled', name='legstatus', native_enum=False, length=40), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=True),
    sa.Column('seconds', sa.Integer(), nullable=True),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['phone_call_id'], ['phone_call.id'], name=op.f('fk_phone_event_phone_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phone_event')),
    sa.UniqueConstraint('phone_call_id', 'leg', 'status', name=op.f('uq_phone_event_phone_call_id_leg_status'))
    )
    op.create_table('returned_call',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('dedupe_key', sa.String(length=60), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('phone_call_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=True),
    sa.Column('enrolment_id', sa.Integer(), nullable=True),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_returned_call_clinic_id')),
    sa.ForeignKeyConstraint(['done_by_id'], ['staff_member.id'], name=op.f('fk_returned_call_done_by_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_returned_call_enrolment_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_returned_call_patient_id')),
    sa.ForeignKeyConstraint(['phone_call_id'], ['phone_call.id'], name=op.f('fk_returned_call_phone_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_returned_call')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_returned_call_dedupe_key'))
    )
    with op.batch_alter_table('returned_call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_returned_call_clinic_id_returned_call_done_at'), ['clinic_id', 'done_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_returned_call_patient_id_returned_call_done_at'), ['patient_id', 'done_at'], unique=False)

    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.add_column(sa.Column('phone_call_id', sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_attempt_phone_call_id'), ['phone_call_id'])
        batch_op.create_foreign_key(batch_op.f('fk_attempt_phone_call_id'), 'phone_call', ['phone_call_id'], ['id'])

    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('work_phone', sa.String(length=20), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.drop_column('work_phone')

    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_attempt_phone_call_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_attempt_phone_call_id'), type_='unique')
        batch_op.drop_column('phone_call_id')

    with op.batch_alter_table('returned_call', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_returned_call_patient_id_returned_call_done_at'))
        batch_op.drop_index(batch_op.f('ix_returned_call_clinic_id_returned_call_done_at'))

    op.drop_table('returned_call')
    op.drop_table('phone_event')
    with op.batch_alter_table('phone_call', schema=None) as batch_op:
        batch_op.drop_index('uq_phone_call_live_about', sqlite_where=sa.text('ended_at IS NULL AND planned_call_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND planned_call_id IS NOT NULL'))
        batch_op.drop_index('uq_phone_call_live', sqlite_where=sa.text('ended_at IS NULL AND caller_id IS NOT NULL'), postgresql_where=sa.text('ended_at IS NULL AND caller_id IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_phone_call_planned_call_id_phone_call_caller_id'))
        batch_op.drop_index(batch_op.f('ix_phone_call_patient_id'))
        batch_op.drop_index(batch_op.f('ix_phone_call_ended_at_phone_call_heard_at'))

    op.drop_table('phone_call')
