"""A page gets a connection that is there, without asking each of them each time."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from outreach import orm, read_only

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
WHO = text("SELECT pg_backend_pid()")


def _used(engine: Engine) -> int:
    """Use a connection and give it back; return which it was."""
    with engine.connect() as connection:
        pid: int = connection.execute(WHO).scalar_one()
    return pid


def _lose(engine: Engine, database_url: str) -> int:
    """Use a connection, and let the database end it as it lies idle."""
    pid, other = _used(engine), orm.make_engine(database_url)
    with other.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    other.dispose()
    return pid


def test_one_that_was_lost_as_it_lay_idle_is_replaced_unseen(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = _lose(engine, database_url)
    monkeypatch.setattr(read_only, "STILL_THERE_SECONDS", 0.0)  # as if it had lain for so long

    assert _used(engine) != lost


def test_one_that_was_lost_within_a_moment_is_the_only_one_that_fails(
    engine: Engine, database_url: str
) -> None:
    with engine.connect() as first, engine.connect() as second:
        both = [connection.execute(WHO).scalar_one() for connection in (first, second)]
    lost = _lose(engine, database_url)
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(WHO)

    assert lost in both
    assert _used(engine) not in both


def test_the_one_that_was_used_last_is_used_next(engine: Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        pids = [connection.execute(WHO).scalar_one() for connection in (first, second)]

    assert {_used(engine) for _again in range(5)} == {pids[0]}  # given back after the second
