"""Encrypted columns: what the database holds, what comes back, and what it refuses to answer."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    Text,
    Update,
    bindparam,
    desc,
    func,
    insert,
    literal,
    null,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session, aliased

from outreach import sealing
from outreach.calls.models import CallNote, Draft
from outreach.encryption import CannotDecrypt
from outreach.messaging.models import Message
from outreach.orm import Sessions
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.sealing import NUMBERS, Findable, Sealed, SealedJSON
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)


def _noted(session: Session, words: str) -> None:
    clinic = make_clinic(session)
    patient = make_patient(session, clinic)
    planned = make_planned_call(session, make_enrolment(session, patient))
    make_attempt(session, planned, make_staff(session, clinic), note=words)


def test_a_note_is_encrypted_in_the_database_and_comes_back(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _noted(session, "Felt dizzy, ¿por qué?")
    with sessions() as session:
        kept = session.scalar(text("SELECT text FROM call_note"))
        assert "dizzy" not in kept
        assert kept.startswith("v1.")
        assert session.scalar(select(CallNote.text)) == "Felt dizzy, ¿por qué?"


def test_a_value_that_was_copied_elsewhere_or_changed_is_an_error(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _noted(session, "Felt dizzy")
        stolen = session.scalar(text("SELECT about FROM patient"))
        session.execute(text("UPDATE call_note SET text = :text"), {"text": stolen})
    with sessions() as session, pytest.raises(CannotDecrypt):
        session.scalar(select(CallNote.text))
    with sessions.begin() as session:
        session.execute(text("UPDATE call_note SET text = 'as typed'"))
    with sessions() as session, pytest.raises(CannotDecrypt):
        session.scalar(select(CallNote.text))


def test_a_key_that_is_lost_is_an_error_and_no_empty_note(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _noted(session, "Felt dizzy")
    before = sealing.cipher()
    try:
        sealing.use([("other", secrets.token_bytes(32))])
        with sessions() as session, pytest.raises(CannotDecrypt):
            session.scalar(select(CallNote.text))
    finally:
        sealing._in_use[:] = [before]


def test_a_number_is_found_joined_and_kept_unique_though_nobody_can_read_it(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), sms_consent=True)
        number = session.scalars(select(PhoneNumber.e164)).first()
    with sessions() as session:
        kept = session.scalars(select(type_coerce(PhoneNumber.e164, Text()))).first()
        assert number
        assert kept
        assert number not in kept
        same = select(PhoneNumber.patient_id).where(PhoneNumber.e164 == number)
        assert session.scalars(same).all() == [patient.id]
        assert session.scalars(same.where(PhoneNumber.e164.in_([number]))).all() == [patient.id]
        joined = select(ConsentEvent.id).join(PhoneNumber, ConsentEvent.number == PhoneNumber.e164)
        every = select(ConsentEvent.id)
        assert sorted(session.scalars(joined)) == sorted(session.scalars(every)) != []


@pytest.mark.parametrize(
    "ask",
    [
        lambda: CallNote.text == "dizzy",
        lambda: CallNote.text.contains("dizzy"),
        lambda: str(select(CallNote.id).where(CallNote.text == aliased(CallNote).text)),
        lambda: CallNote.text < "dizzy",
        lambda: PhoneNumber.e164.startswith("+1"),
        lambda: PhoneNumber.e164 < "+1",
        lambda: Patient.about.like("%a%"),
        lambda: Draft.answers["note"],
        PhoneNumber.e164.desc,
        lambda: str(select(PhoneNumber.id).order_by(PhoneNumber.e164)),
        lambda: str(select(PhoneNumber.id).order_by(desc(PhoneNumber.e164))),
        lambda: str(select(func.row_number().over(order_by=Patient.record_number))),
        lambda: str(select(func.max(PhoneNumber.e164))),
        lambda: str(select(func.lower(Patient.family_name))),
        lambda: str(select(Patient.family_name).distinct()),
        lambda: str(select(func.count()).group_by(Patient.family_name)),
        lambda: str(select(Patient.id).where(Patient.record_number == PhoneNumber.e164)),
        lambda: str(select(Patient.id).where(Message.cause == Patient.record_number)),
        lambda: str(select(Patient.id).where(Patient.record_number == literal("plain"))),
        lambda: str(select(Patient.id).where(Patient.record_number.in_(select(PhoneNumber.e164)))),
        lambda: str(
            select(Patient.id).where(
                Patient.record_number == select(Message.cause).limit(1).scalar_subquery()
            )
        ),
    ],
)
def test_what_the_database_can_not_answer_is_refused(ask: object) -> None:
    with pytest.raises(TypeError, match="encrypted"):
        ask()  # type: ignore[operator]


def test_changed_in_bulk_and_nothing_at_all(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        session.execute(update(Patient).values(approach="Speak slowly", about=""))
    with sessions.begin() as session:
        found = session.execute(select(Patient.approach, Patient.about)).one()
        assert tuple(found) == ("Speak slowly", "")
        session.execute(update(Patient).values(approach=None))
        assert session.scalar(select(Patient.approach)) is None
        assert session.scalars(select(Patient.id).where(Patient.approach.is_(None))).all() == [
            patient.id
        ]
        row = {
            c: getattr(session.scalars(select(PhoneNumber)).one(), c)
            for c in ("clinic_id", "patient_id", "position", "health", "can_text", "health_at")
        }
        session.execute(insert(PhoneNumber), [{**row, "e164": "+15125559876"}])
        tails = select(PhoneNumber.e164).where(PhoneNumber.tail == "9876")
        assert session.scalars(tails).all() == ["+15125559876"]


def test_what_a_statement_copies_by_itself_is_encrypted_or_refused(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_enrolment(session, make_patient(session, make_clinic(session)))

    def copied(reason: ColumnElement[str]) -> Insert:
        names = "clinic_id patient_id enrolment_id status version_id at reason"
        row = [Enrolment.clinic_id, Enrolment.patient_id, Enrolment.id, Enrolment.status]
        chosen = select(*row, Enrolment.version_id, Enrolment.status_at, reason)
        return insert(EnrolmentEvent).from_select(names.split(), chosen)

    for past_it in (literal("plain"), Enrolment.status_reason.expression):
        with (
            sessions() as session,
            pytest.raises(TypeError, match=r"enrolment_event\.reason is encrypted"),
        ):
            session.execute(copied(past_it))
    with sessions.begin() as session:
        session.execute(copied(literal("typed", EnrolmentEvent.reason.type)))
        assert "typed" in session.scalars(select(EnrolmentEvent.reason)).all()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: select(Patient.id).where(Patient.record_number == Patient.record_number),
        lambda: select(Patient.id).where(Patient.record_number == bindparam("number")),
        lambda: select(Patient.id).where(Patient.record_number.is_(None)),
        lambda: select(PhoneNumber.id).where(PhoneNumber.e164.in_(select(ConsentEvent.number))),
        lambda: select(func.count(PhoneNumber.e164)).group_by(PhoneNumber.e164),
        lambda: select(PhoneNumber.e164).distinct(),
    ],
)
def test_what_the_database_can_answer_is_asked(ask: Callable[[], Select[Any]]) -> None:
    assert str(ask())


@pytest.mark.parametrize(
    "change",
    [
        lambda: update(Patient).values(about=Patient.family_name),
        lambda: update(Patient).values(about=literal("plain")),
        lambda: update(Patient).values({Patient.about: func.coalesce(Patient.ref, "none")}),
        lambda: update(PhoneNumber).values(e164=select(Message.cause).scalar_subquery()),
        lambda: insert(PhoneNumber).values(e164=literal("plain")),
        lambda: (
            sqlite.insert(PhoneNumber)
            .values(position=1)
            .on_conflict_do_update(set_={"e164": literal("plain")})
        ),
    ],
)
def test_what_a_change_copies_by_itself_is_encrypted_or_refused(
    session: Session, change: Callable[[], Update]
) -> None:
    with pytest.raises(TypeError, match="is encrypted"):
        session.execute(change())


def test_a_value_may_be_copied_where_it_belongs(session: Session) -> None:
    patient = make_patient(session, make_clinic(session))
    session.execute(update(Patient).values(about=Patient.about, approach=null()))
    newest = select(PhoneNumber.e164).limit(1).scalar_subquery()
    session.execute(update(ConsentEvent).values(number=newest))
    session.expire_all()
    assert session.get_one(Patient, patient.id).approach is None


def test_two_alike_notes_look_different_and_two_alike_numbers_the_same() -> None:
    note = Sealed("call_note.text")
    assert note.sealed("ok") != note.sealed("ok")
    assert NUMBERS.sealed("+15125550147") == NUMBERS.sealed("+15125550147")
    elsewhere = Findable("patient.record_number")
    assert elsewhere.sealed("+15125550147") != NUMBERS.sealed("+15125550147")
    with pytest.raises(CannotDecrypt):
        elsewhere.opened(NUMBERS.sealed("+15125550147"))
    answers = SealedJSON("call_draft.answers")
    assert answers.opened(answers.sealed({"note": ["ü", None]})) == {"note": ["ü", None]}


def test_a_process_without_keys_reads_and_writes_nothing() -> None:
    before = sealing.cipher()
    sealing._in_use.clear()
    try:
        with pytest.raises(sealing.NoKeys):
            NUMBERS.sealed("+15125550147")
    finally:
        sealing._in_use[:] = [before]
