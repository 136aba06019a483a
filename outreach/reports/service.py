"""What stands around the calls: who stays, who is measured, texts, and how concerns are met.

Each figure is rows of (patient, numerator, denominator): its sum is on the card, its rows are
the list behind it. Source of the definitions: domain.md E3.
"""

import enum
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import Understood
from outreach.messaging.delivery import TAKEN
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import MessageStatus
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import known, outcomes
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Behind
from outreach.reports.returned import Returned, returned
from outreach.reports.rules.outcomes import WINDOWS, Followed, OutcomeMeasure, Point
from outreach.reports.rules.period import DAY

STAYED = frozenset({EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED, EnrolmentStatus.COMPLETED})
# Codes of the carrier that tell of a wrong list, a spam filter, a sender not registered.
WATCHED_CODES = ("21610", "30007", "30034")


class ServiceMeasure(enum.StrEnum):
    """What is measured. The value travels in addresses."""

    STAYED_3 = "stayed_3"
    STAYED_6 = "stayed_6"
    RETURNED_90 = "returned_90"
    RETURNED_180 = "returned_180"
    HBA1C_0 = "hba1c_0"
    HBA1C_3 = "hba1c_3"
    HBA1C_6 = "hba1c_6"
    PHQ9_0 = "phq9_0"
    PHQ9_3 = "phq9_3"
    PHQ9_6 = "phq9_6"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    STOPPED = "stopped"
    IN_TIME = "in_time"
    CLOSED = "closed"


_STAYING = {ServiceMeasure.STAYED_3: Point.MONTH_3, ServiceMeasure.STAYED_6: Point.MONTH_6}
_RETURNING = {ServiceMeasure.RETURNED_90: 90, ServiceMeasure.RETURNED_180: 180}
_MEASURED = {
    ServiceMeasure.HBA1C_0: (OutcomeMeasure.HBA1C, Point.BASELINE),
    ServiceMeasure.HBA1C_3: (OutcomeMeasure.HBA1C, Point.MONTH_3),
    ServiceMeasure.HBA1C_6: (OutcomeMeasure.HBA1C, Point.MONTH_6),
    ServiceMeasure.PHQ9_0: (OutcomeMeasure.PHQ9, Point.BASELINE),
    ServiceMeasure.PHQ9_3: (OutcomeMeasure.PHQ9, Point.MONTH_3),
    ServiceMeasure.PHQ9_6: (OutcomeMeasure.PHQ9, Point.MONTH_6),
}


@dataclass(frozen=True)
class ServiceFigure:
    """A share of what happened to ``rows`` of patients."""

    measure: ServiceMeasure
    rows: Sequence[Behind]

    @property
    def numerator(self) -> int:
        """How many are in it."""
        return sum(row.numerator for row in self.rows)

    @property
    def denominator(self) -> int:
        """Of how many."""
        return sum(row.denominator for row in self.rows)


@dataclass(frozen=True)
class Service:
    """Everything on the page.

    ``minutes`` is the median until a concern was taken on; ``returned`` is who came back to
    the clinic, with who is not counted there, and why.
    """

    figures: Mapping[ServiceMeasure, ServiceFigure]
    minutes: float | None
    codes: Mapping[str, int]
    returned: Mapping[ServiceMeasure, Returned]


def service(session: Session, asked: Asked) -> Service:
    """Return every figure of one clinic's days."""
    texts, codes = _texts(session, asked)
    concerns, minutes = _concerns(session, asked)
    came_back = returned(session, asked)
    back = {measure: came_back[days] for measure, days in _RETURNING.items()}
    rows = {
        **{measure: together(each.rows) for measure, each in back.items()},
        **_stayed(session, asked),
        **_measured(session, asked),
        **texts,
        **concerns,
    }
    return Service(
        {each: ServiceFigure(each, rows[each]) for each in ServiceMeasure}, minutes, codes, back
    )


def _stayed(session: Session, asked: Asked) -> dict[ServiceMeasure, list[Behind]]:
    """Count enrolments whose day 91 or 182 fell in the period, and those still in it then."""
    longest = WINDOWS[Point.MONTH_6].target_day * DAY
    starts_on = known.first_day(asked.past)
    rows = session.execute(
        select(
            Enrolment.id,
            Enrolment.patient_id,
            starts_on,
            Enrolment.status,
            Enrolment.status_at,
            known.zone(asked.past),
        )
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(
            asked.within(Enrolment.clinic_id),
            Enrolment.enrolled_at <= asked.now,
            starts_on >= asked.period.from_on - longest,
            starts_on <= asked.period.until_on,
        )
        .order_by(Enrolment.id)
    ).all()
    histories = _histories(session, asked, longest)
    found: dict[ServiceMeasure, list[Behind]] = {measure: [] for measure in _STAYING}
    for enrolment_id, patient_id, began_on, status, status_at, zone in rows:
        latest = [(status_at, status)] if status_at <= asked.now else []
        history = histories.get(enrolment_id) or latest
        for measure, point in _STAYING.items():
            day = began_on + WINDOWS[point].target_day * DAY
            if day in asked.period and day < asked.today:
                stays = _status_on(history, day, ZoneInfo(zone)) in STAYED
                found[measure].append(Behind(patient_id, int(stays), 1))
    return {measure: together(each) for measure, each in found.items()}


