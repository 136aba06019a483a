"""Proposals as they are stored: made, looked at, changed line by line, applied once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    and_,
    cast,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Scope, in_order_of_names
from outreach.accounts.scoping import visible
from outreach.errors import RuleBroken, Stale
from outreach.panels import proposing, solving
from outreach.panels.applying import NoProposal, changes_of, signature
from outreach.panels.models import Proposal, ProposalLine
from outreach.panels.proposing import Person, Place, Plan
from outreach.panels.rules.load import WEEKS_AHEAD, Weeks, added
from outreach.panels.rules.matching import Candidate, Unmet, is_allowed, unmet
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment

PAGE = 50
FARTHEST_START = timedelta(weeks=12)


class UnfitChoice(RuleBroken):
    """This caller may not have this patient, or this day is no first day."""


class LineChanged(Stale):
    """Somebody else chose for this line meanwhile; nothing was changed."""


@dataclass(frozen=True)
class Choice:
    """What a manager chose for one line; ``seen`` is its :func:`state_of` on their page."""

    caller_id: int | None
    starts_on: date | None
    seen: str


@dataclass(frozen=True)
class Shown:
    """One line as the page shows it."""

    line: ProposalLine
    patient: Patient
    enrolled_at: datetime
    caller_name: str | None


@dataclass(frozen=True)
class Filled:
    """A caller with what the proposal would bring them."""

    caller: Candidate
    name: str
    new: int
    load: Weeks

    @property
    def is_above_cap(self) -> bool:
        """Whether their panel would be larger than its cap."""
        return self.caller.panel_size + self.new > self.caller.cap

    @property
    def is_above_hours(self) -> bool:
        """Whether a week would cost more than their hours."""
        return max(self.load, default=0) > self.caller.weekly_minutes + 1

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of their hours that each of the next WEEKS_AHEAD weeks costs."""
        ahead = self.load[:WEEKS_AHEAD]
        return tuple(each / max(1, self.caller.weekly_minutes) for each in ahead)


def make(session: Session, clinic: Clinic, *, by_staff_id: int, now: datetime) -> Proposal:
    """Work out and store a proposal for everybody who waits at a clinic. Does not commit.

    It takes the place of the open one; lines that a manager chose there stay where they can.
    """
    own = select(Clinic.id).where(Clinic.id == clinic.id)
    session.execute(own.with_for_update(key_share=True))  # who applies one names the clinic
    before = _open(session, clinic.id, is_locked=True)
    chosen = _chosen(session, before) if before else {}
    if before is not None:
        before.dropped_at = now
        session.flush()
    place = proposing.place_of(session, clinic, now=now)
    people = proposing.people_waiting(session, clinic.id, place)
    kept, place = _kept(people, chosen, place)
    plan = proposing.work_out([each for each in people if each.enrolment_id not in kept], place)
    proposal = Proposal(
        clinic_id=clinic.id,
        by_staff_id=by_staff_id,
        made_at=now,
        facts=_facts(session, clinic.id, plan, place),
    )
    session.add(proposal)
    session.flush()
    lines = [
        _row(proposal.id, position, person, plan, kept, place)
        for position, person in enumerate(people)
    ]
    if lines:
        session.execute(insert(ProposalLine), lines)
    return proposal


def open_of(session: Session, clinic_id: int, *, is_locked: bool = False) -> Proposal:
    """Return the proposal that is open at a clinic, or raise NoProposal."""
    found = _open(session, clinic_id, is_locked=is_locked)
    if found is None:
        raise NoProposal("No proposal is open here.")
    return found


def is_open(session: Session, clinic_id: int) -> bool:
    """Say whether a proposal waits to be applied at a clinic."""
    return _open(session, clinic_id) is not None


def page_of(
    session: Session, proposal: Proposal, show: str, number: int
) -> tuple[list[Shown], int]:
    """Return one page of lines, and how many there are; ``show``: all, unmet, left, mine."""
    wanted = and_(ProposalLine.proposal_id == proposal.id, _shown_by(show))
    count = session.scalar(select(func.count(ProposalLine.id)).where(wanted)) or 0
    rows = session.execute(
        _lines().where(wanted).order_by(ProposalLine.position).limit(PAGE).offset(number * PAGE)
    ).all()
    return [_shown(row) for row in rows], count


def everything(session: Session, scope: Scope, proposal: Proposal, show: str) -> list[Shown]:
    """Return the lines of those in ``scope``; ``show`` as :func:`page_of`."""
    wanted = and_(
        ProposalLine.proposal_id == proposal.id,
        _shown_by(show),
        visible(scope, Patient.clinic_id, Patient.id),
    )
    rows = session.execute(_lines().where(wanted).order_by(ProposalLine.position)).all()
    return [_shown(row) for row in rows]


