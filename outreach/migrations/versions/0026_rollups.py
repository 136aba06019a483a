"""Roll-ups of the adherence report, and triggers that say which of them no longer hold.

Revision ID: 0026_rollups
Revises: 0025_outbox_in_turn
"""

import sqlalchemy as sa
from alembic import op

revision = '0026_rollups'
down_revision = '0025_outbox_in_turn'
branch_labels = None
depends_on = None

_DAYS = 'INSERT INTO report_touched_days (clinic_id, from_on, until_on)'
_ENROLMENTS = 'INSERT INTO report_touched_enrolment (clinic_id, enrolment_id)'
_CLOSED = "('completed', 'missed')"

# What changes nothing that is counted touches nothing: a lease, a call put off, a note that was read.
_ATTEMPT = ('clinic_id', 'patient_id', 'enrolment_id', 'planned_call_id', 'caller_id', 'is_primary_caller', 'at', 'minutes', 'outcome', 'superseded_at')
_CALL = ('clinic_id', 'patient_id', 'enrolment_id', 'due_on', 'status')
_MEMBER = ('clinic_id', 'patient_id', 'enrolment_id', 'caller_id', 'from_at', 'until_at')
_ENROLMENT = ('clinic_id', 'patient_id', 'version_id', 'starts_on', 'status', 'status_at')


def upgrade() -> None:
    _create_tables()
    # Everything there is waits to be rolled up; until then it is counted from rows.
    op.execute(f"{_DAYS} SELECT id, '0001-01-01', NULL FROM clinic")
    op.execute(f'{_ENROLMENTS} SELECT clinic_id, id FROM enrolment')
    if op.get_bind().dialect.name == 'postgresql':
        _create_triggers_on_postgresql()
    else:
        _create_triggers_on_sqlite()


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == 'postgresql'
    for name, table in _NAMES:
        op.execute(f'DROP TRIGGER {name} ON {table}' if is_postgresql else f'DROP TRIGGER {name}')
        if is_postgresql:
            op.execute(f'DROP FUNCTION {name}()')
    for table in ('report_touched_enrolment', 'report_touched_days', 'report_rolled', 'report_week', 'report_dial', 'report_day'):
        op.drop_table(table)


def _create_tables() -> None:
    op.create_table('report_day',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('caller_id', sa.Integer(), nullable=True),
    sa.Column('completed', sa.Integer(), nullable=False),
    sa.Column('missed', sa.Integer(), nullable=False),
    sa.Column('completed_by_primary', sa.Integer(), nullable=False),
    sa.Column('dials', sa.Integer(), nullable=False),
    sa.Column('reached', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['caller_id'], ['staff_member.id'], name=op.f('fk_report_day_caller_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_report_day_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_day')),
    sa.UniqueConstraint('clinic_id', 'day', 'caller_id', name=op.f('uq_report_day_clinic_id_day_caller_id'))
    )
    op.create_table('report_dial',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('dial', sa.Integer(), nullable=False),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_report_dial_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_dial')),
    sa.UniqueConstraint('clinic_id', 'day', 'dial', name=op.f('uq_report_dial_clinic_id_day_dial'))
    )
    op.create_table('report_week',
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('last_on', sa.Date(), nullable=False),
    sa.Column('phase', sa.String(length=40), nullable=False),
    sa.Column('caller_id', sa.Integer(), nullable=True),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('is_kept', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['caller_id'], ['staff_member.id'], name=op.f('fk_report_week_caller_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_report_week_clinic_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_report_week_enrolment_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_report_week_patient_id')),
    sa.PrimaryKeyConstraint('enrolment_id', 'number', name=op.f('pk_report_week'))
    )
    op.create_index(op.f('ix_report_week_clinic_id_report_week_last_on'), 'report_week', ['clinic_id', 'last_on'], unique=False)
    op.create_table('report_rolled',
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('weeks_until_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_report_rolled_clinic_id')),
    sa.PrimaryKeyConstraint('clinic_id', name=op.f('pk_report_rolled'))
    )
    op.create_table('report_touched_days',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_touched_days'))
    )
    op.create_index(op.f('ix_report_touched_days_clinic_id'), 'report_touched_days', ['clinic_id'], unique=False)
    op.create_table('report_touched_enrolment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_touched_enrolment'))
    )
    op.create_index(op.f('ix_report_touched_enrolment_clinic_id'), 'report_touched_enrolment', ['clinic_id'], unique=False)


# Inserts and deletes of one statement are seen at once on PostgreSQL, as the table ``changed``;
# everything else row by row, as NEW and OLD.
_NAMES = [
    (f'{table}_{event}_touches_report', table)
    for table, events in {
        'attempt': ('insert', 'update', 'delete'),
        'planned_call': ('insert', 'update', 'delete'),
        'panel_membership': ('insert', 'update', 'delete'),
        'enrolment': ('insert', 'update'),
        'cadence_choice': ('insert',),
        'patient': ('update',),
        'clinic': ('update',),
    }.items()
    for event in events
]


def _day(instant: str, days: int) -> str:
    """The UTC day of an instant, so many days on. An instant stays empty where it is."""
    if op.get_bind().dialect.name == 'postgresql':
        return f"(({instant} AT TIME ZONE 'UTC')::date + {days})"
    return f"date({instant}, '{days:+d} day')"


def _same(columns: tuple[str, ...]) -> str:
    if op.get_bind().dialect.name == 'postgresql':
        return ' AND '.join(f'OLD.{each} IS NOT DISTINCT FROM NEW.{each}' for each in columns)
    return ' AND '.join(f'OLD.{each} IS NEW.{each}' for each in columns)


