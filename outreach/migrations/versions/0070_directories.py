"""Names are sorted and searched in directories that are encrypted as a whole.

Nothing of a patient is written here: the scheduler writes the directories, and takes away ranks,
the words of names in the index and the lengths of names, hours later, since the release before
uses them. Triggers note whose names are written, so that what an older process writes is seen
too. Going back takes a minute for 100,000 patients; afterwards the scheduler places and indexes
everybody, as after an upgrade.

Revision ID: 0070_directories
Revises: 0069_words_about_people
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0070_directories'
down_revision = '0069_words_about_people'
branch_labels = None
depends_on = None

PAGE = 500
_CLINICS = "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
NAMED = ('clinic_id', 'record_number', 'given_name', 'family_name', 'preferred_name')
# Table, and columns that are filled up with spaces.
PADDED = (
    ('patient', ('given_name', 'family_name', 'preferred_name', 'said_as')),
    ('emergency_contact', ('name',)),
)
_INTO = 'INSERT INTO directory_change (patient_id, clinic_id, token)'
_ANEW = 'ON CONFLICT (patient_id) DO UPDATE SET clinic_id = excluded.clinic_id, token = excluded.token'
_TOKEN = '(random() * 4611686018427387904)::bigint'


def upgrade() -> None:
    op.create_table(
        'directory_page',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('names', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_directory_page_clinic_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_directory_page')),
        sa.UniqueConstraint('clinic_id', 'number', name=op.f('uq_directory_page_clinic_id_number')),
    )
    op.create_table(
        'directory_change',
        sa.Column('patient_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('token', sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_directory_change_clinic_id')),
        sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_directory_change')),
    )
    op.create_index(op.f('ix_directory_change_clinic_id'), 'directory_change', ['clinic_id'])
    if op.get_bind().dialect.name == 'postgresql':
        for table in ('directory_page', 'directory_change'):
            op.execute(f'CREATE POLICY second_wall ON {table} USING (clinic_id = ANY {_CLINICS} OR {_FAR})')
        _note_changes_on_postgresql()
    else:
        _note_changes_on_sqlite()


def downgrade() -> None:
    for event in ('insert', 'update'):
        name = f'patient_{event}_changes_directory'
        if op.get_bind().dialect.name == 'postgresql':
            op.execute(f'DROP TRIGGER {name} ON patient')
            op.execute(f'DROP FUNCTION {name}()')
        else:
            op.execute(f'DROP TRIGGER {name}')
    op.drop_table('directory_change')
    op.drop_table('directory_page')
    for table, columns in PADDED:
        _take_spaces_away(table, columns)
    op.execute('UPDATE patient SET name_rank = 0, record_rank = 0 WHERE name_rank < 0 OR record_rank < 0')
    op.execute("DELETE FROM search_backlog WHERE kind = 'patient'")
    op.execute("INSERT INTO search_backlog (kind, source_id) SELECT 'patient', id FROM patient ORDER BY id")


def _same(columns: tuple[str, ...], alike: str) -> str:
    return ' AND '.join(f'OLD.{each} {alike} NEW.{each}' for each in columns)


def _note_changes_on_sqlite() -> None:
    written = f'{_INTO} VALUES (NEW.id, NEW.clinic_id, random()) {_ANEW}'
    op.execute(f'CREATE TRIGGER patient_insert_changes_directory AFTER INSERT ON patient BEGIN {written}; END')
    op.execute(
        f'CREATE TRIGGER patient_update_changes_directory AFTER UPDATE OF {", ".join(NAMED)} ON patient '
        f'WHEN NOT ({_same(NAMED, "IS")}) BEGIN {written}; END'
    )


def _note_changes_on_postgresql() -> None:
    # In the order of the key, as everybody locks who locks several.
    many = f'{_INTO} SELECT id, clinic_id, {_TOKEN} FROM changed ORDER BY id {_ANEW}'
    one = f'{_INTO} VALUES (NEW.id, NEW.clinic_id, {_TOKEN}) {_ANEW}'
    for event, written in (('insert', many), ('update', one)):
        op.execute(
            f'CREATE FUNCTION patient_{event}_changes_directory() RETURNS trigger LANGUAGE plpgsql '
            # The web role of the release before has no right to a table that is new.
            'SECURITY DEFINER SET search_path FROM CURRENT '
            f'AS $$ BEGIN {written}; RETURN NULL; END $$'
        )
    op.execute(
        'CREATE TRIGGER patient_insert_changes_directory AFTER INSERT ON patient REFERENCING NEW TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION patient_insert_changes_directory()'
    )
    op.execute(
        f'CREATE TRIGGER patient_update_changes_directory AFTER UPDATE OF {", ".join(NAMED)} ON patient '
        f'FOR EACH ROW WHEN (NOT ({_same(NAMED, "IS NOT DISTINCT FROM")})) '
        'EXECUTE FUNCTION patient_update_changes_directory()'
    )


def _take_spaces_away(name: str, columns: tuple[str, ...]) -> None:
    """Encrypt names as long as they are again, a page at a time in the order of the key."""
    connection, cipher = op.get_bind(), context.config.attributes['cipher']
    table = sa.table(name, sa.column('id', sa.Integer), *(sa.column(each, sa.Text) for each in columns))
    write = table.update().where(table.c.id == sa.bindparam('row'))
    write = write.values({each: sa.bindparam(f'new_{each}') for each in columns})
    last = 0
    pages = sa.select(table).order_by(table.c.id).limit(PAGE)
    while page := connection.execute(pages.where(table.c.id > last)).mappings().all():
        connection.execute(
            write,
            [
                {'row': row['id']} | {f'new_{each}': _short(row[each], f'{name}.{each}', cipher) for each in columns}
                for row in page
            ],
        )
        last = page[-1]['id']


def _short(value: str | None, place: str, cipher) -> str | None:
    if value is None:
        return None
    try:
        padded = cipher.decrypt(value, place=place)
    except ValueError:  # nobody can read it, and it stays so
        return value
    short = padded.rstrip(b' ')
    return value if short == padded else cipher.encrypt(short, place=place)
