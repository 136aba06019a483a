"""Questionnaires that were begun and left: the scheduler ends them as they stood."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.audit.models import AuditEvent
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.questionnaires.jobs import end_left_questionnaires
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import InstrumentCode
from tests.builders import make_clinic, make_patient, make_staff
from tests.fakes import FakeClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
WHOLE = dict.fromkeys(range(1, 9), 2) | {9: 0}


class Left:
    """A patient of whom a caller asked something and went away."""

    def __init__(self, sessions: Sessions, clock: FakeClock) -> None:
        self.sessions, self.clock = sessions, clock
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.caller_id = make_staff(session, self.clinic).id
            self.patient: Patient = make_patient(session, self.clinic)

    def begin(self, answers: dict[int, int], *, is_told: bool = False) -> None:
        with self.sessions.begin() as session:
            session.add(
                BegunQuestionnaire(
                    clinic_id=self.patient.clinic_id,
                    patient_id=self.patient.id,
                    code=InstrumentCode.PHQ_9,
                    form_key="page",
                    answers={str(number): answer for number, answer in answers.items()},
                    is_told=is_told,
                    at=self.clock(),
                    by_staff_id=self.caller_id,
                )
            )

    def end_after(self, pause: timedelta) -> int:
        self.clock.advance(pause)
        return end_left_questionnaires(self.sessions, self.clock)

    def concerns(self) -> list[tuple[ConcernKind, Urgency]]:
        with self.sessions() as session:
            rows = session.execute(select(Concern.kind, Concern.urgency))
            return [(kind, urgency) for kind, urgency in rows]


@pytest.fixture
def left(sessions: Sessions, clock: FakeClock) -> Left:
    return Left(sessions, clock)


def test_what_was_asked_to_its_end_is_scored_an_hour_later_with_the_time_it_was_asked(
    left: Left,
) -> None:
    asked_at = left.clock()
    left.begin(WHOLE)
    assert left.end_after(HOUR) == 0

    assert left.end_after(SECOND) == 1

    assert left.end_after(SECOND) == 0
    with left.sessions() as session:
        kept = session.scalars(select(Questionnaire)).one()
        assert (kept.score, kept.at, kept.by_staff_id) == (Decimal(16), asked_at, left.caller_id)
        total = session.scalars(select(Reading)).one()
        assert (total.taken_at, total.recorded_at) == (asked_at, asked_at + HOUR + SECOND)
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.actor_id) == ("recorded a questionnaire", None)
        assert (event.object_kind, event.object_id) == ("questionnaire", kept.id)
        assert session.scalars(select(BegunQuestionnaire)).all() == []
        note = session.scalar(select(ConcernStep.note))
        assert note == (
            "PHQ-9: 16, moderately severe. Item 9: 0 of 3. Asked on 2026-11-23, scored later."
        )
    assert left.concerns() == [(ConcernKind.MOOD, Urgency.NEXT_BUSINESS_DAY)]


def test_what_was_broken_off_can_go_on_for_a_day_and_then_a_nurse_asks_again(left: Left) -> None:
    left.begin({1: 3, 2: 3})
    assert left.end_after(DAY) == 0

    assert left.end_after(SECOND) == 1

    with left.sessions() as session:
        kept = session.scalars(select(Questionnaire)).one()
        assert (kept.given, kept.score) == ({1: 3, 2: 3}, None)
        assert session.scalars(select(Reading)).all() == []
        note = session.scalar(select(ConcernStep.note))
        assert note == (
            "PHQ-9: no score. Item 9 was not answered. Asked on 2026-11-23, scored later."
        )
    assert left.concerns() == [(ConcernKind.MOOD, Urgency.NEXT_BUSINESS_DAY)]


def test_a_nurse_who_was_told_with_the_answer_is_not_told_again(left: Left) -> None:
    left.begin({9: 2}, is_told=True)

    assert left.end_after(DAY + SECOND) == 1

    assert left.concerns() == []


def test_one_that_cannot_be_ended_never_stops_the_others(
    left: Left, caplog: pytest.LogCaptureFixture
) -> None:
    left.begin({1: 9})  # no answer that there is
    with left.sessions.begin() as session:
        left.patient = make_patient(session, left.clinic)
    left.clock.advance(SECOND)
    left.begin(WHOLE)

    assert left.end_after(DAY + SECOND) == 1

    with left.sessions() as session:
        assert session.scalars(select(Questionnaire.score)).all() == [Decimal(16)]
        assert session.scalars(select(BegunQuestionnaire.answers)).all() == [{"1": 9}]
    assert "end failed for row" in caplog.text
    caplog.clear()
