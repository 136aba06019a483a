"""Transactions of PostgreSQL that only look: it refuses them every change, and keeps its plans.

A page that is looked at repeats a handful of statements. psycopg prepares what it has sent five
times, so that PostgreSQL plans it once, and forgets all of that at each ROLLBACK, as what was
rolled back may have been a table. A transaction that could change nothing ends with COMMIT.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

# A server that restarts takes longer. A page takes a connection three times within a moment.
STILL_THERE_SECONDS = 0.5


def prepare(engine: Engine, is_reading: Callable[[], bool]) -> None:
    """Begin transactions of a PostgreSQL ``engine`` read-only wherever ``is_reading`` says so."""

    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        wanted = True if is_reading() else None  # as the database has it, which may be read-only
        if driver.read_only is not wanted:
            driver.read_only = wanted

    event.listen(engine, "begin", begin)
    _ask_only_the_idle(engine)
    dialect: Any = engine.dialect
    rollback = dialect.do_rollback
    dialect.do_rollback = lambda driver: (
        driver.commit() if _only_looked(driver) else rollback(driver)
    )


def _only_looked(driver: Any) -> bool:
    """Say whether the transaction could change nothing, and nothing in it failed."""
    from psycopg.pq import TransactionStatus  # noqa: PLC0415 - 9 MB that SQLite does not need

    status: int = driver.pgconn.transaction_status
    return driver.read_only is True and status == TransactionStatus.INTRANS


def _ask_only_the_idle(engine: Engine) -> None:
    """Ask no connection whether it is still there that answered a moment ago."""
    dialect: Any = engine.dialect
    ask = dialect.do_ping

    def gave_back(driver: Any, _record: Any) -> None:
        if driver is not None:  # one that was lost is given back as nothing
            driver.answered_at = time.monotonic()

    def is_there(driver: Any) -> bool:
        idle_since: float = getattr(driver, "answered_at", 0.0)
        there: bool = time.monotonic() - idle_since < STILL_THERE_SECONDS or ask(driver)
        return there

    event.listen(engine, "checkin", gave_back)
    dialect.do_ping = is_there
