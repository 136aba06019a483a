"""Texts that wait stand in an index in the order of their turn; after a restore they all wait.

Without the index each claim sorts everything that is due: sending slows down as more waits.

Revision ID: 0025_outbox_in_turn
Revises: 0024_call_screen
"""

import sqlalchemy as sa
from alembic import op

revision = '0025_outbox_in_turn'
down_revision = '0024_call_screen'
branch_labels = None
depends_on = None

# As messaging/rules.py had it when this was written; whatever else is an answer, rank 1.
RANKS = {
    'alert': 0,
    'digest': 2,
    'reminder': 3,
    'callback_confirmed': 4,
    'missed_you': 5,
    'thank_you': 6,
    'measurement_due': 7,
}


def upgrade() -> None:
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rank', sa.Integer(), nullable=False, server_default='1'))
    message = sa.table('message', sa.column('kind', sa.String), sa.column('rank', sa.Integer))
    op.execute(message.update().values(rank=sa.case(RANKS, value=message.c.kind, else_=1)))
    is_waiting = sa.text("status = 'scheduled'")
    op.create_index(
        'ix_message_in_turn',
        'message',
        ['rank', 'send_after', 'id'],
        postgresql_where=is_waiting,
        sqlite_where=is_waiting,
    )
    op.create_table(
        'outbox_hold',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('since', sa.DateTime(timezone=True), nullable=False),
        sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_as', sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_hold')),
    )
    op.create_table(
        'unrecorded_text',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('provider_id', sa.String(length=64), nullable=False),
        sa.Column('to_number', sa.String(length=40), nullable=False),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_unrecorded_text')),
        sa.UniqueConstraint('provider_id', name=op.f('uq_unrecorded_text_provider_id')),
    )
    op.create_index(op.f('ix_unrecorded_text_to_number'), 'unrecorded_text', ['to_number'])


def downgrade() -> None:
    op.drop_table('unrecorded_text')
    op.drop_table('outbox_hold')
    op.drop_index('ix_message_in_turn', table_name='message')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_column('rank')
