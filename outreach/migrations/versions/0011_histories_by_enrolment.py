"""Who called an enrolment and what was asked about it, looked up without reading everybody's.

Revision ID: 0011_histories_by_enrolment
Revises: 0010_coming_pauses
"""

from alembic import op

revision = '0011_histories_by_enrolment'
down_revision = '0010_coming_pauses'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        'ix_panel_membership_enrolment_id_panel_membership_from_at', 'panel_membership', ['enrolment_id', 'from_at']
    )
    op.create_index(
        'ix_follow_up_enrolment_id_follow_up_opened_at', 'follow_up', ['enrolment_id', 'opened_at']
    )


def downgrade() -> None:
    op.drop_index('ix_follow_up_enrolment_id_follow_up_opened_at', 'follow_up')
    op.drop_index('ix_panel_membership_enrolment_id_panel_membership_from_at', 'panel_membership')
