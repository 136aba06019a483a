"""A clinic's hours, its closed days and the law: kept by those who may, followed by the plan."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Closure, StaffMember
from outreach.accounts.rules import Role
from outreach.calling_hours import keeping, refitting
from outreach.calling_hours.jobs import refit_changed_hours
from outreach.calling_hours.keeping import ClinicHours
from outreach.clock import local_day
from outreach.orm import Sessions
from outreach.patients import hours
from outreach.patients.models import HoursRule, Patient
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

CHICAGO = ZoneInfo("America/Chicago")
FRIDAY = date(2026, 11, 27)
FRIDAY_10_CHICAGO = datetime(2026, 11, 27, 16, tzinfo=UTC)


class Place(NamedTuple):
    clinic: Clinic
    manager: StaffMember
    patient: Patient
    call: PlannedCall


@pytest.fixture
def place(sessions: Sessions, client: FlaskClient) -> Place:
    """A call planned for Friday morning; the manager is signed in. It is Monday."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        patient = make_patient(session, clinic)
        enrolment = make_enrolment(session, patient, caller=make_staff(session, clinic))
        call = make_planned_call(
            session,
            enrolment,
            due_on=FRIDAY,
            complete_by_on=date(2026, 12, 3),
            dial_from_at=FRIDAY_10_CHICAGO,
            dial_until_at=FRIDAY_10_CHICAGO.replace(hour=18),
        )
    sign_in(client, manager)
    return Place(clinic, manager, patient, call)


def _call(sessions: Sessions, place: Place) -> PlannedCall:
    with sessions() as session:
        return session.get_one(PlannedCall, place.call.id)


def _close(client: FlaskClient, day: date) -> str:
    data = {"on": day.isoformat(), "name": "Staff day"}
    return client.post("/hours/closed-days", data=data, follow_redirects=True).text


