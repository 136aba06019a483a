"""The safety net: who is on call, and telling them.

Revision ID: 0003_safety_net
Revises: 0002_panels_and_plan
"""

import sqlalchemy as sa
from alembic import op

revision = '0003_safety_net'
down_revision = '0002_panels_and_plan'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('on_call',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('rank', sa.Enum('first', 'backup', 'lead', name='oncallrank', native_enum=False, length=40), nullable=False),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_staff_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['by_staff_id'], ['staff_member.id'], name=op.f('fk_on_call_by_staff_id')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_on_call_clinic_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_on_call_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_on_call'))
    )
    with op.batch_alter_table('on_call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_on_call_clinic_id_on_call_until_at'), ['clinic_id', 'until_at'], unique=False)

    op.create_table('concern_alert',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('concern_id', sa.Integer(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['concern_id'], ['concern.id'], name=op.f('fk_concern_alert_concern_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_concern_alert_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_concern_alert')),
    sa.UniqueConstraint('concern_id', 'round', 'staff_id', name=op.f('uq_concern_alert_concern_id_round_staff_id'))
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('staff_id', sa.Integer(), nullable=True))
        batch_op.alter_column('patient_id',
               existing_type=sa.INTEGER(),
               nullable=True)
        batch_op.create_foreign_key(batch_op.f('fk_message_staff_id'), 'staff_member', ['staff_id'], ['id'])
        batch_op.create_check_constraint(
            op.f('ck_message_one_recipient'), '(patient_id IS NULL) <> (staff_id IS NULL)'
        )

    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('phone', sa.String(length=20), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.drop_column('phone')

    op.execute(
        'DELETE FROM delivery_event WHERE message_id IN'
        ' (SELECT id FROM message WHERE patient_id IS NULL)'
    )
    op.execute('DELETE FROM message WHERE patient_id IS NULL')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_message_one_recipient'), type_='check')
        batch_op.drop_constraint(batch_op.f('fk_message_staff_id'), type_='foreignkey')
        batch_op.alter_column('patient_id',
               existing_type=sa.INTEGER(),
               nullable=False)
        batch_op.drop_column('staff_id')

    op.drop_table('concern_alert')
    with op.batch_alter_table('on_call', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_on_call_clinic_id_on_call_until_at'))

    op.drop_table('on_call')
