"""Two clinics for the walk over all routes: what every id of a path names, and who knocks."""

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.access_keys.models import AccessKey
from outreach.accounts.models import (
    Clinic,
    Closure,
    Membership,
    Region,
    RegionRole,
    SignIn,
    StaffMember,
)
from outreach.accounts.rules import Role
from outreach.concerns import flags, raising
from outreach.concerns.flags import NewFlag
from outreach.concerns.models import OnCall, OnCallWeek
from outreach.concerns.rules import OnCallRank, RiskKind
from outreach.exports import folder
from outreach.exports.models import Export
from outreach.exports.requesting import WITHIN
from outreach.exports.rules import Content, Format, Progress
from outreach.factors.models import Passkey
from outreach.intake import uploads
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind, Report
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.panels import proposals
from outreach.panels.models import ProposalLine
from outreach.patient_list.models import SavedList
from outreach.patients.models import HoursRule, Patient, PhoneNumber
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.programmes.protocol import PUBLISHED
from outreach.pulse.models import SupportRequest
from outreach.questionnaires.rules.instruments import INSTRUMENTS
from tests.builders import (
    LONG_AGO,
    make_absence,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_goal,
    make_on_call,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
    make_staff,
)
from tests.conftest import HASH
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.messaging.conftest import make_message
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

# No record of a clinic or person: every clinic has texts and questionnaires of the same names.
NAMES_NOBODY: Mapping[str, object] = {"code": "phq9", "name": "reminder", "language": "en"}
# What a package names by a word that means another record elsewhere, as ``package.word``.
WITHIN_A_PACKAGE: Mapping[str, object] = {
    "protocols.code": PUBLISHED,
    "instruments.code": next(code for code, each in INSTRUMENTS.items() if each.is_licensed),
}
# What belongs to one person, whoever else works beside them.
OF_ONE_PERSON = frozenset({"export_ref", "passkey_id", "sign_in_id", "list_id", "token"})
# What a role takes away that may not take what is measured.
TAKEN = {Role.CALLER: Content.QUEUE, Role.AUDITOR: Content.EMERGENCIES}
# Of each role but the administrator's, who has no clinic: one here, a colleague, one elsewhere.
OF_A_CLINIC = tuple(role for role in Role if role is not Role.ADMINISTRATOR)


@dataclass(frozen=True)
class People:
    """Who signs in, by role; ``here`` the owners of what is somebody's own."""

    here: Mapping[Role, StaffMember]
    colleagues: Mapping[Role, StaffMember]
    elsewhere: Mapping[Role, StaffMember]


