"""A consent to calls is about calls: until now its topic was written as that of texts.

Revision ID: 0012_consent_topics
Revises: 0011_histories_by_enrolment
"""

from alembic import op

revision = '0012_consent_topics'
down_revision = '0011_histories_by_enrolment'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE consent_event SET topic = 'calls' WHERE channel = 'call'")


def downgrade() -> None:
    op.execute("UPDATE consent_event SET topic = 'reminders'")
