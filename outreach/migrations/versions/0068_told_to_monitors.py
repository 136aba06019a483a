"""What monitors are told of the scheduler's jobs, of the plan and of the audit trail.

Revision ID: 0068_told_to_monitors
Revises: 0067_staff_names
"""

import sqlalchemy as sa
from alembic import op

revision = '0068_told_to_monitors'
down_revision = '0067_staff_names'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('planner_beat', sa.Column('complete_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('planner_beat', sa.Column('lacking', sa.Integer(), nullable=True))
    op.create_table(
        'job_end',
        sa.Column('name', sa.String(length=60), nullable=False),
        sa.Column('every_seconds', sa.Integer(), nullable=False),
        sa.Column('well_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('name', name='pk_job_end'),
    )
    op.create_table(
        'audit_check',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('is_whole', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_audit_check'),
    )


def downgrade() -> None:
    op.drop_table('audit_check')
    op.drop_table('job_end')
    op.drop_column('planner_beat', 'lacking')
    op.drop_column('planner_beat', 'complete_at')
