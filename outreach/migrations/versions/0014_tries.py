"""Every asking of the carrier is kept, with what came of it.

Revision ID: 0014_tries
Revises: 0013_wordings
"""

import sqlalchemy as sa
from alembic import op

revision = '0014_tries'
down_revision = '0013_wordings'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'send_try',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('message_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            'result',
            sa.Enum('taken', 'refused', 'not_taken', 'no_answer', 'found', 'not_found', name='tryresult', native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column('detail', sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_send_try_message_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_send_try')),
        sa.UniqueConstraint('message_id', 'at', 'result', name=op.f('uq_send_try_message_id_at_result')),
    )
    op.add_column(
        'delivery_event',
        sa.Column('is_unreachable', sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index('ix_message_clinic_id_message_send_after', 'message', ['clinic_id', 'send_after'])
    op.create_index('ix_message_to_number', 'message', ['to_number'])


def downgrade() -> None:
    op.drop_index('ix_message_to_number', 'message')
    op.drop_index('ix_message_clinic_id_message_send_after', 'message')
    with op.batch_alter_table('delivery_event') as batch:
        batch.drop_column('is_unreachable')
    op.drop_table('send_try')
