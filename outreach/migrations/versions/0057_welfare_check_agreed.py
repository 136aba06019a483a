"""Whether a patient agreed that a nurse makes sure they are well when nobody reaches them.

Revision ID: 0057_welfare_check_agreed
Revises: 0055_concern_asking
"""

import sqlalchemy as sa
from alembic import op

revision = '0057_welfare_check_agreed'
down_revision = '0055_concern_asking'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('patient', sa.Column('is_welfare_check_agreed', sa.Boolean(), nullable=True))


def downgrade() -> None:
    # Not as a batch: SQLite would make the table anew, without its triggers.
    op.drop_column('patient', 'is_welfare_check_agreed')
