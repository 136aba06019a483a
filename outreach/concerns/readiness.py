"""Whether somebody stands behind a call: who is on call now, and where the coming week has gaps.

No call starts without a named person on call (domain.md C3). Dated times come first, then the
weekly ones, then the clinic's lead, so that one forgotten entry locks nobody out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.built_once import built_once
from outreach.clock import local_day
from outreach.concerns import rota
from outreach.concerns.models import ClinicSafety, OnCall, OnCallWeek
from outreach.concerns.rules import Needed, OnCallRank, Span, gaps
from outreach.errors import RuleBroken
from outreach.orm import rows_of
from outreach.patients import hours

DAYS_AHEAD = 7


class NobodyOnCall(RuleBroken):
    """No call starts: nobody would be told of a concern."""

    def __init__(self, clinic_id: int) -> None:
        super().__init__("Nobody is on call now, so no call can start.")
        self.clinic_id = clinic_id


@dataclass(frozen=True)
class Net:
    """How a clinic keeps its net: who must be on call, and who leads where nobody is."""

    needed: Needed = Needed.ANYBODY
    lead_id: int | None = None


@dataclass(frozen=True)
class _House:
    """The net of a clinic, and who of its staff can be on call, by id."""

    net: Net
    able: dict[int, StaffMember]


@dataclass(frozen=True)
class Watch:
    """Who is on call at a clinic now, by rank, and whether that is enough to start a call."""

    ready: dict[OnCallRank, StaffMember]
    needed: Needed

    @property
    def is_enough(self) -> bool:
        """Whether a call may start."""
        return bool(self.ready) and (
            self.needed is Needed.ANYBODY or OnCallRank.FIRST in self.ready
        )

    @property
    def first(self) -> StaffMember | None:
        """Who is rung first."""
        return next(iter(self.ready.values()), None)


def watch(session: Session, clinic_id: int, *, now: datetime) -> Watch:
    """Return who is on call at a clinic: only those who are its nurses and managers still."""
    return _watch(session, clinic_id, _house(session, clinic_id, now=now), now=now)


def outlook(session: Session, clinic: Clinic, *, now: datetime) -> tuple[Watch, list[Span]]:
    """Return who is on call now, and :func:`coming_gaps`, with what both need read once."""
    house = _house(session, clinic.id, now=now)
    return _watch(session, clinic.id, house, now=now), _gaps(session, clinic, house, now=now)


def _house(session: Session, clinic_id: int, *, now: datetime) -> _House:
    able = {person.id: person for person in rota.people(session, clinic_id, now=now)}
    return _House(net_of(session, clinic_id), able)


def _watch(session: Session, clinic_id: int, house: _House, *, now: datetime) -> Watch:
    net, able = house.net, house.able
    found: dict[OnCallRank, StaffMember] = {}
    for rank, staff_id in _named(session, clinic_id, net, now=now):
        if staff_id in able:
            found.setdefault(rank, able[staff_id])
    return Watch({rank: found[rank] for rank in OnCallRank if rank in found}, net.needed)


def refuse_unguarded(session: Session, clinic_id: int, *, now: datetime) -> None:
    """Raise NobodyOnCall where a call must not start. Asked by whatever starts a call."""
    if not watch(session, clinic_id, now=now).is_enough:
        raise NobodyOnCall(clinic_id)


def net_of(session: Session, clinic_id: int) -> Net:
    """Return how a clinic keeps its net."""
    row = session.get(ClinicSafety, clinic_id)
    return Net(row.needed, row.lead_id) if row else Net()


def keep_net(session: Session, clinic: Clinic, net: Net, *, now: datetime) -> None:
    """Keep how a clinic keeps its net. Does not commit.

    Raises:
        UnfitForDuty: the lead is not a nurse or manager of the clinic.
    """
    if net.lead_id is not None:
        rota.refuse_unfit(session, clinic.id, net.lead_id, now=now)
    session.merge(ClinicSafety(clinic_id=clinic.id, needed=net.needed, lead_id=net.lead_id))
    session.flush()


def coming_gaps(session: Session, clinic: Clinic, *, now: datetime) -> list[Span]:
    """Return when, in the coming seven days, calls could be made and nobody is on call."""
    return _gaps(session, clinic, _house(session, clinic.id, now=now), now=now)


def _gaps(session: Session, clinic: Clinic, house: _House, *, now: datetime) -> list[Span]:
    net, able = house.net, house.able
    if net.needed is Needed.ANYBODY and net.lead_id in able:
        return []
    counted = (OnCallRank.FIRST,) if net.needed is Needed.FIRST else tuple(OnCallRank)
    kept = [
        span
        for rank, staff_id, span in [
            *_dated_spans(session, clinic, now=now),
            *_weekly_spans(session, clinic, now=now),
        ]
        if rank in counted and staff_id in able
    ]
    return gaps(_calling_hours(session, clinic, now=now), kept)


def _named(
    session: Session, clinic_id: int, net: Net, *, now: datetime
) -> Iterator[tuple[OnCallRank, int]]:
    yield from ((rank, staff_id) for rank, staff_id in rows_of(session, *_dated(clinic_id, now)))
    zone = session.get_one(Clinic, clinic_id).zone
    local = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    weekly = _weeks(session, clinic_id)
    yield from ((row.rank, row.staff_id) for row in weekly if row.turn.holds(local))
    if net.lead_id is not None:
        yield OnCallRank.LEAD, net.lead_id


@built_once
def _dated(clinic_id: Any, now: Any) -> Select[OnCallRank, int]:
    return (
        select(OnCall.rank, OnCall.staff_id)
        .where(OnCall.clinic_id == clinic_id, OnCall.from_at <= now, OnCall.until_at > now)
        .order_by(OnCall.id)
    )


def _weeks(session: Session, clinic_id: int) -> Sequence[OnCallWeek]:
    return session.scalars(*_weeks_of(clinic_id)).all()


@built_once
def _weeks_of(clinic_id: Any) -> Select[OnCallWeek]:
    return select(OnCallWeek).where(OnCallWeek.clinic_id == clinic_id).order_by(OnCallWeek.id)


def _calling_hours(session: Session, clinic: Clinic, *, now: datetime) -> list[Span]:
    """Return the stretches of the coming days in which the clinic may call at all."""
    zone = ZoneInfo(clinic.zone)
    today = local_day(now, zone)
    open_hours = hours.book_of(session, today=today, clinic_ids=[clinic.id]).of(clinic.id, None)
    spans = []
    for ahead in range(DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        bounds = open_hours.bounds_on(day)
        if bounds is not None:
            opens, closes = (datetime.combine(day, each) for each in bounds)
            span = max(_instant(opens, zone), now), _instant(closes, zone)
            spans += [span] if span[0] < span[1] else []
    return spans


def _dated_spans(
    session: Session, clinic: Clinic, *, now: datetime
) -> Iterator[tuple[OnCallRank, int, Span]]:
    for row in rota.coming(session, clinic.id, now=now):
        yield row.rank, row.staff_id, (row.from_at, row.until_at)


def _weekly_spans(
    session: Session, clinic: Clinic, *, now: datetime
) -> Iterator[tuple[OnCallRank, int, Span]]:
    zone = ZoneInfo(clinic.zone)
    today = local_day(now, zone)
    for row in _weeks(session, clinic.id):
        for ahead in range(-1, DAYS_AHEAD):
            local = row.turn.on(today + timedelta(days=ahead))
            if local is not None:
                span = _instant(local[0], zone), _instant(local[1], zone)
                yield row.rank, row.staff_id, span


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
