"""What is kept how long: legal holds, deletion requests, a clinic's years, who was anonymised.

Revision ID: 0029_retention
Revises: 0027_visits
"""

import sqlalchemy as sa
from alembic import op

revision = '0029_retention'
down_revision = '0027_visits'
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def number(name, nullable=False, **more):
    return sa.Column(name, sa.Integer(), nullable=nullable, **more)


def enum(*values, name):
    return sa.Enum(*values, name=name, native_enum=False, length=40)


def refers(table, **columns):
    return [
        sa.ForeignKeyConstraint([column], [target], name=op.f(f'fk_{table}_{column}'))
        for column, target in columns.items()
    ]


def upgrade() -> None:
    op.create_table('legal_hold',
        number('id'), number('clinic_id'), number('patient_id'),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('placed_at', AT, nullable=False),
        number('placed_by_id'),
        sa.Column('lifted_at', AT, nullable=True),
        number('lifted_by_id', nullable=True),
        sa.Column('lifting_reason', sa.Text(), nullable=False),
        *refers('legal_hold', clinic_id='clinic.id', patient_id='patient.id',
                placed_by_id='staff_member.id', lifted_by_id='staff_member.id'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_legal_hold')),
    )
    on = sa.text('lifted_at IS NULL')
    op.create_index('uq_legal_hold_on', 'legal_hold', ['patient_id'], unique=True, sqlite_where=on, postgresql_where=on)
    op.create_index(op.f('ix_legal_hold_clinic_id_legal_hold_lifted_at'), 'legal_hold', ['clinic_id', 'lifted_at'])
    op.create_table('deletion_request',
        number('id'), number('clinic_id'), number('patient_id'),
        sa.Column('asked_by', enum('patient', 'representative', 'court', name='askedby'), nullable=False),
        sa.Column('asked_on', sa.Date(), nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('noted_at', AT, nullable=False),
        number('noted_by_id'),
        sa.Column('decision', enum('granted', 'refused', 'withdrawn', name='decision'), nullable=True),
        sa.Column('ground', enum('record keeping', 'public health', 'research', 'legal claim', 'not entitled', name='ground'), nullable=True),
        sa.Column('explanation', sa.Text(), nullable=False),
        sa.Column('decided_at', AT, nullable=True),
        number('decided_by_id', nullable=True),
        sa.Column('done_at', AT, nullable=True),
        *refers('deletion_request', clinic_id='clinic.id', patient_id='patient.id',
                noted_by_id='staff_member.id', decided_by_id='staff_member.id'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_deletion_request')),
    )
    undecided = sa.text('decided_at IS NULL')
    op.create_index('uq_deletion_request_open', 'deletion_request', ['patient_id'], unique=True, sqlite_where=undecided, postgresql_where=undecided)
    op.create_index(op.f('ix_deletion_request_patient_id'), 'deletion_request', ['patient_id'])
    op.create_index(op.f('ix_deletion_request_clinic_id_deletion_request_decided_at'), 'deletion_request', ['clinic_id', 'decided_at'])
    op.create_table('retention_setting',
        number('clinic_id'), number('years', nullable=True),
        sa.Column('changed_at', AT, nullable=False),
        number('by_staff_id'),
        *refers('retention_setting', clinic_id='clinic.id', by_staff_id='staff_member.id'),
        sa.PrimaryKeyConstraint('clinic_id', name=op.f('pk_retention_setting')),
    )
    op.create_table('anonymised',
        number('patient_id', autoincrement=False), number('clinic_id'),
        sa.Column('cause', enum('schedule', 'request', name='cause'), nullable=False),
        sa.Column('at', AT, nullable=False),
        *refers('anonymised', patient_id='patient.id', clinic_id='clinic.id'),
        sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_anonymised')),
    )
    op.create_index(op.f('ix_anonymised_clinic_id_anonymised_at'), 'anonymised', ['clinic_id', 'at'])


def downgrade() -> None:
    for table in ('anonymised', 'retention_setting', 'deletion_request', 'legal_hold'):
        op.drop_table(table)
