"""Roll-ups lose nothing, whoever writes or rolls up at the same moment, and by whichever clock."""

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.calls.rules import Outcome
from outreach.orm import Sessions, writing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.reports import jobs, rollups
from tests.builders import make_attempt, make_enrolment, make_patient, make_planned_call, make_staff
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history
from tests.integration.reports.test_rollups import assert_true, touched

DAY = timedelta(days=1)


def make_rolled(sessions: Sessions, seed: int, **deviations: Any) -> Clinic:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311
        for name, value in deviations.items():
            setattr(clinic, name, value)
        for starts_on in (date(2026, 11, 9), date(2026, 11, 10)):  # a week ends now, and tomorrow
            patient = make_patient(session, clinic, phone=None)
            enrolment = make_enrolment(session, patient, starts_on=starts_on)
            make_planned_call(session, enrolment, starts_on, status=CallStatus.MISSED)
    jobs.roll_up(sessions, lambda: NOW)
    return clinic


def dial_everybody(session: Session, clinic: Clinic) -> None:
    caller = make_staff(session, clinic)
    for enrolment in session.scalars(select(Enrolment).filter_by(clinic_id=clinic.id)).all():
        calls = select(PlannedCall).filter_by(enrolment_id=enrolment.id)
        call = session.scalars(calls.order_by(PlannedCall.due_on)).first()
        assert call is not None
        make_attempt(session, call, caller, Outcome.COMPLETED, minutes=9)
        call.status = CallStatus.COMPLETED


def moved(sessions: Sessions, clinic: Clinic, zone: str) -> Clinic:
    with writing(), sessions.begin() as session:
        found = session.get_one(Clinic, clinic.id)
        found.zone = zone
    return found


@pytest.mark.parametrize("days", [1, 10])
def test_who_rolls_up_by_an_older_clock_loses_no_week(sessions: Sessions, days: int) -> None:
    clinic = make_rolled(sessions, 5)
    with sessions.begin() as session:
        dial_everybody(session, clinic)

    jobs.roll_up(sessions, lambda: NOW - days * DAY)

    assert_true(sessions, clinic)


def test_weeks_end_again_where_a_clinic_moves_west(sessions: Sessions) -> None:
    clinic = make_rolled(sessions, 5, zone="Pacific/Auckland")  # where it is Tuesday

    clinic = moved(sessions, clinic, "Pacific/Honolulu")
    jobs.roll_up(sessions, lambda: NOW)

    assert_true(sessions, clinic, NOW + DAY)


def test_a_clinic_that_moves_while_others_are_rolled_up_is_counted_where_it_is(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = make_rolled(sessions, 6, zone="America/Chicago")
    with sessions.begin() as session:
        dial_everybody(session, clinic)
    waiting = rollups.waiting

    def and_then_it_moves(*args: Any, **options: Any) -> Any:
        found = waiting(*args, **options)
        moved(sessions, clinic, "Pacific/Auckland")
        return found

    monkeypatch.setattr(rollups, "waiting", and_then_it_moves)
    jobs.roll_up(sessions, lambda: NOW)
    monkeypatch.undo()

    with sessions() as session:
        clinic = session.get_one(Clinic, clinic.id)
    assert_true(sessions, clinic)


@pytest.mark.parametrize("is_before", [True, False], ids=["before it", "after it"])
@pytest.mark.parametrize("count", ["counted_days", "counted_dials", "ended_weeks"])
def test_a_call_saved_beside_the_counting_is_not_lost(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, count: str, *, is_before: bool
) -> None:
    """On SQLite it waits until all is written; on PostgreSQL it is there at once."""
    clinic = make_rolled(sessions, 7)
    with sessions.begin() as session:
        dial_everybody(session, clinic)
        waits = session.get_bind().dialect.name == "sqlite"

    def save() -> None:
        with sessions.begin() as session:
            dial_everybody(session, clinic)

    with ThreadPoolExecutor(1) as pool:
        saved: list[Future[None]] = []
        monkeypatch.setattr(
            rollups, count, _beside(getattr(rollups, count), pool, save, saved, waits, is_before)
        )
        with sessions.begin() as session:
            assert rollups.roll(session, clinic.id, now=NOW)
        saved[0].result()
        monkeypatch.undo()

    with sessions() as session:
        assert touched(session, clinic)
    assert_true(sessions, clinic)


def _beside(
    count: Callable[..., Any],
    pool: ThreadPoolExecutor,
    save: Callable[[], None],
    saved: list[Future[None]],
    waits: bool,  # noqa: FBT001
    is_before: bool,  # noqa: FBT001
) -> Callable[..., Any]:
    """Return the counting with something saved before or after it, the first time only."""

    def save_once() -> None:
        if not saved:
            saved.append(pool.submit(save))
            if not waits:
                saved[0].result()

    def counting(*args: Any, **options: Any) -> Any:
        if is_before:
            save_once()
        found = count(*args, **options)
        found = found if isinstance(found, dict) else list(found)
        save_once()
        return found

    return counting


def test_two_who_roll_up_at_once_take_turns(sessions: Sessions) -> None:
    clinic = make_rolled(sessions, 8)

    def save() -> None:
        with sessions.begin() as session:
            dial_everybody(session, clinic)

    def roll_by_an_older_clock() -> None:
        with sessions.begin() as session:
            rollups.roll(session, clinic.id, now=NOW - DAY)

    save()
    with ThreadPoolExecutor(2) as pool:
        with sessions.begin() as session:
            rollups.roll(session, clinic.id, now=NOW)
            others = [pool.submit(save)]
            if session.get_bind().dialect.name == "postgresql":
                others[0].result()
            others.append(pool.submit(roll_by_an_older_clock))
            if session.get_bind().dialect.name == "postgresql":
                assert _somebody_waits(sessions)
        for each in others:
            each.result()

    assert_true(sessions, clinic)


def _somebody_waits(sessions: Sessions) -> bool:
    for _ in range(400):
        with sessions() as session:
            if session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return True
        time.sleep(0.05)
    return False
