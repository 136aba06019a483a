"""What reports group patients by, and first days, as they stood before a change.

Nothing is written for the rows that are there: one of which no change was kept has always been
as it is now.

Revision ID: 0043_before
Revises: 0041_work_life
"""

import sqlalchemy as sa
from alembic import op

revision = '0043_before'
down_revision = '0041_work_life'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_CLINICS = (
    "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
)


def upgrade() -> None:
    op.create_table(
        'patient_before',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('patient_id', sa.Integer(), nullable=False),
        sa.Column('date_of_birth', sa.Date(), nullable=False),
        sa.Column('sex', sa.Enum('female', 'male', 'other', 'unknown', name='sex', native_enum=False, length=40), nullable=False),
        sa.Column('language', sa.String(length=10), nullable=False),
        sa.Column('zone', sa.String(length=60), nullable=False),
        sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name='fk_patient_before_clinic_id'),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name='fk_patient_before_patient_id'),
        sa.PrimaryKeyConstraint('id', name='pk_patient_before'),
    )
    op.create_index('ix_patient_before_patient_id_patient_before_until_at', 'patient_before', ['patient_id', 'until_at'])
    op.create_table(
        'enrolment_before',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('patient_id', sa.Integer(), nullable=False),
        sa.Column('enrolment_id', sa.Integer(), nullable=False),
        sa.Column('starts_on', sa.Date(), nullable=False),
        sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name='fk_enrolment_before_clinic_id'),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name='fk_enrolment_before_patient_id'),
        sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name='fk_enrolment_before_enrolment_id'),
        sa.PrimaryKeyConstraint('id', name='pk_enrolment_before'),
    )
    op.create_index('ix_enrolment_before_enrolment_id_enrolment_before_until_at', 'enrolment_before', ['enrolment_id', 'until_at'])
    op.create_index('ix_enrolment_before_patient_id', 'enrolment_before', ['patient_id'])
    if op.get_bind().dialect.name == 'postgresql':
        for table in ('patient_before', 'enrolment_before'):
            op.execute(
                f'CREATE POLICY second_wall ON {table} USING (clinic_id = ANY {_CLINICS} OR {_FAR})'
            )


def downgrade() -> None:
    op.drop_table('enrolment_before')
    op.drop_table('patient_before')
