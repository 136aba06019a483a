"""How far planning lags behind is a figure: that the planner runs does not say that it plans."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, update

from outreach.accounts.models import Clinic, StaffMember
from outreach.orm import Sessions, failing_rows
from outreach.patients.models import Patient
from outreach.planning import courses, next_call
from outreach.planning.filling import Gaps
from outreach.planning.jobs import plan_missing_calls
from outreach.planning.missing import Planner
from outreach.planning.models import PlannedCall
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.fakes import FakeClock

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PATIENTS = 5


class Place:
    """A clinic whose patients lack a call."""

    def __init__(self, sessions: Sessions, **clinic: object) -> None:
        self._sessions = sessions
        with sessions.begin() as session:
            self._clinic: Clinic = make_clinic(session, **clinic)
            self._caller: StaffMember = make_staff(session, self._clinic)

    def enrol(self, starts_on: date | None = None, **patient: object) -> None:
        days = {} if starts_on is None else {"starts_on": starts_on}
        with self._sessions.begin() as session:
            person = make_patient(session, self._clinic, **patient)  # type: ignore[arg-type]
            make_enrolment(session, person, caller=self._caller, **days)


@pytest.fixture
def place(sessions: Sessions) -> Place:
    place = Place(sessions)
    for _each in range(PATIENTS):
        place.enrol()
    return place


def told(client: FlaskClient) -> tuple[float, float]:
    """Return how many lack a call, and for how many seconds somebody may have."""
    figures = dict(
        line.rsplit(" ", 1)
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("outreach_plan")
    )
    return float(figures["outreach_planning_lacking"]), float(
        figures["outreach_planning_lag_seconds"]
    )


def fail(*_given: Any, **_named: Any) -> int:
    raise RuntimeError("out of order")


def test_planning_that_breaks_off_for_three_days_is_told_though_the_planner_runs(
    client: FlaskClient,
    sessions: Sessions,
    clock: FakeClock,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Gaps, "fill", fail)
    for _hour in range(3 * 24 + 1):
        with pytest.raises(RuntimeError):
            plan_missing_calls(sessions, clock)
        clock.advance(timedelta(hours=1))

    clock.advance(-timedelta(hours=1))
    assert "outreach_planner_silent_seconds 0.0" in client.get("/metrics").text
    assert told(client) == (PATIENTS, (3 * DAY).total_seconds())

    monkeypatch.undo()
    assert plan_missing_calls(sessions, clock) == PATIENTS
    assert told(client) == (0, 0)


@pytest.mark.parametrize("page", [2, 100])
def test_planning_in_which_every_row_fails_is_told(
    client: FlaskClient,
    sessions: Sessions,
    clock: FakeClock,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    """The job ends, and says that it planned for nobody."""
    plan_missing_calls(sessions, clock)
    with sessions.begin() as session:
        session.execute(update(PlannedCall).values(status="cancelled", closed_at=clock()))
    monkeypatch.setattr("outreach.planning.filling.PAGE", page)
    monkeypatch.setattr(Planner, "write", fail)
    monkeypatch.setattr(next_call, "plan", fail)

    for _tick in range(3):
        clock.advance(MINUTE)
        assert plan_missing_calls(sessions, clock) == 0

    assert told(client) == (PATIENTS, 180)


def test_one_who_can_not_be_planned_for_is_told_and_counted(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    with sessions.begin() as session:
        broken = session.scalars(select(Patient).order_by(Patient.id)).first()
        assert broken is not None
        broken.zone = "Not/AZone"

    assert plan_missing_calls(sessions, clock) == PATIENTS - 1
    clock.advance(MINUTE)
    with failing_rows() as failed:
        plan_missing_calls(sessions, clock)
    clock.advance(MINUTE)

    assert len(failed) == 1, "the job did not end well"
    assert told(client) == (1, 120)
    with sessions.begin() as session:
        session.get_one(Patient, broken.id).zone = "America/Chicago"
    assert plan_missing_calls(sessions, clock) == 1
    assert told(client) == (0, 0)


def test_who_has_no_call_ahead_lacks_none(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    """Behind their last call, or where the law leaves no hour for one."""
    evening = Place(sessions, opens=time(18))
    evening.enrol(state="RI")
    for days in range(1, 7):
        evening.enrol(starts_on=clock().date() - timedelta(weeks=26, days=-days))
    for _tick in range(2):
        plan_missing_calls(sessions, clock)
        clock.advance(MINUTE)

    with sessions() as session:
        assert courses.unplanned_ids(session, after_id=0, limit=9), "the planner looks for nobody"
    assert told(client) == (0, 60)


def test_while_nobody_plans_the_lag_grows(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    plan_missing_calls(sessions, clock)
    clock.advance(DAY)

    assert told(client) == (0, DAY.total_seconds())


def test_a_plan_that_was_complete_ahead_of_the_clock_is_as_one_of_long_ago(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    plan_missing_calls(sessions, clock)
    clock.advance(-timedelta(hours=1))

    assert told(client) == (0, 3600)
    plan_missing_calls(sessions, clock)
    assert told(client) == (0, 0)


@contextmanager
def changes(engine: Engine) -> Iterator[list[str]]:
    """Give a list of the statements that change something meanwhile."""
    found: list[str] = []

    def note(*given: Any) -> None:
        if given[2].startswith(("INSERT", "UPDATE", "DELETE")):
            found.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_tick_that_finds_nothing_to_do_mostly_writes_nothing(
    engine: Engine, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    plan_missing_calls(sessions, clock)
    clock.advance(timedelta(seconds=20))

    with changes(engine) as written:
        plan_missing_calls(sessions, clock)
    assert written == []

    clock.advance(timedelta(seconds=20))
    with changes(engine) as written:
        plan_missing_calls(sessions, clock)
    assert len(written) == 2, "the beat, and that the plan is complete"
