"""How callers are: a question a month, and who asks for support.

Revision ID: 0039_pulse
Revises: 0038_low_sugar_card
"""

import sqlalchemy as sa
from alembic import op

revision = '0039_pulse'
down_revision = '0038_low_sugar_card'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_STAFF = "(SELECT nullif(current_setting('outreach.staff', true), '')::int)"


def upgrade() -> None:
    op.create_table(
        'pulse_answer',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('staff_id', sa.Integer(), nullable=False),
        sa.Column('month', sa.Date(), nullable=False),
        sa.Column('answer', sa.Text(), nullable=True),
        sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_pulse_answer_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_pulse_answer')),
        sa.UniqueConstraint('staff_id', 'month', name=op.f('uq_pulse_answer_staff_id_month')),
    )
    op.create_index(op.f('ix_pulse_answer_month'), 'pulse_answer', ['month'])
    op.create_table(
        'support_request',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('staff_id', sa.Integer(), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('spoken_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('spoken_by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_support_request_staff_id')),
        sa.ForeignKeyConstraint(['spoken_by_id'], ['staff_member.id'], name=op.f('fk_support_request_spoken_by_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_support_request')),
    )
    op.create_index(
        'uq_support_request_open',
        'support_request',
        ['staff_id'],
        unique=True,
        sqlite_where=sa.text('spoken_at IS NULL'),
        postgresql_where=sa.text('spoken_at IS NULL'),
    )
    if op.get_bind().dialect.name == 'postgresql':
        for table in ('pulse_answer', 'support_request'):
            op.execute(f'CREATE POLICY second_wall ON {table} USING (staff_id = {_STAFF} OR {_FAR})')


def downgrade() -> None:
    op.drop_table('support_request')
    op.drop_table('pulse_answer')
