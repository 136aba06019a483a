"""What a call has of a few patients only, asked of all at once whether it is there."""

from sqlalchemy.orm import Session

from outreach import absent
from outreach.calls.models import Attempt, Draft, DraftAside, Lease, Promise
from outreach.concerns.models import Concern, OwnLimits, RiskFlag
from outreach.goals.models import Goal
from outreach.inbox.models import InboxItem
from outreach.phoning.models import PhoneCall, ReturnedCall
from outreach.planning.models import FollowUp, PlannedCall
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire


def look_ahead(session: Session, call: PlannedCall) -> None:
    """Find out what a screen need not read about ``call`` and its patient. One statement."""
    of_patient = (
        BegunQuestionnaire.patient_id,
        Concern.patient_id,
        Goal.patient_id,
        InboxItem.patient_id,
        OwnLimits.patient_id,
        Promise.patient_id,
        Questionnaire.patient_id,
        RiskFlag.patient_id,
    )
    of_call = (
        Attempt.planned_call_id,
        Draft.planned_call_id,
        DraftAside.planned_call_id,
        InboxItem.planned_call_id,
        Lease.planned_call_id,
    )
    named = [(column, call.patient_id) for column in of_patient]
    named += [(column, call.id) for column in of_call]
    absent.look_ahead(session, [*named, (FollowUp.enrolment_id, call.enrolment_id)])


def look_ahead_to_record(session: Session, call: PlannedCall, form_key: str) -> None:
    """Find out what recording ``call`` need not read, end or throw away. One statement.

    The call is claimed, and its enrolment held where somebody was reached: whoever records the
    same call, or asks for something because nobody was, is done or waits.
    """
    of_patient = (
        BegunQuestionnaire.patient_id,
        Concern.patient_id,
        OwnLimits.patient_id,
        ReturnedCall.patient_id,
    )
    of_call = (Draft.planned_call_id, DraftAside.planned_call_id, PhoneCall.planned_call_id)
    named = [(column, call.patient_id) for column in of_patient]
    named += [(column, call.id) for column in of_call]
    named.append((FollowUp.enrolment_id, call.enrolment_id))
    absent.look_ahead(session, [*named, (Attempt.form_key, form_key)])
