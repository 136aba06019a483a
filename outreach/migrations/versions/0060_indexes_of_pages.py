"""Indexes by which pages that are loaded all day find what is a person's, a clinic's, a call's.

Revision ID: 0060_indexes_of_pages
Revises: 0057_welfare_check_agreed
"""

from alembic import op

revision = '0060_indexes_of_pages'
down_revision = '0057_welfare_check_agreed'
branch_labels = None
depends_on = None

_INDEXES = {
    'ix_membership_staff_id': ('membership', ['staff_id']),
    'ix_membership_clinic_id_membership_role': ('membership', ['clinic_id', 'role']),
    'ix_returned_call_enrolment_id_returned_call_done_at': (
        'returned_call',
        ['enrolment_id', 'done_at'],
    ),
    'ix_goal_news_patient_id': ('goal_news', ['patient_id']),
    'ix_attempt_enrolment_id_attempt_at': ('attempt', ['enrolment_id', 'at']),
    'ix_cover_patient_id': ('cover', ['patient_id']),
    'ix_cadence_choice_patient_id': ('cadence_choice', ['patient_id']),
    'ix_milestone_done_patient_id': ('milestone_done', ['patient_id']),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():  # calls are saved meanwhile
        for name, (table, columns) in _INDEXES.items():
            if op.get_bind().dialect.name == 'postgresql':
                op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {name}')  # one not finished
            op.create_index(
                name, table, columns, postgresql_concurrently=True, if_not_exists=True
            )


def downgrade() -> None:
    for name, (table, _columns) in _INDEXES.items():
        op.drop_index(name, table)
