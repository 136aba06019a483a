"""The timeline tells of telephone calls, follow-ups, what was done about concerns, own limits."""

from datetime import date, timedelta
from decimal import Decimal

from flask.testing import FlaskClient

from outreach.accounts.rules import Role
from outreach.chart import timeline
from outreach.chart.timeline import EntryKind
from outreach.concerns import limits, raising
from outreach.concerns.limits import NewLimits
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.phoning.rules import Direction, Ending
from outreach.planning import follow_ups
from outreach.planning.rules import CallStatus, FollowUpKind
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.telephones import make_phone_call

HOUR = timedelta(hours=1)


def test_everything_that_was_done_is_told_once(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, name="Ana Lima", password_hash=HASH)
        nurse = make_staff(session, clinic, Role.NURSE, name="Nadia Brooks")
        patient = make_patient(session, clinic)
        enrolment = make_enrolment(session, patient, caller=caller, starts_on=date(2026, 11, 2))
        call = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
        told, loose, back = (
            make_phone_call(
                session, call, caller, direction=direction, asked_at=at, answered_at=at,
                ended_at=at + HOUR / 4, seconds=seconds, ending=Ending.TALKED,
            )
            for direction, at, seconds in (
                (Direction.OUT, NOW - 6 * HOUR, 725),
                (Direction.OUT, NOW - 5 * HOUR, 61),
                (Direction.IN, NOW - 4 * HOUR, 9),
            )
        )  # fmt: skip
        make_attempt(session, call, caller, at=NOW - 6 * HOUR, phone_call_id=told.id)
        follow_ups.open_one(
            session, enrolment, FollowUpKind.CONTACT_CHECK, "missed in a row: 3", now=NOW - 3 * HOUR
        )
        (check,) = follow_ups.open_of(session, [enrolment.id])[enrolment.id]
        follow_ups.complete(
            session, check, "New number from her son", by_staff_id=nurse.id, now=NOW - 2 * HOUR
        )
        concern = raising.raise_concern(
            session, patient, raising.safety("Very low"), by_staff_id=caller.id, now=NOW - HOUR
        )
        raising.close(session, concern, "Rang her: safe.", by_staff_id=nurse.id, now=NOW)
        new = NewLimits(MeasureKind.GLUCOSE, Decimal(80), None, "mg/dL", "No feeling", None, 0)
        limits.put(session, patient, new, by_staff_id=nurse.id, now=NOW)
        phoned = {loose.id, back.id}

    with sessions() as session:
        entries = timeline.of_patient(session, patient.id).entries
    by_kind = {kind: [each.row for each in entries if each.kind is kind] for kind in EntryKind}
    assert {row.id for row in by_kind[EntryKind.PHONE]} == phoned
    assert len(by_kind[EntryKind.CALL]) == 1
    assert [row.step for row in by_kind[EntryKind.CONCERN_STEP]] == ["closed"]

    sign_in(client, caller)
    page = client.get(f"/patients/{patient.ref}").text.replace("&#39;", "'")
    for words in (
        "talked 12:05, counted by the telephone",
        "Telephone call, not written down",
        "They rang the clinic",
        "talked, 0:09",
        "3 calls in a row were missed",
        "New number from her son",
        "Safety concern: closed",
        "Rang her: safe.",
        "below 80 mg/dL (4.4 mmol/L)",
    ):
        assert words in page
