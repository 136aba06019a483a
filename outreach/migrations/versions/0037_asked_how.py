"""What is being asked says how: on a call, or by staff outside one.

Revision ID: 0037_asked_how
Revises: 0036_chosen_weeks
"""

import sqlalchemy as sa
from alembic import op

revision = '0037_asked_how'
down_revision = '0036_chosen_weeks'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('begun_questionnaire', schema=None) as batch_op:
        batch_op.add_column(sa.Column('source', sa.Enum('call', 'staff', 'csv', 'fhir', 'sms', name='readingsource', native_enum=False, length=40), server_default='call', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('begun_questionnaire', schema=None) as batch_op:
        batch_op.drop_column('source')
