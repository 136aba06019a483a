"""What a call screen shows of a few patients only, and asks of all at once whether it is there."""

from sqlalchemy.orm import Session

from outreach import absent
from outreach.calls.models import Draft, DraftAside, Lease
from outreach.concerns.models import Concern, OwnLimits, RiskFlag
from outreach.goals.models import Goal
from outreach.inbox.models import InboxItem
from outreach.planning.models import FollowUp, PlannedCall
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire


def look_ahead(session: Session, call: PlannedCall) -> None:
    """Find out what there is none of about ``call`` and its patient. One statement."""
    of_patient = (
        BegunQuestionnaire.patient_id,
        Concern.patient_id,
        Goal.patient_id,
        InboxItem.patient_id,
        OwnLimits.patient_id,
        Questionnaire.patient_id,
        RiskFlag.patient_id,
    )
    of_call = (
        Draft.planned_call_id,
        DraftAside.planned_call_id,
        InboxItem.planned_call_id,
        Lease.planned_call_id,
    )
    named = [(column, call.patient_id) for column in of_patient]
    named += [(column, call.id) for column in of_call]
    absent.look_ahead(session, [*named, (FollowUp.enrolment_id, call.enrolment_id)])
