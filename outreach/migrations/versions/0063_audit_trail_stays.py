"""The audit trail can't be emptied at once, nor written over.

Revision ID: 0063_audit_trail_stays
Revises: 0060_indexes_of_pages
"""

from alembic import op

revision = '0063_audit_trail_stays'
down_revision = '0060_indexes_of_pages'
branch_labels = None
depends_on = None

# With the key by which SQLite takes a row to be written over.
_TABLES = {'audit_event': 'id', 'audit_link': 'position'}
_WORDS = 'The audit trail is only appended to.'


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == 'postgresql'
    for table, key in _TABLES.items():
        if is_postgresql:
            op.execute(f'CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')
        else:
            # REPLACE deletes what it writes over without a trigger for DELETE.
            op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END")


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == 'postgresql'
    for table in _TABLES:
        op.execute(f'DROP TRIGGER {table}_no_truncate ON {table}' if is_postgresql else f'DROP TRIGGER {table}_no_replace')
