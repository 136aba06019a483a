"""Telephones of the staff have room to be encrypted; nobody's is written here.

What is there is sealed by the scheduler, hours later: the release before, which may run for
some minutes more, can't read it. Going back opens them all.

Revision ID: 0065_staff_numbers
Revises: 0064_typed_forms
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0065_staff_numbers'
down_revision = '0064_typed_forms'
branch_labels = None
depends_on = None

PAGE = 500
PLACE = 'staff number'
COLUMNS = {'staff_member': ('phone', 'work_phone'), 'phone_call': ('staff_number',)}


def upgrade() -> None:
    _retype(sa.String(20), sa.Text())


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            _open(table, column)
    _retype(sa.Text(), sa.String(20))


def _retype(old: sa.types.TypeEngine, new: sa.types.TypeEngine) -> None:
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.alter_column(column, existing_type=old, type_=new, existing_nullable=True)


def _open(name: str, column: str) -> None:
    """Decrypt what is sealed of a column, a page at a time in the order of the key."""
    table = sa.table(name, sa.column('id', sa.Integer), sa.column(column, sa.Text))
    connection, cipher = op.get_bind(), context.config.attributes['cipher']
    sealed = sa.select(table).where(table.c[column].startswith('s1.')).order_by(table.c.id)
    write = (
        table.update()
        .where(table.c.id == sa.bindparam('row'))
        .values({column: sa.bindparam('number')})
    )
    last = 0
    while page := connection.execute(sealed.where(table.c.id > last).limit(PAGE)).all():
        connection.execute(write, [{'row': key, 'number': _opened(value, cipher)} for key, value in page])
        last = page[-1][0]


def _opened(value: str, cipher) -> str | None:
    try:
        return cipher.decrypt_alike(value, place=PLACE).decode()
    except ValueError:  # nobody can read it: it counted as none before
        return None
