"""What callers answer about their working life, for themselves.

Revision ID: 0041_work_life
Revises: 0040_access_keys
"""

import sqlalchemy as sa
from alembic import op

revision = '0041_work_life'
down_revision = '0040_access_keys'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_STAFF = "(SELECT nullif(current_setting('outreach.staff', true), '')::int)"


def upgrade() -> None:
    op.create_table(
        'work_life_answer',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('staff_id', sa.Integer(), nullable=False),
        sa.Column('quarter', sa.Date(), nullable=False),
        sa.Column('answers', sa.Text(), nullable=False),
        sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_work_life_answer_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_work_life_answer')),
        sa.UniqueConstraint('staff_id', 'quarter', name=op.f('uq_work_life_answer_staff_id_quarter')),
    )
    op.create_index(op.f('ix_work_life_answer_quarter'), 'work_life_answer', ['quarter'])
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f'CREATE POLICY second_wall ON work_life_answer USING (staff_id = {_STAFF} OR {_FAR})')


def downgrade() -> None:
    op.drop_table('work_life_answer')
