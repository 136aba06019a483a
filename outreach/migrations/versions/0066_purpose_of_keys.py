"""Access keys say what they read patients for.

Revision ID: 0066_purpose_of_keys
Revises: 0065_staff_numbers
"""

import sqlalchemy as sa
from alembic import op

revision = '0066_purpose_of_keys'
down_revision = '0065_staff_numbers'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('access_key') as batch_op:
        batch_op.add_column(sa.Column('purpose', sa.String(200), nullable=False, server_default=''))


def downgrade() -> None:
    with op.batch_alter_table('access_key') as batch_op:
        batch_op.drop_column('purpose')
