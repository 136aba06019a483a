"""What texts say, as data: a version for each change that a clinic makes.

Revision ID: 0013_wordings
Revises: 0012_consent_topics
"""

import sqlalchemy as sa
from alembic import op

revision = '0013_wordings'
down_revision = '0012_consent_topics'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'wording',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clinic_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('language', sa.String(length=10), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('by_staff_id', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_wording_clinic_id')),
        sa.ForeignKeyConstraint(
            ['by_staff_id'], ['staff_member.id'], name=op.f('fk_wording_by_staff_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_wording')),
        sa.UniqueConstraint(
            'clinic_id', 'name', 'language', 'number',
            name=op.f('uq_wording_clinic_id_name_language_number'),
        ),
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('wording_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f('fk_message_wording_id'), 'wording', ['wording_id'], ['id']
        )


def downgrade() -> None:
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_message_wording_id'), type_='foreignkey')
        batch_op.drop_column('wording_id')
    op.drop_table('wording')
