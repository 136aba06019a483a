"""What patients send back: texts that come in, what they mean, and answers to them.

Revision ID: 0016_inbox
Revises: 0015_limits_and_welfare
"""

import sqlalchemy as sa
from alembic import op

revision = '0016_inbox'
down_revision = '0015_limits_and_welfare'
branch_labels = None
depends_on = None

_ANSWERS_TOO = (
    '(patient_id IS NULL OR staff_id IS NULL) AND'
    ' (patient_id IS NOT NULL OR staff_id IS NOT NULL OR inbound_id IS NOT NULL)'
)


def upgrade() -> None:
    op.create_table('inbound_text',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('provider_id', sa.String(length=64), nullable=False),
    sa.Column('from_number', sa.String(length=40), nullable=False),
    sa.Column('to_number', sa.String(length=40), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('attachments', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('open_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_inbound_text_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbound_text')),
    sa.UniqueConstraint('provider_id', name=op.f('uq_inbound_text_provider_id'))
    )
    with op.batch_alter_table('inbound_text', schema=None) as batch_op:
        batch_op.create_index('ix_inbound_text_number', ['clinic_id', 'from_number', 'open_until'], unique=False)

    op.create_table('answer_draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('form_key', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_answer_draft_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_answer_draft_patient_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_answer_draft_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_draft')),
    sa.UniqueConstraint('patient_id', 'staff_id', name=op.f('uq_answer_draft_patient_id_staff_id'))
    )
    op.create_table('reading_permission',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('is_given', sa.Boolean(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=True),
    sa.Column('inbound_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_reading_permission_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_reading_permission_clinic_id')),
    sa.ForeignKeyConstraint(['inbound_id'], ['inbound_text.id'], name=op.f('fk_reading_permission_inbound_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_reading_permission_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reading_permission'))
    )
    with op.batch_alter_table('reading_permission', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reading_permission_patient_id_reading_permission_id'), ['patient_id', 'id'], unique=False)

    op.create_table('text_question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('inbound_id', sa.Integer(), nullable=False),
    sa.Column('asked', sa.String(length=40), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_text_question_clinic_id')),
    sa.ForeignKeyConstraint(['inbound_id'], ['inbound_text.id'], name=op.f('fk_text_question_inbound_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_text_question_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_text_question')),
    sa.UniqueConstraint('inbound_id', name=op.f('uq_text_question_inbound_id'))
    )
    with op.batch_alter_table('text_question', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_text_question_patient_id_text_question_asked_at'), ['patient_id', 'asked_at'], unique=False)

    op.create_table('inbox_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=True),
    sa.Column('inbound_id', sa.Integer(), nullable=False),
    sa.Column('understood', sa.Enum('danger', 'stop', 'maybe_stop', 'start', 'help', 'confirmed', 'another_time', 'no_time_found', 'booked', 'slot_gone', 'reading', 'reading_asked', 'reading_unclear', 'readings_allowed', 'readings_refused', 'courtesy', 'not_understood', 'shared_number', 'unknown_number', name='understood', native_enum=False, length=40), nullable=False),
    sa.Column('planned_call_id', sa.Integer(), nullable=True),
    sa.Column('slot_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reading_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_inbox_item_clinic_id')),
    sa.ForeignKeyConstraint(['done_by_id'], ['staff_member.id'], name=op.f('fk_inbox_item_done_by_id')),
    sa.ForeignKeyConstraint(['inbound_id'], ['inbound_text.id'], name=op.f('fk_inbox_item_inbound_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_inbox_item_patient_id')),
    sa.ForeignKeyConstraint(['planned_call_id'], ['planned_call.id'], name=op.f('fk_inbox_item_planned_call_id')),
    sa.ForeignKeyConstraint(['reading_id'], ['reading.id'], name=op.f('fk_inbox_item_reading_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox_item')),
    sa.UniqueConstraint('inbound_id', 'patient_id', name=op.f('uq_inbox_item_inbound_id_patient_id'))
    )
    with op.batch_alter_table('inbox_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inbox_item_patient_id_inbox_item_at'), ['patient_id', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_inbox_item_planned_call_id'), ['planned_call_id'], unique=False)
        batch_op.create_index('ix_inbox_item_waiting', ['clinic_id', 'at'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('inbound_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('by_staff_id', sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f('ck_message_one_recipient'), type_='check')
        batch_op.create_check_constraint('one_recipient', _ANSWERS_TOO)
        batch_op.create_index(batch_op.f('ix_message_inbound_id'), ['inbound_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_message_inbound_id'), 'inbound_text', ['inbound_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_message_by_staff_id'), 'staff_member', ['by_staff_id'], ['id'])



def downgrade() -> None:
    # What was answered to a number that is nobody's has no place in the tables as they were.
    op.execute('DELETE FROM delivery_event WHERE message_id IN (SELECT id FROM message WHERE patient_id IS NULL AND staff_id IS NULL)')
    op.execute('DELETE FROM message WHERE patient_id IS NULL AND staff_id IS NULL')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_message_by_staff_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_message_inbound_id'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_message_inbound_id'))
        batch_op.drop_constraint(batch_op.f('ck_message_one_recipient'), type_='check')
        batch_op.create_check_constraint('one_recipient', '(patient_id IS NULL) <> (staff_id IS NULL)')
        batch_op.drop_column('by_staff_id')
        batch_op.drop_column('inbound_id')

    with op.batch_alter_table('inbox_item', schema=None) as batch_op:
        batch_op.drop_index('ix_inbox_item_waiting', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_inbox_item_planned_call_id'))
        batch_op.drop_index(batch_op.f('ix_inbox_item_patient_id_inbox_item_at'))

    op.drop_table('inbox_item')
    with op.batch_alter_table('text_question', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_text_question_patient_id_text_question_asked_at'))

    op.drop_table('text_question')
    with op.batch_alter_table('reading_permission', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reading_permission_patient_id_reading_permission_id'))

    op.drop_table('reading_permission')
    op.drop_table('answer_draft')
    with op.batch_alter_table('inbound_text', schema=None) as batch_op:
        batch_op.drop_index('ix_inbound_text_number')

    op.drop_table('inbound_text')
