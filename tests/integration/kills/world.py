"""One clinic in which every request of the product finds something to change."""

import re
import shutil
from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import raising
from outreach.concerns.models import OnCall
from outreach.concerns.rules import OnCallRank
from outreach.db import db
from outreach.messaging.rules import MessageStatus
from outreach.orm import Model
from outreach.panels import proposals
from outreach.panels.models import ProposalLine, Shift
from outreach.patients.models import PhoneNumber
from outreach.planning.models import FollowUp
from outreach.planning.rules import CallStatus, FollowUpKind
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeGateway
from tests.integration.kills.databases import Database, database_of
from tests.integration.messaging.conftest import make_message
from tests.killing import hasty
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

CLINICS_NUMBER = "+15125559999"
TODAY = MONDAY_10_CHICAGO.date()
BEFORE = date(2026, 11, 20)
SIGNED = {"X-Twilio-Signature": "valid"}


class World:
    """The clinic, a browser for each of its people, and the database that is put back."""

    def __init__(self, app: Flask, engine: Engine, gateway: FakeGateway) -> None:
        self.app, self.gateway, self.clock = app, gateway, gateway.clock
        with app.app_context():
            self.engine: Engine = db.engine
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", hasty)
        self.sessions = orm.make_sessions(engine)
        self.people: dict[str, StaffMember] = {}
        self.names: dict[str, object] = {}
        with self.sessions.begin() as session:
            _fill(session, self.people, self.names)
        self._cookies = {name: self._signed_in(person) for name, person in self.people.items()}
        self.engine.dispose()
        self.database: Database = database_of(engine)
        self.uploads: Path = app.extensions["outreach"].config.uploads
        self._uploads_kept = self.uploads.with_suffix(".kept")

    def browser(self, who: str | None) -> FlaskClient:
        """Return a browser in which one of the people is signed in, as at first."""
        client = self.app.test_client()
        for name, value in self._cookies.get(who or "", {}).items():
            client.set_cookie(name, value)
        return client

    def forget(self) -> None:
        """Let go of every connection: the next process has connections of its own."""
        self.engine.dispose()
        self.database.engine.dispose()

    def keep(self) -> None:
        """Let :meth:`restore` lead back here."""
        self.forget()
        self.database.keep()
        _copy(self.uploads, self._uploads_kept)

    def restore(self, *, to_the_first: bool = False) -> None:
        """Put back what is stored, and what the carrier was told."""
        self.forget()
        self.database.restore(to_the_first=to_the_first)
        _copy(self._uploads_kept, self.uploads)
        self.clock.now = MONDAY_10_CHICAGO
        for told in (self.gateway.taken, self.gateway.placed, self.gateway.hung_up):
            told.clear()

    def named(self, text: str) -> str:
        """Fill in what stands in braces: a name of the clinic, or the newest row of a table."""
        return re.sub(r"{(\w+)}", lambda found: str(self._named(found[1])), text)

    def _named(self, name: str) -> object:
        table = name.removeprefix("newest_")
        return self.names[name] if table == name else self.newest(table)

    def newest(self, table: str) -> int:
        """Return the id of the row that was written last."""
        key = next(iter(Model.metadata.tables[table].primary_key.columns))
        with orm.reading(), self.sessions() as session:
            return session.scalars(select(func.max(key))).one()

    def _signed_in(self, person: StaffMember) -> dict[str, str]:
        client = self.app.test_client()
        sign_in(client, person)
        return _cookies_of(client)

    def remember(self, who: str, client: FlaskClient) -> None:
        """Keep what a browser knows under the name of who uses it."""
        self._cookies[who] = _cookies_of(client)


def _cookies_of(client: FlaskClient) -> dict[str, str]:
    found = {name: client.get_cookie(name) for name in ("outreach", "outreach-device")}
    return {name: cookie.value for name, cookie in found.items() if cookie is not None}


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    if source.exists():
        shutil.copytree(source, target)


def _fill(session: Session, people: dict[str, StaffMember], names: dict[str, object]) -> None:
    clinic = make_clinic(session, code="HERE", phone_number=CLINICS_NUMBER)
    roles = {
        "caller": Role.CALLER,
        "colleague": Role.CALLER,
        "nurse": Role.NURSE,
        "manager": Role.MANAGER,
        "second": Role.MANAGER,
        "assessor": Role.ASSESSOR,
    }
    for name, role in roles.items():
        people[name] = make_staff(session, clinic, role, password_hash=HASH)
    people["administrator"] = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    make_on_call(session, clinic, people["nurse"])
    names |= {"clinic": clinic.id, "code": clinic.code}
    _staff(session, clinic, people, names)
    _called(session, clinic, people, names)
    _on_the_phone(session, clinic, people, names)
    _others(session, clinic, people, names)
    for name, person in people.items():
        names[name] = person.id
        names[f"{name}_email"] = person.email


