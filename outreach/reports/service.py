"""What stands around the calls: who stays, who is measured, texts, and how concerns are met.

Each figure is facts (``facts.py``): their sum is on the card, by patient they are the list behind
it, by caller, phase, week or kind of people its groups. Source of the definitions: domain.md E3.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import concerns_met, known, outcomes
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Behind
from outreach.reports.concerns_met import Met
from outreach.reports.facts import Fact, together
from outreach.reports.returned import Returned, returned
from outreach.reports.rules.outcomes import WINDOWS, Followed, OutcomeMeasure, Point
from outreach.reports.rules.period import DAY
from outreach.reports.texts import Texted, texted

STAYED = frozenset({EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED, EnrolmentStatus.COMPLETED})


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
    REFUSED = "refused_21610"
    FILTERED = "refused_30007"
    UNREGISTERED = "refused_30034"
    IN_TIME = "in_time"
    CLOSED = "closed"


class LeftOut(enum.StrEnum):
    """Why something is in no figure. The value is the word of it in files."""

    IN_CARE = "in care at enrolment"
    NO_VISIT = "no visit on file"
    AFTER_IMPORT = "after the last import of visits"
    NOT_TAKEN = "texts that the carrier did not take"
    UNTEXTED = "patients of whose texts it took none"
    HAS_TIME = "waits within its time"


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
# Codes of the carrier that tell of a wrong list, a spam filter, a sender not registered.
CODES = {
    ServiceMeasure.REFUSED: "21610",
    ServiceMeasure.FILTERED: "30007",
    ServiceMeasure.UNREGISTERED: "30034",
}


@dataclass(frozen=True)
class ServiceFigure:
    """A share of what happened, as the facts that it is the sum of."""

    measure: ServiceMeasure
    facts: Sequence[Fact]

    @cached_property
    def rows(self) -> Sequence[Behind]:
        """What each patient adds to it."""
        return together(self.facts)

    @cached_property
    def numerator(self) -> int:
        """How many are in it."""
        return sum(fact.numerator for fact in self.facts)

    @cached_property
    def denominator(self) -> int:
        """Of how many."""
        return sum(fact.denominator for fact in self.facts)


@dataclass(frozen=True)
class Service:
    """Everything on the page.

    ``concerns`` are all that were raised, ``minutes`` the median until one was taken on;
    ``left_out`` is what is in no figure, with why: of a measure that is not in it everybody counts.
    """

    figures: Mapping[ServiceMeasure, ServiceFigure]
    concerns: Sequence[Met]
    minutes: float | None
    left_out: Mapping[ServiceMeasure, Mapping[LeftOut, int]]


def service(session: Session, asked: Asked, *, by_day: bool = False) -> Service:
    """Return every figure of one clinic's days.

    ``by_day``: with the day of each fact, also of texts, which else are counted by patient.
    """
    texts = texted(session, asked, by_day=by_day)
    concerns = concerns_met.met(session, asked)
    came_back = returned(session, asked)
    back = {measure: came_back[days] for measure, days in _RETURNING.items()}
    facts: Mapping[ServiceMeasure, Sequence[Fact]] = {
        **{measure: each.facts for measure, each in back.items()},
        **_stayed(session, asked),
        **_measured(session, asked),
        ServiceMeasure.DELIVERED: texts.delivered,
        ServiceMeasure.ANSWERED: texts.answered,
        ServiceMeasure.STOPPED: texts.stopped,
        **{measure: texts.refused[code] for measure, code in CODES.items()},
        ServiceMeasure.IN_TIME: concerns_met.in_time_facts(asked, concerns),
        ServiceMeasure.CLOSED: concerns_met.closed_facts(asked, concerns),
    }
    has_time = sum(each.is_in_time is None for each in concerns)
    return Service(
        {each: ServiceFigure(each, facts[each]) for each in ServiceMeasure},
        concerns,
        concerns_met.median_minutes(concerns),
        _left_out(back, texts, has_time),
    )


def _left_out(
    back: Mapping[ServiceMeasure, Returned], texts: Texted, has_time: int
) -> Mapping[ServiceMeasure, Mapping[LeftOut, int]]:
    came_back = {
        measure: {
            LeftOut.IN_CARE: each.in_care,
            LeftOut.NO_VISIT: each.unknown,
            LeftOut.AFTER_IMPORT: each.uncovered,
        }
        for measure, each in back.items()
    }
    untexted = {LeftOut.UNTEXTED: texts.untexted}
    return {
        **came_back,
        ServiceMeasure.DELIVERED: {LeftOut.NOT_TAKEN: texts.not_taken},
        ServiceMeasure.ANSWERED: untexted,
        ServiceMeasure.STOPPED: untexted,
        ServiceMeasure.IN_TIME: {LeftOut.HAS_TIME: has_time},
    }


def _stayed(session: Session, asked: Asked) -> dict[ServiceMeasure, list[Fact]]:
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
    found: dict[ServiceMeasure, list[Fact]] = {measure: [] for measure in _STAYING}
    for enrolment_id, patient_id, began_on, status, status_at, zone in rows:
        latest = [(status_at, status)] if status_at <= asked.now else []
        history = histories.get(enrolment_id) or latest
        for measure, point in _STAYING.items():
            day = began_on + WINDOWS[point].target_day * DAY
            if day in asked.period and day < asked.today:
                stays = _status_on(history, day, ZoneInfo(zone)) in STAYED
                found[measure].append(Fact(patient_id, int(stays), 1, day, enrolment_id))
    return found


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


def _measured(session: Session, asked: Asked) -> dict[ServiceMeasure, list[Fact]]:
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
        measure: [
            Fact(
                each.patient_id,
                int(each.at(what, point) is not None),
                1,
                _closes_on(each, point),
            )
            for each in cohort.patients
            if _closes_on(each, point) in asked.period
            and each.is_eligible(point, today=cohort.today)
        ]
        for measure, (what, point) in _MEASURED.items()
    }


def _closes_on(each: Followed, point: Point) -> date:
    return each.starts_on + WINDOWS[point].until_day * DAY
