"""Names, numbers and free text are encrypted; the search index keeps keyed hashes of words.

Revision ID: 0032_sealed
Revises: 0031_caller_days
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0032_sealed'
down_revision = '0031_caller_days'
branch_labels = None
depends_on = None

PAGE = 500
TEXT = sa.Text()
# What is only read, with its type from before. The place of a value is its table and column.
READ = {
    'patient': {
        'about': TEXT,
        'approach': TEXT,
        'given_name': sa.String(120),
        'family_name': sa.String(120),
        'preferred_name': sa.String(120),
        'said_as': sa.String(120),
    },
    'attempt_before': {'answers': sa.JSON()},
    'call_draft': {'answers': sa.JSON()},
    'call_draft_aside': {'answers': sa.JSON()},
    'attempt_correction': {'reason': TEXT},
    'call_hiding': {'reason': sa.String(200)},
    'call_note': {'text': TEXT},
    'promise': {'text': TEXT},
    'message': {'body': TEXT},
    'unrecorded_text': {'body': TEXT},
    'number_note': {'text': TEXT},
    'inbound_text': {'body': TEXT},
    'text_question': {'details': sa.JSON()},
    'answer_draft': {'text': TEXT},
    'goal': {'text': sa.String(300)},
    'goal_news': {'text': sa.String(500)},
    'concern_step': {'note': TEXT},
    'risk_flag': {'words': sa.String(300)},
    'risk_flag_review': {'note': TEXT},
    'own_limits': {'reason': sa.String(300)},
    'cover': {'note': TEXT},
    'panel_membership': {'note': TEXT},
    'kept_search': {'text': sa.String(400)},
    'follow_up': {'note': TEXT, 'reason': sa.String(200)},
    'welfare_step': {'note': TEXT},
    'emergency_contact': {
        'name': sa.String(120), 'relation': sa.String(60), 'e164': sa.String(20)
    },
    'enrolment': {'status_reason': sa.String(200), 'away_reason': sa.String(200)},
    'enrolment_event': {'reason': sa.String(200)},
    'reading': {'reason': sa.String(300)},
    'emergency_access': {'reason': sa.String(500)},
    'import_run': {'problems': sa.JSON()},
    'legal_hold': {'reason': TEXT, 'lifting_reason': TEXT},
    'deletion_request': {'note': TEXT, 'explanation': TEXT},
}
# What rows are found by.
FOUND_BY = {
    'patient': {'record_number': sa.String(60)},
    'phone_number': {'e164': sa.String(20)},
    'consent_event': {'number': sa.String(20)},
    'message': {'to_number': sa.String(20)},
    'unrecorded_text': {'to_number': sa.String(40)},
    'inbound_text': {'from_number': sa.String(40)},
    'phone_call': {'number': sa.String(40)},
    'returned_call': {'number': sa.String(40)},
}
MAY_BE_NONE = {'preferred_name', 'said_as'}
HAD_DEFAULT = {('enrolment', 'away_reason'), ('reading', 'reason')}
RANKS = ('name_rank', 'record_rank')
KEYS = {'attempt_before': 'attempt_id'}
TABLES = sorted(READ.keys() | FOUND_BY.keys())


def upgrade() -> None:
    triggers = _take_triggers()
    op.drop_index(op.f('ix_patient_clinic_id_patient_family_name_patient_given_name'), 'patient')
    _retype(is_up=True)
    with op.batch_alter_table('patient') as batch_op:
        for rank in RANKS:  # the scheduler places everybody
            batch_op.add_column(sa.Column(rank, sa.BigInteger(), nullable=False, server_default='0'))
    with op.batch_alter_table('patient') as batch_op:
        for rank in RANKS:
            batch_op.alter_column(
                rank, existing_type=sa.BigInteger(), existing_nullable=False, server_default=None
            )
            batch_op.create_index(op.f(f'ix_patient_{rank}'), [rank])
            batch_op.create_index(op.f(f'ix_patient_clinic_id_patient_{rank}'), ['clinic_id', rank])
    with op.batch_alter_table('phone_number') as batch_op:
        batch_op.add_column(sa.Column('tail', TEXT, nullable=False, server_default=''))
    count = 0
    for table in TABLES:
        count += _rewrite(table, _sealed)
    with op.batch_alter_table('phone_number') as batch_op:
        batch_op.alter_column('tail', existing_type=TEXT, existing_nullable=False, server_default=None)
        batch_op.create_index(op.f('ix_phone_number_tail'), ['tail'])
    _rename_causes()
    _put_back(triggers)
    _index_anew()
    if count:
        # What was in clear lies in free pages until the file is written anew.
        context.config.attributes['is_to_be_compacted'] = True


def downgrade() -> None:
    triggers = _take_triggers()
    for table in TABLES:
        _rewrite(table, _opened)
    with op.batch_alter_table('patient') as batch_op:
        for rank in RANKS:
            batch_op.drop_index(op.f(f'ix_patient_{rank}'))
            batch_op.drop_index(op.f(f'ix_patient_clinic_id_patient_{rank}'))
            batch_op.drop_column(rank)
    with op.batch_alter_table('phone_number') as batch_op:
        batch_op.drop_index(op.f('ix_phone_number_tail'))
        batch_op.drop_column('tail')
    _retype(is_up=False)
    op.create_index(
        op.f('ix_patient_clinic_id_patient_family_name_patient_given_name'),
        'patient', ['clinic_id', 'family_name', 'given_name'],
    )
    _put_back(triggers)
    _index_anew()


def _take_triggers() -> list[str]:
    """Take the triggers of SQLite out, which a table that is filled anew loses; return them."""
    if op.get_bind().dialect.name != 'sqlite':
        return []
    found = op.get_bind().execute(
        sa.text(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND tbl_name <> 'search_entry' ORDER BY name"
        )
    ).all()
    for name, _sql in found:
        op.execute(f'DROP TRIGGER {name}')
    return [sql for _name, sql in found]


def _put_back(triggers: list[str]) -> None:
    for trigger in triggers:
        op.execute(sa.DDL(trigger.replace('%', '%%')))


def _retype(*, is_up: bool) -> None:
    for name in TABLES:
        columns = READ.get(name, {}) | FOUND_BY.get(name, {})
        changed = {column: old for column, old in columns.items() if old is not TEXT}
        if not changed:
            continue
        with op.batch_alter_table(name) as batch_op:
            for column, old in changed.items():
                had_default = (name, column) in HAD_DEFAULT
                batch_op.alter_column(
                    column,
                    existing_type=old if is_up else TEXT,
                    type_=TEXT if is_up else old,
                    existing_nullable=column in MAY_BE_NONE,
                    server_default=None if is_up or not had_default else '',
                    postgresql_using=f'{column}::text' if is_up else f'{column}::{_named(old)}',
                )


def _named(kind: sa.types.TypeEngine) -> str:
    return kind.compile(op.get_bind().dialect)


def _rewrite(name: str, rewritten) -> int:
    """Write the columns of every row anew, a page at a time in the order of the key."""
    key = KEYS.get(name, 'id')
    columns = [*READ.get(name, {}), *FOUND_BY.get(name, {})]
    extra = ['tail'] if name == 'phone_number' and rewritten is _sealed else []
    table = sa.table(name, sa.column(key, sa.Integer), *(sa.column(c, TEXT) for c in [*columns, *extra]))
    connection = op.get_bind()
    update = (
        table.update()
        .where(table.c[key] == sa.bindparam('row_key'))
        .values({c: sa.bindparam(f'new_{c}') for c in [*columns, *extra]})
    )
    last, count = -1, 0
    query = sa.select(table.c[key], *(table.c[c] for c in columns)).order_by(table.c[key])
    while page := connection.execute(query.where(table.c[key] > last).limit(PAGE)).all():
        rows = []
        for row in page:
            new = {f'new_{c}': rewritten(name, c, value) for c, value in zip(columns, row[1:], strict=True)}
            if extra:
                tail = row[1][-4:].encode()
                new['new_tail'] = _cipher().encrypt_alike(tail, place='phone_number.tail')
            rows.append({'row_key': row[0], **new})
        connection.execute(update, rows)
        last, count = page[-1][0], count + len(page)
    return count


def _cipher():
    """What encrypts, of the keys of this installation; put there by ``env.py``."""
    return context.config.attributes['cipher']


def _place(name: str, column: str) -> tuple[str, bool]:
    """Return what is bound into values of a column, and whether they are looked up."""
    if column not in FOUND_BY.get(name, {}):
        return f'{name}.{column}', False
    return 'patient.record_number' if name == 'patient' else 'number', True


def _sealed(name: str, column: str, value: str | None) -> str | None:
    if value is None:
        return None
    place, is_looked_up = _place(name, column)
    seals = _cipher().encrypt_alike if is_looked_up else _cipher().encrypt
    return seals(value.encode(), place=place)


def _opened(name: str, column: str, value: str | None) -> str | None:
    if value is None:
        return None
    place, is_looked_up = _place(name, column)
    opens = _cipher().decrypt_alike if is_looked_up else _cipher().decrypt
    return opens(value, place=place).decode()


def _rename_causes() -> None:
    """Put a keyed hash where the keys of answers to texts held a number."""
    table = sa.table('message', sa.column('id', sa.Integer), sa.column('dedupe_key', sa.String))
    connection = op.get_bind()
    has_number = sa.or_(
        table.c.dedupe_key.startswith('thanks:'), table.c.dedupe_key.startswith('danger:')
    )
    for row in connection.execute(sa.select(table).where(has_number)).all():
        why, clinic, number, when = row.dedupe_key.split(':', 3)
        known_by = _cipher().keyed_hash(number, place='dedupe_key')[:16].hex()
        key = f'{why}:{clinic}:{known_by}:{when}'
        connection.execute(table.update().where(table.c.id == row.id).values(dedupe_key=key))


def _index_anew() -> None:
    """Empty the search index, whose words change their form, and let everything wait for it."""
    op.execute('DELETE FROM search_entry')
    op.execute('DELETE FROM search_backlog')
    if op.get_bind().dialect.name == 'sqlite':
        op.execute("INSERT INTO search_words (search_words) VALUES ('rebuild')")
    for kind, table in (('patient', 'patient'), ('note', 'call_note')):
        op.execute(
            f"INSERT INTO search_backlog (kind, source_id) SELECT '{kind}', id FROM {table} ORDER BY id"
        )
