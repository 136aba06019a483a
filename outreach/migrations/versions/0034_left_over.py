"""What names people for longer than it is of use: remarks of imports may be gone.

Who was anonymised is known again by a keyed hash of the record number.

Revision ID: 0034_left_over
Revises: 0032_sealed
"""

import sqlalchemy as sa
from alembic import context, op

revision = '0034_left_over'
down_revision = '0032_sealed'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('anonymised', schema=None) as batch_op:
        batch_op.add_column(sa.Column('record_hash', sa.String(32), nullable=True))
    with op.batch_alter_table('import_run', schema=None) as batch_op:
        batch_op.alter_column('problems', existing_type=sa.Text(), nullable=True)


def downgrade() -> None:
    nothing = context.config.attributes['cipher'].encrypt(
        b'{"problems": [], "notes": []}', place='import_run.problems'
    )
    runs = sa.table('import_run', sa.column('problems', sa.Text))
    op.execute(runs.update().where(runs.c.problems.is_(None)).values(problems=nothing))
    with op.batch_alter_table('import_run', schema=None) as batch_op:
        batch_op.alter_column('problems', existing_type=sa.Text(), nullable=False)
    with op.batch_alter_table('anonymised', schema=None) as batch_op:
        batch_op.drop_column('record_hash')