def test_closing_a_day_moves_its_calls_by_a_job_and_says_so(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    page = _close(client, FRIDAY)
    waits = _call(sessions, place).dial_from_at
    assert refit_changed_hours(sessions, clock) == 1
    assert refit_changed_hours(sessions, clock) == 0

    moved = _call(sessions, place)
    assert waits == FRIDAY_10_CHICAGO
    assert "are being moved" in page
    assert "are being moved" not in client.get("/hours/").text
    assert "Staff day" in page
    assert local_day(moved.dial_from_at, CHICAGO) != FRIDAY
    assert moved.status is CallStatus.PLANNED


def test_a_promised_time_on_a_closed_day_stays_and_is_listed(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(PlannedCall, place.call.id).is_agreed = True
    before = client.get("/hours/").text

    page = _close(client, FRIDAY)
    assert refit_changed_hours(sessions, clock) == 0

    assert "asked for a time" not in before
    assert "asked for a time" in page
    assert f"/patients/{place.patient.ref}" in page
    assert _call(sessions, place).dial_from_at == FRIDAY_10_CHICAGO


def test_a_holiday_or_closed_day_is_not_closed_twice(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    _close(client, FRIDAY)

    assert "already" in _close(client, FRIDAY)
    assert "already" in _close(client, date(2026, 11, 26))  # Thanksgiving
    with sessions() as session:
        assert len(session.scalars(select(Closure)).all()) == 1


@pytest.mark.parametrize("day", ["", "2026-11-20", "2028-06-01", "soon"])
def test_a_day_that_is_over_or_far_off_is_refused(
    client: FlaskClient, place: Place, day: str
) -> None:
    answer = client.post("/hours/closed-days", data={"on": day, "name": "x"})

    assert answer.status_code == 422


def test_an_opened_day_is_a_day_again(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    _close(client, FRIDAY)
    with sessions() as session:
        closure_id = session.scalars(select(Closure.id)).one()

    answer = client.post(f"/hours/closed-days/{closure_id}/remove")
    again = client.post(f"/hours/closed-days/{closure_id}/remove")

    assert (answer.status_code, again.status_code) == (302, 404)


def test_other_hours_move_calls_that_no_longer_fit(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    data = {"opens": "12:00", "closes": "20:00", "keeps_holidays": "y", "holiday_area": "TX"}

    answer = client.post("/hours/", data=data)
    refit_changed_hours(sessions, clock)

    assert answer.status_code == 302
    with sessions() as session:
        clinic = session.get_one(Clinic, place.clinic.id)
        assert (clinic.opens, clinic.holiday_area) == (time(12), "TX")
    assert _call(sessions, place).dial_from_at.astimezone(CHICAGO).time() == time(12)


@pytest.mark.parametrize(
    "wrong", [{"opens": "20:00", "closes": "09:00"}, {"opens": ""}, {"holiday_area": "ZZ"}]
)
def test_hours_that_never_open_are_refused(
    client: FlaskClient, place: Place, wrong: dict[str, str]
) -> None:
    data = {"opens": "09:00", "closes": "20:00"} | wrong

    assert client.post("/hours/", data=data).status_code == 422


LAW = {
    "region": "US",
    "state": "CA",
    "weekdays": ["0", "1"],
    "opens": "10:00",
    "closes": "18:00",
    "from_on": "2027-01-01",
    "source": "A law of California",
}


def test_an_administrator_adds_a_law_and_ends_it(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, administrator)

    added = client.post("/hours/laws", data=LAW)
    with sessions() as session:
        rule_id = session.scalars(select(HoursRule.id).where(HoursRule.state == "CA")).one()
    early = client.post(
        f"/hours/laws/{rule_id}/end", data={"until_on": "2026-12-01"}, follow_redirects=True
    )
    ended = client.post(f"/hours/laws/{rule_id}/end", data={"until_on": "2028-01-03"})

    assert (added.status_code, ended.status_code) == (302, 302)
    assert "end before it began" in early.text
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, state="CA")
        found = hours.hours_of(session, patient, today=date(2026, 11, 23))
    assert found.bounds_on(date(2026, 11, 30)) == (time(9), time(20))
    assert found.bounds_on(date(2027, 1, 4)) == (time(10), time(18))
    assert found.bounds_on(date(2028, 1, 3)) == (time(9), time(20))


@pytest.mark.parametrize(
    "law",
    [
        {"weekdays": list("0123456"), "opens": "", "closes": ""},
        {"weekdays": list("012345"), "opens": "20:00", "closes": "21:00"},
        {"weekdays": list("0123456"), "opens": "", "closes": "", "from_on": "2029-01-01"},
    ],
)
def test_a_law_that_leaves_no_day_is_refused_and_changes_nothing(
    client: FlaskClient, sessions: Sessions, place: Place, law: dict[str, str | list[str]]
) -> None:
    """Whoever looks for the next hour would find none: no text would be sent to anybody."""
    with sessions.begin() as session:
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        before = session.scalar(select(func.count(HoursRule.id)))
    sign_in(client, administrator)

    answer = client.post("/hours/laws", data=LAW | {"state": "TX"} | law)

    assert answer.status_code == 422
    assert "no hour to call is left" in answer.text
    with sessions() as session:
        assert session.scalar(select(func.count(HoursRule.id))) == before


def test_hours_of_which_the_law_leaves_nothing_are_refused(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        manager = session.get_one(StaffMember, place.manager.id)
    sign_in(client, administrator)
    client.post("/hours/laws", data=LAW | {"weekdays": list("012345"), "closes": "12:00"})
    sign_in(client, manager)

    answer = client.post("/hours/", data={"opens": "12:00", "closes": "20:00"})

    assert answer.status_code == 422
    assert "no hour to call is left" in answer.text
    with sessions() as session:
        assert session.get_one(Clinic, place.clinic.id).opens == time(9)


def test_a_new_law_moves_the_calls_of_its_place(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(Patient, place.call.patient_id).state = "TX"
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, administrator)
    texan = {"state": "TX", "weekdays": ["4"], "opens": "12:00", "from_on": "2026-11-24"}

    client.post("/hours/laws", data=LAW | texan | {"state": "CA"})
    assert refit_changed_hours(sessions, clock) == 0
    assert _call(sessions, place).dial_from_at == FRIDAY_10_CHICAGO
    client.post("/hours/laws", data=LAW | texan)
    assert refit_changed_hours(sessions, clock) == 1

    moved = _call(sessions, place).dial_from_at.astimezone(CHICAGO)
    assert (moved.date() != FRIDAY) or (moved.time() >= time(12))


def test_hours_that_change_while_calls_are_moved_are_looked_at_again(
    sessions: Sessions, clock: FakeClock, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(opens: time) -> None:
        with sessions.begin() as session:
            clinic = session.get_one(Clinic, place.clinic.id)
            kept = ClinicHours(opens, time(20), clinic.keeps_holidays, clinic.holiday_area)
            keeping.change(session, clinic, kept, now=clock())

    refit = refitting.refit

    def refit_and_be_overtaken(session: Session, ids: Iterable[int], *, now: datetime) -> int:
        moved = refit(session, ids, now=now)
        clinic = session.get_one(Clinic, place.clinic.id)
        clinic.opens, clinic.hours_changed_at = time(15), now + timedelta(seconds=1)
        return moved

    change(time(12))
    with monkeypatch.context() as patched:
        patched.setattr(refitting, "refit", refit_and_be_overtaken)
        assert refit_changed_hours(sessions, clock) == 1
    assert refit_changed_hours(sessions, clock) == 1

    assert _call(sessions, place).dial_from_at.astimezone(CHICAGO).time() == time(15)


def test_one_call_that_cannot_be_moved_never_stops_the_others(
    sessions: Sessions, clock: FakeClock, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        for _each in range(2):
            patient = make_patient(session, place.clinic)
            enrolment = make_enrolment(session, patient, caller=make_staff(session, place.clinic))
            make_planned_call(
                session,
                enrolment,
                due_on=FRIDAY,
                complete_by_on=date(2026, 12, 3),
                dial_from_at=FRIDAY_10_CHICAGO,
                dial_until_at=FRIDAY_10_CHICAGO.replace(hour=18),
            )
        keeping.close_day(
            session, place.clinic, FRIDAY, "Staff day", by_staff_id=place.manager.id, now=clock()
        )
    replan = next_call.replan

    def fail_for_one(session: Session, enrolment_id: int, *, now: datetime) -> None:
        if enrolment_id == place.call.enrolment_id:
            raise RuntimeError("cannot be planned")
        replan(session, enrolment_id, now=now)

    monkeypatch.setattr(next_call, "replan", fail_for_one)

    assert refit_changed_hours(sessions, clock) == 2
    assert _call(sessions, place).dial_from_at == FRIDAY_10_CHICAGO


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "California"},
        {"weekdays": []},
        {"opens": ""},
        {"closes": "09:00"},
        {"from_on": ""},
        {"from_on": "soon"},
        {"from_on": "9999-12-31"},
        {"source": ""},
        {"region": "usa"},
    ],
)
def test_a_law_that_says_nothing_clear_is_refused(
    client: FlaskClient, sessions: Sessions, place: Place, wrong: dict[str, object]
) -> None:
    with sessions.begin() as session:
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, administrator)

    assert client.post("/hours/laws", data=LAW | wrong).status_code == 422


def test_managers_read_the_law_and_callers_see_nothing_of_it(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    page = client.get("/hours/laws")
    refused = client.post("/hours/laws", data=LAW)
    with sessions.begin() as session:
        caller = make_staff(session, place.clinic, password_hash=HASH)
        assert session.scalars(select(HoursRule).where(HoursRule.state == "CA")).all() == []

    assert "Texas SB 140" in page.text
    assert "Add a law" not in page.text
    assert refused.status_code == 200
    sign_in(client, caller)
    assert client.get("/hours/").status_code == 404
    assert client.get("/hours/laws").status_code == 404


def test_another_clinics_hours_are_not_there(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        other = make_clinic(session)
        closure = Closure(clinic_id=other.id, on=FRIDAY, name="Theirs")
        session.add(closure)
        session.flush()
        closure_id, code = closure.id, other.code

    assert client.get(f"/hours/?clinic={code}").status_code == 404
    assert client.post(f"/hours/closed-days/{closure_id}/remove").status_code == 404
