"""Every promise of the product, held against rows that keep it and against rows that don't."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role, Scope
from outreach.audit import trail
from outreach.messaging import setting
from outreach.messaging.rules import Limits, MessageKind, TryResult
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import Channel, ConsentSource
from outreach.reports import jobs as rolling_up
from outreach.reports.models import DayCount, TouchedDays
from outreach.scheduler.schedule import periodic_jobs
from outreach.upkeep import promises, rotating
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock, FakeGateway
from tests.integration.planning import busy
from tests.integration.reports.histories import make_history
from tests.integration.upkeep.breaking import (
    AN_HOUR,
    BREAKS,
    NOW,
    NUMBER,
    held_too_long,
    text_to,
    too_many,
    tried,
)


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
            text_to(
                session, patient, kind=MessageKind.ALERT, staff_id=nurse.id, patient_id=None,
                cause="concern:1", dedupe_key=f"alert:1:{number}:{nurse.id}",
            )  # fmt: skip

        assert broken(session) == {}


def test_a_text_to_somebody_who_agreed_breaks_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        text_to(session, patient)

        assert broken(session) == {}


def test_as_many_texts_as_a_clinic_sends_by_day_break_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, sms_consent=True)
        too_many(2, 25, 168)(session, patient)  # 168: a week ago, when the first is forgotten
        other = make_patient(session, clinic, sms_consent=True)
        everywhere = Scope(0, everything=True, clinic_ids=frozenset())
        by = make_staff(session, clinic).id
        limits, changed_at = Limits(per_day=1, per_week=1), NOW - AN_HOUR
        setting.limit(session, everywhere, clinic.id, limits, by_staff_id=by, now=changed_at)
        for hours in (2, 24):  # they keep to the limits of before
            at = NOW - hours * AN_HOUR
            text_to(session, other, cause=f"planned_call:{100 + hours}", calling_at=at)

        assert broken(session) == {}


def test_a_text_whose_answer_came_late_was_taken_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        tries = ((2, TryResult.NOT_TAKEN), (1, TryResult.FOUND), (1, TryResult.TAKEN))
        tried(session, patient, *tries)

        assert broken(session) == {}


def test_a_text_that_went_out_before_they_said_stop_breaks_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, sms_consent=True)
        other = make_patient(session, clinic, sms_consent=True)
        text_to(session, patient, calling_at=NOW - timedelta(days=1))
        consent.note(
            session, patient, Channel.SMS, NUMBER,
            is_given=False, source=ConsentSource.SMS, by_staff_id=None, now=NOW - 2 * AN_HOUR,
        )  # fmt: skip
        text_to(session, other, cause="planned_call:2")

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
        message_id = held_too_long(session, patient)

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


@pytest.mark.parametrize("column", ["given_name", "record_number"])
def test_the_check_goes_on_behind_what_nobody_can_read(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """And finds it, though it is not among the newest that it looks at."""
    monkeypatch.setattr(rotating, "SAMPLE", 1)
    with sessions.begin() as session:
        clinic = make_clinic(session)
        row_id, _newest = make_patient(session, clinic).id, make_patient(session, clinic)
        lost = f"UPDATE patient SET {column} = 's1.gone.AAAA' WHERE id = {row_id}"  # noqa: S608 - ours
        session.execute(text(lost))

    with sessions() as session:
        found = promises.breaches(session, now=NOW)

    assert ("patient", (row_id,)) in [(each.table, each.ids) for each in found]