def _histories(
    session: Session, asked: Asked, longest: timedelta
) -> Mapping[int, list[tuple[datetime, EnrolmentStatus]]]:
    starts_on = known.first_day(asked.past)
    rows = session.execute(
        select(EnrolmentEvent.enrolment_id, EnrolmentEvent.at, EnrolmentEvent.status)
        .join(Enrolment, Enrolment.id == EnrolmentEvent.enrolment_id)
        .where(
            asked.within(Enrolment.clinic_id),
            EnrolmentEvent.at <= asked.now,
            starts_on >= asked.period.from_on - longest,
            starts_on <= asked.period.until_on,
        )
        .order_by(EnrolmentEvent.at, EnrolmentEvent.id)
    )
    found: defaultdict[int, list[tuple[datetime, EnrolmentStatus]]] = defaultdict(list)
    for enrolment_id, at, status in rows:
        found[enrolment_id].append((at, status))
    return found


def _status_on(
    history: Iterable[tuple[datetime, EnrolmentStatus]], day: date, zone: ZoneInfo
) -> EnrolmentStatus:
    """Return the status as a patient's ``day`` ended; before the first change, ACTIVE."""
    status = EnrolmentStatus.ACTIVE
    for at, changed in history:
        if local_day(at, zone) <= day:
            status = changed
    return status


def _measured(session: Session, asked: Asked) -> dict[ServiceMeasure, list[Behind]]:
    """Count windows that closed in the period, and those with a value in them."""
    until_on = min(asked.period.until_on, asked.today - DAY)
    cohort = outcomes.cohort(
        session,
        asked,
        until_on,
        measures=[OutcomeMeasure.HBA1C, OutcomeMeasure.PHQ9],
        with_talks=False,
    )
    return {
        measure: together(
            Behind(each.patient_id, int(each.at(what, point) is not None), 1)
            for each in cohort.patients
            if _closes_on(each, point) in asked.period
            and each.is_eligible(point, today=cohort.today)
        )
        for measure, (what, point) in _MEASURED.items()
    }


def _closes_on(each: Followed, point: Point) -> date:
    return each.starts_on + WINDOWS[point].until_day * DAY


def _texts(
    session: Session, asked: Asked
) -> tuple[dict[ServiceMeasure, list[Behind]], Mapping[str, int]]:
    """Count texts that the carrier took, and patients who were texted and wrote back."""
    begins_at, ends_at = asked.instants
    wrote = (
        InboxItem.patient_id == Message.patient_id,
        InboxItem.at >= begins_at,
        InboxItem.at < ends_at,
    )
    is_delivered, is_taken = _became_of_texts(asked)
    rows = session.execute(
        select(
            Message.patient_id,
            func.sum(case((is_delivered, 1), else_=0)),
            func.sum(case((is_taken, 1), else_=0)),
            exists().where(*wrote).correlate(Message),
            exists().where(*wrote, InboxItem.understood == Understood.STOP).correlate(Message),
            *(func.sum(case((_has_failed(asked, code), 1), else_=0)) for code in WATCHED_CODES),
        )
        .where(
            asked.within(Message.clinic_id),
            Message.patient_id.is_not(None),
            Message.send_after >= begins_at,
            Message.send_after < ends_at,
        )
        .group_by(Message.patient_id)
        .order_by(Message.patient_id)
    )
    found: dict[ServiceMeasure, list[Behind]] = {
        ServiceMeasure.DELIVERED: [], ServiceMeasure.ANSWERED: [], ServiceMeasure.STOPPED: [],
    }  # fmt: skip
    codes: Counter[str] = Counter()
    for patient_id, delivered, taken, has_answered, has_stopped, *failed in rows:
        codes.update(dict(zip(WATCHED_CODES, map(int, failed), strict=True)))
        if taken:
            parts = (int(delivered), int(taken))
            found[ServiceMeasure.DELIVERED].append(Behind(patient_id, *parts))
            found[ServiceMeasure.ANSWERED].append(Behind(patient_id, int(has_answered), 1))
            found[ServiceMeasure.STOPPED].append(Behind(patient_id, int(has_stopped), 1))
    return {measure: together(each) for measure, each in found.items()}, codes


