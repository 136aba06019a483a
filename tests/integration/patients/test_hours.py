"""Clinic, law and calendar decide together in which hours a patient is called."""

from datetime import date, time

from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Closure
from outreach.orm import Sessions
from outreach.patients import hours
from outreach.patients.models import HoursRule
from tests.builders import make_clinic, make_patient

TODAY = date(2026, 11, 23)
MONDAY, SUNDAY = date(2026, 11, 30), date(2026, 11, 29)


def bounds(session: Session, clinic: Clinic, day: date, state: str | None = None) -> object:
    """What a patient of ``clinic`` who asked for Sundays may expect on ``day``."""
    patient = make_patient(session, clinic, state=state, weekdays=1 << 6)
    return hours.hours_of(session, patient, today=TODAY).bounds_on(day)


def test_the_law_of_the_patients_state_narrows_the_clinics_hours(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session, opens=time(8), closes=time(21))

        assert bounds(session, clinic, MONDAY) == (time(8), time(21))
        assert bounds(session, clinic, MONDAY, "TX") == (time(9), time(21))
        assert bounds(session, clinic, SUNDAY, "TX") == (time(12), time(21))
        assert bounds(session, clinic, MONDAY, "RI") == (time(9), time(18))
        assert bounds(session, clinic, MONDAY, "KY") == (time(10), time(21))
        assert bounds(session, clinic, SUNDAY, "LA") is None
        assert bounds(session, clinic, MONDAY, "CA") == (time(8), time(21))


def test_public_holidays_of_the_clinics_country_and_state_are_closed(sessions: Sessions) -> None:
    with sessions.begin() as session:
        us = make_clinic(session)
        texas = make_clinic(session, holiday_area="TX")
        none = make_clinic(session, keeps_holidays=False)
        nowhere = make_clinic(session, region="ZZ")
        thanksgiving, texan = date(2026, 11, 26), date(2027, 3, 2)

        assert bounds(session, us, thanksgiving) is None
        assert bounds(session, us, texan) is not None
        assert bounds(session, texas, texan) is None
        assert bounds(session, none, thanksgiving) is not None
        assert bounds(session, nowhere, thanksgiving) is not None


def test_a_clinics_own_closed_days_count_for_it_alone(sessions: Sessions) -> None:
    with sessions.begin() as session:
        closed, other = make_clinic(session), make_clinic(session)
        session.add(Closure(clinic_id=closed.id, on=MONDAY, name="Moving house"))

        assert bounds(session, closed, MONDAY) is None
        assert bounds(session, other, MONDAY) is not None


def test_a_law_that_has_ended_counts_no_more(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session, opens=time(8), closes=time(21))
        session.execute(update(HoursRule).where(HoursRule.state == "KY").values(until_on=MONDAY))

        assert bounds(session, clinic, date(2026, 11, 28), "KY") == (time(10), time(21))
        assert bounds(session, clinic, MONDAY, "KY") == (time(8), time(21))


def test_a_book_of_many_clinics_takes_two_statements(sessions: Sessions, engine: Engine) -> None:
    with sessions.begin() as session:
        for _each in range(5):
            clinic = make_clinic(session)
            session.add(Closure(clinic_id=clinic.id, on=MONDAY, name="Closed"))
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    with sessions() as session:
        hours.book_of(session, today=TODAY)
    event.remove(engine, "before_cursor_execute", note)

    assert len([each for each in statements if each.startswith("SELECT")]) == 2
