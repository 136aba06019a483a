"""Calls that rest or end, and texts that stop, because of what was said on a call."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.rules import Channel
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.conftest import sign_in
from tests.integration.calls.conftest import Day


def _enrolment(sessions: Sessions, day: Day) -> Enrolment:
    with sessions() as session:
        return session.scalars(select(Enrolment).where(Enrolment.patient_id == day.rosa.id)).one()


def _calls(sessions: Sessions) -> list[CallStatus]:
    with sessions() as session:
        return list(session.scalars(select(PlannedCall.status).order_by(PlannedCall.sequence)))


def test_a_pause_said_in_a_conversation_is_saved_with_it_and_nothing_is_planned(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    answer = client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(
            reached="yes", minutes="9", rest="hospital", rest_until="2026-12-10",
            their_words="a new hip",
        ),
        follow_redirects=True,
    )  # fmt: skip

    enrolment = _enrolment(sessions, day)
    assert (enrolment.status, enrolment.resume_on) == (EnrolmentStatus.PAUSED, date(2026, 12, 10))
    assert enrolment.status_reason == "hospital: a new hip"
    assert _calls(sessions) == [CallStatus.COMPLETED]
    assert "The calls rest until Thu, Dec 10." in answer.text


def test_somebody_else_says_that_they_are_away_and_the_open_call_goes(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(reached="no", outcome="third_party", rest="travel"),
    )

    assert _enrolment(sessions, day).status is EnrolmentStatus.PAUSED
    assert _calls(sessions) == [CallStatus.CANCELLED]
    with sessions() as session:
        assert session.scalars(select(Attempt.outcome)).all() == [Outcome.THIRD_PARTY]


def test_news_of_a_death_ends_the_calls(sessions: Sessions, client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)

    client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(reached="no", outcome="third_party", rest="died", their_words="her son told"),
    )

    enrolment = _enrolment(sessions, day)
    assert (enrolment.status, enrolment.status_reason) == (EnrolmentStatus.DIED, "her son told")
    assert _calls(sessions) == [CallStatus.CANCELLED]


def test_texts_end_alone_and_calls_go_on(sessions: Sessions, client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)

    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="9", ends_texts="y"))

    with sessions() as session:
        ledger = consent.ledger(session, day.rosa.id)
    assert [(event.channel, event.is_given) for event in ledger] == [(Channel.SMS, False)]
    assert _calls(sessions) == [CallStatus.COMPLETED, CallStatus.PLANNED]


def test_no_more_calls_keeps_the_reason_in_their_words_and_ends_texts_as_well(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(
            reached="yes", outcome="reached_opted_out", minutes="2", their_words="too much"
        ),
    )

    assert _enrolment(sessions, day).status_reason == "asked for no more calls: too much"
    with sessions() as session:
        ledger = consent.ledger(session, day.rosa.id)
    assert {event.channel for event in ledger if not event.is_given} == set(Channel)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"rest": "travel", "rest_until": "2026-11-23"}, "Choose a day after today"),
        ({"rest": "other"}, "why the calls rest"),
        ({"rest": "died"}, "You spoke with them"),
    ],
)
def test_what_makes_no_sense_is_asked_again(
    sessions: Sessions, client: FlaskClient, day: Day, answers: dict[str, str], message: str
) -> None:
    sign_in(client, day.ana)

    answer = client.post(
        f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="9", **answers)
    )

    assert answer.status_code == 422
    assert message in answer.text
    assert _calls(sessions) == [CallStatus.PLANNED]


def test_a_pause_to_come_leaves_the_calls_before_it_and_is_planned_around(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    client.post(
        f"/calls/{day.rosa.ref}",
        data=day.form(
            reached="yes", minutes="9", rest="travel", rest_from="2026-11-24",
            rest_until="2026-12-10",
        ),
    )  # fmt: skip

    enrolment = _enrolment(sessions, day)
    assert enrolment.status is EnrolmentStatus.ACTIVE
    assert (enrolment.away_from_on, enrolment.away_until_on) == (
        date(2026, 11, 24),
        date(2026, 12, 10),
    )
    with sessions() as session:
        following = session.scalars(
            select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        ).one()
    assert following.due_on >= date(2026, 12, 10)


@pytest.mark.parametrize(
    ("first", "until"),
    [
        ("2026-11-23", "2026-12-10"),
        ("2026-12-01", ""),
        ("2026-12-01", "2026-12-01"),
        ("9999-12-30", "2026-12-10"),
    ],
)
def test_days_of_a_pause_that_make_no_sense_are_refused(
    sessions: Sessions, client: FlaskClient, day: Day, first: str, until: str
) -> None:
    sign_in(client, day.ana)
    form = day.form(reached="yes", minutes="9", rest="travel", rest_from=first, rest_until=until)

    answer = client.post(f"/calls/{day.rosa.ref}", data=form)

    assert answer.status_code == 422
    assert _enrolment(sessions, day).away_from_on is None
