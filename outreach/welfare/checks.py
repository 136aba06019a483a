"""Working a welfare check: what was tried, and how it ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.audit import trail
from outreach.chart import follow_ups as contacts
from outreach.chart.follow_ups import Check
from outreach.errors import RuleBroken
from outreach.planning import follow_ups, next_call
from outreach.planning.follow_ups import AlreadyDone, NoSuchFollowUp
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.sent_again import said_before
from outreach.welfare.models import EmergencyContact, WelfareStep
from outreach.welfare.rules import Outcome, StepKind, untried


class NotTriedYet(RuleBroken):
    """A check ends without news only after everything was tried; ``missing`` says what."""

    def __init__(self, missing: tuple[StepKind, ...]) -> None:
        super().__init__("Some ways of reaching them were not tried yet.")
        self.missing = missing


@dataclass(frozen=True)
class Welfare:
    """A check with whom to ring, what was tried, and what has yet to be."""

    check: Check
    contact: EmergencyContact | None
    steps: Sequence[WelfareStep]

    @property
    def untried(self) -> tuple[StepKind, ...]:
        """What is still to be tried, in order."""
        may_ring = self.contact is not None and self.contact.may_be_rung
        return untried({step.kind for step in self.steps}, may_ring_contact=may_ring)


def open_checks(
    session: Session, scope: Scope, *, now: datetime, most: int | None = contacts.MOST
) -> tuple[int, list[Welfare]]:
    """Return how many checks are open in ``scope``, and the first, the longest open first.

    ``most`` None: all of them.
    """
    found = contacts.open_checks(
        session, scope, kind=FollowUpKind.WELFARE_CHECK, now=now, most=most
    )
    steps = _steps(session, [each.follow_up.id for each in found.shown])
    rung = contacts_of(session, [each.patient.id for each in found.shown])
    shown = [
        Welfare(each, rung.get(each.patient.id), steps.get(each.follow_up.id, ()))
        for each in found.shown
    ]
    return found.count, shown


def count_open(session: Session, scope: Scope) -> int:
    """Return how many checks are open in ``scope``: as many as the page lists."""
    return (
        session.scalar(
            select(func.count())
            .select_from(FollowUp)
            .join(Enrolment, Enrolment.id == FollowUp.enrolment_id)
            .where(
                FollowUp.kind == FollowUpKind.WELFARE_CHECK,
                FollowUp.done_at.is_(None),
                Enrolment.status.in_(contacts.STAYING),
                visible(scope, FollowUp.clinic_id, FollowUp.patient_id),
            )
        )
        or 0
    )


def by_id(session: Session, scope: Scope, follow_up_id: int) -> FollowUp:
    """Return one welfare check in ``scope``, or raise NoSuchFollowUp."""
    found = follow_ups.by_id(session, scope, follow_up_id)
    if found.kind is not FollowUpKind.WELFARE_CHECK:
        raise NoSuchFollowUp("There is no such welfare check.")
    return found


def note_step(
    session: Session,
    check: FollowUp,
    kind: StepKind,
    note: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Note what was tried, and what came of it; sent twice, once. Does not commit.

    Raises:
        AlreadyDone: the check ended meanwhile.
    """
    session.refresh(check, with_for_update=True, attribute_names=["done_at"])
    if check.done_at is not None:
        raise AlreadyDone("This check ended meanwhile.")
    _keep(session, check, kind, None, note, by_staff_id=by_staff_id, now=now)


def close(
    session: Session,
    check: FollowUp,
    outcome: Outcome,
    note: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """End a check with what is known now. Does not commit.

    Where the patient has died, calls and texts end with it: nobody rings the family meanwhile.

    Raises:
        NotTriedYet: there is no news, and something was not tried.
        AlreadyDone: it ended meanwhile.
    """
    if outcome is Outcome.NO_NEWS:
        contact = contacts_of(session, [check.patient_id]).get(check.patient_id)
        tried = {step.kind for step in _steps(session, [check.id]).get(check.id, ())}
        may_ring = contact is not None and contact.may_be_rung
        missing = untried(tried, may_ring_contact=may_ring)
        if missing:
            raise NotTriedYet(missing)
    if outcome is Outcome.DIED:
        _end_programme(session, check.enrolment_id, by_staff_id=by_staff_id, now=now)
    follow_ups.complete(session, check, note, by_staff_id=by_staff_id, now=now)
    _keep(session, check, StepKind.CLOSED, outcome, note, by_staff_id=by_staff_id, now=now)


def _end_programme(session: Session, enrolment_id: int, *, by_staff_id: int, now: datetime) -> None:
    enrolment, _call = next_call.lock(session, enrolment_id)
    if enrolment.status is EnrolmentStatus.DIED:
        return
    enrolments.change_status(
        enrolment,
        EnrolmentStatus.DIED,
        reason="found in a welfare check",
        by_staff_id=by_staff_id,
        now=now,
    )
    session.flush()
    next_call.replan(session, enrolment_id, now=now)


def steps_of(session: Session, check: FollowUp) -> Sequence[WelfareStep]:
    """Return what was tried in a check and how it ended, in order."""
    return _steps(session, [check.id]).get(check.id, ())


def contacts_of(session: Session, patient_ids: Sequence[int]) -> Mapping[int, EmergencyContact]:
    """Return whom each patient named, by the newest word on it."""
    newest = (
        select(func.max(EmergencyContact.id))
        .where(among(EmergencyContact.patient_id, patient_ids))
        .group_by(EmergencyContact.patient_id)
    )
    found = session.scalars(
        select(EmergencyContact)
        .options(joinedload(EmergencyContact.by))
        .where(EmergencyContact.id.in_(newest))
        .order_by(EmergencyContact.id)
    )
    return {each.patient_id: each for each in found}


def _steps(session: Session, check_ids: Sequence[int]) -> Mapping[int, Sequence[WelfareStep]]:
    found: dict[int, list[WelfareStep]] = defaultdict(list)
    rows = session.scalars(
        select(WelfareStep)
        .options(joinedload(WelfareStep.by))
        .where(among(WelfareStep.follow_up_id, check_ids))
        .order_by(WelfareStep.follow_up_id, WelfareStep.id)
    )
    for step in rows:
        found[step.follow_up_id].append(step)
    return found


def _keep(
    session: Session,
    check: FollowUp,
    kind: StepKind,
    outcome: Outcome | None,
    note: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    step = WelfareStep(
        clinic_id=check.clinic_id,
        patient_id=check.patient_id,
        follow_up_id=check.id,
        kind=kind,
        outcome=outcome,
        note=note.strip(),
        at=now,
        by_staff_id=by_staff_id,
    )
    if said_before(session, step) is not None:
        return
    session.add(step)
    session.flush()
    trail.record(
        session,
        "ended a welfare check" if outcome else "noted on a welfare check",
        actor_id=by_staff_id,
        now=now,
        clinic_id=check.clinic_id,
        patient_id=check.patient_id,
        about=("follow_up", check.id),
    )