def line_of(session: Session, proposal: Proposal, line_id: int) -> Shown:
    """Return one line, or raise NoProposal."""
    row = session.execute(
        _lines().where(ProposalLine.proposal_id == proposal.id, ProposalLine.id == line_id)
    ).first()
    if row is None:
        raise NoProposal("There is no such line.")
    return _shown(row)


def counts(session: Session, proposal: Proposal) -> dict[str, int]:
    """Return how many lines each filter shows, and how many have a caller ('placed')."""
    filters = {show: _shown_by(show) for show in ("all", "unmet", "left", "mine")}
    filters["placed"] = ProposalLine.caller_id.is_not(None)
    row = session.execute(
        select(*(func.count(ProposalLine.id).filter(each) for each in filters.values())).where(
            ProposalLine.proposal_id == proposal.id
        )
    ).one()
    return dict(zip(filters, row, strict=True))


def filled(
    session: Session, proposal: Proposal, place: Place, people: Sequence[Person]
) -> list[Filled]:
    """Return each caller with what the lines, as they are now, bring them; by name."""
    by_id = {person.enrolment_id: person for person in people}
    new: Counter[int] = Counter()
    loads = {caller.caller_id: caller.load for caller in place.callers}
    for enrolment_id, caller_id, starts_on in session.execute(
        select(ProposalLine.enrolment_id, ProposalLine.caller_id, ProposalLine.starts_on).where(
            ProposalLine.proposal_id == proposal.id, ProposalLine.caller_id.is_not(None)
        )
    ):
        person = by_id.get(enrolment_id)
        if person is None or caller_id not in loads:
            continue
        new[caller_id] += 1
        loads[caller_id] = added(loads[caller_id], _cost(person, starts_on, place))
    names = dict(
        session.execute(
            select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(sorted(loads)))
        ).all()
    )
    found = [
        Filled(each, names[each.caller_id], new[each.caller_id], loads[each.caller_id])
        for each in place.callers
    ]
    return sorted(found, key=lambda each: in_order_of_names(each.name, each.caller.caller_id))


def unmet_of(session: Session, proposal: Proposal) -> Counter[str]:
    """Return how often each wish is not met by the lines as they are now."""
    found = session.scalars(
        select(ProposalLine.unmet).where(
            ProposalLine.proposal_id == proposal.id, _shown_by("unmet")
        )
    )
    return Counter(wish for wishes in found for wish in wishes)


def change(
    session: Session,
    line: ProposalLine,
    person: Person,
    place: Place,
    choice: Choice,
) -> None:
    """Give a line another caller and first day, or nobody. Does not commit.

    Raises:
        UnfitChoice: not their language, not trained, away; or no day the clinic works on.
        LineChanged: somebody else chose for this line since ``choice.seen``.
        NoProposal: the proposal was applied or put away meanwhile.
    """
    caller_id, starts_on = choice.caller_id, choice.starts_on
    _count_change(session, line, choice.seen)
    if caller_id is None:
        line.caller_id, line.starts_on, line.unmet, line.is_changed = None, None, [], True
        return
    caller = place.by_id.get(caller_id)
    if caller is None or not is_allowed(person.facts, caller):
        raise UnfitChoice("This caller cannot have this patient.")
    if person.facts.fixed_load is not None:
        starts_on = person.starts_on
    elif starts_on is None or not _is_first_day(starts_on, place):
        raise UnfitChoice("Choose a day from today on on which the clinic works.")
    line.caller_id, line.starts_on, line.left_out = caller_id, starts_on, None
    line.unmet = [each.value for each in unmet(person.facts, caller, on=place.today)]
    line.is_changed = True


def state_of(line: ProposalLine) -> str:
    """Return what a line says, as a page carries it along: 'caller first-day'."""
    return f"{line.caller_id or 0} {line.starts_on or ''}"


