"""Patients whom nobody has spoken with: found, followed up, given up, found again."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from outreach.calls import outcomes
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.planning import candidates, checking, follow_ups, next_call, silence
from outreach.planning.follow_ups import AlreadyDone
from outreach.planning.jobs import follow_silences, plan_missing_calls, write_reminders
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    actor_of,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

DAY = timedelta(days=1)
REVIEW, CHECK = FollowUpKind.REVIEW_TIMES, FollowUpKind.CONTACT_CHECK


class Place:
    """A patient in week 11, last spoken with on the day before ``clock`` began."""

    def __init__(self, sessions: Sessions, clock: FakeClock) -> None:
        self.sessions, self.clock = sessions, clock
        with sessions.begin() as session:
            self.clinic = make_clinic(session)
            self.caller = make_staff(session, self.clinic)
            self.patient = make_patient(session, self.clinic, sms_consent=True)
            enrolment = make_enrolment(
                session,
                self.patient,
                caller=self.caller,
                starts_on=clock().date() - timedelta(weeks=10),
            )
            self.enrolment_id = enrolment.id
            call = make_planned_call(
                session,
                enrolment,
                clock().date() - DAY,
                status=CallStatus.COMPLETED,
                closed_at=clock() - DAY,
            )
            make_attempt(session, call, self.caller, at=clock() - DAY)

    def miss(self, times: int) -> None:
        """Let calls pass as missed, a day each, every one of them dialled."""
        for _each in range(times):
            self.clock.advance(DAY)
            with self.sessions.begin() as session:
                call = make_planned_call(
                    session,
                    session.get_one(Enrolment, self.enrolment_id),
                    self.clock().date(),
                    status=CallStatus.MISSED,
                    closed_at=self.clock(),
                )
                make_attempt(session, call, self.caller, Outcome.NO_ANSWER, at=self.clock())
            follow_silences(self.sessions, self.clock)

    def speak(self, outcome: Outcome = Outcome.COMPLETED) -> None:
        self.clock.advance(timedelta(minutes=5))
        with self.sessions.begin() as session:
            call = session.scalar(
                select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
            ) or make_planned_call(
                session, session.get_one(Enrolment, self.enrolment_id), self.clock().date()
            )
            outcomes.record(
                session,
                self.patient,
                call.id,
                CallReport(f"key {self.clock()}", outcome, 12),
                actor=actor_of(self.caller, self.clinic),
                now=self.clock(),
            )

    def status(self) -> EnrolmentStatus:
        with self.sessions() as session:
            return session.get_one(Enrolment, self.enrolment_id).status

    def asked(self) -> list[FollowUp]:
        with self.sessions() as session:
            return list(session.scalars(select(FollowUp).order_by(FollowUp.id)))

    def open(self) -> list[FollowUpKind]:
        return [each.kind for each in self.asked() if each.done_at is None]

    def done(self, note: str = "Rang the daughter") -> None:
        """See to everything that is open."""
        with self.sessions.begin() as session:
            for each in session.scalars(select(FollowUp).where(FollowUp.done_at.is_(None))):
                follow_ups.complete(
                    session, each, note, by_staff_id=self.caller.id, now=self.clock()
                )


@pytest.fixture
def place(sessions: Sessions, clock: FakeClock) -> Place:
    return Place(sessions, clock)


def test_two_missed_ask_the_caller_and_three_the_coordinator(place: Place) -> None:
    place.miss(1)
    assert place.open() == []
    place.miss(1)
    assert place.open() == [REVIEW]
    place.miss(1)
    assert place.open() == [REVIEW, CHECK]
    assert [each.reason for each in place.asked()] == [
        "missed in a row: 2",
        "missed in a row: 3",
    ]


def test_running_again_and_again_asks_once(place: Place) -> None:
    place.miss(3)

    assert [follow_silences(place.sessions, place.clock) for _each in range(3)] == [0, 0, 0]
    assert len(place.asked()) == 2


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.DECLINED_TODAY])
def test_a_conversation_closes_what_is_open_and_counting_begins_anew(
    place: Place, outcome: Outcome
) -> None:
    place.miss(3)

    place.speak(outcome)

    assert place.open() == []
    assert {each.by_staff_id for each in place.asked()} == {place.caller.id}
    follow_silences(place.sessions, place.clock)
    assert place.open() == []
    place.miss(2)
    assert place.open() == [REVIEW]


def test_somebody_else_at_the_telephone_is_no_conversation(place: Place) -> None:
    place.miss(2)

    place.speak(Outcome.THIRD_PARTY)

    assert place.open() == [REVIEW]


def test_what_is_done_stays_done_until_as_much_was_missed_again(place: Place) -> None:
    place.miss(3)
    place.done()

    place.miss(2)
    assert place.open() == []
    place.miss(1)
    assert place.open() == [CHECK]


def test_who_comes_second_is_told_and_overwrites_nothing(place: Place) -> None:
    place.miss(3)
    with place.sessions() as session:
        seen = session.scalars(select(FollowUp).where(FollowUp.kind == CHECK)).one()
    place.done("first")

    with pytest.raises(AlreadyDone), place.sessions.begin() as session:
        follow_ups.complete(session, seen, "second", by_staff_id=place.caller.id, now=place.clock())

    assert {each.note for each in place.asked()} == {"first"}


def test_after_60_days_calls_and_texts_stop_and_a_manager_can_bring_them_back(
    place: Place,
) -> None:
    place.miss(1)
    place.clock.advance(57 * DAY)
    follow_silences(place.sessions, place.clock)
    assert place.status() is EnrolmentStatus.ACTIVE

    place.clock.advance(timedelta(days=1, hours=2))
    with place.sessions.begin() as session:  # tomorrow from 9 to 12: the reminder is written
        enrolment = session.get_one(Enrolment, place.enrolment_id)
        make_planned_call(session, enrolment, place.clock().date() + DAY)
    assert write_reminders(place.sessions, place.clock) == 1
    follow_silences(place.sessions, place.clock)

    assert place.status() is EnrolmentStatus.UNREACHABLE
    with place.sessions() as session:
        newest = select(PlannedCall.status).order_by(PlannedCall.id.desc())
        assert session.scalars(newest).first() is CallStatus.CANCELLED
        assert set(session.scalars(select(Message.status))) == {MessageStatus.SKIPPED}
    assert plan_missing_calls(place.sessions, place.clock) == 0

    place.clock.advance(5 * DAY)
    with place.sessions.begin() as session:
        enrolments.change_status(
            session.get_one(Enrolment, place.enrolment_id),
            EnrolmentStatus.ACTIVE,
            reason="rang back",
            now=place.clock(),
        )
    place.done()
    follow_silences(place.sessions, place.clock)
    assert place.status() is EnrolmentStatus.ACTIVE
    assert place.open() == []
    assert plan_missing_calls(place.sessions, place.clock) == 1


def test_nobody_is_given_up_in_the_hours_in_which_they_may_be_rung(place: Place) -> None:
    place.miss(1)
    place.clock.advance(60 * DAY)
    with place.sessions.begin() as session:  # to be dialled from 9 to 12
        enrolment = session.get_one(Enrolment, place.enrolment_id)
        make_planned_call(session, enrolment, place.clock().date())

    follow_silences(place.sessions, place.clock)

    assert place.status() is EnrolmentStatus.ACTIVE


def test_nobody_is_given_up_because_nobody_called(place: Place) -> None:
    place.clock.advance(100 * DAY)

    follow_silences(place.sessions, place.clock)

    assert place.status() is EnrolmentStatus.ACTIVE
    assert place.open() == [CHECK]


def test_a_pause_is_not_silence(place: Place) -> None:
    place.miss(1)
    for status, later in ((EnrolmentStatus.PAUSED, 50 * DAY), (EnrolmentStatus.ACTIVE, 20 * DAY)):
        with place.sessions.begin() as session:
            enrolments.change_status(
                session.get_one(Enrolment, place.enrolment_id),
                status,
                reason="travel",
                now=place.clock(),
            )
        place.clock.advance(later)
    follow_silences(place.sessions, place.clock)
    assert place.open() == []

    place.clock.advance(8 * DAY)
    follow_silences(place.sessions, place.clock)
    assert place.open() == [CHECK]


def test_nobody_has_to_see_to_those_who_left(place: Place) -> None:
    place.miss(3)
    with place.sessions.begin() as session:
        enrolments.change_status(
            session.get_one(Enrolment, place.enrolment_id),
            EnrolmentStatus.WITHDRAWN,
            reason="moved",
            now=place.clock(),
        )

    follow_silences(place.sessions, place.clock)

    assert place.open() == []


def test_two_that_saw_the_same_silence_ask_once(place: Place) -> None:
    place.miss(1)
    with place.sessions.begin() as session:
        make_planned_call(
            session,
            session.get_one(Enrolment, place.enrolment_id),
            date(2026, 11, 30),
            status=CallStatus.MISSED,
            closed_at=place.clock(),
        )
    with place.sessions() as session:
        pages = [
            candidates.page_of(session, now=place.clock(), after_id=0, limit=9) for _each in "ab"
        ]
    assert [list(page.ids) for page in pages] == [[place.enrolment_id]] * 2

    taken = []
    for page in pages:
        with place.sessions.begin() as session:
            taken += [silence.settle(session, each, now=place.clock()) for each in page.ids]

    assert taken == [1, 0]


def test_whoever_comes_back_is_not_to_be_looked_for_any_more(
    sessions: Sessions, clock: FakeClock
) -> None:
    place = Place(sessions, clock)
    place.miss(3)  # the contact check stays open through all the days of silence
    clock.advance(61 * DAY)
    follow_silences(sessions, clock)
    assert place.status() is EnrolmentStatus.UNREACHABLE

    clock.advance(DAY)
    with sessions.begin() as session:
        enrolment = session.get_one(Enrolment, place.enrolment_id)
        enrolments.change_status(enrolment, EnrolmentStatus.ACTIVE, reason="rang back", now=clock())
        session.flush()
        next_call.replan(session, enrolment.id, now=clock())

    assert [each.kind for each in place.asked() if each.done_at is None] == []
    with sessions() as session:
        assert checking.breaches(session, now=clock()) == []
