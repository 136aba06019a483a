"""Every promise of the product, held against rows that keep it and against rows that don't."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role, Scope
from outreach.audit import trail
from outreach.calls.models import CallNote
from outreach.calls.rules import Outcome
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.messaging import setting
from outreach.messaging.models import DeliveryEvent, Message, SendTry
from outreach.messaging.rules import Limits, MessageKind, MessageStatus, TryResult
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import Anonymised, Patient, PhoneNumber
from outreach.patients.rules import Cause, Channel, ConsentSource
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import Direction
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import jobs as rolling_up
from outreach.reports.models import DayCount, TouchedDays
from outreach.scheduler.schedule import periodic_jobs
from outreach.telephony.gateway import LegStatus
from outreach.upkeep import promises
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock, FakeGateway
from tests.integration.planning import busy
from tests.integration.reports.histories import make_history

NOW = FakeClock()()
AN_HOUR = timedelta(hours=1)
NUMBER = "+15125550147"


def broken(session: Session) -> dict[str, tuple[int, ...]]:
    return {each.promise: each.ids for each in promises.breaches(session, now=NOW)}


def test_a_busy_clinic_whose_jobs_ran_keeps_every_promise(
    sessions: Sessions, tmp_path: Path
) -> None:
    busy.fill(sessions, now=NOW)
    clock = FakeClock()
    for _round in range(3):
        for job in periodic_jobs(sessions, FakeGateway(clock), clock, tmp_path):
            job.run()

    with sessions() as session:
        assert broken(session) == {}


def _text(session: Session, patient: Patient, **deviations: object) -> int:
    message = Message(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "kind": MessageKind.REMINDER,
            "dedupe_key": f"key {len(session.scalars(select(Message.id)).all())}",
            "cause": "planned_call:1",
            "to_number": NUMBER,
            "language": "en",
            "body": "We call tomorrow.",
            "status": MessageStatus.DELIVERED,
            "failure": "",
            "send_after": NOW - AN_HOUR,
            "calling_at": NOW - AN_HOUR,
            "tries": 1,
            "created_at": NOW - AN_HOUR,
        }
        | deviations
    )
    session.add(message)
    session.flush()
    return message.id


def _held_too_long(session: Session, patient: Patient) -> int:
    return _text(
        session, patient, status=MessageStatus.CALLING, lease_until=NOW - timedelta(hours=2)
    )


def _never_looked_up(session: Session, patient: Patient) -> int:
    return _text(session, patient, status=MessageStatus.UNKNOWN)


def _tried(session: Session, patient: Patient, *tries: tuple[int, TryResult]) -> int:
    """Return a text that the carrier was asked about so many hours ago, with what came of it."""
    found = _text(session, patient)
    for hours, result in tries:
        at = NOW - hours * AN_HOUR
        session.add(SendTry(message_id=found, at=at, answered_at=at, result=result, detail=""))
    session.flush()
    return found


def _taken_twice(session: Session, patient: Patient) -> int:
    tries = ((2, TryResult.TAKEN), (1, TryResult.NO_ANSWER), (1, TryResult.FOUND))
    return _tried(session, patient, *tries)


def _past_its_end(session: Session, patient: Patient) -> int:
    return _text(session, patient, status=MessageStatus.SCHEDULED, expires_at=NOW - AN_HOUR)


def _forgotten(session: Session, patient: Patient) -> int:
    return _text(
        session, patient, status=MessageStatus.SCHEDULED, send_after=NOW - timedelta(days=9)
    )


def _sent_twice(session: Session, patient: Patient) -> int:
    _text(session, patient)
    return _text(session, patient)


def _too_many(*hours_ago: int) -> Callable[[Session, Patient], int]:
    """Return what sends texts so many hours ago, and returns who got them."""

    def send(session: Session, patient: Patient) -> int:
        for number, hours in enumerate(hours_ago):
            at = NOW - hours * AN_HOUR
            _text(session, patient, cause=f"planned_call:{number}", calling_at=at)
        return patient.id

    return send


def _at_night(session: Session, patient: Patient) -> int:
    return _text(session, patient, calling_at=NOW - 3 * AN_HOUR)  # 7 in the morning


def _late_at_night(session: Session, patient: Patient) -> int:
    return _text(session, patient, calling_at=NOW - 13 * AN_HOUR)  # 21:00 of the day before


def _gone_back(session: Session, patient: Patient) -> int:
    found = _text(session, patient, status=MessageStatus.SENT)
    session.add(DeliveryEvent(message_id=found, status="delivered", received_at=NOW))
    session.flush()
    return found


def _sent_after_stop(session: Session, patient: Patient) -> int:
    consent.note(
        session, patient, Channel.SMS, NUMBER,
        is_given=False, source=ConsentSource.SMS, by_staff_id=None, now=NOW - 2 * AN_HOUR,
    )  # fmt: skip
    return _text(session, patient)


def _sent_to_another_number(session: Session, patient: Patient) -> int:
    return _text(session, patient, to_number="+15125550190")


def _counted_without_attempt(session: Session, patient: Patient) -> int:
    return make_planned_call(session, _enrolled(session, patient), dials=1).id


def _completed_without_words(session: Session, patient: Patient) -> int:
    call = make_planned_call(session, _enrolled(session, patient), status=CallStatus.COMPLETED)
    caller = make_staff(session, session.get_one(Clinic, patient.clinic_id))
    make_attempt(session, call, caller, Outcome.NO_ANSWER)
    return call.id


def _on_the_line_for_ever(session: Session, patient: Patient) -> int:
    call = PhoneCall(
        press_key="one press",
        direction=Direction.OUT,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        number=NUMBER,
        shown_number="+15125550100",
        may_leave_voicemail=False,
        staff_leg=LegStatus.ANSWERED,
        patient_leg=LegStatus.ANSWERED,
        asked_at=NOW - timedelta(days=1),
        heard_at=NOW - timedelta(days=1),
        failure="",
    )
    session.add(call)
    session.flush()
    return call.id


def _told_nobody(session: Session, patient: Patient) -> int:
    concern = Concern(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW,
        status=ConcernStatus.OPEN,
        raised_at=NOW - 2 * AN_HOUR,
        times_reopened=0,
    )
    session.add(concern)
    session.flush()
    return concern.id


def _enrolled(session: Session, patient: Patient) -> Enrolment:
    clinic = session.get_one(Clinic, patient.clinic_id)
    return make_enrolment(session, patient, caller=make_staff(session, clinic))


def _anonymised(session: Session, patient: Patient) -> None:
    session.add(
        Anonymised(
            patient_id=patient.id, clinic_id=patient.clinic_id, cause=Cause.SCHEDULE, at=NOW
        )
    )  # fmt: skip
    session.flush()


def _number_of_nobody(session: Session, patient: Patient) -> int:
    _anonymised(session, patient)
    return session.scalars(select(PhoneNumber.id).where(PhoneNumber.patient_id == patient.id)).one()


def _enrolled_nobody(session: Session, patient: Patient) -> int:
    _anonymised(session, patient)
    return make_enrolment(session, patient).id


def _note_of_nobody(session: Session, patient: Patient) -> int:
    _anonymised(session, patient)
    caller = make_staff(session, session.get_one(Clinic, patient.clinic_id))
    enrolment = make_enrolment(session, patient, status=EnrolmentStatus.COMPLETED)
    make_attempt(session, make_planned_call(session, enrolment), caller, note="Likes tea")
    return session.scalars(select(CallNote.id)).one()


BREAKS: dict[str, Callable[[Session, Patient], int]] = {
    "no worker holds a text for longer than its lease": _held_too_long,
    "a lost answer is looked up at the carrier": _never_looked_up,
    "no text waits past its end": _past_its_end,
    "no text waits past its end (forgotten)": _forgotten,
    "a text goes out once": _sent_twice,
    "the carrier takes a text once": _taken_twice,
    "nobody is texted without consent or after saying stop": _sent_after_stop,
    "nobody is texted without consent or after saying stop (number)": _sent_to_another_number,
    "nobody gets more texts unasked than their clinic sends": _too_many(1, 2),
    "nobody gets more texts unasked than their clinic sends (week)": _too_many(1, 49, 97, 166),
    "nobody is texted unasked at night": _at_night,
    "nobody is texted unasked at night (late)": _late_at_night,
    "a text never stands behind what the carrier reported of it": _gone_back,
    "every dial that counts was recorded": _counted_without_attempt,
    "a completed call was a conversation": _completed_without_words,
    "no call stays on the line for ever": _on_the_line_for_ever,
    "somebody is told of every urgent concern": _told_nobody,
    "of who was anonymised no number is left": _number_of_nobody,
    "who was anonymised is in no programme": _enrolled_nobody,
    "of who was anonymised no note is left": _note_of_nobody,
}


@pytest.mark.parametrize("promise", BREAKS)
def test_a_broken_promise_is_named_with_the_row_that_breaks_it(
    sessions: Sessions, promise: str
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        before = broken(session)
        row_id = BREAKS[promise](session, patient)
        words = promise.split(" (", maxsplit=1)[0]

        assert before == {}
        assert broken(session)[words] == (row_id,)


def test_telling_somebody_again_in_a_later_round_breaks_nothing(sessions: Sessions) -> None:
    """Three quarters of an hour without an answer, and who was told first is told once more."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        nurse = make_staff(session, clinic, Role.NURSE, phone=NUMBER)
        patient = make_patient(session, clinic)
        for number in (0, 3):
            _text(
                session, patient, kind=MessageKind.ALERT, staff_id=nurse.id, patient_id=None,
                cause="concern:1", dedupe_key=f"alert:1:{number}:{nurse.id}",
            )  # fmt: skip

        assert broken(session) == {}


