"""A machine whose clock is wrong serves no pages and sends nothing until it is right."""

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from outreach import orm, same_time
from outreach.clock import utc_now
from outreach.orm import Sessions
from outreach.scheduler.worker import Worker
from outreach.upkeep import views
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_reminder

WRONG = timedelta(hours=1)


def an_hour_ahead() -> datetime:
    return utc_now() + WRONG


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, None),
        (20, None),
        (-20, None),
        (3600.2, "3,600 seconds ahead of the"),
        (-86_399.9, "86,400 seconds behind the"),
    ],
)
def test_clocks_are_held_against_that_of_the_database(
    engine: Engine, seconds: float, words: str | None
) -> None:
    with orm.reading(), engine.connect() as connection:
        found = same_time.trouble(connection, utc_now() + timedelta(seconds=seconds))

    if engine.dialect.name == "sqlite" or words is None:  # its file lies on this machine
        assert found is None
    else:
        assert found == f"This machine's clock is {words} database's."


def test_no_page_comes_from_a_machine_whose_clock_is_wrong(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "utc_now", an_hour_ahead)

    answer = client.get("/readyz")

    expected = 503 if engine.dialect.name == "postgresql" else 200
    assert answer.status_code == expected
    assert ("clock" in answer.text) == (expected == 503)


def test_a_worker_whose_clock_is_wrong_sends_nothing_until_it_is_right(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, engine: Engine
) -> None:
    make_reminder(sessions, clock)
    sent: list[int] = []
    clocks = [an_hour_ahead]

    def machines_clock() -> datetime:
        return clocks[-1]()

    worker = Worker(sessions, gateway, clock, machines_clock)

    def idle(_seconds: float) -> None:
        sent.append(len(gateway.sent))
        clocks.append(utc_now)
        if len(sent) == 2:
            worker.stop()

    worker.run(idle)

    assert sent == ([0, 1] if engine.dialect.name == "postgresql" else [1, 1])
