"""What a button says comes next is what comes next."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.calls import screen
from outreach.calls.foreseen import Foreseen
from outreach.calls.labels import OUTCOME_KEYS, what_follows
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.patients.rules import Slot
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from tests.builders import actor_of, make_attempt
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day

COMPLETING = {"reached": "yes", "minutes": "5"}


def _foreseen(sessions: Sessions, day: Day, clock: FakeClock) -> Foreseen:
    with sessions() as session:
        patient = session.get_one(Patient, day.rosa.id)
        actor = actor_of(session.get_one(StaffMember, day.ana.id), day.clinic)
        return screen.screen_of(session, patient, actor, now=clock()).foreseen


def _planned(sessions: Sessions) -> PlannedCall:
    with sessions() as session:
        return session.scalars(
            select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        ).one()


@pytest.mark.parametrize("dials", [0, 1, 2])
@pytest.mark.parametrize(
    ("answers", "which"),
    [
        ({"reached": "yes", "minutes": "5"}, "after"),
        ({"reached": "no", "outcome": "no_answer"}, "again"),
        ({"reached": "yes", "outcome": "reached_declined_today", "minutes": "1"}, "tomorrow"),
    ],
)
def test_what_was_foreseen_comes_true(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, answers: dict[str, str],
    which: str, dials: int,
) -> None:  # fmt: skip
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.complete_by_on = call.due_on + timedelta(days=3)
        call.dials = dials
        for number in range(dials):
            at = MONDAY_10_CHICAGO - timedelta(days=2 - number)
            make_attempt(session, call, day.ana, Outcome.NO_ANSWER, at=at)
    foreseen = _foreseen(sessions, day, clock)
    slot = foreseen.after.slot if which == "after" and foreseen.after else None
    slot = slot or getattr(foreseen, which)
    if not isinstance(slot, Slot):
        assert foreseen.instead
        slot = foreseen.instead.slot
    sign_in(client, day.ana)

    client.post(f"/calls/{day.rosa.ref}", data=day.form(**answers))

    planned = _planned(sessions)
    assert (planned.dial_from_at, planned.dial_until_at) == (slot.from_at, slot.until_at)


def test_every_outcome_says_what_follows_and_has_a_key_of_its_own(
    app: Flask, sessions: Sessions, day: Day, clock: FakeClock
) -> None:
    foreseen = _foreseen(sessions, day, clock)

    with app.test_request_context():
        words = what_follows(foreseen, ZoneInfo("America/Chicago"), now=clock())

    assert set(words) == set(OUTCOME_KEYS) == set(Outcome)
    assert len(set(OUTCOME_KEYS.values())) == len(Outcome)
    assert re.fullmatch(r"try again today from 1:00\sPM", words[Outcome.NO_ANSWER])
    assert words[Outcome.COMPLETED].startswith("next call ")
    assert words[Outcome.WRONG_NUMBER] == "this number is never dialled again"


def test_a_voicemail_is_offered_once_and_only_where_allowed(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    path, option = f"/calls/{day.rosa.ref}", 'value="voicemail_left"'
    page = client.get(path).text
    assert option in page
    assert "this is a message for" in page

    client.post(path, data=day.form(reached="no", outcome="voicemail_left"))
    page = client.get(path).text
    assert option not in page
    assert "this is a message for" not in page