def test_a_text_to_somebody_who_agreed_breaks_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        _text(session, patient)

        assert broken(session) == {}


def test_as_many_texts_as_a_clinic_sends_by_day_break_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, sms_consent=True)
        _too_many(2, 25, 168)(session, patient)  # 168: a week ago, when the first is forgotten
        other = make_patient(session, clinic, sms_consent=True)
        everywhere = Scope(0, everything=True, clinic_ids=frozenset())
        by = make_staff(session, clinic).id
        limits, changed_at = Limits(per_day=1, per_week=1), NOW - AN_HOUR
        setting.limit(session, everywhere, clinic.id, limits, by_staff_id=by, now=changed_at)
        for hours in (2, 24):  # they keep to the limits of before
            at = NOW - hours * AN_HOUR
            _text(session, other, cause=f"planned_call:{100 + hours}", calling_at=at)

        assert broken(session) == {}


def test_a_text_whose_answer_came_late_was_taken_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        tries = ((2, TryResult.NOT_TAKEN), (1, TryResult.FOUND), (1, TryResult.TAKEN))
        _tried(session, patient, *tries)

        assert broken(session) == {}


def test_a_text_that_went_out_before_they_said_stop_breaks_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, sms_consent=True)
        other = make_patient(session, clinic, sms_consent=True)
        _text(session, patient, calling_at=NOW - timedelta(days=1))
        consent.note(
            session, patient, Channel.SMS, NUMBER,
            is_given=False, source=ConsentSource.SMS, by_staff_id=None, now=NOW - 2 * AN_HOUR,
        )  # fmt: skip
        _text(session, other, cause="planned_call:2")

        assert broken(session) == {}


