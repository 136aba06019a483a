"""Which caller, phase or week a fact around the calls belongs to.

To whoever was the patient's caller as its day ended, or was it last before: who has left has no
caller any more, and somebody had them until then. To the phase of that day, the last one where
the programme was over. What is of no single day belongs to the caller of the period's last day,
and to no phase or week.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import SQLColumnExpression, select
from sqlalchemy.orm import Session

from outreach.panels.models import PanelMembership
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import Protocol
from outreach.reports import known
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Dimension
from outreach.reports.courses import protocols_of
from outreach.reports.facts import Fact
from outreach.reports.rules.period import DAY, begin_of, monday_of

GroupOf = Callable[[Fact], str]


class Begun(NamedTuple):
    """Since ``since`` somebody was a patient's caller in an enrolment."""

    since: datetime
    enrolment_id: int
    caller_id: int


class Enrolled(NamedTuple):
    """An enrolment of a patient, by what it asks and since when."""

    id: int
    protocol: Protocol
    starts_on: date


def group_of(session: Session, asked: Asked, dimension: Dimension) -> GroupOf:
    """Return what says which caller, phase or week a fact belongs to; "" is none.

    Raises:
        KeyError: ``dimension`` is none of these.
    """
    make = {Dimension.CALLER: _caller_of, Dimension.PHASE: _phase_of, Dimension.WEEK: _week_of}
    return make[dimension](session, asked)


def _week_of(_session: Session, _asked: Asked) -> GroupOf:
    return lambda fact: monday_of(fact.on).isoformat() if fact.on else ""


def _caller_of(session: Session, asked: Asked) -> GroupOf:
    begun = _begun(session, asked)
    ends_at = lru_cache(maxsize=None)(lambda day: begin_of(day + DAY, asked.zone))

    def caller(fact: Fact) -> str:
        until = ends_at(fact.on or asked.period.until_on)
        for each in reversed(begun.get(fact.patient_id, ())):
            if each.since < until and fact.enrolment_id in (None, each.enrolment_id):
                return str(each.caller_id)
        return ""

    return caller


def _begun(session: Session, asked: Asked) -> dict[int, list[Begun]]:
    """Return by patient, in order, since when somebody was their caller."""
    held = PanelMembership
    rows = (
        select(held.patient_id, held.from_at, held.enrolment_id, held.caller_id)
        .join(Enrolment, Enrolment.id == held.enrolment_id)
        .where(asked.within(Enrolment.clinic_id))
        .order_by(held.from_at, held.id)
    )
    if asked.is_past:
        rows = rows.where(held.from_at <= asked.now)
    found: defaultdict[int, list[Begun]] = defaultdict(list)
    for patient_id, since, enrolment_id, caller_id in session.execute(rows):
        found[patient_id].append(Begun(since, enrolment_id, caller_id))
    return dict(found)


def _phase_of(session: Session, asked: Asked) -> GroupOf:
    enrolled = _enrolled(session, asked)

    def phase(fact: Fact) -> str:
        if fact.on is None:
            return ""
        for each in reversed(enrolled.get(fact.patient_id, ())):
            is_of_it = fact.enrolment_id in (None, each.id)
            if is_of_it and each.starts_on <= fact.on:
                last_on = each.protocol.ends_on(each.starts_on) - DAY
                found = each.protocol.phase_on(min(fact.on, last_on), each.starts_on)
                return found.code if found else ""
        return ""

    return phase


def _enrolled(session: Session, asked: Asked) -> dict[int, Sequence[Enrolled]]:
    """Return by patient the enrolments that were known of, the latest last."""
    version_id: SQLColumnExpression[int] = Enrolment.version_id
    if asked.is_past:
        version_id = known.version_id(asked.now)
    protocols = protocols_of(session)
    rows = session.execute(
        select(Enrolment.patient_id, Enrolment.id, version_id, known.first_day(asked.past))
        .where(asked.within(Enrolment.clinic_id), Enrolment.enrolled_at <= asked.now)
        .order_by(Enrolment.id)
    )
    found: defaultdict[int, list[Enrolled]] = defaultdict(list)
    for patient_id, enrolment_id, version, starts_on in rows:
        found[patient_id].append(Enrolled(enrolment_id, protocols[version], starts_on))
    return dict(found)
