"""Items that were asked and not answered keep why; an attempt when it was saved;
a dead number what was learnt about it.

Revision ID: 0024_call_screen
Revises: 0023_audit_chain
"""

import sqlalchemy as sa
from alembic import op

revision = '0024_call_screen'
down_revision = '0023_audit_chain'
branch_labels = None
depends_on = None

_TABLES = ('questionnaire', 'begun_questionnaire')


def upgrade() -> None:
    for table in _TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('skipped', sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.add_column(sa.Column('saved_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table('number_note',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('number_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('is_resolved', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_number_note_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_number_note_clinic_id')),
    sa.ForeignKeyConstraint(['number_id'], ['phone_number.id'], name=op.f('fk_number_note_number_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_number_note_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_number_note'))
    )
    with op.batch_alter_table('number_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_number_note_patient_id_number_note_number_id'), ['patient_id', 'number_id'], unique=False)


def downgrade() -> None:
    op.drop_table('number_note')
    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.drop_column('saved_at')
    for table in _TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('skipped')
