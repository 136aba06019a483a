"""Row-level security as PostgreSQL's second wall: the policies, which sleep until switched on.

`flask db web-role` switches them on. Until then, and on SQLite, nothing changes.

Revision ID: 0035_second_wall
Revises: 0034_left_over
"""

from alembic import op

revision = '0035_second_wall'
down_revision = '0034_left_over'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_CLINICS = (
    "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
)
_NOBODY_YET = "(SELECT current_setting('outreach.reach', true) = 'sign-in')"
_STAFF = "(SELECT nullif(current_setting('outreach.staff', true), '')::int)"
_OWN = f'clinic_id = ANY {_CLINICS} OR {_FAR}'

_OF_A_CLINIC = """
    anonymised answer_draft attempt attempt_correction begun_questionnaire cadence_choice
    call_draft call_draft_aside call_hiding call_lease call_note caller_absence
    clinic_closure clinic_safety concern consent_event cover crisis_card deletion_request
    emergency_access emergency_contact enrolment enrolment_event follow_up goal goal_news
    import_run inbound_text inbox_item last_talk latest_reading legal_hold membership message
    message_setting milestone_done number_note on_call on_call_week own_limits
    panel_membership panel_proposal patient phone_call phone_number planned_call promise
    promise_move questionnaire reading reading_permission report_day report_dial
    report_rolled report_target report_touched_days report_touched_enrolment report_week
    retention_setting returned_call risk_flag search_entry text_limit text_question visit
    welfare_step wording
"""

_OTHERS = {
    'attempt_before': 'EXISTS (SELECT FROM attempt WHERE attempt.id = attempt_id)',
    'audit_event': f'{_OWN} OR clinic_id IS NULL',
    'audit_link': 'EXISTS (SELECT FROM audit_event WHERE audit_event.id = event_id)',
    'clinic': f'id = ANY {_CLINICS} OR {_FAR}',
    'concern_alert': 'EXISTS (SELECT FROM concern WHERE concern.id = concern_id)',
    'concern_step': 'EXISTS (SELECT FROM concern WHERE concern.id = concern_id)',
    'delivery_event': 'EXISTS (SELECT FROM message WHERE message.id = message_id)',
    'export': f'{_OWN} OR (clinic_id IS NULL AND staff_id = {_STAFF})',
    'panel_proposal_line': 'EXISTS (SELECT FROM panel_proposal WHERE panel_proposal.id = proposal_id)',
    'phone_event': 'EXISTS (SELECT FROM phone_call WHERE phone_call.id = phone_call_id)',
    'risk_flag_review': 'EXISTS (SELECT FROM risk_flag WHERE risk_flag.id = flag_id)',
    'saved_list': f'{_OWN} OR (clinic_id IS NULL AND staff_id = {_STAFF})',
    'send_try': 'EXISTS (SELECT FROM message WHERE message.id = message_id)',
    'unrecorded_text': _FAR,
}

# Seen beyond that, and not written.
_READ_ALSO = {
    'emergency_access': _NOBODY_YET,
    'membership': f'clinic_id IS NULL OR {_NOBODY_YET}',
}


def upgrade() -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    with op.get_context().autocommit_block():  # each table is held for a moment, and no two
        for table, seen in _policies().items():
            op.execute(f'DROP POLICY IF EXISTS second_wall ON {table}')
            op.execute(f'CREATE POLICY second_wall ON {table} USING ({seen})')
        for table, seen in _READ_ALSO.items():
            op.execute(f'DROP POLICY IF EXISTS second_wall_to_read ON {table}')
            op.execute(
                f'CREATE POLICY second_wall_to_read ON {table} FOR SELECT USING ({seen})'
            )


def downgrade() -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    with op.get_context().autocommit_block():
        for table in _READ_ALSO:
            op.execute(f'DROP POLICY IF EXISTS second_wall_to_read ON {table}')
        for table in _policies():
            op.execute(f'ALTER TABLE {table} DISABLE ROW LEVEL SECURITY')
            op.execute(f'DROP POLICY IF EXISTS second_wall ON {table}')


def _policies() -> dict[str, str]:
    return dict.fromkeys(_OF_A_CLINIC.split(), _OWN) | _OTHERS
