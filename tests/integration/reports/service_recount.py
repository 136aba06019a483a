"""What stands around the calls, counted row by row as the definitions say, by groups."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.concerns.models import Concern
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.panels.models import PanelMembership
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.period import Period
from outreach.reports.service import ServiceMeasure

RECOUNTED = (
    ServiceMeasure.STAYED_3,
    ServiceMeasure.DELIVERED,
    ServiceMeasure.REFUSED,
    ServiceMeasure.ANSWERED,
    ServiceMeasure.CLOSED,
)
# What is counted, of which patient, on which day, in which enrolment, and whether it is in it.
Counted = tuple[ServiceMeasure, int, date | None, Enrolment | None, bool]


class ServiceRecount:
    """A clinic's days without an answer to any text, counted by caller, phase or week."""

    def __init__(self, session: Session, clinic: Clinic, period: Period) -> None:
        self.zone, self.period = ZoneInfo(clinic.zone), period
        here = {"clinic_id": clinic.id}
        self.enrolments = session.scalars(
            select(Enrolment).filter_by(**here).order_by(Enrolment.id)
        ).all()
        self.held = session.scalars(
            select(PanelMembership).filter_by(**here).order_by(PanelMembership.from_at)
        ).all()
        self.texts = session.scalars(select(Message).filter_by(**here)).all()
        self.concerns = session.scalars(select(Concern).filter_by(**here)).all()

    def by(self, dimension: Dimension) -> dict[tuple[ServiceMeasure, str], tuple[int, int]]:
        """Return (numerator, denominator) of each measure and group."""
        group = {
            Dimension.CALLER: self.caller,
            Dimension.PHASE: self.phase,
            Dimension.WEEK: self.week,
        }[dimension]
        found: dict[tuple[ServiceMeasure, str], tuple[int, int]] = {}
        for measure, patient_id, day, enrolment, is_in in self.counted():
            key = (measure, group(patient_id, day, enrolment))
            part, whole = found.get(key, (0, 0))
            found[key] = (part + is_in, whole + 1)
        return found

    def counted(self) -> Iterator[Counted]:
        yield from self.stayed()
        yield from self.texted()
        for concern in self.concerns:
            day = self.day_of(concern.raised_at)
            yield ServiceMeasure.CLOSED, concern.patient_id, day, None, False

    def stayed(self) -> Iterator[Counted]:
        for each in self.enrolments:
            day = each.starts_on + timedelta(days=91)
            has_left = each.status is EnrolmentStatus.WITHDRAWN and each.status_at.date() <= day
            if day in self.period:
                yield ServiceMeasure.STAYED_3, each.patient_id, day, each, not has_left

    def texted(self) -> Iterator[Counted]:
        taken = set()
        for each in self.texts:
            day, who = self.day_of(each.send_after), each.patient_id or 0
            if day not in self.period or each.status is MessageStatus.SKIPPED:
                continue
            is_failed = each.status is MessageStatus.FAILED
            yield ServiceMeasure.REFUSED, who, day, None, is_failed
            if not is_failed:
                taken.add(who)
                is_in = each.status is MessageStatus.DELIVERED
                yield ServiceMeasure.DELIVERED, who, day, None, is_in
        for who in taken:
            yield ServiceMeasure.ANSWERED, who, None, None, False

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def caller(self, patient_id: int, day: date | None, enrolment: Enrolment | None) -> str:
        last = (day or self.period.until_on) + timedelta(days=1)
        ended_at = datetime.combine(last, time(), tzinfo=self.zone)
        callers = [
            each.caller_id
            for each in self.held
            if each.patient_id == patient_id
            and each.from_at < ended_at
            and (enrolment is None or each.enrolment_id == enrolment.id)
        ]
        return str(callers[-1]) if callers else ""

    def phase(self, patient_id: int, day: date | None, enrolment: Enrolment | None) -> str:
        begun = [
            each
            for each in self.enrolments
            if day is not None
            and each.patient_id == patient_id
            and each.starts_on <= day
            and enrolment in (None, each)
        ]
        if day is None or not begun:
            return ""
        week = (day - begun[-1].starts_on).days // 7 + 1
        return "week_1" if week == 1 else "weeks_2_to_4" if week <= 4 else "weeks_5_to_26"

    def week(self, _patient_id: int, day: date | None, _enrolment: Enrolment | None) -> str:
        return str(day - timedelta(days=day.weekday())) if day else ""