def test_a_row_that_refers_to_another_clinic_is_found(sessions: Sessions) -> None:
    with sessions.begin() as session:
        here, there = make_clinic(session), make_clinic(session)
        patient = make_patient(session, here)
        session.execute(
            update(PhoneNumber)
            .where(PhoneNumber.patient_id == patient.id)
            .values(clinic_id=there.id)
        )
        found = broken(session)

    assert list(found) == ["rows of one clinic refer to its own patient"]


def test_the_command_names_what_is_broken_and_fails(app: Flask, sessions: Sessions) -> None:
    run = app.test_cli_runner()
    whole = run.invoke(args=["check", "invariants"])
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        message_id = _held_too_long(session, patient)

    found = run.invoke(args=["check", "invariants"])

    assert (whole.exit_code, found.exit_code) == (0, 1)
    assert "Every promise holds." in whole.output
    assert f"1 of message: {message_id}" in found.output


def test_a_changed_audit_trail_is_a_broken_promise(sessions: Sessions) -> None:
    with sessions.begin() as session:
        trail.record(session, "viewed", actor_id=None, now=NOW)
    with sessions.begin() as session:
        session.execute(
            text("INSERT INTO audit_link (position, event_id, digest) VALUES (1, 1, 'wrong')")
        )
        (found,) = promises.breaches(session, now=NOW)

    assert found.table == "audit_link"
    assert "was changed" in found.promise


def test_a_roll_up_that_differs_from_its_rows_is_named_unless_it_waits(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(3))  # noqa: S311
    promise = "roll-ups of reports say what the rows say"
    rolling_up.roll_up(sessions, lambda: NOW)
    with sessions.begin() as session:
        assert promise not in broken(session)
        day = session.scalars(select(DayCount).filter_by(clinic_id=clinic.id)).first()
        assert day is not None
        day.dials += 1
    with sessions.begin() as session:
        assert broken(session)[promise] == (clinic.id,)
        session.add(TouchedDays(clinic_id=clinic.id, from_on=day.day, until_on=day.day))
    with sessions() as session:
        assert promise not in broken(session)


def test_a_zone_that_this_machine_does_not_know_is_told_and_ends_no_check(
    sessions: Sessions,
) -> None:
    """It came from a machine with a newer list of zones."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        patients = [make_patient(session, clinic) for _each in range(4)]
        for lost in patients[:2]:
            lost.zone = "Europe/Atlantis"
        people = [make_enrolment(session, each, caller=caller) for each in patients]
        for called in (people[0], people[2]):
            make_planned_call(session, called)
        lost_ids, waiting = (people[0].id, people[1].id), people[3].id

    with sessions() as session:
        found = broken(session)

    assert found == {
        "every time zone is one that this machine knows": lost_ids,
        "who should have a call has one": (waiting,),
    }
