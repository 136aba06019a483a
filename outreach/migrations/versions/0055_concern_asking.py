"""Which asking of a questionnaire a concern came from, so that its answers are read with it.

Revision ID: 0055_concern_asking
Revises: 0054_sender_pace
"""

import sqlalchemy as sa
from alembic import op

revision = '0055_concern_asking'
down_revision = '0054_sender_pace'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('concern', sa.Column('asking_key', sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column('concern', 'asking_key')
