"""Names and addresses of the staff and clinics' numbers have room to be encrypted.

Nothing is written here: what is there is sealed by the scheduler, hours later, since the release
before can't read it. The pace of a sender gets a key of its own, as the sender's number is
encrypted too. Going back opens them all.

Revision ID: 0067_staff_names
Revises: 0066_purpose_of_keys
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0067_staff_names'
down_revision = '0066_purpose_of_keys'
branch_labels = None
depends_on = None

PAGE = 500
UNREADABLE = '?'
# Table, column, as what it is bound, how long it was, may it be NULL.
COLUMNS = (
    ('staff_member', 'email', 'staff e-mail', 254, False),
    ('staff_member', 'name', 'staff name', 120, False),
    ('clinic', 'phone_number', 'clinic number', 20, False),
    ('clinic', 'sms_sender', 'clinic number', 40, True),
    ('inbound_text', 'to_number', 'clinic number', 40, False),
    ('phone_call', 'shown_number', 'clinic number', 40, False),
    ('low_sugar_card', 'approved_by', 'approver', 120, False),
    ('instrument_permission', 'granted_by', 'approver', 200, False),
    ('sender_pace', 'sender', 'clinic number', 40, False),
)

# As SERIAL would, which writes the table anew.
NUMBERED = (
    'ALTER TABLE sender_pace ADD COLUMN id INTEGER',
    'CREATE SEQUENCE sender_pace_id_seq AS INTEGER OWNED BY sender_pace.id',
    "ALTER TABLE sender_pace ALTER COLUMN id SET DEFAULT nextval('sender_pace_id_seq')",
    "UPDATE sender_pace SET id = nextval('sender_pace_id_seq') WHERE id IS NULL",
    'ALTER TABLE sender_pace DROP CONSTRAINT pk_sender_pace',
    'ALTER TABLE sender_pace ADD CONSTRAINT pk_sender_pace PRIMARY KEY (id)',
    'ALTER TABLE sender_pace ADD CONSTRAINT uq_sender_pace_sender UNIQUE (sender)',
)


def upgrade() -> None:
    _give_paces_a_number()
    _retype(to_text=True)


def downgrade() -> None:
    for table, column, place, *_rest in COLUMNS:
        _open(table, column, place)
    _retype(to_text=False)
    _take_the_number_of_paces()


def _retype(*, to_text: bool) -> None:
    for table in dict.fromkeys(each[0] for each in COLUMNS):
        triggers = _triggers_of(table)
        with op.batch_alter_table(table) as batch_op:
            for _table, column, _place, length, may_be_null in COLUMNS:
                if _table == table:
                    short, long = sa.String(length), sa.Text()
                    old, new = (short, long) if to_text else (long, short)
                    batch_op.alter_column(
                        column, existing_type=old, type_=new, existing_nullable=may_be_null
                    )
        for each in triggers:
            op.execute(each)


def _triggers_of(table: str) -> list[str]:
    """SQLite changes a column by filling the table anew, and triggers go with the old one."""
    if op.get_bind().dialect.name == 'postgresql':
        return []
    found = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table ORDER BY name")
    return list(op.get_bind().scalars(found, {'table': table}))


def _give_paces_a_number() -> None:
    """A row a sender, a few in all; what the release before inserts gets its number by itself."""
    if op.get_bind().dialect.name == 'postgresql':
        for statement in NUMBERED:
            op.execute(statement)
        return
    _make_anew(
        sa.Column('id', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_sender_pace'),
        sa.UniqueConstraint('sender', name='uq_sender_pace_sender'),
    )


def _take_the_number_of_paces() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE sender_pace DROP COLUMN id')
        op.drop_constraint('uq_sender_pace_sender', 'sender_pace')
        op.create_primary_key('pk_sender_pace', 'sender_pace', ['sender'])
        return
    _make_anew(sa.PrimaryKeyConstraint('sender', name='pk_sender_pace'))


def _make_anew(*key: sa.schema.SchemaItem) -> None:
    """SQLite changes no key: the table is filled anew, of a row a sender."""
    kept = 'sender, per_second, last_turn_at, turns, by_staff_id, changed_at'
    op.rename_table('sender_pace', 'sender_pace_before')
    op.create_table(
        'sender_pace',
        sa.Column('sender', sa.String(40), nullable=False),
        sa.Column('per_second', sa.Integer(), nullable=False),
        sa.Column('last_turn_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('turns', sa.JSON(), nullable=False),
        sa.Column('by_staff_id', sa.Integer(), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name='fk_sender_pace_by_staff_id'),
        *key,
    )
    op.execute(f'INSERT INTO sender_pace ({kept}) SELECT {kept} FROM sender_pace_before ORDER BY sender')
    op.drop_table('sender_pace_before')


def _open(name: str, column: str, place: str) -> None:
    """Decrypt what is sealed of a column, a page at a time in the order of the key."""
    table = sa.table(name, sa.column('id', sa.Integer), sa.column(column, sa.Text))
    connection, cipher = op.get_bind(), context.config.attributes['cipher']
    sealed = sa.select(table).where(table.c[column].startswith('s1.')).order_by(table.c.id)
    write = table.update().where(table.c.id == sa.bindparam('row')).values({column: sa.bindparam('opened')})
    last = 0
    while page := connection.execute(sealed.where(table.c.id > last).limit(PAGE)).all():
        connection.execute(
            write, [{'row': key, 'opened': _opened(key, value, place, cipher)} for key, value in page]
        )
        last = page[-1][0]


def _opened(key: int, value: str, place: str, cipher) -> str:
    try:
        return cipher.decrypt_alike(value, place=place).decode()
    except ValueError:  # nobody can read it, and an address is nobody else's
        return f'{UNREADABLE}{key}'
