"""What is due to be measured at this point of the programme."""

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.calls.due import due_of
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.planning import courses
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.calls.conftest import Day

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("days_in", "point"),
    [(0, "baseline"), (14, "baseline"), (15, None), (59, None), (60, "month_3"), (120, "month_3")],
)
def test_a_window_is_open_on_its_first_and_last_day(
    session: Session, days_in: int, point: str | None
) -> None:
    patient = make_patient(session, make_clinic(session))
    enrolment = make_enrolment(session, patient, starts_on=TODAY - timedelta(days=days_in))
    standing = courses.standing_of(session, enrolment.id, now=MONDAY_10_CHICAGO)

    found = due_of(session, standing, now=MONDAY_10_CHICAGO)

    assert [due.point.code for due in found] == ([point] if point else [])
    assert all(due.missing == ("hba1c", "phq9_total") for due in found)


def test_only_what_was_measured_within_the_window_counts(session: Session) -> None:
    patient = make_patient(session, make_clinic(session))
    enrolment = make_enrolment(session, patient, starts_on=TODAY - timedelta(days=91))
    make_reading(session, patient, taken_at=MONDAY_10_CHICAGO - timedelta(days=40))
    make_reading(session, patient, MeasureKind.PHQ9_TOTAL, "7", taken_at=MONDAY_10_CHICAGO)
    standing = courses.standing_of(session, enrolment.id, now=MONDAY_10_CHICAGO)

    (due,) = due_of(session, standing, now=MONDAY_10_CHICAGO)

    assert (due.missing, due.done) == (("hba1c",), ("phq9_total",))
    assert due.until_on == TODAY + timedelta(days=29)


def test_the_call_says_what_is_missing_and_leads_to_the_questionnaire(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    page = client.get(f"/calls/{day.rosa.ref}").text

    assert "To measure now" in page
    assert f'href="/patients/{day.rosa.ref}/questionnaires/phq9"' in page


def test_who_it_is_how_to_say_it_and_until_when_to_call(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    details = {
        "said_as": "ROH-sah", "approach": "Slowly, hard of hearing.", "about": "Sings.",
        "language": "en", "zone": "America/Chicago", "back": "call",
    }  # fmt: skip

    answer = client.post(f"/patients/{day.rosa.ref}/details", data=details)

    assert answer.location == f"/calls/{day.rosa.ref}#plan"
    page = client.get(answer.location).text
    assert "ROH-sah" in page
    assert "Slowly, hard of hearing." in page
    assert "until 8:00" in page


def test_openers_are_hidden_until_they_are_wanted_again(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    client.post(f"/patients/{day.rosa.ref}/goals/", data={"area": "own", "text": "Dance in spring"})
    path, shown = f"/calls/{day.rosa.ref}", '<details class="openers" open>'
    assert shown in client.get(path).text

    client.post(f"{path}/openers", data={"hide": "1"})
    assert shown not in client.get(path).text

    client.post(f"{path}/openers", data={"hide": "0"})
    assert shown in client.get(path).text
