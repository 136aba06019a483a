"""How many segments a second a sender may send, and an index by which its texts stand in line.

Revision ID: 0054_sender_pace
Revises: 0053_leader_and_backup
"""

import sqlalchemy as sa
from alembic import op

revision = '0054_sender_pace'
down_revision = '0053_leader_and_backup'
branch_labels = None
depends_on = None

_NAME = 'ix_message_in_turn_at_clinic'
_IS_WAITING = sa.text("status = 'scheduled'")


def upgrade() -> None:
    with op.get_context().autocommit_block():  # texts are written and sent meanwhile
        if op.get_bind().dialect.name == 'postgresql':
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {_NAME}')  # one that was not finished
        op.create_index(
            _NAME,
            'message',
            ['clinic_id', 'rank', 'send_after', 'id'],
            sqlite_where=_IS_WAITING,
            postgresql_where=_IS_WAITING,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
    op.create_table(
        'sender_pace',
        sa.Column('sender', sa.String(length=40), nullable=False),
        sa.Column('per_second', sa.Integer(), nullable=False),
        sa.Column('last_turn_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('turns', sa.JSON(), nullable=False),
        sa.Column('by_staff_id', sa.Integer(), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name='fk_sender_pace_by_staff_id'),
        sa.PrimaryKeyConstraint('sender', name='pk_sender_pace'),
    )


def downgrade() -> None:
    op.drop_table('sender_pace')
    op.drop_index(_NAME, 'message')
