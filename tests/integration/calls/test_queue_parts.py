"""What the queue says of calls that are not for now, that end soon, or that left it."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_attempt, make_enrolment, make_patient, make_planned_call
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day

NOW = MONDAY_10_CHICAGO
TOMORROW = timedelta(days=1)


def _part(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    found = re.search(rf'<h2 id="{heading}">(.*?)(?=<h2 id=|\Z)', page, re.DOTALL)
    return found.group(1) if found else ""


def test_a_call_that_was_tried_today_rests_with_its_count(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        for _dial in range(2):
            make_attempt(session, call, day.ana, Outcome.NO_ANSWER, at=NOW - timedelta(minutes=5))
        call.dials = 2
        call.dial_from_at, call.dial_until_at = call.dial_from_at + TOMORROW, NOW + TOMORROW
    sign_in(client, day.ana)

    page = client.get("/queue/").text

    assert "tried 2 of 2 times today" in _part(page, "hidden")
    assert "Rosa" not in _part(page, "coming")


def test_a_call_that_is_due_outside_calling_hours_rests_and_comes_back_by_itself(
    client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    clock.advance(timedelta(hours=10, minutes=1))  # one past eight in the evening there
    sign_in(client, day.ana)

    assert "outside calling hours there" in _part(client.get("/queue/").text, "hidden")

    clock.now = NOW + TOMORROW
    sign_in(client, day.ana)
    assert "Rosa" in _part(client.get("/queue/").text, "now")


def test_what_ends_today_or_tomorrow_is_named_with_its_day(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        for number, (name, days) in enumerate((("Lee", 0), ("Kim", 2))):
            patient = make_patient(
                session, day.clinic, given_name=name, phone=f"+1512555010{number}"
            )
            call = make_planned_call(session, make_enrolment(session, patient, caller=day.ana))
            call.complete_by_on = call.due_on + timedelta(days=days)
    sign_in(client, day.ana)

    line = re.search(r'id="ending">(.*?)</p>', client.get("/queue/").text, re.DOTALL)

    assert line is not None
    words = re.sub(r"<[^>]+>|\s+", " ", line.group(1))
    assert re.search(r"Lee .*today.*Rosa Nguyen +tomorrow", words)
    assert "Kim" not in words


@pytest.mark.parametrize(
    ("status", "standing", "words"),
    [
        (CallStatus.MISSED, EnrolmentStatus.ACTIVE, "missed: its days are over"),
        (CallStatus.CANCELLED, EnrolmentStatus.WITHDRAWN, "withdrawn"),
        (CallStatus.COMPLETED, EnrolmentStatus.ACTIVE, "somebody else talked with them"),
    ],
)
def test_what_left_the_list_is_told_with_why(
    sessions: Sessions,
    client: FlaskClient,
    day: Day,
    status: CallStatus,
    standing: EnrolmentStatus,
    words: str,
) -> None:
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.status, call.closed_at = status, NOW - timedelta(hours=1)
        session.get_one(Enrolment, call.enrolment_id).status = standing
    sign_in(client, day.ana)

    left = _part(client.get("/queue/").text, "removed")

    assert "Rosa Nguyen" in left
    assert words in left


def test_who_went_to_another_caller_is_told(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        (membership,) = session.query(PanelMembership).all()
        membership.until_at = NOW - timedelta(hours=1)
    sign_in(client, day.ana)

    assert "with another caller now" in _part(client.get("/queue/").text, "removed")


def test_what_one_recorded_or_what_was_planned_anew_did_not_leave(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        done = session.get_one(PlannedCall, day.call.id)
        done.status, done.closed_at = CallStatus.COMPLETED, NOW
        make_attempt(session, done, day.ana, at=NOW)
        patient = make_patient(session, day.clinic, phone="+15125550102")
        enrolment = make_enrolment(session, patient, caller=day.ana)
        make_planned_call(session, enrolment, status=CallStatus.CANCELLED, closed_at=NOW)
        make_planned_call(session, enrolment)
    sign_in(client, day.ana)

    assert _part(client.get("/queue/").text, "removed") == ""


def test_a_time_they_asked_for_that_the_law_bars_waits_until_calling_is_allowed(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    early = NOW - timedelta(hours=4)  # six in the morning there
    clock.now = early
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.is_agreed = True
        call.dial_from_at, call.dial_until_at = early - timedelta(minutes=5), early + TOMORROW / 24
    sign_in(client, day.ana)

    page = client.get("/queue/").text

    assert "Rosa" not in _part(page, "now")
    later = _part(page, "later")
    assert "9:00 AM there" in later.replace("\u202f", " ")
    assert "the law bars their time" in later
    assert "asked for now" not in page
