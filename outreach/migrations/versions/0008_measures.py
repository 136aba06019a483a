"""What was said with a reading, and corrections that say why.

Revision ID: 0008_measures
Revises: 0006_corrections
"""

import sqlalchemy as sa
from alembic import op

revision = '0008_measures'
down_revision = '0006_corrections'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('reading', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bound', sa.Enum('HI', 'LO', name='bound', native_enum=False, length=40), nullable=True))
        batch_op.add_column(sa.Column('signs', sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.add_column(sa.Column('begins_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('is_unreliable', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('is_void', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('reason', sa.String(length=300), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('reading', schema=None) as batch_op:
        for column in ('reason', 'is_void', 'is_unreliable', 'begins_on', 'signs', 'bound'):
            batch_op.drop_column(column)
