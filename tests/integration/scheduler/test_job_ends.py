"""What monitors are told of each job: how long ago it ended well, and how often it did not."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from config import ROOT
from outreach.orm import Sessions, for_each
from outreach.scheduler.noting import noted
from outreach.scheduler.schedule import Lane, PeriodicJob, periodic_jobs
from tests.fakes import FakeClock, FakeGateway

NAME = "write letters"


def job(run: Callable[[], int], name: str = NAME) -> PeriodicJob:
    return PeriodicJob(name, 60, run, lane=Lane.LONG)


def nothing() -> int:
    return 0


def fail() -> int:
    raise RuntimeError("out of order")


def figure(client: FlaskClient, of: str, name: str = NAME) -> float:
    """Return a figure of one job."""
    page = client.get("/metrics").text
    (told,) = [
        line.rsplit(" ", 1)[1]
        for line in page.splitlines()
        if line.startswith(f'outreach_job_{of}{{name="{name}"}} ')
    ]
    return float(told)


def test_how_long_ago_a_job_ended_well_is_told_by_the_web(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    (letters,) = noted([job(lambda: 3)], sessions, clock)

    assert letters.run() == 3
    clock.advance(timedelta(seconds=90))

    assert (letters.name, letters.every_seconds, letters.lane) == (NAME, 60, Lane.LONG)
    assert figure(client, "since_well_seconds") == 90
    assert figure(client, "every_seconds") == 60
    assert figure(client, "failures_total") == 0


def test_one_that_raises_does_so_still_and_is_counted(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    noted([job(nothing)], sessions, clock)[0].run()
    (letters,) = noted([job(fail)], sessions, clock)

    for _run in range(2):
        clock.advance(timedelta(minutes=1))
        with pytest.raises(RuntimeError):
            letters.run()

    assert figure(client, "since_well_seconds") == 120
    assert figure(client, "failures_total") == 2


def test_one_of_which_a_row_fails_did_not_end_well(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    def write(row_id: int) -> int:
        return 1 if row_id == 1 else fail()

    (letters,) = noted([job(lambda: for_each((1, 2, 3), write))], sessions, clock)
    clock.advance(timedelta(minutes=5))

    assert letters.run() == 1

    assert figure(client, "failures_total") == 1
    clock.advance(timedelta(minutes=1))
    assert figure(client, "since_well_seconds") == 60, "since the scheduler has had it"


def test_one_that_never_ran_is_told_of_since_others_do(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    """It waits for its lane, or for hours until it is due."""
    letters, _stuck = noted([job(nothing), job(nothing, "stuck")], sessions, clock)
    for _run in range(3):
        letters.run()
        clock.advance(timedelta(minutes=1))

    assert figure(client, "since_well_seconds", "stuck") == 180


def test_one_that_is_no_more_is_forgotten_and_the_others_are_not(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    before = noted([job(nothing), job(nothing, "of the release before")], sessions, clock)
    for each in before:
        each.run()
    clock.advance(timedelta(minutes=2))

    _letters, other = noted([job(nothing), job(nothing, "other")], sessions, clock)
    other.run()

    assert "of the release before" not in client.get("/metrics").text
    assert figure(client, "since_well_seconds") == 120


def test_one_whose_end_lies_ahead_of_the_clock_is_as_one_of_long_ago(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    (letters,) = noted([job(nothing)], sessions, clock)
    letters.run()
    clock.advance(-timedelta(hours=1))

    assert figure(client, "since_well_seconds") == 3600
    letters.run()
    assert figure(client, "since_well_seconds") == 0


def test_a_job_that_comes_every_two_seconds_is_not_written_down_each_time(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    (letters,) = noted([job(nothing)], sessions, clock)
    for seconds in (2, 2, 26):
        letters.run()
        clock.advance(timedelta(seconds=seconds))

    assert figure(client, "since_well_seconds") == 30
    letters.run()
    assert figure(client, "since_well_seconds") == 0


def test_the_alert_leaves_out_those_that_send_for_hours_and_no_other(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, tmp_path: Path
) -> None:
    rules = (ROOT / "docs" / "monitoring" / "alerts.yml").read_text()
    (left_out,) = re.findall(r'name!~"([^"]*)"', rules)
    names = [each.name for each in periodic_jobs(sessions, gateway, clock, tmp_path)]

    assert [name for name in names if re.fullmatch(left_out, name)] == [
        "send due messages",
        "send in turn",
    ]


def test_what_can_not_be_noted_changes_nothing_of_the_job(
    sessions: Sessions, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    well, broken = noted([job(lambda: 3), job(fail, "broken")], sessions, clock)
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE job_end RENAME TO another"))

    with caplog.at_level(logging.ERROR):
        assert well.run() == 3
        with pytest.raises(RuntimeError, match="out of order"):
            broken.run()

    assert f"how it went with {NAME} could not be noted" in caplog.text
