"""The key of what is looked up lies in the database, sealed with one of the installation's.

Nothing of a patient is written here. A new database gets its key after its migrations; one that
is there takes one over when its oldest key is taken out ('keys retire').

Revision ID: 0071_look_up_key
Revises: 0070_directories
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0071_look_up_key'
down_revision = '0070_directories'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'look_up_key',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key_id', sa.String(length=40), nullable=False),
        sa.Column('secret', sa.Text(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_look_up_key')),
    )


def downgrade() -> None:
    context.config.attributes['lay_open'](op.get_bind())
    op.drop_table('look_up_key')
