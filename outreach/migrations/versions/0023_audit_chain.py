"""The audit trail can't be changed, and its events are chained.

Revision ID: 0023_audit_chain
Revises: 0022_second_factors
"""

import sqlalchemy as sa
from alembic import op

revision = '0023_audit_chain'
down_revision = '0022_second_factors'
branch_labels = None
depends_on = None

_TABLES = ('audit_event', 'audit_link')


def upgrade() -> None:
    op.create_table('audit_link',
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['audit_event.id'], name=op.f('fk_audit_link_event_id')),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_audit_link')),
    sa.UniqueConstraint('event_id', name=op.f('uq_audit_link_event_id'))
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'The audit trail is only appended to.'; END $$")
        for table in _TABLES:
            op.execute(f'CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')
        return
    for table in _TABLES:
        for change in ('UPDATE', 'DELETE'):
            op.execute(f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'The audit trail is only appended to.'); END")


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for table in _TABLES:
            op.execute(f'DROP TRIGGER {table}_append_only ON {table}')
        op.execute('DROP FUNCTION refuse_change()')
    else:
        for table in _TABLES:
            for change in ('update', 'delete'):
                op.execute(f'DROP TRIGGER {table}_no_{change}')
    op.drop_table('audit_link')