def _staff(
    session: Session, clinic: Clinic, people: Mapping[str, StaffMember], names: dict[str, object]
) -> None:
    """Add somebody new without patients, telephones, shifts, and a time on call."""
    spare = make_staff(session, clinic, password_hash=HASH)
    names |= {"spare": spare.id}
    names["spare_role"] = session.scalars(
        select(Membership.id).where(Membership.staff_id == spare.id)
    ).one()
    for number, name in enumerate(("caller", "colleague")):
        people[name].work_phone = f"+1512555010{number + 1}"
        session.add_all(
            Shift(staff_id=people[name].id, weekday=day, begins=time(9), ends=time(17))
            for day in range(5)
        )
    duty = OnCall(
        clinic_id=clinic.id,
        staff_id=people["nurse"].id,
        rank=OnCallRank.BACKUP,
        from_at=MONDAY_10_CHICAGO - timedelta(hours=1),
        until_at=MONDAY_10_CHICAGO + timedelta(days=1),
    )
    session.add(duty)
    session.flush()
    names["duty"] = duty.id


def _called(
    session: Session, clinic: Clinic, people: Mapping[str, StaffMember], names: dict[str, object]
) -> None:
    """Add the caller's patients: one to call, whom much was said about, and one called before."""
    caller = people["caller"]
    patient = make_patient(session, clinic, sms_consent=True)
    enrolment = make_enrolment(session, patient, caller=caller)
    call = make_planned_call(session, enrolment, version_id=enrolment.version_id)
    other = make_patient(session, clinic, phone="+15125550177", sms_consent=True)
    others = make_enrolment(session, other, caller=caller, starts_on=BEFORE)
    past = make_planned_call(session, others, BEFORE, status=CallStatus.COMPLETED)
    past.closed_at = past.dial_from_at
    next_one = make_planned_call(session, others, date(2026, 11, 30), version_id=others.version_id)
    concern = raising.raise_concern(
        session, patient, raising.safety("worrying"), by_staff_id=caller.id, now=MONDAY_10_CHICAGO
    )
    names |= {
        "patient": patient.ref,
        "record_number": patient.record_number,
        "enrolment": enrolment.id,
        "call": call.id,
        "promise": make_promise(session, patient, caller, due_on=TODAY).id,
        "other": other.ref,
        "next_call": next_one.id,
        "attempt": make_attempt(session, past, caller, note="Walks daily.").id,
        "concern": concern.id,
        "inbox_item": make_inbox_item(session, patient).id,
        "reading": make_reading(session, patient).id,
        "number": session.scalars(
            select(PhoneNumber.id).where(PhoneNumber.patient_id == patient.id)
        ).one(),
    }


def _on_the_phone(
    session: Session, clinic: Clinic, people: Mapping[str, StaffMember], names: dict[str, object]
) -> None:
    """Add the colleague's patients: one on the line with them, and one who rang back."""
    colleague = people["colleague"]
    talker = make_patient(session, clinic, phone="+15125550188")
    enrolment = make_enrolment(session, talker, caller=colleague)
    call = make_planned_call(session, enrolment, version_id=enrolment.version_id)
    live = make_phone_call(
        session,
        call,
        colleague,
        number="+15125550188",
        staff_number="+15125550102",
        shown_number=CLINICS_NUMBER,
        asked_at=MONDAY_10_CHICAGO,
        heard_at=MONDAY_10_CHICAGO,
    )
    returned = make_returned_call(session, live, enrolment_id=enrolment.id)
    names |= {"talker": talker.ref, "phone_call": live.id, "returned": returned.id}


def _others(
    session: Session, clinic: Clinic, people: Mapping[str, StaffMember], names: dict[str, object]
) -> None:
    """Add who waits for a caller, who is in no programme, and who can't be reached."""
    names["newcomer"] = make_patient(session, clinic, phone="+15125550166").ref
    for _waits in range(2):
        make_enrolment(session, make_patient(session, clinic, phone=None))
    silent = make_patient(session, clinic, phone="+15125550155", sms_consent=True)
    enrolment = make_enrolment(session, silent, caller=people["caller"], starts_on=BEFORE)
    make_planned_call(session, enrolment, date(2026, 11, 30), version_id=enrolment.version_id)
    names["silent"] = silent.ref
    for kind in FollowUpKind:
        row = FollowUp(
            clinic_id=clinic.id,
            patient_id=silent.id,
            enrolment_id=enrolment.id,
            kind=kind,
            reason="missed in a row: 3",
            opened_at=MONDAY_10_CHICAGO,
        )
        session.add(row)
        session.flush()
        names[kind.name.lower()] = row.id
    lost = make_message(
        session,
        silent,
        status=MessageStatus.FAILED,
        provider_id=None,
        to_number="+15125550155",
        cause="planned_call:1",
        expires_at=MONDAY_10_CHICAGO + timedelta(hours=2),
    )
    names["lost_text"] = lost.id
    sent = make_message(
        session,
        silent,
        status=MessageStatus.ACCEPTED,
        to_number="+15125550155",
        calling_at=MONDAY_10_CHICAGO,
        provider_id="SM" + "5" * 32,
    )
    names["sent_text"] = sent.id
    made = proposals.make(session, clinic, by_staff_id=people["manager"].id, now=MONDAY_10_CHICAGO)
    names["proposal"] = made.id
    names["line"] = session.scalars(
        select(func.min(ProposalLine.id)).where(ProposalLine.proposal_id == made.id)
    ).one()