class TwoClinics:
    """A patient at one clinic, with rows of every kind that a path may name; none at another.

    ``arguments`` name them, and what belongs to a manager who is not at work; in its place,
    :meth:`arguments_of` names what belongs to somebody who is.
    """

    def __init__(self, sessions: Sessions, uploaded: Path) -> None:
        self._uploaded = uploaded
        with sessions.begin() as session:
            self.here = make_clinic(session, code="HERE", name="Willow House")
            self.there = make_clinic(session, code="THERE", name="Yonder")
            self.own = make_staff(session, self.here, password_hash=HASH)
            self.patient = make_patient(session, self.here)
            enrolment = make_enrolment(session, self.patient, caller=self.own)
            self._shared = {
                **NAMES_NOBODY,
                **WITHIN_A_PACKAGE,
                **_around_calls(session, enrolment, self.own),
                **_of_patient(session, self.patient, self.own),
                **_of_staff(session, self.here, self.own),
                **_of_clinic(session, self.here, self.own),
                **_of_installation(session, self.here, self.own),
            }
            absent = make_staff(session, self.here, Role.MANAGER)
            self.arguments = self._shared | self._belonging_to(session, absent)

    @property
    def patients(self) -> list[str]:
        """What a page says that tells of the patient."""
        return [self.patient.family_name, self.patient.record_number]

    @property
    def secrets(self) -> list[str]:
        """What a page says that tells of this clinic to another."""
        return [*self.patients, self.here.name, self.own.name]

    def untouched(
        self, sessions: Sessions, person: StaffMember, arguments: Mapping[str, object]
    ) -> bool:
        """Say whether everything that belongs to ``person`` is as it was."""
        with sessions() as session:
            file = session.scalars(
                select(Export).where(Export.ref == arguments["export_ref"])
            ).one()
            return (
                session.get_one(Passkey, arguments["passkey_id"]).removed_at is None
                and session.get_one(SignIn, arguments["sign_in_id"]).ended_at is None
                and session.get(SavedList, arguments["list_id"]) is not None
                and file.progress is Progress.READY
                and (self._uploaded.parent / "exports" / file.ref).is_file()
                and uploads.find(
                    self._uploaded, person.id, str(arguments["token"]), now=NOW
                ).folder.is_dir()
            )

    def people(self, sessions: Sessions) -> People:
        """Let somebody of each role work here, twice, and elsewhere, each with a password."""
        with sessions.begin() as session:
            return People(
                here={Role.CALLER: self.own} | self._one_of_each(session, self.here, Role.CALLER),
                colleagues=self._one_of_each(session, self.here),
                elsewhere=self._one_of_each(session, self.there, Role.ADMINISTRATOR),
            )

    def arguments_of(self, sessions: Sessions, person: StaffMember) -> dict[str, object]:
        """Return what the paths name when ``person`` owns what belongs to one person.

        They sign in first: with the passkey that they have from then on, a password is not enough.
        """
        with sessions.begin() as session:
            return self._shared | self._belonging_to(session, person)

    def _one_of_each(self, session: Session, clinic: Clinic, *but: Role) -> dict[Role, StaffMember]:
        return {
            role: make_staff(
                session, clinic if role in OF_A_CLINIC else None, role, password_hash=HASH
            )
            for role in Role
            if role not in but
        }

    def _belonging_to(self, session: Session, person: StaffMember) -> dict[str, object]:
        return {
            "token": self._upload(person),
            "export_ref": _file_of(session, person, self._uploaded.parent / "exports"),
            **_ways_in_of(session, person),
            "list_id": _list_of(session, person),
        }

    def _upload(self, person: StaffMember) -> str:
        files = [("patients.csv", io.BytesIO(b"mrn"))]
        token, sources = uploads.keep(self._uploaded, person.id, files, now=NOW)
        uploads.describe(sources, self.here.code, FileKind.CSV, Report(), now=NOW)
        return token


def _around_calls(session: Session, enrolment: Enrolment, own: StaffMember) -> dict[str, object]:
    planned = make_planned_call(session, enrolment)
    phone_call = make_phone_call(session, planned, own)
    contact, welfare = (
        FollowUp(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id,
            kind=kind,
            reason="missed in a row: 3",
            opened_at=NOW,
        )
        for kind in (FollowUpKind.CONTACT_CHECK, FollowUpKind.WELFARE_CHECK)
    )
    session.add_all([contact, welfare])
    session.flush()
    return {
        "attempt_id": make_attempt(session, planned, own).id,
        "phone_call_id": phone_call.id,
        "task_id": make_returned_call(session, phone_call, enrolment_id=enrolment.id).id,
        "follow_up_id": contact.id,
        "welfare.follow_up_id": welfare.id,
    }


def _of_patient(session: Session, patient: Patient, own: StaffMember) -> dict[str, object]:
    today = NOW.date()
    nurse = make_staff(session, session.get_one(Clinic, patient.clinic_id), Role.NURSE)
    worry = raising.safety("worrying")
    flag = NewFlag(RiskKind.OTHER, "worrying", today)
    return {
        "ref": patient.ref,
        "promise_id": make_promise(session, patient, own).id,
        "goal_id": make_goal(session, patient, own).id,
        "item_id": make_inbox_item(session, patient).id,
        "message_id": make_message(session, patient).id,
        "reading_id": make_reading(
            session, patient, MeasureKind.GLUCOSE, "110", recorded_by_id=own.id
        ).id,
        "number_id": session.scalars(
            select(PhoneNumber.id).where(PhoneNumber.patient_id == patient.id)
        ).one(),
        "concern_id": raising.raise_concern(
            session, patient, worry, by_staff_id=own.id, now=NOW
        ).id,
        "flag_id": flags.add(session, patient, flag, by_staff_id=nurse.id, today=today, now=NOW).id,
    }


