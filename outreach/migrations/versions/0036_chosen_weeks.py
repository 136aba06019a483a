"""Each rolled up week says whether its patient chose how often they are called.

What is rolled up of weeks is emptied: until it is rolled up again, which begins with the next
minute, reports count weeks from rows.

Revision ID: 0036_chosen_weeks
Revises: 0035_second_wall
"""

import sqlalchemy as sa
from alembic import op

revision = '0036_chosen_weeks'
down_revision = '0035_second_wall'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('report_week', 'report_rolled'):
        is_postgresql = op.get_bind().dialect.name == 'postgresql'
        op.execute(f'TRUNCATE {table}' if is_postgresql else f'DELETE FROM {table}')
    with op.batch_alter_table('report_week', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_chosen', sa.Boolean(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('report_week', schema=None) as batch_op:
        batch_op.drop_column('is_chosen')
