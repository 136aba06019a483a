"""Second factors, links to set a password, emergency access, what a session says of itself.

Revision ID: 0022_second_factors
Revises: 0021_hours_changed
"""

import sqlalchemy as sa
from alembic import op

revision = '0022_second_factors'
down_revision = '0021_hours_changed'
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def number(name, nullable=False):
    return sa.Column(name, sa.Integer(), nullable=nullable)


def upgrade() -> None:
    op.create_table('authenticator',
        sa.Column('id', sa.Integer(), nullable=False),
        number('staff_id'),
        sa.Column('secret', sa.String(length=200), nullable=False),
        sa.Column('last_step', sa.Integer(), nullable=True),
        sa.Column('made_at', AT, nullable=False),
        sa.Column('confirmed_at', AT, nullable=True),
        sa.Column('ended_at', AT, nullable=True),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_authenticator_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_authenticator')),
    )
    op.create_index(op.f('ix_authenticator_staff_id'), 'authenticator', ['staff_id'])
    in_use = sa.text('confirmed_at IS NOT NULL AND ended_at IS NULL')
    op.create_index('uq_authenticator_in_use', 'authenticator', ['staff_id'], unique=True, sqlite_where=in_use, postgresql_where=in_use)
    op.create_table('recovery_code',
        sa.Column('id', sa.Integer(), nullable=False),
        number('staff_id'),
        sa.Column('code_hash', sa.String(length=64), nullable=False),
        sa.Column('made_at', AT, nullable=False),
        sa.Column('used_at', AT, nullable=True),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_recovery_code_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
        sa.UniqueConstraint('staff_id', 'code_hash', name=op.f('uq_recovery_code_staff_id_code_hash')),
    )
    op.create_table('passkey',
        sa.Column('id', sa.Integer(), nullable=False),
        number('staff_id'),
        sa.Column('credential_id', sa.String(length=1400), nullable=False),
        sa.Column('public_key', sa.String(length=2000), nullable=False),
        sa.Column('sign_count', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=60), nullable=False),
        sa.Column('made_at', AT, nullable=False),
        sa.Column('used_at', AT, nullable=True),
        sa.Column('removed_at', AT, nullable=True),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_passkey_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey')),
        sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_credential_id')),
    )
    op.create_index(op.f('ix_passkey_staff_id'), 'passkey', ['staff_id'])
    op.create_table('passkey_challenge',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('challenge_hash', sa.String(length=64), nullable=False),
        number('staff_id', nullable=True),
        sa.Column('made_at', AT, nullable=False),
        sa.Column('used_at', AT, nullable=True),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_passkey_challenge_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey_challenge')),
        sa.UniqueConstraint('challenge_hash', name=op.f('uq_passkey_challenge_challenge_hash')),
    )
    op.create_index(op.f('ix_passkey_challenge_made_at'), 'passkey_challenge', ['made_at'])
    op.create_table('access_link',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        number('staff_id'),
        sa.Column('kind', sa.String(length=40), nullable=False),
        number('made_by_id', nullable=True),
        sa.Column('made_at', AT, nullable=False),
        sa.Column('expires_at', AT, nullable=False),
        sa.Column('used_at', AT, nullable=True),
        sa.Column('withdrawn_at', AT, nullable=True),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_access_link_staff_id')),
        sa.ForeignKeyConstraint(['made_by_id'], ['staff_member.id'], name=op.f('fk_access_link_made_by_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_access_link')),
        sa.UniqueConstraint('token_hash', name=op.f('uq_access_link_token_hash')),
    )
    op.create_index(op.f('ix_access_link_staff_id'), 'access_link', ['staff_id'])
    op.create_table('emergency_access',
        sa.Column('id', sa.Integer(), nullable=False),
        number('staff_id'),
        number('clinic_id'),
        number('patient_id'),
        sa.Column('reason', sa.String(length=500), nullable=False),
        sa.Column('from_at', AT, nullable=False),
        sa.Column('until_at', AT, nullable=False),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_emergency_access_staff_id')),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_emergency_access_clinic_id')),
        sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_emergency_access_patient_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_emergency_access')),
    )
    op.create_index(op.f('ix_emergency_access_staff_id_emergency_access_until_at'), 'emergency_access', ['staff_id', 'until_at'])
    op.create_index(op.f('ix_emergency_access_clinic_id_emergency_access_from_at'), 'emergency_access', ['clinic_id', 'from_at'])
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.add_column(sa.Column('awaits_factor', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('confirmed_at', AT, nullable=True))
        batch_op.add_column(sa.Column('device', sa.String(length=300), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('address', sa.String(length=45), nullable=False, server_default=''))
    op.create_index(op.f('ix_sign_in_failure_account_hash_sign_in_failure_at'), 'sign_in_failure', ['account_hash', 'at'])


def downgrade() -> None:
    op.drop_index(op.f('ix_sign_in_failure_account_hash_sign_in_failure_at'), 'sign_in_failure')
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        for name in ('address', 'device', 'confirmed_at', 'awaits_factor'):
            batch_op.drop_column(name)
    op.drop_table('emergency_access')
    op.drop_table('access_link')
    op.drop_table('passkey_challenge')
    op.drop_table('passkey')
    op.drop_table('recovery_code')
    op.drop_table('authenticator')