def _of_staff(session: Session, here: Clinic, own: StaffMember) -> dict[str, object]:
    nurse = make_on_call(session, here)
    duty = OnCall(
        clinic_id=here.id, staff_id=own.id, rank=OnCallRank.FIRST,
        from_at=NOW, until_at=NOW + timedelta(days=1),
    )  # fmt: skip
    request = SupportRequest(staff_id=own.id, asked_at=NOW)
    session.add_all([duty, request])
    session.flush()
    held = select(Membership.id).where(Membership.staff_id == own.id)
    return {
        "staff_id": own.id,
        "rota.staff_id": nurse.id,
        "membership_id": session.scalars(held).one(),
        "absence_id": make_absence(session, own, here.id).id,
        "duty_id": duty.id,
        "week_id": session.scalars(select(OnCallWeek.id)).one(),
        "request_id": request.id,
    }


def _of_clinic(session: Session, here: Clinic, own: StaffMember) -> dict[str, object]:
    make_enrolment(session, make_patient(session, here, phone=None))  # waits for a caller
    run = ImportRun(
        clinic_id=here.id, kind=FileKind.CSV, sha256="0" * 64, at=NOW,
        counts=Report().counts, problems=Report().remarks,
    )  # fmt: skip
    closure = Closure(clinic_id=here.id, on=date(2027, 1, 4), name="Closed")
    proposals.make(session, here, by_staff_id=own.id, now=NOW)
    session.add_all([run, closure])
    session.flush()
    return {
        "clinic_id": here.id,
        "run_id": run.id,
        "closure_id": closure.id,
        "line_id": session.scalars(select(ProposalLine.id)).one(),
    }


def _of_installation(session: Session, here: Clinic, own: StaffMember) -> dict[str, object]:
    """Return what administrators alone look after: laws, keys, regions."""
    rule = HoursRule(
        region="US", weekdays=127, opens=time(8), closes=time(21), from_on=LONG_AGO.date(),
        source="47 CFR 64.1200",
    )  # fmt: skip
    key = AccessKey(
        clinic_id=here.id, name="Epic interface", prefix="out_1", secret_hash="0" * 64,
        form_key="key-1", made_by_id=own.id, made_at=NOW, expires_at=NOW + timedelta(days=30),
    )  # fmt: skip
    region = Region(name="North")
    session.add_all([rule, key, region])
    session.flush()
    auditor = make_staff(session, here, Role.AUDITOR)
    held = RegionRole(
        region_id=region.id, staff_id=auditor.id, role=Role.AUDITOR, from_on=LONG_AGO.date()
    )
    session.add(held)
    session.flush()
    return {
        "rule_id": rule.id,
        "key_id": key.id,
        "region_id": region.id,
        "region_role_id": held.id,
    }


def _file_of(session: Session, person: StaffMember, kept: Path) -> str:
    """Return the name of a file that ``person`` asked for, which is ready and lies there."""
    ref = secrets.token_urlsafe(9)
    held = select(Membership.role).where(Membership.staff_id == person.id)
    content = TAKEN.get(session.scalars(held).one(), Content.MEASURES)
    part = folder.part_path(kept, ref)
    part.write_bytes(b"Rosa Nguyen")
    row = Export(
        ref=ref, staff_id=person.id, content=content, format=Format.CSV, asked={WITHIN: []},
        form_key=ref, progress=Progress.READY, rows_done=1, tries=1, asked_at=NOW,
        finished_at=NOW, expires_at=NOW + timedelta(days=1), file_name=ref,
        bytes=folder.publish(part, ref), trouble="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return ref


def _ways_in_of(session: Session, person: StaffMember) -> dict[str, object]:
    """Return a passkey and another browser in which ``person`` is signed in."""
    passkey = Passkey(
        staff_id=person.id, credential_id=f"{person.id:08}", public_key="key",
        sign_count=0, name="Telephone", made_at=LONG_AGO,
    )  # fmt: skip
    browser = SignIn(token_hash=f"{person.id:064}", staff_id=person.id, created_at=NOW, seen_at=NOW)
    session.add_all([passkey, browser])
    session.flush()
    return {"passkey_id": passkey.id, "sign_in_id": browser.id}


def _list_of(session: Session, person: StaffMember) -> int:
    kept = SavedList(staff_id=person.id, name="Own", params={}, saved_at=NOW)
    session.add(kept)
    session.flush()
    return kept.id
