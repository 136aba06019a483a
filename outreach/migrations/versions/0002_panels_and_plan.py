"""Panels, cover and the calling plan.

Revision ID: 0002_panels_and_plan
Revises: 0001_first_tables
"""

from collections.abc import Iterator
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0002_panels_and_plan'
down_revision = '0001_first_tables'
branch_labels = None
depends_on = None

_EVERY_DAY, _MONDAY_TO_SATURDAY, _SUNDAY = 127, 63, 64
_MONDAY_TO_FRIDAY, _WEEKEND = 31, 96
_BEFORE_OUR_RECORDS = date(2000, 1, 1)
_hours_rule = sa.table(
    'hours_rule',
    sa.column('region', sa.String),
    sa.column('state', sa.String),
    sa.column('weekdays', sa.Integer),
    sa.column('opens', sa.Time),
    sa.column('closes', sa.Time),
    sa.column('from_on', sa.Date),
    sa.column('source', sa.Text),
)


def _published_hours() -> Iterator[dict[str, Any]]:
    """Yield the hours of domain.md D. Solicitation law: a care call keeps to it by choice."""

    def rule(
        state: str | None, days: int, hours: tuple[int, int] | None, **more: Any
    ) -> dict[str, Any]:
        return {
            'region': 'US',
            'state': state,
            'weekdays': days,
            'opens': time(hours[0]) if hours else None,
            'closes': time(hours[1]) if hours else None,
            'from_on': _BEFORE_OUR_RECORDS,
            'source': 'State telephone solicitation law, adopted as a floor',
        } | more

    yield rule(None, _EVERY_DAY, (8, 21), source='47 CFR 64.1200(c)(1), adopted as a floor')
    for state in ('FL', 'OK', 'MD', 'MS', 'NJ', 'MA'):
        yield rule(state, _EVERY_DAY, (8, 20))
    yield rule('WA', _EVERY_DAY, (8, 20), source='State law, unverified; adopted as a floor')
    for state in ('CT', 'NV'):
        yield rule(state, _EVERY_DAY, (9, 20))
    for state in ('MI', 'MN', 'NM'):
        yield rule(state, _EVERY_DAY, (9, 21))
    yield rule('KY', _EVERY_DAY, (10, 21))
    yield rule('TX', _MONDAY_TO_SATURDAY, (9, 21), from_on=date(2025, 9, 1), source='Texas SB 140')
    yield rule('TX', _SUNDAY, (12, 21), from_on=date(2025, 9, 1), source='Texas SB 140')
    for state in ('AL', 'LA', 'MS'):
        yield rule(state, _SUNDAY, None)
    yield rule('RI', _MONDAY_TO_FRIDAY, (9, 18))
    yield rule('RI', _WEEKEND, (10, 17))


def _treat_callers_as_trained() -> None:
    """Whoever calls already goes on calling: training was not recorded before."""
    op.execute(
        "INSERT INTO caller_profile (staff_id, panel_cap) SELECT DISTINCT staff_id, 20"
        " FROM membership WHERE role = 'caller'"
        ' AND staff_id NOT IN (SELECT staff_id FROM caller_profile)'
    )
    op.execute(
        'UPDATE caller_profile SET trained_on = (SELECT date(created_at) FROM staff_member'
        ' WHERE staff_member.id = caller_profile.staff_id)'
    )


def _begin_histories() -> None:
    """Give every enrolment its first event, and another one where its status has changed."""
    into = (
        'INSERT INTO enrolment_event (clinic_id, patient_id, enrolment_id, status, version_id,'
        ' reason, at) SELECT clinic_id, patient_id, id,'
    )
    op.execute(f"{into} 'active', version_id, '', enrolled_at FROM enrolment ORDER BY id")
    op.execute(
        f'{into} status, version_id, status_reason, status_at FROM enrolment'
        " WHERE status <> 'active' ORDER BY id"
    )


