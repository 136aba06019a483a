"""Times that were agreed: who asked for them, and how one is told that they have come."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.calls import dialing
from outreach.calls.rules import AskedBy, Outcome, asked_by
from outreach.orm import Sessions
from outreach.patients import registry
from outreach.patients.models import HoursRule, Patient
from outreach.patients.rules import mask_of_weekdays
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from tests.builders import (
    actor_of,
    make_absence,
    make_cover,
    make_enrolment,
    make_patient,
    make_planned_call,
)
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day

COUNT = "asked to be called now"
NEW = "side__count--new"


def _says(client: FlaskClient, day: Day, **answers: str) -> int:
    return client.post(f"/calls/{day.rosa.ref}", data=day.form(**answers)).status_code


def test_whoever_answers_may_name_a_time_and_the_row_says_that_it_was_not_the_patient(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    _says(
        client,
        day,
        reached="no",
        outcome="third_party",
        callback_on="2026-11-23",
        callback_at="15:00",
    )

    with sessions() as session:
        call = session.get_one(PlannedCall, day.call.id)
    assert (call.is_agreed, call.dial_from_at) == (True, MONDAY_10_CHICAGO + timedelta(hours=5))
    page = client.get("/queue/").text
    assert "Somebody else at their number named this time, on the call of Ana Morales" in page
    assert "Somebody else at their number" in client.get(f"/calls/{day.rosa.ref}").text


def test_without_a_time_it_is_tried_again_as_usual(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    assert _says(client, day, reached="no", outcome="third_party") == 302

    with sessions() as session:
        assert not session.get_one(PlannedCall, day.call.id).is_agreed


@pytest.mark.parametrize(
    ("on", "at", "why"),
    [
        pytest.param("2026-11-23", "20:30", "only the patient", id="after calling hours"),
        pytest.param("2026-11-29", "10:00", "only the patient", id="on a Sunday"),
        pytest.param("2026-11-23", "", "Choose the time", id="half a time"),
    ],
)
def test_what_somebody_else_names_stays_within_calling_hours(
    sessions: Sessions, client: FlaskClient, day: Day, on: str, at: str, why: str
) -> None:
    sign_in(client, day.ana)

    answer = client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(reached="no", outcome="third_party", callback_on=on, callback_at=at),
    )

    assert answer.status_code == 422
    assert why in answer.text
    with sessions() as session:
        assert session.get_one(PlannedCall, day.call.id).dials == 0


def no_calls_on_sundays(sessions: Sessions, day: Day) -> None:
    with sessions.begin() as session:
        session.get_one(Patient, day.rosa.id).state = "AL"
        session.add(
            HoursRule(
                region="US", state="AL", weekdays=mask_of_weekdays({6}), opens=None, closes=None,
                from_on=date(2026, 1, 1), source="A law",
            )
        )  # fmt: skip


def test_a_day_that_the_law_bars_is_not_promised(
    client: FlaskClient, sessions: Sessions, day: Day
) -> None:
    no_calls_on_sundays(sessions, day)
    sign_in(client, day.ana)

    answer = client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(
            reached="yes", outcome="reached_call_back",
            callback_on="2026-11-29", callback_at="15:00",
        ),
    )  # fmt: skip

    assert answer.status_code == 422
    assert "By law nobody is called on that day" in answer.text


def test_a_promise_that_a_law_bars_since_is_not_dialled(sessions: Sessions, day: Day) -> None:
    sunday_3_pm = datetime(2026, 11, 29, 21, tzinfo=UTC)
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.is_agreed, call.dial_from_at = True, sunday_3_pm
        call.dial_until_at = sunday_3_pm + timedelta(minutes=30)

    def is_allowed() -> bool:
        with sessions() as session:
            call = session.get_one(PlannedCall, day.call.id)
            patient = registry.by_ref(session, actor_of(day.ana, day.clinic).scope, day.rosa.ref)
            return dialing.moment_of(session, patient, call, now=sunday_3_pm).is_allowed

    assert is_allowed()
    no_calls_on_sundays(sessions, day)
    assert not is_allowed()


@pytest.mark.parametrize(
    ("last", "is_agreed", "who"),
    [
        (Outcome.CALL_BACK, True, AskedBy.PATIENT),
        (Outcome.THIRD_PARTY, True, AskedBy.HOUSEHOLD),
        (Outcome.NO_ANSWER, True, AskedBy.BY_TEXT),
        (None, True, AskedBy.BY_TEXT),
        (Outcome.CALL_BACK, False, None),
        (None, False, None),
    ],
)
def test_who_asked(last: Outcome | None, *, is_agreed: bool, who: AskedBy | None) -> None:
    assert asked_by(last, is_agreed=is_agreed) is who


def test_the_count_is_red_until_somebody_looked_and_equals_the_queue(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    _says(
        client, day, reached="yes", outcome="reached_call_back", callback_on="2026-11-23",
        callback_at="10:10", minutes="1",
    )  # fmt: skip
    client.get("/queue/")
    assert COUNT not in client.get("/patients/").text

    clock.advance(timedelta(minutes=12))
    page = client.get("/patients/").text
    assert COUNT in page
    assert NEW in page
    client.get("/queue/", headers={"X-Background": "1", "HX-Request": "true"})
    assert NEW in client.get("/patients/").text  # a refresh by itself is nobody looking

    queue = client.get("/queue/").text
    assert "<strong>1</strong> asked for now" in queue
    assert NEW not in queue
    later = client.get("/patients/").text
    assert COUNT in later
    assert NEW not in later


def test_mine_only_is_remembered_and_says_what_it_leaves_out(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        session.get_one(PlannedCall, day.call.id).is_agreed = True
        own = make_patient(session, day.clinic, given_name="Lee", phone="+15125550148")
        make_planned_call(session, make_enrolment(session, own, caller=day.ben))
        absence = make_absence(session, day.ana, day.clinic.id)
        make_cover(session, absence, session.get_one(Enrolment, day.call.enrolment_id), day.ben)
    sign_in(client, day.ben)
    assert "Rosa" in client.get("/queue/").text
    assert COUNT in client.get("/patients/").text

    client.post("/queue/own-only", data={"on": "1"})

    page = client.get("/queue/").text
    assert "Rosa" not in page
    assert "Lee" in page
    assert "You cover 1 call for somebody else; hidden here." in page
    assert COUNT not in client.get("/patients/").text  # as the list
    client.post("/queue/own-only", data={"on": "0"})
    assert "Rosa" in client.get("/queue/").text
    with sessions() as session:
        assert session.scalars(select(PlannedCall.status)).all() == ["planned", "planned"]


def test_a_time_after_the_programme_is_refused_on_the_form_which_keeps_the_words(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    with sessions.begin() as session:
        enrolment = session.scalars(select(Enrolment)).one()
        enrolment.starts_on = date(2026, 11, 30) - timedelta(weeks=26)
    sign_in(client, day.ana)

    answer = client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(
            reached="yes", outcome="reached_call_back", minutes="4", note="Rings on Sunday.",
            callback_on="2026-12-01", callback_at="15:00",
        ),
    )  # fmt: skip

    assert answer.status_code == 422
    assert "The programme is over by then" in answer.text
    assert "Rings on Sunday." in answer.text
