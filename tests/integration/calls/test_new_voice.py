"""Two facts before anything personal, as long as caller and patient have not spoken."""

import pytest
from flask.testing import FlaskClient

from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.programmes.models import Enrolment
from tests.builders import make_absence, make_attempt, make_cover
from tests.conftest import sign_in
from tests.fakes import FakeClock
from tests.integration.calls.conftest import Day

ASKS = "Ask for full name and date of birth"


def test_a_caller_is_told_by_what_to_know_a_patient_until_they_have_spoken(
    client: FlaskClient, sessions: Sessions, day: Day
) -> None:
    sign_in(client, day.ana)

    before = client.get(f"/calls/{day.rosa.ref}").text
    with sessions.begin() as session:
        make_attempt(session, day.call, day.ana, Outcome.DECLINED_TODAY)
    after = client.get(f"/calls/{day.rosa.ref}").text

    assert ASKS in before
    assert f"{day.rosa.date_of_birth:%Y}" in before
    assert ASKS not in after


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.THIRD_PARTY])
def test_a_try_that_reached_nobody_is_no_talk(
    client: FlaskClient, sessions: Sessions, day: Day, outcome: Outcome
) -> None:
    with sessions.begin() as session:
        make_attempt(session, day.call, day.ana, outcome)
    sign_in(client, day.ana)

    assert ASKS in client.get(f"/calls/{day.rosa.ref}").text


def test_whoever_covers_has_a_voice_of_their_own_to_learn(
    client: FlaskClient, sessions: Sessions, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        make_attempt(session, day.call, day.ana, Outcome.DECLINED_TODAY)
        absence = make_absence(session, day.ana, day.clinic.id)
        enrolment = session.get_one(Enrolment, day.call.enrolment_id)
        make_cover(session, absence, enrolment, day.ben, opened_at=clock())  # hand-over: read
    sign_in(client, day.ben)

    assert ASKS in client.get(f"/calls/{day.rosa.ref}").text
