"""What was said with a reading, corrections that say why, licensed questionnaires.

Revision ID: 0008_measures
Revises: 0007_phone_calls
"""

import sqlalchemy as sa
from alembic import op

revision = '0008_measures'
down_revision = '0007_phone_calls'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('reading', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bound', sa.Enum('HI', 'LO', name='bound', native_enum=False, length=40), nullable=True))
        batch_op.add_column(sa.Column('signs', sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.add_column(sa.Column('begins_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('is_unreliable', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('is_void', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('reason', sa.String(length=300), server_default='', nullable=False))
    op.create_table('begun_questionnaire',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Enum('phq2', 'phq9', 'gad7', 'peg', 'pain', 'dds2', 'dds17', 'ucla3', 'care', 'eq5d5l', name='instrumentcode', native_enum=False, length=40), nullable=False),
    sa.Column('form_key', sa.String(length=40), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.Column('is_told', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_begun_questionnaire_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_begun_questionnaire_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_begun_questionnaire_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_begun_questionnaire')),
    sa.UniqueConstraint('patient_id', 'code', name=op.f('uq_begun_questionnaire_patient_id_code'))
    )
    op.create_table('instrument_permission',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Enum('phq2', 'phq9', 'gad7', 'peg', 'pain', 'dds2', 'dds17', 'ucla3', 'care', 'eq5d5l', name='instrumentcode', native_enum=False, length=40), nullable=False),
    sa.Column('is_given', sa.Boolean(), nullable=False),
    sa.Column('granted_by', sa.String(length=200), nullable=False),
    sa.Column('granted_on', sa.Date(), nullable=True),
    sa.Column('wording', sa.Text(), nullable=False),
    sa.Column('introduction', sa.Text(), nullable=False),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.Column('answer_words', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_instrument_permission_by_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_instrument_permission'))
    )
    with op.batch_alter_table('instrument_permission', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_instrument_permission_code_instrument_permission_id'), ['code', 'id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('instrument_permission', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_instrument_permission_code_instrument_permission_id'))
    op.drop_table('instrument_permission')
    op.drop_table('begun_questionnaire')
    with op.batch_alter_table('reading', schema=None) as batch_op:
        for column in ('reason', 'is_void', 'is_unreliable', 'begins_on', 'signs', 'bound'):
            batch_op.drop_column(column)
