"""Recording a call, and what follows from each outcome."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.calls import outcomes
from outreach.calls.models import Attempt, CallNote, Promise
from outreach.calls.outcomes import CallAlreadyClosed, CallReport
from outreach.calls.rules import Outcome
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import MeasureKind
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, NumberHealth
from outreach.planning import next_call, reminders
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed, TimePassed
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    actor_of,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_promise,
    make_staff,
)
from tests.fakes import MONDAY_10_CHICAGO

NOW = MONDAY_10_CHICAGO


class Scene:
    """One caller, one patient of theirs, one call due now."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.clinic: Clinic = make_clinic(session)
        self.caller: StaffMember = make_staff(session, self.clinic)
        self.patient: Patient = make_patient(session, self.clinic, sms_consent=True)
        self.enrolment: Enrolment = make_enrolment(session, self.patient, caller=self.caller)
        self.call: PlannedCall = make_planned_call(session, self.enrolment)

    def record(
        self, outcome: Outcome, *, at: datetime = NOW, key: str = "key", **more: object
    ) -> Attempt:
        report = CallReport(key, outcome, minutes=12, **more)  # type: ignore[arg-type]
        actor = actor_of(self.caller, self.clinic)
        return outcomes.record(
            self.session, self.patient, self.open_call().id, report, actor=actor, now=at
        )

    def open_call(self) -> PlannedCall:
        return self.session.scalars(
            select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        ).one()


@pytest.fixture
def scene(session: Session) -> Scene:
    return Scene(session)


def test_a_conversation_completes_the_call_and_plans_the_next(scene: Scene) -> None:
    scene.record(Outcome.COMPLETED, note="Her garden is in bloom.")

    following = scene.open_call()
    assert scene.call.status is CallStatus.COMPLETED
    assert following.sequence == 2
    assert following.due_on > scene.call.due_on
    assert scene.session.scalars(select(CallNote.text)).all() == ["Her garden is in bloom."]


def test_saving_the_same_form_twice_is_one_attempt(scene: Scene) -> None:
    first = scene.record(Outcome.COMPLETED, key="same")

    second = scene.record(Outcome.COMPLETED, key="same")

    assert second.id == first.id
    assert scene.session.scalar(select(func.count(Attempt.id))) == 1


def test_a_call_that_was_recorded_elsewhere_is_refused_and_nothing_changes(scene: Scene) -> None:
    scene.record(Outcome.COMPLETED, key="first")
    late = CallReport("second", Outcome.NO_ANSWER, minutes=0)

    with pytest.raises(CallAlreadyClosed):
        outcomes.record(
            scene.session,
            scene.patient,
            scene.call.id,
            late,
            actor=actor_of(scene.caller, scene.clinic),
            now=NOW,
        )

    assert scene.session.scalar(select(func.count(Attempt.id))) == 1


def test_no_answer_is_tried_again_three_hours_later(scene: Scene) -> None:
    scene.record(Outcome.NO_ANSWER)

    call = scene.open_call()
    assert call.id == scene.call.id
    assert call.dials == 1
    assert call.dial_from_at == NOW + timedelta(hours=3)


def test_not_today_waits_for_another_day(scene: Scene) -> None:
    scene.record(Outcome.DECLINED_TODAY)

    assert scene.open_call().dial_from_at.date() == date(2026, 11, 24)


def test_the_third_try_that_fails_makes_the_call_missed_and_plans_the_next(scene: Scene) -> None:
    scene.record(Outcome.NO_ANSWER, key="1")
    scene.record(Outcome.BUSY, key="2", at=NOW + timedelta(hours=4))
    scene.record(Outcome.NO_ANSWER, key="3", at=NOW + timedelta(days=1, hours=8))

    assert scene.call.status is CallStatus.MISSED
    assert scene.open_call().sequence == 2


def test_a_call_back_moves_the_call_to_the_patients_own_wall_clock(scene: Scene) -> None:
    agreed = Agreed(date(2026, 11, 24), time(15))

    scene.record(Outcome.CALL_BACK, agreed=agreed)

    call = scene.open_call()
    assert call.is_agreed
    assert call.dial_from_at.isoformat() == "2026-11-24T21:00:00+00:00"


def test_a_call_back_in_the_past_is_refused(scene: Scene) -> None:
    with pytest.raises(TimePassed):
        scene.record(Outcome.CALL_BACK, agreed=Agreed(date(2026, 11, 23), time(9)))


def test_a_wrong_number_is_never_dialled_again(scene: Scene) -> None:
    scene.record(Outcome.WRONG_NUMBER)

    (number,) = registry.numbers_of(scene.session, scene.patient.id)
    assert number.health is NumberHealth.WRONG
    assert registry.working_number(scene.session, scene.patient.id) is None