def _became_of_texts(asked: Asked) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions that a text was delivered, and that the carrier had taken it.

    As of an earlier day by what the carrier had reported by then.
    """
    if not asked.is_past:
        return Message.status == MessageStatus.DELIVERED, Message.status.in_(TAKEN)
    was_accepted = and_(Message.accepted_at.is_not(None), Message.accepted_at <= asked.now)
    delivered = _reported(asked, DeliveryEvent.status == MessageStatus.DELIVERED.value)
    failed = _reported(asked, DeliveryEvent.status == MessageStatus.FAILED.value)
    return and_(was_accepted, delivered), and_(was_accepted, ~failed)


def _has_failed(asked: Asked, code: str) -> ColumnElement[bool]:
    """Return the condition that a text failed for a reason, by report or when it was sent."""
    if not asked.is_past:
        return Message.failure == code
    any_report = exists().where(DeliveryEvent.message_id == Message.id).correlate(Message)
    at_once = and_(Message.failure == code, Message.calling_at <= asked.now, ~any_report)
    return or_(_reported(asked, DeliveryEvent.error_code == int(code)), at_once)


def _reported(asked: Asked, what: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        exists()
        .where(DeliveryEvent.message_id == Message.id, DeliveryEvent.received_at <= asked.now, what)
        .correlate(Message)
    )


def _concerns(
    session: Session, asked: Asked
) -> tuple[dict[ServiceMeasure, list[Behind]], float | None]:
    """Count concerns raised in the period: taken on within their target, and closed by now.

    One that waits and whose time is not over yet is in no rate of time. One that was opened
    again was taken on when it first was: a concern forgets that, its steps don't.
    """
    begins_at, ends_at = asked.instants
    rows = session.execute(
        select(Concern.id, Concern.patient_id, Concern.urgency, Concern.raised_at)
        .where(
            asked.within(Concern.clinic_id),
            Concern.raised_at >= begins_at,
            Concern.raised_at < ends_at,
        )
        .order_by(Concern.id)
    ).all()
    steps = _steps(session, asked)
    in_time: list[Behind] = []
    closed: list[Behind] = []
    waits: list[float] = []
    for concern_id, patient_id, urgency, raised_at in rows:
        taken_on, is_closed = _how_met(steps.get(concern_id, ()))
        closed.append(Behind(patient_id, int(is_closed), 1))
        wait = (taken_on or asked.now) - raised_at
        if taken_on is not None:
            waits.append(wait / timedelta(minutes=1))
        if taken_on is not None or wait > urgency.target:
            in_time.append(Behind(patient_id, int(wait <= urgency.target), 1))
    found = {
        ServiceMeasure.IN_TIME: together(in_time),
        ServiceMeasure.CLOSED: together(closed),
    }
    return found, median(waits) if waits else None


def _how_met(steps: Sequence[tuple[StepKind, datetime]]) -> tuple[datetime | None, bool]:
    """Return when a concern was first taken on, if it was, and whether it is closed."""
    met = [at for kind, at in steps if kind is not StepKind.REOPENED]
    return min(met, default=None), bool(steps) and steps[-1][0] is StepKind.CLOSED


def _steps(session: Session, asked: Asked) -> Mapping[int, list[tuple[StepKind, datetime]]]:
    """Return by concern, in order, when each was taken on, closed, and opened again."""
    begins_at, ends_at = asked.instants
    rows = session.execute(
        select(ConcernStep.concern_id, ConcernStep.kind, ConcernStep.at)
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(
            asked.within(Concern.clinic_id),
            Concern.raised_at >= begins_at,
            Concern.raised_at < ends_at,
            ConcernStep.kind.in_((StepKind.ACKNOWLEDGED, StepKind.CLOSED, StepKind.REOPENED)),
            ConcernStep.at <= asked.now,
        )
        .order_by(ConcernStep.id)
    )
    found: defaultdict[int, list[tuple[StepKind, datetime]]] = defaultdict(list)
    for concern_id, kind, at in rows:
        found[concern_id].append((kind, at))
    return found


def together(rows: Iterable[Behind]) -> list[Behind]:
    """Return one row a patient, those who add least of what they could first."""
    parts: Counter[int] = Counter()
    wholes: Counter[int] = Counter()
    for row in rows:
        parts[row.patient_id] += row.numerator
        wholes[row.patient_id] += row.denominator
    found = [Behind(patient_id, parts[patient_id], whole) for patient_id, whole in wholes.items()]
    return sorted(found, key=lambda row: (row.numerator - row.denominator, row.patient_id))
