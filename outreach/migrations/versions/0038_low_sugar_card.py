"""A clinic's low-sugar card, version by version, and what was said when it was read.

Revision ID: 0038_low_sugar_card
Revises: 0037_asked_how
"""

import sqlalchemy as sa
from alembic import op

revision = '0038_low_sugar_card'
down_revision = '0037_asked_how'
branch_labels = None
depends_on = None

_FAR = "(SELECT current_setting('outreach.reach', true) = ANY ('{every clinic,carrier}'))"
_CLINICS = (
    "((SELECT string_to_array(current_setting('outreach.clinics', true), ',')::int[])::int[])"
)
_POLICIES = {
    'low_sugar_card': f'clinic_id = ANY {_CLINICS} OR {_FAR}',
    'low_sugar_answer': 'EXISTS (SELECT FROM concern WHERE concern.id = concern_id)',
}


def upgrade() -> None:
    op.create_table('low_sugar_card',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=10), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('say', sa.Text(), nullable=False),
    sa.Column('approved_by', sa.String(length=120), nullable=False),
    sa.Column('approved_on', sa.Date(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_low_sugar_card_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_low_sugar_card_clinic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_low_sugar_card')),
    sa.UniqueConstraint('clinic_id', 'language', 'number', name=op.f('uq_low_sugar_card_clinic_id_language_number'))
    )
    op.create_table('low_sugar_answer',
    sa.Column('concern_id', sa.Integer(), nullable=False),
    sa.Column('card_id', sa.Integer(), nullable=True),
    sa.Column('language', sa.String(length=10), nullable=False),
    sa.Column('is_treated', sa.Boolean(), nullable=False),
    sa.Column('is_help_coming', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_low_sugar_answer_by_staff_id')),
    sa.ForeignKeyConstraint(['card_id'], ['low_sugar_card.id'], name=op.f('fk_low_sugar_answer_card_id')),
    sa.ForeignKeyConstraint(['concern_id'], ['concern.id'], name=op.f('fk_low_sugar_answer_concern_id')),
    sa.PrimaryKeyConstraint('concern_id', name=op.f('pk_low_sugar_answer'))
    )
    if op.get_bind().dialect.name == 'postgresql':
        for table, seen in _POLICIES.items():
            op.execute(f'CREATE POLICY second_wall ON {table} USING ({seen})')


def downgrade() -> None:
    op.drop_table('low_sugar_answer')
    op.drop_table('low_sugar_card')
