"""Why somebody is away, plans to reach an aim, and pronouns have room to be encrypted.

Nothing is written here: as with the names of the staff (0067), what is there is sealed by the
scheduler, hours later, since the release before can't read it. Going back opens them all.

Revision ID: 0069_words_about_people
Revises: 0068_told_to_monitors
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0069_words_about_people'
down_revision = '0068_told_to_monitors'
branch_labels = None
depends_on = None

PAGE = 500
UNREADABLE = '?'
# Table, column, its type before, may it be NULL.
COLUMNS = (
    ('caller_absence', 'reason', sa.String(200), False),
    ('report_target', 'plan', sa.Text(), False),
    ('patient', 'pronouns', sa.String(40), True),
)


def upgrade() -> None:
    for table, column, before, may_be_null in COLUMNS:
        _retype(table, column, before, sa.Text(), may_be_null=may_be_null)


def downgrade() -> None:
    for table, column, before, may_be_null in COLUMNS:
        _open(table, column)
        _retype(table, column, sa.Text(), before, may_be_null=may_be_null)


def _retype(
    table: str, column: str, old: sa.types.TypeEngine, new: sa.types.TypeEngine, *, may_be_null: bool
) -> None:
    if type(old) is type(new):
        return
    triggers = _triggers_of(table)
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column(column, existing_type=old, type_=new, existing_nullable=may_be_null)
    for each in triggers:
        op.execute(each)


def _triggers_of(table: str) -> list[str]:
    """SQLite changes a column by filling the table anew, and triggers go with the old one."""
    if op.get_bind().dialect.name == 'postgresql':
        return []
    found = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table ORDER BY name")
    return list(op.get_bind().scalars(found, {'table': table}))


def _open(name: str, column: str) -> None:
    """Decrypt what is sealed of a column, a page at a time in the order of the key."""
    table = sa.table(name, sa.column('id', sa.Integer), sa.column(column, sa.Text))
    connection, cipher = op.get_bind(), context.config.attributes['cipher']
    sealed = sa.select(table).where(table.c[column].startswith('s1.')).order_by(table.c.id)
    write = table.update().where(table.c.id == sa.bindparam('row')).values({column: sa.bindparam('opened')})
    last = 0
    while page := connection.execute(sealed.where(table.c.id > last).limit(PAGE)).all():
        connection.execute(
            write,
            [{'row': key, 'opened': _opened(value, f'{name}.{column}', cipher)} for key, value in page],
        )
        last = page[-1][0]


def _opened(value: str, place: str, cipher) -> str:
    try:
        return cipher.decrypt_alike(value, place=place).decode()
    except ValueError:  # nobody can read it
        return UNREADABLE
