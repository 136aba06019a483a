"""Promises about a life with the programme, counted by other means than the product's own."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED, Outcome
from outreach.clock import local_day
from outreach.patients.models import Patient
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus


def count_silent_days(session: Session, silent_days: Counter[int], *, now: datetime) -> None:
    """Count, day by day and by other means than the planner's, who is not spoken with.

    Days of a pause are left out.
    """
    since_at = now - timedelta(days=1)
    spoken = set(
        session.scalars(
            select(Attempt.enrolment_id).where(Attempt.at > since_at, Attempt.outcome.in_(REACHED))
        )
    )
    given_up = set(
        session.scalars(
            select(EnrolmentEvent.enrolment_id).where(
                EnrolmentEvent.at > since_at, EnrolmentEvent.status == EnrolmentStatus.UNREACHABLE
            )
        )
    )  # and perhaps back the same evening: their silence begins anew
    statuses = session.execute(select(Enrolment.id, Enrolment.status, Enrolment.starts_on))
    for enrolment_id, status, starts_on in statuses:
        has_begun = starts_on <= now.date()
        if enrolment_id in spoken | given_up:  # perhaps paused the same evening
            silent_days[enrolment_id] = 0
        elif status is EnrolmentStatus.ACTIVE and has_begun:
            silent_days[enrolment_id] += 1
        elif status is not EnrolmentStatus.PAUSED:
            silent_days[enrolment_id] = 0


def unchecked(session: Session) -> list[int]:
    """Return who missed three calls in a row without a contact check, open or done."""
    spoken_at = func.max(Attempt.at).filter(Attempt.outcome.in_(REACHED))
    back_at = (
        select(func.max(EnrolmentEvent.at))
        .where(
            EnrolmentEvent.enrolment_id == Enrolment.id,
            EnrolmentEvent.status == EnrolmentStatus.UNREACHABLE,
        )
        .correlate(Enrolment)
        .scalar_subquery()
    )
    begun = session.execute(
        select(Enrolment.id, func.coalesce(spoken_at, Enrolment.enrolled_at))
        .outerjoin(Attempt, Attempt.enrolment_id == Enrolment.id)
        .where(Enrolment.status == EnrolmentStatus.ACTIVE, back_at.is_(None))
        .group_by(Enrolment.id)
    )
    since: dict[int, datetime] = {enrolment_id: at for enrolment_id, at in begun}  # noqa: C416
    missed: Counter[int] = Counter()
    rows = session.execute(
        select(PlannedCall.enrolment_id, PlannedCall.closed_at).where(
            PlannedCall.status == CallStatus.MISSED
        )
    )
    for enrolment_id, at in rows:
        begun_at = since.get(enrolment_id)
        missed[enrolment_id] += begun_at is not None and at is not None and at > begun_at
    checks = session.execute(
        select(FollowUp.enrolment_id, FollowUp.opened_at).where(
            FollowUp.kind == FollowUpKind.CONTACT_CHECK
        )
    ).all()
    checked = {each for each, at in checks if at > since.get(each, at)}
    # The third may have been closed by a dial after the last tick of the day.
    return [each for each, count in missed.items() if count > 3 and each not in checked]


def dialled_too_often(session: Session, *, now: datetime) -> list[int]:
    """Return calls dialled more than 3 times since the last call-back, or twice a day."""
    rows = session.execute(
        select(Attempt.planned_call_id, Attempt.at, Attempt.outcome, Patient.zone)
        .join(Patient, Patient.id == Attempt.patient_id)
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .where(Attempt.at > now - timedelta(days=20))
        .order_by(Attempt.planned_call_id, Attempt.id)
    ).all()
    since: Counter[int] = Counter()
    on_day: Counter[tuple[int, date]] = Counter()
    guilty = []
    for call_id, at, outcome, zone in rows:
        since[call_id] = 0 if outcome is Outcome.CALL_BACK else since[call_id] + 1
        day = (call_id, local_day(at, ZoneInfo(zone)))
        on_day[day] = 0 if outcome is Outcome.CALL_BACK else on_day[day] + 1
        if since[call_id] > 3 or on_day[day] > 2:
            guilty.append(call_id)
    return guilty