def _count_change(session: Session, line: ProposalLine, seen: str) -> None:
    """Count one more change of a proposal, locked: whoever applies it must have seen it."""
    proposal = session.scalar(
        select(Proposal)
        .where(Proposal.id == line.proposal_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if proposal is None or proposal.applied_at is not None or proposal.dropped_at is not None:
        raise NoProposal("This proposal is not open any more.")
    session.refresh(line)
    if state_of(line) != seen:
        raise LineChanged("Somebody else changed this line meanwhile.")
    proposal.facts = {**proposal.facts, "changes": changes_of(proposal) + 1}


def drop(session: Session, clinic_id: int, *, now: datetime) -> None:
    """Put the open proposal away. Does not commit."""
    open_of(session, clinic_id, is_locked=True).dropped_at = now


def _open(session: Session, clinic_id: int, *, is_locked: bool = False) -> Proposal | None:
    """Return the open proposal; ``is_locked``: after whoever applies or drops it just now."""
    wanted = select(Proposal).where(
        Proposal.clinic_id == clinic_id,
        Proposal.applied_at.is_(None),
        Proposal.dropped_at.is_(None),
    )
    if is_locked:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalar(wanted)


def _chosen(session: Session, proposal: Proposal) -> dict[int, tuple[int | None, date | None]]:
    rows = session.execute(
        select(ProposalLine.enrolment_id, ProposalLine.caller_id, ProposalLine.starts_on).where(
            ProposalLine.proposal_id == proposal.id, ProposalLine.is_changed.is_(True)
        )
    ).all()
    return {row.enrolment_id: (row.caller_id, row.starts_on) for row in rows}


def _kept(
    people: Sequence[Person],
    chosen: Mapping[int, tuple[int | None, date | None]],
    place: Place,
) -> tuple[dict[int, tuple[int | None, date | None]], Place]:
    """Return a manager's own choices that still stand, and the place with them in it."""
    kept: dict[int, tuple[int | None, date | None]] = {}
    callers = place.by_id
    for person in people:
        if person.enrolment_id not in chosen:
            continue
        caller_id, starts_on = chosen[person.enrolment_id]
        if caller_id is None:
            kept[person.enrolment_id] = (None, None)
            continue
        caller = callers.get(caller_id)
        if caller is None or not is_allowed(person.facts, caller) or starts_on is None:
            continue
        kept[person.enrolment_id] = (caller_id, max(starts_on, place.today))
        cost = _cost(person, kept[person.enrolment_id][1], place)
        callers[caller_id] = replace(
            caller, panel_size=caller.panel_size + 1, load=added(caller.load, cost)
        )
    return kept, replace(place, callers=tuple(callers.values()))


def _facts(session: Session, clinic_id: int, plan: Plan, place: Place) -> dict[str, Any]:
    spread = proposing.spread_of((each, plan.loads[each.caller_id]) for each in place.callers)
    return {
        "is_proven": plan.is_proven,
        "is_exact": solving.is_exact(),
        "unmet": Counter(each.value for wishes in plan.unmet.values() for each in wishes),
        "spread": [round(each, 3) for each in spread],
        "panels": signature(session, clinic_id),
    }


def _row(
    proposal_id: int,
    position: int,
    person: Person,
    plan: Plan,
    kept: Mapping[int, tuple[int | None, date | None]],
    place: Place,
) -> dict[str, Any]:
    each = person.enrolment_id
    is_kept = each in kept
    caller_id, starts_on = (
        kept[each] if is_kept else (plan.caller_of.get(each), plan.starts_on.get(each))
    )
    wishes: Sequence[Unmet] = plan.unmet.get(each, ())
    if is_kept and caller_id is not None:
        wishes = unmet(person.facts, place.by_id[caller_id], on=place.today)
    return {
        "proposal_id": proposal_id,
        "enrolment_id": each,
        "position": position,
        "caller_id": caller_id,
        "starts_on": starts_on,
        "left_out": None if is_kept else plan.left_out.get(each),
        "unmet": [wish.value for wish in wishes],
        "is_changed": is_kept,
    }


def _cost(person: Person, starts_on: date | None, place: Place) -> Weeks:
    if person.facts.fixed_load is not None:
        return person.facts.fixed_load
    return person.cost_from(starts_on or place.today, place.mondays)


def _is_first_day(day: date, place: Place) -> bool:
    return place.today <= day <= place.today + FARTHEST_START and place.is_open(day)


def _lines() -> Any:
    return (
        select(ProposalLine, Patient, Enrolment.enrolled_at, StaffMember.name)
        .join(Enrolment, Enrolment.id == ProposalLine.enrolment_id)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .outerjoin(StaffMember, StaffMember.id == ProposalLine.caller_id)
    )


def _shown(row: Row[ProposalLine, Patient, datetime, str]) -> Shown:
    return Shown(row.ProposalLine, row.Patient, row.enrolled_at, row.name)


def _shown_by(show: str) -> ColumnElement[bool]:
    match show:
        case "unmet":
            return and_(
                ProposalLine.caller_id.is_not(None),
                cast(ProposalLine.unmet, String) != "[]",
            )
        case "left":
            return ProposalLine.caller_id.is_(None)
        case "mine":
            return ProposalLine.is_changed.is_(True)
        case _:
            return literal(True)