def upgrade() -> None:
    op.create_table('hours_rule',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('region', sa.String(length=2), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=True),
    sa.Column('weekdays', sa.Integer(), nullable=False),
    sa.Column('opens', sa.Time(), nullable=True),
    sa.Column('closes', sa.Time(), nullable=True),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hours_rule'))
    )
    with op.batch_alter_table('hours_rule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hours_rule_region_hours_rule_state'), ['region', 'state'], unique=False)

    op.create_table('planner_beat',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_planner_beat'))
    )
    op.create_table('planner_interruption',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('moved', sa.Integer(), nullable=False),
    sa.Column('missed', sa.Integer(), nullable=False),
    sa.Column('planned', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_planner_interruption'))
    )
    op.create_table('caller_absence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_caller_absence_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_caller_absence_clinic_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_caller_absence_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_caller_absence'))
    )
    with op.batch_alter_table('caller_absence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_caller_absence_staff_id_caller_absence_until_at'), ['staff_id', 'until_at'], unique=False)

    op.create_table('caller_shift',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('begins', sa.Time(), nullable=False),
    sa.Column('ends', sa.Time(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_caller_shift_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_caller_shift')),
    sa.UniqueConstraint('staff_id', 'weekday', 'begins', name=op.f('uq_caller_shift_staff_id_weekday_begins'))
    )
    op.create_table('clinic_closure',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_clinic_closure_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_clinic_closure_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clinic_closure')),
    sa.UniqueConstraint('clinic_id', 'on', name=op.f('uq_clinic_closure_clinic_id_on'))
    )
    op.create_table('panel_proposal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dropped_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_panel_proposal_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_panel_proposal_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_panel_proposal'))
    )
    with op.batch_alter_table('panel_proposal', schema=None) as batch_op:
        batch_op.create_index('uq_panel_proposal_open', ['clinic_id'], unique=True, sqlite_where=sa.text('applied_at IS NULL AND dropped_at IS NULL'), postgresql_where=sa.text('applied_at IS NULL AND dropped_at IS NULL'))

    op.create_table('cover',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('absence_id', sa.Integer(), nullable=False),
    sa.Column('stand_in_id', sa.Integer(), nullable=False),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['absence_id'], ['caller_absence.id'], name=op.f('fk_cover_absence_id')),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_cover_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_cover_clinic_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_cover_enrolment_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_cover_patient_id')),
    sa.ForeignKeyConstraint(['stand_in_id'], ['staff_member.id'], name=op.f('fk_cover_stand_in_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cover'))
    )
    with op.batch_alter_table('cover', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cover_absence_id'), ['absence_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_cover_enrolment_id_cover_until_at'), ['enrolment_id', 'until_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_cover_stand_in_id_cover_until_at'), ['stand_in_id', 'until_at'], unique=False)

    op.create_table('enrolment_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.Enum('active', 'paused', 'completed', 'withdrawn', 'unreachable', 'died', name='enrolmentstatus', native_enum=False, length=40), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('resume_on', sa.Date(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_enrolment_event_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_enrolment_event_clinic_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_enrolment_event_enrolment_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_enrolment_event_patient_id')),
    sa.ForeignKeyConstraint(['version_id'], ['programme_version.id'], name=op.f('fk_enrolment_event_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolment_event'))
    )
    with op.batch_alter_table('enrolment_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enrolment_event_enrolment_id_enrolment_event_at'), ['enrolment_id', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_enrolment_event_patient_id_enrolment_event_at'), ['patient_id', 'at'], unique=False)

    op.create_table('follow_up',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('review times', 'contact check', name='followupkind', native_enum=False, length=40), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('letter_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_follow_up_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_follow_up_clinic_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_follow_up_enrolment_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_follow_up_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_follow_up'))
    )
    with op.batch_alter_table('follow_up', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_follow_up_clinic_id_follow_up_done_at'), ['clinic_id', 'done_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_follow_up_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index('uq_follow_up_open', ['enrolment_id', 'kind'], unique=True, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))

    op.create_table('milestone_done',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_milestone_done_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_milestone_done_clinic_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_milestone_done_enrolment_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_milestone_done_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_milestone_done')),
    sa.UniqueConstraint('enrolment_id', 'code', name=op.f('uq_milestone_done_enrolment_id_code'))
    )
    op.create_table('panel_proposal_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('proposal_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('caller_id', sa.Integer(), nullable=True),
    sa.Column('starts_on', sa.Date(), nullable=True),
    sa.Column('left_out', sa.Enum('no_shared_language', 'not_trained', 'panels_full', 'hours_full', name='leftout', native_enum=False, length=40), nullable=True),
    sa.Column('unmet', sa.JSON(), nullable=False),
    sa.Column('is_changed', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['caller_id'], ['staff_member.id'], name=op.f('fk_panel_proposal_line_caller_id')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolment.id'], name=op.f('fk_panel_proposal_line_enrolment_id')),
    sa.ForeignKeyConstraint(['proposal_id'], ['panel_proposal.id'], name=op.f('fk_panel_proposal_line_proposal_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_panel_proposal_line')),
    sa.UniqueConstraint('proposal_id', 'enrolment_id', name=op.f('uq_panel_proposal_line_proposal_id_enrolment_id'))
    )
    with op.batch_alter_table('panel_proposal_line', schema=None) as batch_op:
        batch_op.create_index('ix_proposal_line_position', ['proposal_id', 'position'], unique=False)

    op.create_table('call_lease',
    sa.Column('planned_call_id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_call_lease_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_call_lease_patient_id')),
    sa.ForeignKeyConstraint(['planned_call_id'], ['planned_call.id'], name=op.f('fk_call_lease_planned_call_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_call_lease_staff_id')),
    sa.PrimaryKeyConstraint('planned_call_id', name=op.f('pk_call_lease'))
    )
    with op.batch_alter_table('call_draft', schema=None) as batch_op:
        batch_op.drop_column('is_in_call')

    with op.batch_alter_table('caller_profile', schema=None) as batch_op:
        batch_op.add_column(sa.Column('weekly_minutes', sa.Integer(), nullable=False, server_default='1200'))
        batch_op.add_column(sa.Column('gender', sa.Enum('female', 'male', 'other', 'unknown', name='sex', native_enum=False, length=40), nullable=True))
        batch_op.add_column(sa.Column('trained_on', sa.Date(), nullable=True))

    with op.batch_alter_table('clinic', schema=None) as batch_op:
        batch_op.add_column(sa.Column('keeps_holidays', sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column('holiday_area', sa.String(length=10), nullable=True))

    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('resume_on', sa.Date(), nullable=True))

    with op.batch_alter_table('panel_membership', schema=None) as batch_op:
        batch_op.add_column(sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.add_column(sa.Column('state', sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column('wished_caller', sa.Enum('female', 'male', 'other', 'unknown', name='sex', native_enum=False, length=40), nullable=True))

    with op.batch_alter_table('planned_call', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_planned_call_version_id'), 'programme_version', ['version_id'], ['id'])

    with op.batch_alter_table('programme_version', schema=None) as batch_op:
        batch_op.add_column(sa.Column('note', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('by_staff_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_programme_version_by_staff_id'), 'staff_member', ['by_staff_id'], ['id'])

    _treat_callers_as_trained()
    _begin_histories()
    # There was one version to plan by until now.
    op.execute(
        'UPDATE planned_call SET version_id = (SELECT version_id FROM enrolment'
        ' WHERE enrolment.id = planned_call.enrolment_id)'
    )
    op.bulk_insert(_hours_rule, list(_published_hours()))


def downgrade() -> None:
    with op.batch_alter_table('programme_version', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_programme_version_by_staff_id'), type_='foreignkey')
        batch_op.drop_column('by_staff_id')
        batch_op.drop_column('note')

    with op.batch_alter_table('planned_call', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_planned_call_version_id'), type_='foreignkey')
        batch_op.drop_column('version_id')

    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('wished_caller')
        batch_op.drop_column('state')

    with op.batch_alter_table('panel_membership', schema=None) as batch_op:
        batch_op.drop_column('opened_at')

    with op.batch_alter_table('enrolment', schema=None) as batch_op:
        batch_op.drop_column('resume_on')

    with op.batch_alter_table('clinic', schema=None) as batch_op:
        batch_op.drop_column('holiday_area')
        batch_op.drop_column('keeps_holidays')

    with op.batch_alter_table('caller_profile', schema=None) as batch_op:
        batch_op.drop_column('trained_on')
        batch_op.drop_column('gender')
        batch_op.drop_column('weekly_minutes')

    with op.batch_alter_table('call_draft', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('is_in_call', sa.Boolean(), nullable=False, server_default=sa.false())
        )

    op.drop_table('call_lease')
    with op.batch_alter_table('panel_proposal_line', schema=None) as batch_op:
        batch_op.drop_index('ix_proposal_line_position')

    op.drop_table('panel_proposal_line')
    op.drop_table('milestone_done')
    with op.batch_alter_table('follow_up', schema=None) as batch_op:
        batch_op.drop_index('uq_follow_up_open', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_follow_up_patient_id'))
        batch_op.drop_index(batch_op.f('ix_follow_up_clinic_id_follow_up_done_at'))

    op.drop_table('follow_up')
    with op.batch_alter_table('enrolment_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enrolment_event_patient_id_enrolment_event_at'))
        batch_op.drop_index(batch_op.f('ix_enrolment_event_enrolment_id_enrolment_event_at'))

    op.drop_table('enrolment_event')
    with op.batch_alter_table('cover', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_cover_stand_in_id_cover_until_at'))
        batch_op.drop_index(batch_op.f('ix_cover_enrolment_id_cover_until_at'))
        batch_op.drop_index(batch_op.f('ix_cover_absence_id'))

    op.drop_table('cover')
    with op.batch_alter_table('panel_proposal', schema=None) as batch_op:
        batch_op.drop_index('uq_panel_proposal_open', sqlite_where=sa.text('applied_at IS NULL AND dropped_at IS NULL'), postgresql_where=sa.text('applied_at IS NULL AND dropped_at IS NULL'))

    op.drop_table('panel_proposal')
    op.drop_table('clinic_closure')
    op.drop_table('caller_shift')
    with op.batch_alter_table('caller_absence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_caller_absence_staff_id_caller_absence_until_at'))

    op.drop_table('caller_absence')
    op.drop_table('planner_interruption')
    op.drop_table('planner_beat')
    with op.batch_alter_table('hours_rule', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_hours_rule_region_hours_rule_state'))

    op.drop_table('hours_rule')
