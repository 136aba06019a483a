"""An index by which reports count the calls that the programme cancelled.

Revision ID: 0044_cancelled_calls
Revises: 0043_before
"""

import sqlalchemy as sa
from alembic import op

revision = '0044_cancelled_calls'
down_revision = '0043_before'
branch_labels = None
depends_on = None

_NAME = 'ix_planned_call_cancelled'
_IS_CANCELLED = sa.text("status = 'cancelled'")


def upgrade() -> None:
    with op.get_context().autocommit_block():  # calls are planned and closed meanwhile
        if op.get_bind().dialect.name == 'postgresql':
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {_NAME}')  # one that was not finished
        op.create_index(
            _NAME,
            'planned_call',
            ['clinic_id', 'due_on'],
            sqlite_where=_IS_CANCELLED,
            postgresql_where=_IS_CANCELLED,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index(_NAME, 'planned_call')