def _of_attempt(row: str, rows: str = '') -> list[str]:
    """The day of a dial, the day on which its call was due, and the weeks of its enrolment."""
    source = f' FROM {rows}' if rows else ''
    beside = f'{rows} JOIN planned_call ON planned_call.id = {row}.planned_call_id' if rows else f'planned_call WHERE planned_call.id = {row}.planned_call_id'
    return [
        f'{_DAYS} SELECT {row}.clinic_id, {_day(f"{row}.at", -1)}, {_day(f"{row}.at", 1)}{source}',
        f'{_DAYS} SELECT planned_call.clinic_id, planned_call.due_on, planned_call.due_on FROM {beside}',
        f'{_ENROLMENTS} SELECT {row}.clinic_id, {row}.enrolment_id{source}',
    ]


def _of_call(row: str, rows: str = '') -> list[str]:
    source = f' FROM {rows}' if rows else ''
    return [f'{_DAYS} SELECT {row}.clinic_id, {row}.due_on, {row}.due_on{source} WHERE {row}.status IN {_CLOSED}']


def _of_membership(row: str, rows: str = '') -> list[str]:
    source = f' FROM {rows}' if rows else ''
    return [
        f'{_DAYS} SELECT {row}.clinic_id, {_day(f"{row}.from_at", -1)}, {_day(f"{row}.until_at", 1)}{source}',
        f'{_ENROLMENTS} SELECT {row}.clinic_id, {row}.enrolment_id{source}',
    ]


def _of_ended_membership() -> list[str]:
    """Whose end alone was moved: the days from the earlier of both ends on."""
    least = 'least' if op.get_bind().dialect.name == 'postgresql' else 'min'
    earlier = f'{least}(coalesce(OLD.until_at, NEW.until_at), coalesce(NEW.until_at, OLD.until_at))'
    return [
        f'{_DAYS} SELECT NEW.clinic_id, {_day(earlier, -1)}, NULL',
        f'{_ENROLMENTS} SELECT NEW.clinic_id, NEW.enrolment_id',
    ]


def _of_enrolment(row: str, rows: str = '') -> list[str]:
    source = f' FROM {rows}' if rows else ''
    return [f'{_ENROLMENTS} SELECT {row}.clinic_id, {row}.id{source}']


def _of_choice(row: str, rows: str = '') -> list[str]:
    source = f' FROM {rows}' if rows else ''
    return [f'{_ENROLMENTS} SELECT {row}.clinic_id, {row}.enrolment_id{source}']


_INSERTS = {
    'attempt': _of_attempt,
    'planned_call': _of_call,
    'panel_membership': _of_membership,
    'enrolment': _of_enrolment,
    'cadence_choice': _of_choice,
}
_DELETES = {'attempt': _of_attempt, 'planned_call': _of_call, 'panel_membership': _of_membership}


def _updates() -> list[tuple[str, str, list[str]]]:
    """(table, when, what) of updates, row by row on both databases."""
    others = tuple(each for each in _MEMBER if each != 'until_at')
    return [
        ('attempt', f'NOT ({_same(_ATTEMPT)})', _of_attempt('OLD') + _of_attempt('NEW')),
        ('planned_call', f'NOT ({_same(_CALL)}) AND (OLD.status IN {_CLOSED} OR NEW.status IN {_CLOSED})', _of_call('OLD') + _of_call('NEW')),
        ('panel_membership', f'NOT ({_same(_MEMBER)})', _if_moved(others)),
        ('enrolment', f'NOT ({_same(_ENROLMENT)})', _of_enrolment('NEW')),
        ('patient', f"NOT ({_same(('zone',))})", [f'{_ENROLMENTS} SELECT clinic_id, id FROM enrolment WHERE patient_id = NEW.id']),
        ('clinic', f"NOT ({_same(('zone',))})", [
            f"{_DAYS} SELECT NEW.id, '0001-01-01', NULL",
            f'{_ENROLMENTS} SELECT clinic_id, id FROM enrolment WHERE clinic_id = NEW.id',
        ]),
    ]


def _if_moved(others: tuple[str, ...]) -> list[str]:
    whole = [f'{each} WHERE NOT ({_same(others)})' for each in _of_membership('OLD') + _of_membership('NEW')]
    return whole + [f'{each} WHERE {_same(others)}' for each in _of_ended_membership()]


def _create_triggers_on_sqlite() -> None:
    for event, row, found in (('insert', 'NEW', _INSERTS), ('delete', 'OLD', _DELETES)):
        for table, of in found.items():
            op.execute(f"CREATE TRIGGER {table}_{event}_touches_report AFTER {event} ON {table} BEGIN {'; '.join(of(row))}; END")
    for table, when, written in _updates():
        op.execute(f"CREATE TRIGGER {table}_update_touches_report AFTER UPDATE ON {table} WHEN {when} BEGIN {'; '.join(written)}; END")


def _create_triggers_on_postgresql() -> None:
    for event, rows, found in (('insert', 'NEW', _INSERTS), ('delete', 'OLD', _DELETES)):
        for table, of in found.items():
            name = f'{table}_{event}_touches_report'
            _create_function(name, of('changed', 'changed'))
            op.execute(f'CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {name}()')
    for table, when, written in _updates():
        name = f'{table}_update_touches_report'
        _create_function(name, written)
        op.execute(f'CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()')


def _create_function(name: str, written: list[str]) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {'; '.join(written)}; RETURN NULL; END $$")
