"""How to say a name and talk with somebody; goals, and how they go.

Revision ID: 0005_about_the_person
Revises: 0004_questionnaires
"""

import sqlalchemy as sa
from alembic import op

revision = '0005_about_the_person'
down_revision = '0004_questionnaires'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('goal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('area', sa.Enum('nutrition', 'exercise', 'sleep', 'medication', 'own', name='goalarea', native_enum=False, length=40), nullable=False),
    sa.Column('text', sa.String(length=300), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('set_by_id', sa.Integer(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by_id', sa.Integer(), nullable=True),
    sa.Column('ending', sa.Enum('reached', 'let_go', name='goalending', native_enum=False, length=40), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_goal_clinic_id')),
    sa.ForeignKeyConstraint(['ended_by_id'], ['staff_member.id'], name=op.f('fk_goal_ended_by_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_goal_patient_id')),
    sa.ForeignKeyConstraint(['set_by_id'], ['staff_member.id'], name=op.f('fk_goal_set_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goal'))
    )
    with op.batch_alter_table('goal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_goal_patient_id_goal_ended_at'), ['patient_id', 'ended_at'], unique=False)

    op.create_table('goal_news',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('goal_id', sa.Integer(), nullable=False),
    sa.Column('attempt_id', sa.Integer(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(length=500), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_goal_news_attempt_id')),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_goal_news_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_goal_news_clinic_id')),
    sa.ForeignKeyConstraint(['goal_id'], ['goal.id'], name=op.f('fk_goal_news_goal_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_goal_news_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goal_news'))
    )
    with op.batch_alter_table('goal_news', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_goal_news_attempt_id'), ['attempt_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_goal_news_goal_id_goal_news_id'), ['goal_id', 'id'], unique=False)

    op.add_column('patient', sa.Column('said_as', sa.String(length=120), nullable=True))
    op.add_column('patient', sa.Column('approach', sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('approach')
        batch_op.drop_column('said_as')

    with op.batch_alter_table('goal_news', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_goal_news_goal_id_goal_news_id'))
        batch_op.drop_index(batch_op.f('ix_goal_news_attempt_id'))

    op.drop_table('goal_news')
    with op.batch_alter_table('goal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_goal_patient_id_goal_ended_at'))

    op.drop_table('goal')
