"""The promises of the plan, held against its rows: ``flask plan check``."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from outreach.clock import local_day
from outreach.patients.models import Patient
from outreach.patients.rules import is_allowed_at
from outreach.planning import candidates, courses, next_call, pauses, silence, spoken
from outreach.planning.courses import Standing
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus
from outreach.planning.rules.silence import Silence, Step, steps
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus, FollowUpPolicy

PAGE = 1000
# Calls that somebody is in are left to them for half an hour (calls.rules.HELD_FOR).
LEFT_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Breach:
    """A promise that is broken, and for which enrolments."""

    promise: str
    enrolment_ids: tuple[int, ...]


def breaches(session: Session, *, now: datetime) -> list[Breach]:
    """Return every promise of the plan that the rows break at ``now``; reads only."""
    found = [(words, session.scalars(of(now)).all()) for words, of in _BY_ROWS.items()]
    lost = _in_no_known_zone(session)
    found.append(("every time zone is one that this machine knows", sorted(lost)))
    without = list(_without_a_call(session, lost, now=now))
    found.append(("who should have a call has one", without))
    found += _about_silence(session, now=now).items()
    found.append(("pauses end on their day", list(pauses.over_ids(session, now=now - LEFT_FOR))))
    by_calendar: dict[str, list[int]] = {words: [] for words in _BY_CALENDAR}
    for call, standing in _open_calls(session, lost, now=now):
        for words, holds in _BY_CALENDAR.items():
            if not holds(call, standing):
                by_calendar[words].append(standing.enrolment_id)
    found += by_calendar.items()
    return [Breach(words, tuple(ids)) for words, ids in found if ids]


def _several_open(_now: datetime) -> Select[int]:
    return _where_open().group_by(PlannedCall.enrolment_id).having(func.count() > 1)


def _open_for_nobody(_now: datetime) -> Select[int]:
    return (
        _where_open()
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .where(Enrolment.status != EnrolmentStatus.ACTIVE)
    )


def _answered(_now: datetime) -> Select[int]:
    spoken_after = spoken.silences().subquery("known")
    return (
        select(FollowUp.enrolment_id)
        .join(spoken_after, spoken_after.c.id == FollowUp.enrolment_id)
        .where(FollowUp.done_at.is_(None), FollowUp.opened_at < spoken_after.c.since_at)
        .order_by(FollowUp.enrolment_id)
    )


def _gaps(_now: datetime) -> Select[int]:
    sequence = PlannedCall.sequence
    return (
        select(PlannedCall.enrolment_id)
        .group_by(PlannedCall.enrolment_id)
        .having(or_(func.min(sequence) != 1, func.max(sequence) != func.count()))
        .order_by(PlannedCall.enrolment_id)
    )


def _twice_a_day(_now: datetime) -> Select[int]:
    return (
        select(PlannedCall.enrolment_id)
        .where(PlannedCall.status != CallStatus.CANCELLED)
        .group_by(PlannedCall.enrolment_id, PlannedCall.due_on)
        .having(func.count() > 1)
        .order_by(PlannedCall.enrolment_id)
    )


def _left_behind(now: datetime) -> Select[int]:
    return _where_open().where(PlannedCall.dial_until_at <= now - LEFT_FOR)


def _planned_into_the_past(_now: datetime) -> Select[int]:
    return _where_open().where(
        or_(
            PlannedCall.dial_from_at < PlannedCall.planned_at,
            PlannedCall.dial_until_at <= PlannedCall.dial_from_at,
        )
    )


def _where_open() -> Select[int]:
    return (
        select(PlannedCall.enrolment_id)
        .where(PlannedCall.is_open)
        .order_by(PlannedCall.enrolment_id)
    )


def _in_no_known_zone(session: Session) -> frozenset[int]:
    """Return who lives where no clock can be told: nothing else can be judged of them.

    A zone may be newer than the machine's own list of zones.
    """
    zones = session.scalars(select(Patient.zone).distinct()).all()
    unknown = set(zones) - available_timezones()
    query = select(Enrolment.id).join(Patient, Patient.id == Enrolment.patient_id)
    return (
        frozenset(session.scalars(query.where(Patient.zone.in_(unknown))))
        if unknown
        else frozenset()
    )


def _without_a_call(session: Session, lost: frozenset[int], *, now: datetime) -> Iterator[int]:
    """Yield who is active, has a caller and a contact ahead, and no call for it."""
    after_id = 0
    while ids := courses.unplanned_ids(session, after_id=after_id, limit=PAGE):
        for standing in courses.standings(session, _but(lost, ids), now=now):
            if next_call.contact_of(standing, now=now):
                yield standing.enrolment_id
        after_id = ids[-1]


def _about_silence(session: Session, *, now: datetime) -> dict[str, list[int]]:
    """Return who should have been followed up by now, and with what."""
    found: dict[str, list[int]] = {words: [] for words in _BY_STEP.values()}
    policies = spoken.policies(session)
    after_id: int | None = 0
    while after_id is not None:
        page = candidates.page_of(session, now=now, after_id=after_id, limit=PAGE)
        for enrolment_id, known in silence.read(session, page.ids).items():
            for step, words in _BY_STEP.items():
                if _is_due(step, known.silence, policies[known.version_id], now=now):
                    found[words].append(enrolment_id)
        after_id = page.next_after_id
    return found


def _is_due(step: Step, silence: Silence, policy: FollowUpPolicy, *, now: datetime) -> bool:
    """Say whether a step should have been taken, by a planner that was given the time to."""
    until_at = now - _LEFT_FOR_STEP[step]
    if any(rest.until_at > until_at for rest in silence.rests):
        return False
    return step in {follow.step for follow in steps(silence, policy, now=until_at)}


def _but(lost: frozenset[int], ids: Iterable[int]) -> list[int]:
    return [each for each in ids if each not in lost]


def _open_calls(
    session: Session, lost: frozenset[int], *, now: datetime
) -> Iterator[tuple[PlannedCall, Standing]]:
    """Yield every open call with where its enrolment stands, a page at a time."""
    after_id = 0
    while page := _page(session, after_id):
        by_enrolment = {call.enrolment_id: call for call in page}
        for standing in courses.standings(session, _but(lost, by_enrolment), now=now):
            yield by_enrolment[standing.enrolment_id], standing
        after_id = page[-1].id
        for call in page:
            session.expunge(call)


def _page(session: Session, after_id: int) -> Sequence[PlannedCall]:
    return session.scalars(
        select(PlannedCall)
        .where(PlannedCall.id > after_id, PlannedCall.is_open)
        .order_by(PlannedCall.id)
        .limit(PAGE)
    ).all()


def _is_lawful(call: PlannedCall, standing: Standing) -> bool:
    lawful = standing.course.calendar.lawful()
    return call.is_agreed or is_allowed_at(call.dial_from_at, standing.zone, lawful)


def _is_within_its_days(call: PlannedCall, standing: Standing) -> bool:
    on = local_day(call.dial_from_at, standing.zone)
    return call.due_on <= call.complete_by_on and on <= call.complete_by_on


def _is_within_the_programme(call: PlannedCall, standing: Standing) -> bool:
    course = standing.course
    return course.starts_on <= call.due_on < course.protocol.ends_on(course.starts_on)


_BY_ROWS: dict[str, Callable[[datetime], Select[int]]] = {
    "one call of an enrolment is open at a time": _several_open,
    "nothing is planned for who is not called": _open_for_nobody,
    "a conversation closes what was to see to": _answered,
    "calls are counted without gaps": _gaps,
    "two calls are never due on one day": _twice_a_day,
    "no slot is over and left behind": _left_behind,
    "no call is planned into the past": _planned_into_the_past,
}
_BY_STEP = {
    Step.REVIEW_TIMES: "after missed calls in a row a caller is asked to review the times",
    Step.CONTACT_CHECK: "after more missed calls, or days of silence, the contact is checked",
    Step.WELFARE_CHECK: "after still more, a nurse makes sure that they are well",
    Step.UNREACHABLE: "nobody who was tried stays active through all the days of silence",
}
# Nobody is given up in the hours in which somebody may be ringing them.
_LEFT_FOR_STEP = {
    Step.REVIEW_TIMES: LEFT_FOR,
    Step.CONTACT_CHECK: LEFT_FOR,
    Step.WELFARE_CHECK: LEFT_FOR,
    Step.UNREACHABLE: timedelta(days=1),
}
_BY_CALENDAR: dict[str, Callable[[PlannedCall, Standing], bool]] = {
    "slots begin within lawful hours": _is_lawful,
    "calls are tried within their days": _is_within_its_days,
    "calls are due within the programme": _is_within_the_programme,
}
