"""What the queue reads of the database for its order."""

import re
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from outreach.accounts.rules import Actor, Role
from outreach.calls import queue
from outreach.calls.rules import Outcome, QueueGroup, Why
from outreach.concerns import raising
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from tests.builders import (
    actor_of,
    make_attempt,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_promise,
    make_staff,
)
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.calls.conftest import Day

NOW = MONDAY_10_CHICAGO


class Ordered:
    """Three patients of one caller, each with a call due now, and one missed twice before."""

    def __init__(self, sessions: Sessions, day: Day) -> None:
        self.sessions, self.day = sessions, day
        self.actor: Actor = actor_of(day.ana, day.clinic, as_of=NOW)
        self.calls: dict[str, PlannedCall] = {}
        self.patients: dict[str, Patient] = {}
        with sessions.begin() as session:
            for name, missed in (("Lena", 0), ("Mona", 1), ("Nora", 2)):
                patient = make_patient(session, day.clinic, given_name=name, family_name="Ortiz")
                enrolment = make_enrolment(session, patient, caller=day.ana)
                for before in range(missed, 0, -1):
                    make_planned_call(
                        session,
                        enrolment,
                        NOW.date() - timedelta(days=3 * before),
                        status=CallStatus.MISSED,
                        sequence=10 - before,
                    )
                self.calls[name] = make_planned_call(session, enrolment, sequence=10)
                self.patients[name] = patient

    def leading(self) -> dict[str, Why]:
        with self.sessions() as session:
            entries = queue.queue_of(session, self.actor, now=NOW).entries
        return {entry.called: entry.score.leading for entry in entries if entry.called != "Rosa"}


@pytest.fixture
def ordered(sessions: Sessions, day: Day) -> Ordered:
    return Ordered(sessions, day)


def test_missed_calls_in_a_row_lead_and_are_told_apart(ordered: Ordered) -> None:
    assert list(ordered.leading().items()) == [
        ("Nora", Why.MISSED_TWICE),
        ("Mona", Why.MISSED_LAST),
        ("Lena", Why.DUE),
    ]


def test_up_next_is_who_leads_the_queue_at_any_hour(ordered: Ordered) -> None:
    following = {}
    with ordered.sessions.begin() as session:
        lena = session.get_one(PlannedCall, ordered.calls["Lena"].id)
        lena.dial_from_at = NOW + timedelta(minutes=30)
        lena.is_agreed = True
    for hours in (-12, 0, 1, 12):
        at = NOW + timedelta(hours=hours)
        with ordered.sessions() as session:
            leading = queue.queue_of(session, ordered.actor, now=at).of(QueueGroup.NOW)
            up_next = queue.next_ref(session, ordered.actor, now=at)
        assert up_next == (leading[0].ref if leading else None)
        following[hours] = leading[0].called if leading else None

    assert following == {-12: None, 0: "Nora", 1: "Lena", 12: None}


def test_a_call_that_is_only_due_tells_on_its_row_who_waits_longest(
    sessions: Sessions, client: FlaskClient, ordered: Ordered
) -> None:
    sign_in(client, ordered.day.ana)
    row_of_lena = re.compile(r"<summary[^>]*>(?:(?!</summary>).)*Lena.*?</summary>", re.DOTALL)

    before = row_of_lena.search(client.get("/queue/").text)
    with sessions.begin() as session:
        spoken = make_planned_call(
            session,
            session.get_one(Enrolment, ordered.calls["Lena"].enrolment_id),
            NOW.date() - timedelta(days=9),
            status=CallStatus.COMPLETED,
            sequence=9,
        )
        make_attempt(session, spoken, ordered.day.ana, at=NOW - timedelta(days=9))
    after = row_of_lena.search(client.get("/queue/").text)

    assert before is not None
    assert "nobody has spoken with them yet" in before[0]
    assert after is not None
    assert "last talk 9 days ago" in after[0]


