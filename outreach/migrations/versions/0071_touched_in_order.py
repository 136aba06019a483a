"""Enrolments to roll up are taken in their order without looking at all that wait.

Revision ID: 0071_touched_in_order
Revises: 0070_directories
"""

from alembic import op

revision = '0071_touched_in_order'
down_revision = '0070_directories'
branch_labels = None
depends_on = None

_TABLE = 'report_touched_enrolment'
_BEFORE, _AFTER = f'ix_{_TABLE}_clinic_id', f'ix_{_TABLE}_in_order'


def upgrade() -> None:
    _replace(_BEFORE, _AFTER, ['clinic_id', 'enrolment_id'])


def downgrade() -> None:
    _replace(_AFTER, _BEFORE, ['clinic_id'])


def _replace(old: str, new: str, columns: list[str]) -> None:
    with op.get_context().autocommit_block():  # calls are saved meanwhile
        if op.get_bind().dialect.name == 'postgresql':
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {new}')  # one not finished
        op.create_index(new, _TABLE, columns, postgresql_concurrently=True, if_not_exists=True)
        op.drop_index(old, _TABLE, postgresql_concurrently=True, if_exists=True)
