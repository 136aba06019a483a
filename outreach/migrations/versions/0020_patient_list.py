"""One patient list with full-text search and saved lists; files in the background.

Revision ID: 0020_patient_list
Revises: 0019_report_targets
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0020_patient_list'
down_revision = '0019_report_targets'
branch_labels = None
depends_on = None

# FTS5 keeps no second copy of the words: its content is search_entry. A migration that fills
# that table anew (batch_alter_table) has to make these triggers again.
_FTS5 = (
    "CREATE VIRTUAL TABLE search_words USING fts5("
    "words, content='search_entry', content_rowid='id', tokenize='ascii')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN"
    " INSERT INTO search_words (rowid, words) VALUES (new.id, new.words); END",
    "CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN"
    " INSERT INTO search_words (search_words, rowid, words)"
    " VALUES ('delete', old.id, old.words); END",
    "CREATE TRIGGER search_entry_changed AFTER UPDATE ON search_entry BEGIN"
    " INSERT INTO search_words (search_words, rowid, words)"
    " VALUES ('delete', old.id, old.words);"
    " INSERT INTO search_words (rowid, words) VALUES (new.id, new.words); END",
)
_GIN = 'CREATE INDEX ix_search_entry_words ON search_entry USING gin (words)'
# Folding words is the product's own work: what is there already waits for the job that does it.
_BACKLOG = (
    "INSERT INTO search_backlog (kind, source_id) SELECT 'patient', id FROM patient ORDER BY id",
    "INSERT INTO search_backlog (kind, source_id) SELECT 'note', id FROM call_note ORDER BY id",
)


def upgrade() -> None:
    op.create_table('search_backlog',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_backlog')),
    sa.UniqueConstraint('kind', 'source_id', name=op.f('uq_search_backlog_kind_source_id'))
    )
    op.create_table('export',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=True),
    sa.Column('content', sa.Enum('patients', 'calls', 'adherence', 'research', name='content', native_enum=False, length=40), nullable=False),
    sa.Column('format', sa.Enum('csv', 'xlsx', 'pdf', 'zip', name='format', native_enum=False, length=40), nullable=False),
    sa.Column('asked', sa.JSON(), nullable=False),
    sa.Column('form_key', sa.String(length=40), nullable=False),
    sa.Column('progress', sa.Enum('waiting', 'writing', 'ready', 'failed', 'expired', name='progress', native_enum=False, length=40), nullable=False),
    sa.Column('rows_done', sa.Integer(), nullable=False),
    sa.Column('rows_total', sa.Integer(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('claim', sa.String(length=40), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('file_name', sa.String(length=80), nullable=True),
    sa.Column('bytes', sa.Integer(), nullable=True),
    sa.Column('trouble', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_export_clinic_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_export_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_export')),
    sa.UniqueConstraint('form_key', name=op.f('uq_export_form_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_export_ref'))
    )
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_export_progress_export_lease_until'), ['progress', 'lease_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_export_staff_id_export_asked_at'), ['staff_id', 'asked_at'], unique=False)

    op.create_table('kept_search',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(length=16), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(length=400), nullable=False),
    sa.Column('is_either', sa.Boolean(), nullable=False),
    sa.Column('has_notes', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_kept_search_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kept_search')),
    sa.UniqueConstraint('token', name=op.f('uq_kept_search_token'))
    )
    with op.batch_alter_table('kept_search', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kept_search_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_kept_search_staff_id_kept_search_at'), ['staff_id', 'at'], unique=False)

    op.create_table('saved_list',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_saved_list_clinic_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_saved_list_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_list')),
    sa.UniqueConstraint('staff_id', 'name', name=op.f('uq_saved_list_staff_id_name'))
    )
    with op.batch_alter_table('saved_list', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_saved_list_clinic_id'), ['clinic_id'], unique=False)

    op.create_table('search_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('clinic_id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('patient', 'note', name='kind', native_enum=False, length=40), nullable=False),
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.Column('words', sa.Text().with_variant(postgresql.TSVECTOR(), 'postgresql'), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_search_entry_clinic_id')),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], name=op.f('fk_search_entry_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_entry')),
    sa.UniqueConstraint('kind', 'source_id', name=op.f('uq_search_entry_kind_source_id'))
    )
    with op.batch_alter_table('search_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_search_entry_patient_id'), ['patient_id'], unique=False)

    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    for statement in _FTS5 if is_sqlite else (_GIN,):
        op.execute(sa.DDL(statement))
    for statement in _BACKLOG:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TABLE search_words')
    with op.batch_alter_table('search_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_search_entry_patient_id'))

    op.drop_table('search_entry')
    with op.batch_alter_table('saved_list', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_saved_list_clinic_id'))

    op.drop_table('saved_list')
    with op.batch_alter_table('kept_search', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kept_search_staff_id_kept_search_at'))
        batch_op.drop_index(batch_op.f('ix_kept_search_at'))

    op.drop_table('kept_search')
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_export_staff_id_export_asked_at'))
        batch_op.drop_index(batch_op.f('ix_export_progress_export_lease_until'))

    op.drop_table('export')
    op.drop_table('search_backlog')
