"""What happened between a record and its taking back is not undone with it."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import StaffMember
from outreach.calls import correcting, dialing
from outreach.calls.correcting import Amended
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.goals import setting
from outreach.goals.rules import GoalArea
from outreach.inbox import stopping
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import Direction
from outreach.planning import next_call, reminders
from outreach.planning.models import PlannedCall
from tests.integration.calls.conftest import Day
from tests.integration.calls.test_correcting import NOW, NUMBER, SOON, Recorded
from tests.meeting import while_held
from tests.telephones import make_phone_call, make_returned_call


@pytest.fixture
def recorded(session: Session, day: Day) -> Recorded:
    return Recorded(session, day)


def test_a_text_that_names_a_time_agreed_by_mistake_does_not_go_out(recorded: Recorded) -> None:
    session = recorded.session
    attempt = recorded.record(Outcome.CALL_BACK)
    agreed_at = session.scalars(select(PlannedCall.dial_from_at)).one()
    evening_before = agreed_at - timedelta(hours=20)
    outbox.write(session, reminders.due(session, now=evening_before).messages)
    assert session.scalars(select(Message.status)).all() == [MessageStatus.SCHEDULED]

    recorded.take_back(attempt)

    texts = session.execute(select(Message.status, Message.skip_reason)).all()
    assert texts == [(MessageStatus.SKIPPED, SkipReason.CALL_CHANGED)]


def test_who_takes_a_call_back_waits_for_whoever_changes_the_next_one(
    recorded: Recorded, sessions: Sessions, engine: Engine
) -> None:
    attempt = recorded.record(Outcome.COMPLETED)
    patient_id, attempt_id, enrolment_id = recorded.rosa.id, attempt.id, attempt.enrolment_id
    recorded.session.commit()

    def take_back() -> None:
        with sessions.begin() as session:
            patient, own = (
                session.get_one(Patient, patient_id),
                session.get_one(Attempt, attempt_id),
            )
            correcting.take_back(session, patient, own, actor=recorded.ana, now=SOON)

    with sessions() as theirs:
        assert next_call.open_call(theirs, enrolment_id, is_locked=True) is not None

        def go_on() -> None:
            next_call.lock(theirs, enrolment_id)  # as whoever changes the plan does
            theirs.commit()

        while_held(engine, take_back, go_on)  # neither waits for the other for ever

    with sessions() as session:
        assert session.get_one(Attempt, attempt_id).superseded_at == SOON


def test_a_stop_that_was_texted_meanwhile_stays(recorded: Recorded) -> None:
    session = recorded.session
    attempt = recorded.record(Outcome.OPTED_OUT)
    stopping.stop_number(
        session,
        [recorded.day.clinic.id],
        NUMBER,
        source=ConsentSource.SMS,
        now=NOW + timedelta(minutes=2),
    )

    recorded.take_back(attempt, may_go_on=True)

    assert not consent.is_given(session, recorded.rosa.id, Channel.SMS, NUMBER)


def test_a_voicemail_that_was_not_left_after_all_may_still_be_left(recorded: Recorded) -> None:
    session, call_id = recorded.session, recorded.day.call.id
    recorded.rosa.is_voicemail_allowed = True
    attempt = recorded.record(Outcome.VOICEMAIL_LEFT)
    call = session.get_one(PlannedCall, call_id)
    session.execute(update(StaffMember).values(work_phone="+15125550190"))

    recorded.take_back(attempt)
    rosa = session.scalars(select(Patient).options(joinedload(Patient.clinic))).one()
    dialing.begin(session, rosa, call, recorded.ana, "press", now=SOON)

    assert session.scalars(select(PhoneCall.may_leave_voicemail)).all() == [True]


def test_what_was_told_of_a_goal_by_mistake_is_not_shown(recorded: Recorded) -> None:
    session = recorded.session
    ana_id = recorded.ana.staff_id
    goal = setting.set_goal(
        session, recorded.rosa, GoalArea.OWN, "See the sea", by_staff_id=ana_id, now=NOW
    )
    first = recorded.record(Outcome.COMPLETED, goal_news={goal.id: "Has booked a bus."})
    second = recorded.record(
        Outcome.COMPLETED,
        key="two",
        at=NOW + timedelta(minutes=1),
        goal_news={goal.id: "Somebody else's news."},
    )

    recorded.take_back(second)

    assert [each.news for each in setting.open_of(session, recorded.rosa.id)] == [
        "Has booked a bus."
    ]
    amended = Amended(Outcome.COMPLETED, 3, "", "Clock left running", "m1")
    correcting.amend(session, first, amended, actor=recorded.ana, now=SOON)
    session.flush()
    assert setting.open_of(session, recorded.rosa.id)[0].news == "Has booked a bus."


def test_somebody_who_rang_back_waits_again(recorded: Recorded) -> None:
    session, day = recorded.session, recorded.day
    rang = make_phone_call(session, day.call, day.ana, ended_at=NOW, direction=Direction.IN)
    task = make_returned_call(session, rang)
    attempt = recorded.record(Outcome.COMPLETED)
    session.refresh(task)
    assert task.done_at == NOW

    recorded.take_back(attempt)

    assert task.done_at is None
