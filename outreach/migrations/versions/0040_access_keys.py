"""Keys by which other systems read one clinic.

Revision ID: 0040_access_keys
Revises: 0039_pulse
"""

import sqlalchemy as sa
from alembic import op

revision = '0040_access_keys'
down_revision = '0039_pulse'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_CLINICS = (
    "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
)
_NOBODY_YET = "(SELECT current_setting('outreach.reach', true) = 'sign-in')"


def upgrade() -> None:
    op.create_table(
        'access_key',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=80), nullable=False),
        sa.Column('prefix', sa.String(length=20), nullable=False),
        sa.Column('secret_hash', sa.String(length=64), nullable=False),
        sa.Column('form_key', sa.String(length=40), nullable=False),
        sa.Column('made_by_id', sa.Integer(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('revoked_by_id', sa.Integer(), nullable=True),
        sa.Column('minute_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('minute_count', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name='fk_access_key_clinic_id'),
        sa.ForeignKeyConstraint(['made_by_id'], ['staff_member.id'], name='fk_access_key_made_by_id'),
        sa.ForeignKeyConstraint(['revoked_by_id'], ['staff_member.id'], name='fk_access_key_revoked_by_id'),
        sa.PrimaryKeyConstraint('id', name='pk_access_key'),
        sa.UniqueConstraint('form_key', name='uq_access_key_form_key'),
        sa.UniqueConstraint('secret_hash', name='uq_access_key_secret_hash'),
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            f'CREATE POLICY second_wall ON access_key USING (clinic_id = ANY {_CLINICS} OR {_FAR})'
        )
        op.execute(
            f'CREATE POLICY second_wall_to_read ON access_key FOR SELECT USING ({_NOBODY_YET})'
        )


def downgrade() -> None:
    op.drop_table('access_key')
