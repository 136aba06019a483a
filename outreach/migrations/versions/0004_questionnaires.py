"""Questionnaires, item by item.

Revision ID: 0004_questionnaires
Revises: 0003_safety_net
"""

import sqlalchemy as sa
from alembic import op

revision = '0004_questionnaires'
down_revision = '0003_safety_net'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('questionnaire',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('form_key', sa.String(length=40), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Enum('phq2', 'phq9', 'gad7', 'peg', 'pain', 'dds2', 'dds17', 'ucla3', 'care', name='instrumentcode', native_enum=False, length=40), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.Column('score', sa.Numeric(precision=5, scale=1), nullable=True),
    sa.Column('is_prorated', sa.Boolean(), nullable=False),
    sa.Column('gap', sa.Enum('too many items without an answer', 'the item about self-harm has no answer', name='gap', native_enum=False, length=40), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_questionnaire_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_questionnaire_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_questionnaire_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questionnaire')),
    sa.UniqueConstraint('form_key', name=op.f('uq_questionnaire_form_key'))
    )
    with op.batch_alter_table('questionnaire', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_questionnaire_clinic_id_questionnaire_at'), ['clinic_id', 'at'], unique=False)
        batch_op.create_index('ix_questionnaire_patient', ['patient_id', 'code', 'at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('questionnaire', schema=None) as batch_op:
        batch_op.drop_index('ix_questionnaire_patient')
        batch_op.drop_index(batch_op.f('ix_questionnaire_clinic_id_questionnaire_at'))

    op.drop_table('questionnaire')
