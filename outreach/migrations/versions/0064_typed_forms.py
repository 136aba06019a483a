"""What somebody typed into a form and did not send.

Revision ID: 0064_typed_forms
Revises: 0063_audit_trail_stays
"""

import sqlalchemy as sa
from alembic import op

revision = '0064_typed_forms'
down_revision = '0063_audit_trail_stays'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_STAFF = "(SELECT nullif(current_setting('outreach.staff', true), '')::int)"


def upgrade() -> None:
    op.create_table(
        'typed_form',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('staff_id', sa.Integer(), nullable=False),
        sa.Column('place', sa.String(length=300), nullable=False),
        sa.Column('fields', sa.Text(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_typed_form_staff_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_typed_form')),
        sa.UniqueConstraint('staff_id', 'place', name=op.f('uq_typed_form_staff_id_place')),
    )
    op.create_index(op.f('ix_typed_form_at'), 'typed_form', ['at'])
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f'CREATE POLICY second_wall ON typed_form USING (staff_id = {_STAFF} OR {_FAR})')


def downgrade() -> None:
    op.drop_table('typed_form')
