"""How often an account, or an address, did something: counted by stretches of the clock.

Revision ID: 0047_brakes
Revises: 0044_cancelled_calls
"""

import sqlalchemy as sa
from alembic import op

revision = '0047_brakes'
down_revision = '0044_cancelled_calls'
branch_labels = None
depends_on = None

WHAT = ('searches', 'looks', 'emergencies', 'links', 'texts', 'files', 'strangers')


def upgrade() -> None:
    op.create_table(
        'brake_count',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('what', sa.Enum(*WHAT, name='braked', native_enum=False, length=40), nullable=False),
        sa.Column('who_hash', sa.String(length=64), nullable=False),
        sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_brake_count'),
        sa.UniqueConstraint('who_hash', 'what', 'began_at', name='uq_brake_count_who_hash_what_began_at'),
    )


def downgrade() -> None:
    op.drop_table('brake_count')
