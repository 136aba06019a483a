"""Every asking of the carrier is kept; clinics choose what is sent by itself.

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
    op.create_table(
        'message_setting',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=40), nullable=False),
        sa.Column('is_on', sa.Boolean(), nullable=False),
        sa.Column('by_staff_id', sa.Integer(), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_message_setting_by_staff_id')),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_message_setting_clinic_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_message_setting')),
        sa.UniqueConstraint('clinic_id', 'kind', name=op.f('uq_message_setting_clinic_id_kind')),
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
    op.drop_table('message_setting')
    op.drop_table('send_try')