def test_no_more_calls_ends_calls_and_texts_together(scene: Scene) -> None:
    scene.call.dial_from_at = NOW + timedelta(hours=2)
    outbox.write(scene.session, reminders.due(scene.session, now=NOW).messages)

    scene.record(Outcome.OPTED_OUT)

    scene.session.refresh(scene.enrolment)
    message = scene.session.scalars(select(Message)).one()
    number = "+15125550147"
    assert scene.enrolment.status is EnrolmentStatus.WITHDRAWN
    assert scene.call.status is CallStatus.CANCELLED
    assert message.status is MessageStatus.SKIPPED
    assert not consent.is_given(scene.session, scene.patient.id, Channel.SMS, number)
    assert next_call.open_call(scene.session, scene.enrolment.id) is None


def test_a_safety_concern_reaches_the_nurses_with_the_callers_words(scene: Scene) -> None:
    scene.record(Outcome.SAFETY, note="Said there is no point any more.")

    concern = scene.session.scalars(select(Concern)).one()
    assert (concern.kind, concern.urgency) == (ConcernKind.SAFETY, Urgency.NOW)
    assert scene.call.status is CallStatus.COMPLETED


@pytest.mark.parametrize(
    ("value", "unit", "hours_ago", "urgency"),
    [
        pytest.param("53", "mg/dL", 1, Urgency.NOW, id="level 2 low"),
        pytest.param("2.9", "mmol/L", 1, Urgency.NOW, id="level 2 low in mmol/L"),
        pytest.param("69", "mg/dL", 1, Urgency.SAME_DAY, id="level 1 low"),
        pytest.param("70", "mg/dL", 1, None, id="not low any more"),
        pytest.param("299", "mg/dL", 1, None, id="not high yet"),
        pytest.param("300", "mg/dL", 1, Urgency.SAME_DAY, id="high"),
        pytest.param("400", "mg/dL", 1, Urgency.NOW, id="very high"),
        pytest.param("53", "mg/dL", 30, Urgency.NEXT_BUSINESS_DAY, id="low, but yesterday's"),
    ],
)
def test_a_reading_raises_a_concern_by_the_ladder_and_its_own_time(
    scene: Scene, value: str, unit: str, hours_ago: int, urgency: Urgency | None
) -> None:
    taken_at = NOW - timedelta(hours=hours_ago)
    reported = ReportedReading(MeasureKind.GLUCOSE, Decimal(value), unit, taken_at, True)

    scene.record(Outcome.COMPLETED, readings=(reported,))

    reading = scene.session.scalars(select(Reading)).one()
    raised = scene.session.scalars(select(Concern.urgency)).all()
    assert (reading.entered_value, reading.entered_unit) == (value, unit)
    assert reading.taken_at == taken_at
    assert raised == ([] if urgency is None else [urgency])


def test_promises_are_kept_and_made(scene: Scene) -> None:
    old = make_promise(scene.session, scene.patient, scene.caller)

    scene.record(
        Outcome.COMPLETED,
        promise="Ask about the new glasses",
        promise_on=date(2026, 12, 1),
        kept_promise_ids=(old.id,),
    )

    scene.session.expire_all()
    kept, made = scene.session.scalars(select(Promise).order_by(Promise.id)).all()
    assert kept.kept_at == NOW
    assert (made.text, made.due_on, made.kept_at) == (
        "Ask about the new glasses",
        date(2026, 12, 1),
        None,
    )


def test_a_promise_without_a_day_is_due_with_the_next_call(scene: Scene) -> None:
    scene.record(Outcome.COMPLETED, promise="Ask about the new glasses")

    following = scene.session.scalars(
        select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
    ).one()
    made = scene.session.scalars(select(Promise)).one()
    assert made.due_on == following.dial_from_at.astimezone(ZoneInfo(scene.patient.zone)).date()


def test_a_promise_without_a_day_or_a_next_call_comes_back_in_a_week(scene: Scene) -> None:
    scene.record(Outcome.OPTED_OUT, promise="Send her the recipe")

    made = scene.session.scalars(select(Promise)).one()
    assert made.due_on == date(2026, 11, 30)


def test_somebody_elses_promise_cannot_be_ticked_off(scene: Scene) -> None:
    other = make_patient(scene.session, scene.clinic, phone="+15125550148")
    theirs = make_promise(scene.session, other, scene.caller)

    scene.record(Outcome.COMPLETED, kept_promise_ids=(theirs.id,))

    scene.session.refresh(theirs)
    assert theirs.kept_at is None