def test_a_nurses_answer_leads_until_the_next_conversation(
    sessions: Sessions, day: Day, ordered: Ordered
) -> None:
    call, patient = ordered.calls["Lena"], ordered.patients["Lena"]
    before = ordered.leading()
    with sessions.begin() as session:
        nurse = make_staff(session, day.clinic, Role.NURSE)
        concern = raising.raise_concern(
            session, patient, raising.safety("Sad."), by_staff_id=day.ana.id, now=NOW
        )
        at = NOW - timedelta(minutes=5)
        raising.close(session, concern, "Spoke with her; ask again.", by_staff_id=nurse.id, now=at)
    answered = ordered.leading()
    with sessions.begin() as session:
        make_attempt(session, call, day.ana, Outcome.NO_ANSWER, at=NOW - timedelta(minutes=2))
    tried = ordered.leading()
    with sessions.begin() as session:
        make_attempt(session, call, day.ana, Outcome.CALL_BACK, at=NOW - timedelta(minutes=1))
    spoken = ordered.leading()

    assert before["Lena"] is Why.DUE
    assert next(iter(answered.items())) == ("Lena", Why.SAFETY)
    assert tried["Lena"] is Why.SAFETY
    assert spoken["Lena"] is Why.DUE


def test_among_equals_whoever_was_spoken_with_longest_ago_comes_first(
    sessions: Sessions, day: Day
) -> None:
    actor = actor_of(day.ana, day.clinic, as_of=NOW)
    with sessions.begin() as session:
        for name, days in (("Two", 2), ("Nine", 9), ("Five", 5)):
            patient = make_patient(session, day.clinic, given_name=name)
            call = make_planned_call(
                session, make_enrolment(session, patient, caller=day.ana), sequence=10
            )
            make_attempt(session, call, day.ana, at=NOW - timedelta(days=days))

    with sessions() as session:
        entries = queue.queue_of(session, actor, now=NOW).entries

    assert [entry.called for entry in entries if entry.called != "Rosa"] == ["Nine", "Five", "Two"]


def test_a_promise_leads_on_its_day_and_not_before(
    sessions: Sessions, day: Day, ordered: Ordered
) -> None:
    today = NOW.date()
    with sessions.begin() as session:
        for name, due_on in (("Lena", today), ("Nora", today + timedelta(days=1))):
            make_promise(session, ordered.patients[name], day.ana, due_on=due_on)

    assert ordered.leading() == {
        "Lena": Why.PROMISE_DUE,
        "Nora": Why.MISSED_TWICE,
        "Mona": Why.MISSED_LAST,
    }


@pytest.mark.parametrize(
    ("state", "at", "group"),
    [
        ("TX", NOW, QueueGroup.NOW),
        ("KY", NOW - timedelta(minutes=30), QueueGroup.COMING),  # not before 10 there
        ("RI", NOW.replace(hour=23, minute=30), QueueGroup.NOW),
        ("RI", NOW + timedelta(hours=8), QueueGroup.COMING),  # not from 18 on there
    ],
)
def test_the_law_of_the_patients_state_says_who_may_be_called_now(
    sessions: Sessions, day: Day, state: str, at: datetime, group: QueueGroup
) -> None:
    with sessions.begin() as session:
        patient = session.get_one(Patient, day.rosa.id)
        patient.state = state
    actor = actor_of(day.ana, day.clinic, as_of=at)

    with sessions() as session:
        (entry,) = queue.queue_of(session, actor, now=at).entries

    assert entry.group is group


def test_nobody_is_to_be_called_now_on_a_holiday(sessions: Sessions, day: Day) -> None:
    thanksgiving = NOW + timedelta(days=3)
    actor = actor_of(day.ana, day.clinic, as_of=thanksgiving)

    with sessions() as session:
        (entry,) = queue.queue_of(session, actor, now=thanksgiving).entries

    assert entry.group is QueueGroup.COMING
