"""Visits; each patient's last readings and last talk beside their histories.

Revision ID: 0027_visits
Revises: 0026_rollups
"""

import sqlalchemy as sa
from alembic import op

revision = '0027_visits'
down_revision = '0026_rollups'
branch_labels = None
depends_on = None

_LAST_READINGS = """
INSERT INTO latest_reading (patient_id, kind, clinic_id, reading_id, value, taken_at)
SELECT patient_id, kind, clinic_id, id, value, taken_at
  FROM (SELECT r.*, row_number() OVER (PARTITION BY r.patient_id, r.kind
                                       ORDER BY r.taken_at DESC, r.id DESC) AS place
          FROM reading r
         WHERE NOT r.is_void AND r.withdrawn_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM reading c WHERE c.supersedes_id = r.id)) counted
 WHERE place = 1
"""
_LAST_TALKS = """
INSERT INTO last_talk (patient_id, clinic_id, attempt_id, at)
SELECT patient_id, clinic_id, id, at
  FROM (SELECT a.*, row_number() OVER (PARTITION BY a.patient_id
                                       ORDER BY a.at DESC, a.id DESC) AS place
          FROM attempt a
         WHERE a.superseded_at IS NULL
           AND a.outcome IN ('reached_completed', 'reached_call_back', 'reached_declined_today',
                             'reached_safety', 'reached_opted_out')) talked
 WHERE place = 1
"""


def upgrade() -> None:
    op.create_table('visit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('took_place_on', sa.Date(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Enum('in person', 'telehealth', 'home', 'emergency', 'inpatient', name='visitkind', native_enum=False, length=40), nullable=False),
    sa.Column('external_key', sa.String(length=200), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_visit_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_visit_patient_id')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['staff_member.id'], name=op.f('fk_visit_recorded_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_visit')),
    sa.UniqueConstraint('patient_id', 'external_key', name=op.f('uq_visit_patient_id_external_key'))
    )
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_visit_clinic_id_visit_recorded_at'), ['clinic_id', 'recorded_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_visit_patient_id_visit_took_place_on'), ['patient_id', 'took_place_on'], unique=False)

    op.create_table('last_talk',
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('attempt_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_last_talk_attempt_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_last_talk_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_last_talk_patient_id')),
    sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_last_talk')),
    sa.UniqueConstraint('attempt_id', name=op.f('uq_last_talk_attempt_id'))
    )
    with op.batch_alter_table('last_talk', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_last_talk_at'), ['at'], unique=False)

    op.create_table('latest_reading',
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('hba1c', 'gmi', 'glucose', 'glucose_fasting', 'glucose_lab', 'glucose_lab_fasting', 'systolic', 'diastolic', 'pulse', 'weight', 'height', 'bmi', 'phq2_total', 'phq9_total', 'gad7_total', 'peg_mean', 'pain', 'dds2_mean', 'dds17_mean', 'ucla3_total', 'care_total', 'eq_vas', 'promis_mental', 'promis_physical', 'self_rated_health', name='measurekind', native_enum=False, length=40), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('reading_id', sa.Integer(), nullable=False),
    sa.Column('value', sa.Numeric(precision=9, scale=3), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_latest_reading_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_latest_reading_patient_id')),
    sa.ForeignKeyConstraint(['reading_id'], ['reading.id'], name=op.f('fk_latest_reading_reading_id')),
    sa.PrimaryKeyConstraint('patient_id', 'kind', name=op.f('pk_latest_reading')),
    sa.UniqueConstraint('reading_id', name=op.f('uq_latest_reading_reading_id'))
    )
    with op.batch_alter_table('latest_reading', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_latest_reading_kind_latest_reading_taken_at'), ['kind', 'taken_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_latest_reading_kind_latest_reading_value'), ['kind', 'value'], unique=False)

    op.execute(_LAST_READINGS)
    op.execute(_LAST_TALKS)


def downgrade() -> None:
    with op.batch_alter_table('latest_reading', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_latest_reading_kind_latest_reading_value'))
        batch_op.drop_index(batch_op.f('ix_latest_reading_kind_latest_reading_taken_at'))

    op.drop_table('latest_reading')
    with op.batch_alter_table('last_talk', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_last_talk_at'))

    op.drop_table('last_talk')
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_visit_patient_id_visit_took_place_on'))
        batch_op.drop_index(batch_op.f('ix_visit_clinic_id_visit_recorded_at'))

    op.drop_table('visit')
