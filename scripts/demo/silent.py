"""The one patient of the demo of whom a nurse makes sure that they are well."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Membership, StaffMember
from outreach.accounts.sign_in import has_email
from outreach.calls.models import LastTalk
from outreach.patients.models import Patient
from outreach.planning import follow_ups
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.planning.rules.silence import Cause, Follow, Step
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.welfare import checks
from outreach.welfare.rules import StepKind
from scripts.demo.people import NADIA

_ASKED_FOR = timedelta(days=2)
_RANG_FOR = timedelta(hours=20)
_KIND = FollowUpKind.WELFARE_CHECK


def write(session: Session, *, now: datetime) -> None:
    """Open a check on whoever is silent longest at the nurse's clinic, and begin it. No commit."""
    nurse_id, clinic_id = session.execute(
        select(StaffMember.id, Membership.clinic_id)
        .join(Membership, Membership.staff_id == StaffMember.id)
        .where(has_email(NADIA.email))
    ).one()
    enrolment, talked_at = session.execute(
        select(Enrolment, LastTalk.at)
        .join(LastTalk, LastTalk.patient_id == Enrolment.patient_id)
        .where(Enrolment.clinic_id == clinic_id, Enrolment.status == EnrolmentStatus.ACTIVE)
        .order_by(LastTalk.at, Enrolment.id)
        .limit(1)
    ).one()
    session.get_one(Patient, enrolment.patient_id).is_welfare_check_agreed = True
    asked_at = now - _ASKED_FOR
    reason = Follow(Step.WELFARE_CHECK, Cause.SILENT, (asked_at - talked_at).days).reason
    follow_ups.open_one(session, enrolment, _KIND, reason, now=asked_at)
    check = session.scalars(select(FollowUp).where(FollowUp.kind == _KIND)).one()
    words = "Rang the daughter's number: the mailbox is full. Trying again in the morning."
    checks.note_step(
        session,
        check,
        StepKind.OTHER_NUMBER,
        words,
        by_staff_id=nurse_id,
        now=now - _RANG_FOR,
    )
