"""A second look at what was urgent, flags that are looked at again, on call every week.

Revision ID: 0009_second_review
Revises: 0008_measures
"""

import sqlalchemy as sa
from alembic import op

revision = '0009_second_review'
down_revision = '0008_measures'
branch_labels = None
depends_on = None


def _name_from_steps(column: str, kind: str) -> None:
    """Write down who did it, as the concern's own steps say."""
    op.execute(
        f'UPDATE concern SET {column} = ('
        'SELECT by_staff_id FROM concern_step'
        f" WHERE concern_step.concern_id = concern.id AND concern_step.kind = '{kind}'"
        ' ORDER BY concern_step.id DESC LIMIT 1)'
    )


def upgrade() -> None:
    op.create_table('clinic_safety',
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('needed', sa.Enum('anybody', 'first', name='needed', native_enum=False, length=40), nullable=False),
    sa.Column('lead_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_clinic_safety_clinic_id')),
    sa.ForeignKeyConstraint(['lead_id'], ['staff_member.id'], name=op.f('fk_clinic_safety_lead_id')),
    sa.PrimaryKeyConstraint('clinic_id', name=op.f('pk_clinic_safety'))
    )
    op.create_table('crisis_card',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=10), nullable=False),
    sa.Column('emergency', sa.String(length=40), nullable=False),
    sa.Column('lifeline', sa.String(length=40), nullable=False),
    sa.Column('lifeline_hint', sa.String(length=200), nullable=False),
    sa.Column('say', sa.Text(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_crisis_card_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_crisis_card_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_crisis_card')),
    sa.UniqueConstraint('clinic_id', 'language', name=op.f('uq_crisis_card_clinic_id_language'))
    )
    op.create_table('on_call_week',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('rank', sa.Enum('first', 'backup', 'lead', name='oncallrank', native_enum=False, length=40), nullable=False),
    sa.Column('weekdays', sa.Integer(), nullable=False),
    sa.Column('begins', sa.Time(), nullable=False),
    sa.Column('ends', sa.Time(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=True),
    sa.Column('by_staff_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_on_call_week_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_on_call_week_clinic_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_on_call_week_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_on_call_week'))
    )
    with op.batch_alter_table('on_call_week', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_on_call_week_clinic_id'), ['clinic_id'], unique=False)

    op.create_table('risk_flag',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('suicide', 'abuse', 'medical', 'other', name='riskkind', native_enum=False, length=40), nullable=False),
    sa.Column('words', sa.String(length=300), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('review_on', sa.Date(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_risk_flag_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_risk_flag_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_risk_flag_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_risk_flag'))
    )
    with op.batch_alter_table('risk_flag', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_risk_flag_clinic_id_risk_flag_review_on'), ['clinic_id', 'review_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_risk_flag_patient_id'), ['patient_id'], unique=False)

    op.create_table('risk_flag_review',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('flag_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('review_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_risk_flag_review_by_staff_id')),
    sa.ForeignKeyConstraint(['flag_id'], ['risk_flag.id'], name=op.f('fk_risk_flag_review_flag_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_risk_flag_review'))
    )
    with op.batch_alter_table('risk_flag_review', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_risk_flag_review_flag_id_risk_flag_review_id'), ['flag_id', 'id'], unique=False)

    with op.batch_alter_table('concern', schema=None) as batch_op:
        batch_op.add_column(sa.Column('form_key', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('acknowledged_by_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('closed_by_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('reviewed_by_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('reopened_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('times_reopened', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_unique_constraint(batch_op.f('uq_concern_form_key'), ['form_key'])
        batch_op.create_foreign_key(batch_op.f('fk_concern_acknowledged_by_id'), 'staff_member', ['acknowledged_by_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_concern_reviewed_by_id'), 'staff_member', ['reviewed_by_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_concern_closed_by_id'), 'staff_member', ['closed_by_id'], ['id'])

    _name_from_steps('closed_by_id', 'closed')
    _name_from_steps('acknowledged_by_id', 'acknowledged')



def downgrade() -> None:
    with op.batch_alter_table('concern', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_concern_closed_by_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_concern_reviewed_by_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_concern_acknowledged_by_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_concern_form_key'), type_='unique')
        batch_op.drop_column('times_reopened')
        batch_op.drop_column('reopened_at')
        batch_op.drop_column('reviewed_by_id')
        batch_op.drop_column('reviewed_at')
        batch_op.drop_column('closed_by_id')
        batch_op.drop_column('acknowledged_by_id')
        batch_op.drop_column('form_key')

    with op.batch_alter_table('risk_flag_review', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_risk_flag_review_flag_id_risk_flag_review_id'))

    op.drop_table('risk_flag_review')
    with op.batch_alter_table('risk_flag', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_risk_flag_patient_id'))
        batch_op.drop_index(batch_op.f('ix_risk_flag_clinic_id_risk_flag_review_on'))

    op.drop_table('risk_flag')
    with op.batch_alter_table('on_call_week', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_on_call_week_clinic_id'))

    op.drop_table('on_call_week')
    op.drop_table('crisis_card')
    op.drop_table('clinic_safety')
