"""A pause that is to come: somebody says on Monday that they travel from Friday on.

Revision ID: 0010_coming_pauses
Revises: 0009_second_review
"""

import sqlalchemy as sa
from alembic import op

revision = '0010_coming_pauses'
down_revision = '0009_second_review'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('away_from_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('away_until_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('away_reason', sa.String(length=200), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        for column in ('away_reason', 'away_until_on', 'away_from_on'):
            batch_op.drop_column(column)
