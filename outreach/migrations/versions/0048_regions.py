"""Regions: clinics under one name, and who answers for all of them.

Revision ID: 0048_regions
Revises: 0047_brakes
"""

import sqlalchemy as sa
from alembic import op

revision = '0048_regions'
down_revision = '0047_brakes'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_CLINICS = (
    "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
)
ROLES = ('caller', 'nurse', 'manager', 'administrator', 'auditor', 'assessor')


def upgrade() -> None:
    op.create_table(
        'region',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_region'),
        sa.UniqueConstraint('name', name='uq_region_name'),
    )
    op.create_table(
        'region_clinic',
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('region_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name='fk_region_clinic_clinic_id'),
        sa.ForeignKeyConstraint(['region_id'], ['region.id'], name='fk_region_clinic_region_id'),
        sa.PrimaryKeyConstraint('clinic_id', name='pk_region_clinic'),
    )
    op.create_index('ix_region_clinic_region_id', 'region_clinic', ['region_id'])
    op.create_table(
        'region_role',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('region_id', sa.Integer(), nullable=False),
        sa.Column('staff_id', sa.Integer(), nullable=False),
        sa.Column('role', sa.Enum(*ROLES, name='role', native_enum=False, length=40), nullable=False),
        sa.Column('from_on', sa.Date(), nullable=False),
        sa.Column('until_on', sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(['region_id'], ['region.id'], name='fk_region_role_region_id'),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name='fk_region_role_staff_id'),
        sa.PrimaryKeyConstraint('id', name='pk_region_role'),
    )
    op.create_index(
        'uq_region_role_held',
        'region_role',
        ['region_id', 'staff_id', 'role'],
        unique=True,
        sqlite_where=sa.text('until_on IS NULL'),
        postgresql_where=sa.text('until_on IS NULL'),
    )
    op.create_table(
        'region_membership',
        sa.Column('membership_id', sa.Integer(), nullable=False),
        sa.Column('region_role_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['membership_id'], ['membership.id'], name='fk_region_membership_membership_id'),
        sa.ForeignKeyConstraint(['region_role_id'], ['region_role.id'], name='fk_region_membership_region_role_id'),
        sa.PrimaryKeyConstraint('membership_id', name='pk_region_membership'),
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            f'CREATE POLICY second_wall ON region_clinic USING (clinic_id = ANY {_CLINICS} OR {_FAR})'
        )
        op.execute(f'CREATE POLICY second_wall ON region_membership USING ({_FAR})')


def downgrade() -> None:
    op.drop_table('region_membership')
    op.drop_table('region_role')
    op.drop_table('region_clinic')
    op.drop_table('region')
