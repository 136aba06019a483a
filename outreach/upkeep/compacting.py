"""Writing a database anew, so that nothing is left of values that were replaced."""

import sqlite3

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError


class CannotCompact(RuntimeError):
    """Old values still lie in free pages; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "What went before is done, but old values still lie in free pages of the database."
            " Stop everything, make room for a second copy, then:"
            " flask --app outreach db compact"
        )


def compact(engine: Engine) -> None:
    """Write every table anew, and empty the log of SQLite.

    On PostgreSQL each table is locked while it is written; it waits for that as long as it
    takes.

    Raises:
        CannotCompact: the database is as it was, or others hold its log.
    """
    try:
        if engine.dialect.name == "sqlite":
            _compact_file(engine)
        else:
            _compact_server(engine)
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise CannotCompact from error


def _compact_file(engine: Engine) -> None:
    connection = engine.raw_connection()  # without the BEGIN of ours
    try:
        cursor = connection.cursor()
        # Words that were taken out of the index lie in it until its parts are made one.
        if cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'search_words'").fetchone():
            cursor.execute("INSERT INTO search_words (search_words) VALUES ('optimize')")
            if cursor.connection.in_transaction:  # as the driver began one by itself
                cursor.execute("COMMIT")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, *_pages = cursor.fetchone() or (1,)
    finally:
        connection.close()
    if is_busy:
        raise CannotCompact


def _compact_server(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET lock_timeout = 0")  # a migration's own is seconds
        connection.exec_driver_sql("VACUUM FULL")
