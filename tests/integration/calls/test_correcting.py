"""Taking a recorded call back, and putting a record right: history stays, nothing else does."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role
from outreach.calls import correcting, drafts, outcomes, queue
from outreach.calls.correcting import Amended, ReasonMissing, TooLate
from outreach.calls.ending import Afterwards
from outreach.calls.models import Attempt, AttemptCorrection, CallNote, Promise
from outreach.calls.outcomes import CallReport
from outreach.calls.restoring import MovedOn
from outreach.calls.rules import UNDO_FOR, Outcome
from outreach.calls.screen import open_promises
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernStatus, StepKind
from outreach.measures import readings
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import MeasureKind
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import ConsentEvent, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource
from outreach.planning import follow_ups, next_call, reminders
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus, PauseReason
from outreach.reports import adherence
from outreach.reports.asked import Here
from outreach.reports.rules.period import Period
from tests.builders import actor_of, make_promise, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day
from tests.telephones import make_phone_call

NOW, NUMBER = MONDAY_10_CHICAGO, "+15125550147"
SOON, EARLIER = NOW + timedelta(minutes=4), NOW - timedelta(minutes=20)
READING = ReportedReading(MeasureKind.GLUCOSE, Decimal(320), "mg/dL", NOW, True)


class Recorded:
    """What Ana records of her call with Rosa, and what she takes back of it."""

    def __init__(self, session: Session, day: Day) -> None:
        self.session, self.day = session, day
        self.ana = actor_of(day.ana, day.clinic)
        self.rosa = session.merge(day.rosa)
        consent.note(
            session,
            self.rosa,
            Channel.SMS,
            NUMBER,
            is_given=True,
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=NOW - timedelta(days=1),
        )
        session.flush()

    def record(
        self, outcome: Outcome, *, at: datetime = NOW, key: str = "one", **more: Any
    ) -> Attempt:
        call = next_call.open_call(self.session, self.day.call.enrolment_id)
        assert call is not None
        agreed = Agreed(date(2026, 11, 26), time(15)) if outcome is Outcome.CALL_BACK else None
        report = CallReport(key, outcome, minutes=12, agreed=agreed, **more)
        return outcomes.record(self.session, self.rosa, call.id, report, actor=self.ana, now=at)

    def take_back(self, attempt: Attempt, *, at: datetime = SOON, may_go_on: bool = False) -> None:
        correcting.take_back(
            self.session, self.rosa, attempt, may_go_on=may_go_on, actor=self.ana, now=at
        )
        self.session.flush()
        self.session.expire_all()

    def state(self) -> tuple[object, ...]:
        """What a record changes: the open call, the number, programme, consent and promises."""
        self.session.expire_all()
        calls = self.session.execute(
            select(
                PlannedCall.sequence,
                PlannedCall.status,
                PlannedCall.due_on,
                PlannedCall.complete_by_on,
                PlannedCall.dial_from_at,
                PlannedCall.dial_until_at,
                PlannedCall.is_agreed,
                PlannedCall.dials,
                PlannedCall.closed_at,
            )
            .where(PlannedCall.status != CallStatus.CANCELLED)
            .order_by(PlannedCall.id)
        ).all()
        return (
            calls,
            self.session.scalars(select(PhoneNumber.health)).all(),
            self.session.scalars(select(Enrolment.status)).all(),
            consent.is_given(self.session, self.rosa.id, Channel.SMS, NUMBER),
            [promise.text for promise in open_promises(self.session, self.rosa.id)],
            readings.latest(self.session, self.rosa.id, list(MeasureKind)),
            outcomes.dials_of(self.session, self.day.call.id),
            queue.queue_of(self.session, self.ana, now=SOON).entries,
        )


@pytest.fixture
def recorded(session: Session, day: Day) -> Recorded:
    return Recorded(session, day)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("ended_at", [None, EARLIER], ids=["saved at once", "saved late"])
def test_recording_and_taking_back_leaves_everything_as_it_was(
    recorded: Recorded, outcome: Outcome, ended_at: datetime | None
) -> None:
    old = make_promise(recorded.session, recorded.rosa, recorded.day.ana)
    before = recorded.state()
    attempt = recorded.record(
        outcome,
        ended_at=ended_at,
        note="She was in a hurry.",
        promise="Ask about the boiler",
        kept_promise_ids=(old.id,),
        readings=(READING,) if outcome.is_reached else (),
    )
    assert recorded.state() != before

    recorded.take_back(attempt, may_go_on=True)
    recorded.take_back(attempt, may_go_on=True)  # twice is once

    assert recorded.state() == before
    (correction,) = recorded.session.scalars(select(AttemptCorrection)).all()
    assert (correction.attempt_id, correction.at) == (attempt.id, SOON)
    assert recorded.session.get_one(Attempt, attempt.id).superseded_at == SOON
    assert recorded.session.scalars(select(CallNote.text)).all() == ["She was in a hurry."]


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.NO_ANSWER])
def test_after_somebody_has_dialled_again_it_stays_recorded(
    recorded: Recorded, outcome: Outcome
) -> None:
    first = recorded.record(outcome, key="one")
    recorded.record(Outcome.NO_ANSWER, at=NOW + timedelta(minutes=1), key="two")

    with pytest.raises(MovedOn, match="dialled since"):
        recorded.take_back(first)


def test_the_newer_of_two_goes_first_then_the_older(recorded: Recorded) -> None:
    before = recorded.state()
    first = recorded.record(Outcome.COMPLETED, key="one")
    second = recorded.record(Outcome.NO_ANSWER, at=NOW + timedelta(minutes=1), key="two")

    recorded.take_back(second)
    recorded.take_back(first)

    assert recorded.state() == before


def test_what_is_recorded_after_taking_back_plans_as_if_it_were_the_first(
    recorded: Recorded,
) -> None:
    def planned() -> tuple[object, ...]:
        call = next_call.open_call(recorded.session, recorded.day.call.enrolment_id)
        assert call is not None
        return call.due_on, call.complete_by_on, call.dial_from_at, call.phase

    attempt = recorded.record(Outcome.COMPLETED)
    first = planned()
    recorded.take_back(attempt)

    recorded.record(Outcome.COMPLETED, at=SOON, key="again")

    assert planned() == first


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.NO_ANSWER])
def test_reports_pass_over_what_was_taken_back(recorded: Recorded, outcome: Outcome) -> None:
    today = date(2026, 11, 23)
    manager = make_staff(recorded.session, recorded.day.clinic, Role.MANAGER)
    scope = actor_of(manager, recorded.day.clinic, Role.MANAGER).scope
    asked = Here.of(scope, recorded.day.clinic, now=SOON).about(Period(today, today))
    before = adherence.report(recorded.session, asked)
    attempt = recorded.record(outcome)
    assert adherence.report(recorded.session, asked) != before

    recorded.take_back(attempt)

    assert adherence.report(recorded.session, asked) == before


def test_a_plan_that_changed_since_keeps_the_record(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.COMPLETED)
    enrolment = recorded.session.get_one(Enrolment, attempt.enrolment_id)
    enrolment.status, enrolment.status_at = EnrolmentStatus.PAUSED, NOW + timedelta(minutes=1)
    next_call.replan(recorded.session, enrolment.id, now=NOW + timedelta(minutes=1))

    with pytest.raises(MovedOn):
        recorded.take_back(attempt)


def test_after_ten_minutes_or_by_somebody_else_it_takes_a_manager(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.COMPLETED)

    with pytest.raises(TooLate):
        recorded.take_back(attempt, at=NOW + UNDO_FOR)
    recorded.ana = actor_of(recorded.day.ben, recorded.day.clinic)
    with pytest.raises(TooLate):
        recorded.take_back(attempt)


def test_somebody_who_said_stop_stays_stopped_unless_it_is_said_otherwise(
    recorded: Recorded,
) -> None:
    attempt = recorded.record(Outcome.OPTED_OUT)

    recorded.take_back(attempt)

    session = recorded.session
    assert not consent.is_given(session, recorded.rosa.id, Channel.SMS, NUMBER)
    assert session.scalars(select(Enrolment.status)).all() == [EnrolmentStatus.WITHDRAWN]
    assert next_call.open_call(session, attempt.enrolment_id) is None


def test_consent_that_was_not_given_before_is_not_given_after(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.OPTED_OUT)

    recorded.take_back(attempt, may_go_on=True)

    events = recorded.session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
    assert not consent.is_given(recorded.session, recorded.rosa.id, Channel.CALL, NUMBER)
    assert [event.is_given for event in events if event.channel is Channel.SMS] == [
        True,
        False,
        True,
    ]


def test_a_concern_stays_and_says_that_the_call_was_corrected(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.SAFETY, note="Very low.")

    recorded.take_back(attempt)

    concern = recorded.session.scalars(select(Concern)).one()
    kinds = recorded.session.scalars(select(ConcernStep.kind).order_by(ConcernStep.id)).all()
    assert concern.status is ConcernStatus.OPEN
    assert kinds == [StepKind.RAISED, StepKind.CALL_CORRECTED]


def test_texts_about_the_call_that_followed_are_not_sent(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.COMPLETED)
    following = next_call.open_call(recorded.session, attempt.enrolment_id)
    assert following is not None
    following.dial_from_at = NOW + timedelta(hours=2)
    outbox.write(recorded.session, reminders.due(recorded.session, now=NOW).messages)

    recorded.take_back(attempt)

    assert recorded.session.scalars(select(Message.status)).all() == [MessageStatus.SKIPPED]


def test_what_was_typed_is_in_the_form_again(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.NO_ANSWER, answers={"note": ["Rang out."]})

    recorded.take_back(attempt)

    call = recorded.session.get_one(PlannedCall, recorded.day.call.id)
    draft = drafts.of(recorded.session, call, recorded.ana)
    assert draft is not None
    assert draft.answers == {"note": ["Rang out."]}
    assert draft.form_key != attempt.form_key


def test_a_manager_amends_with_a_reason_and_the_plan_stays(recorded: Recorded) -> None:
    attempt = recorded.record(Outcome.COMPLETED, note="Talked.")
    manager = actor_of(make_staff(recorded.session, recorded.day.clinic, Role.MANAGER), None)
    plan = recorded.state()[0]
    amended = Amended(Outcome.DECLINED_TODAY, 2, "Did not want to talk.", "Wrong button", "m1")

    for _twice in range(2):
        correcting.amend(
            recorded.session, attempt, amended, actor=manager, now=NOW + timedelta(days=3)
        )
    recorded.session.flush()

    standing = recorded.session.scalars(
        select(Attempt).where(Attempt.superseded_at.is_(None))
    ).all()
    assert [(each.outcome, each.minutes, each.at) for each in standing] == [
        (Outcome.DECLINED_TODAY, 2, NOW)
    ]
    call = recorded.session.get_one(PlannedCall, recorded.day.call.id)
    assert call.status is CallStatus.MISSED
    assert recorded.state()[0][1:] == plan[1:]  # type: ignore[index]
    with pytest.raises(ReasonMissing):
        correcting.amend(
            recorded.session,
            standing[0],
            Amended(Outcome.COMPLETED, 2, "", " ", "m2"),
            actor=manager,
            now=NOW,
        )


def test_the_way_back_is_offered_after_a_save_and_on_the_queue_for_ten_minutes(
    client: FlaskClient, day: Day, sessions: Sessions, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    form = day.form(reached="no", outcome="no_answer", note="Rang out.")
    saved = client.post(f"/calls/{day.rosa.ref}", data=form, follow_redirects=True)
    with sessions() as session:
        attempt = session.scalars(select(Attempt)).one()
    address = f"/calls/{day.rosa.ref}/attempts/{attempt.id}"
    assert saved.text.count(address) == 2  # in the flash, and in 'Done today'
    assert "Take it back" in client.get(address).text

    back = client.post(f"{address}/take-back", follow_redirects=True)

    assert "Rang out." in back.text
    assert address not in client.get("/queue/").text
    assert "taken back" in client.get(f"/patients/{day.rosa.ref}").text
    clock.now = NOW + UNDO_FOR
    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="3", form_key="2"))
    clock.now = NOW + 2 * UNDO_FOR
    assert "Undo or correct" not in client.get("/queue/").text.split("Done today")[1]


def test_a_manager_corrects_on_the_page_with_a_reason(
    client: FlaskClient, day: Day, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, day.clinic, Role.MANAGER, password_hash=HASH)
        ana = actor_of(day.ana, day.clinic)
        report = CallReport("one", Outcome.COMPLETED, minutes=90)
        attempt = outcomes.record(session, day.rosa, day.call.id, report, actor=ana, now=NOW)
    sign_in(client, manager)
    address = f"/calls/{day.rosa.ref}/attempts/{attempt.id}"
    answers = {"form_key": "m", "outcome": "reached_completed", "minutes": "9", "note": ""}

    assert 'value="90"' in client.get(address).text
    refused = client.post(address, data=answers)
    kept = client.post(address, data=answers | {"reason": "Clock left running"})

    assert (refused.status_code, kept.status_code) == (422, 302)
    assert "Say why" in refused.text
    page = client.get(f"/patients/{day.rosa.ref}").text
    assert "Clock left running" in page
    with sessions() as session:
        counted = session.scalars(select(Attempt.minutes).where(Attempt.superseded_at.is_(None)))
        assert counted.all() == [9]
        assert session.scalars(select(Promise)).all() == []


def test_what_a_conversation_had_seen_to_is_asked_for_again(recorded: Recorded) -> None:
    session, enrolment_id = recorded.session, recorded.day.call.enrolment_id
    enrolment = session.get_one(Enrolment, enrolment_id)
    kind = FollowUpKind.REVIEW_TIMES
    follow_ups.open_one(session, enrolment, kind, "missed twice", now=NOW - timedelta(days=1))
    attempt = recorded.record(Outcome.COMPLETED)
    assert not follow_ups.open_of(session, [enrolment_id])

    recorded.take_back(attempt)

    assert [each.kind for each in follow_ups.open_of(session, [enrolment_id])[enrolment_id]] == [
        kind
    ]


def test_a_pause_to_come_that_was_told_in_it_is_none_any_more(recorded: Recorded) -> None:
    away = Afterwards(PauseReason.TRAVEL, date(2026, 12, 20), from_on=date(2026, 12, 1))

    attempt = recorded.record(Outcome.COMPLETED, afterwards=away)
    announced = recorded.session.scalars(select(Enrolment.away_from_on)).one()
    recorded.take_back(attempt)

    assert announced == date(2026, 12, 1)
    assert recorded.session.scalars(select(Enrolment.away_from_on)).one() is None


def test_the_telephone_call_goes_with_what_is_recorded_in_its_place(recorded: Recorded) -> None:
    session, day = recorded.session, recorded.day
    phone_call = make_phone_call(session, day.call, day.ana, ended_at=NOW)
    first = recorded.record(Outcome.NO_ANSWER)
    recorded.take_back(first)
    second = recorded.record(Outcome.COMPLETED, at=SOON, key="two")

    tied = session.scalars(select(Attempt.id).where(Attempt.phone_call_id == phone_call.id)).all()
    assert tied == [second.id]
