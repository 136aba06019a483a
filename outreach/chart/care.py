"""How one patient is looked after now, and changes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.calls import leases, overtaken
from outreach.calls.models import Promise
from outreach.chart.rules import (
    ConsentFact,
    Texts,
    may_enrol,
    next_statuses,
    programme_week,
    texts_to,
)
from outreach.clock import local_day
from outreach.errors import NotFound, RuleBroken, Stale
from outreach.messaging import outbox
from outreach.panels import duty
from outreach.panels.models import Cover, PanelMembership
from outreach.patients import consent, registry
from outreach.patients.consent import Entry
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.registry import Details
from outreach.patients.rules import ConsentTopic, Wishes
from outreach.planning import follow_ups, next_call
from outreach.planning.models import FollowUp, PlannedCall
from outreach.programmes import choices, milestones
from outreach.programmes import enrolment as enrolments
from outreach.programmes.milestones import DueMilestone
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus, Phase, Protocol


class NotEnrolled(NotFound):
    """There is no enrolment to change."""


class StatusMoved(Stale):
    """Somebody else changed the status meanwhile."""


class NotPossibleNow(RuleBroken):
    """The status doesn't allow this step."""


@dataclass(frozen=True)
class StatusChange:
    """What somebody decided; ``seen`` is the status that they had before them.

    ``until`` is only for a pause: the patient's day from which calls go on by themselves;
    ``first`` is its first day where it is to come.
    """

    status: EnrolmentStatus
    seen: EnrolmentStatus
    reason: str
    until: date | None = None
    first: date | None = None


@dataclass(frozen=True)
class Reachable:
    """One number, whether it may be texted, and since when; ``said_no_calls``: or called."""

    number: PhoneNumber
    texts: Texts
    since_at: datetime | None
    said_no_calls: bool = False


@dataclass(frozen=True)
class Course:
    """An enrolment as the page shows it: the week on the patient's ``today``, and the rhythm."""

    enrolment: Enrolment
    protocol: Protocol
    today: date
    chosen: Mapping[str, int]

    @property
    def week(self) -> int | None:
        """The week of the programme, while it is open and has begun."""
        return programme_week(self.today, self.enrolment.starts_on) if self.is_open else None

    @property
    def is_pause_to_come(self) -> bool:
        """Whether a pause is to come."""
        return self.enrolment.away_from_on is not None

    @property
    def is_open(self) -> bool:
        """Whether the enrolment is neither completed nor given up."""
        return self.enrolment.status in OPEN_STATUSES

    @property
    def phase(self) -> Phase | None:
        """The phase that today lies in; the first one before the start."""
        day = max(self.today, self.enrolment.starts_on)
        return self.protocol.phase_on(day, self.enrolment.starts_on) if self.is_open else None

    @property
    def choice_ahead(self) -> Phase | None:
        """The phase, current or next, in which the patient may choose a rhythm."""
        if not self.is_open:
            return None
        return self.protocol.phase_to_choose(self.today, self.enrolment.starts_on)

    def rhythm_in(self, phase: Phase) -> int:
        """Return how often the patient is called in ``phase``, in the unit of its rhythm."""
        return phase.chosen(self.chosen.get(phase.code))


@dataclass(frozen=True)
class Care:
    """Who looks after a patient, and what comes next."""

    course: Course | None
    membership: PanelMembership | None
    cover: Cover | None
    next_call: PlannedCall | None
    milestones: Sequence[DueMilestone]
    promises: Sequence[Promise]
    follow_ups: Sequence[FollowUp]
    numbers: Sequence[Reachable]
    consents: Sequence[Entry]

    @property
    def on_duty_id(self) -> int | None:
        """Who makes the calls now: the stand-in while there is one, else the caller."""
        if self.cover:
            return self.cover.stand_in_id
        return self.membership.caller_id if self.membership else None

    def is_call_due(self, today: date, zone: ZoneInfo) -> bool:
        """Say whether the next call is one of ``today`` or before, on the patient's calendar."""
        call = self.next_call
        return call is not None and min(call.due_on, local_day(call.dial_from_at, zone)) <= today


def of_patient(session: Session, patient: Patient, *, now: datetime) -> Care:
    """Return how ``patient`` is looked after now, in a fixed number of statements."""
    course = course_of(session, patient, now=now)
    enrolment_id = course.enrolment.id if course else None
    consents = consent.entries(session, patient.id)
    return Care(
        course=course,
        membership=membership_of(session, enrolment_id) if enrolment_id else None,
        cover=duty.current_cover(session, enrolment_id, now=now) if enrolment_id else None,
        next_call=next_call.open_call(session, enrolment_id) if enrolment_id else None,
        milestones=_milestones(session, course) if course else (),
        promises=session.scalars(
            select(Promise)
            .where(
                Promise.patient_id == patient.id,
                Promise.kept_at.is_(None),
                Promise.withdrawn_at.is_(None),
            )
            .order_by(Promise.due_on.is_(None), Promise.due_on, Promise.id)
        ).all(),
        follow_ups=_follow_ups(session, course) if course else (),
        numbers=_numbers(session, patient.id, consents),
        consents=consents,
    )


def course_of(session: Session, patient: Patient, *, now: datetime) -> Course | None:
    """Return the enrolment that is open, else the latest one, else None."""
    enrolment = enrolments.current(session, patient.id)
    if enrolment is None:
        return None
    return Course(
        enrolment,
        session.get_one(ProgrammeVersion, enrolment.version_id).protocol,
        local_day(now, ZoneInfo(patient.zone)),
        choices.current_of(session, [enrolment.id])[enrolment.id],
    )


def open_course_of(session: Session, patient: Patient, *, now: datetime) -> Course:
    """Return the course of an enrolled patient, or raise NotEnrolled."""
    course = course_of(session, patient, now=now)
    if course is None:
        raise NotEnrolled("This patient is in no programme.")
    return course


def change_details(session: Session, patient: Patient, details: Details, *, now: datetime) -> None:
    """Write ``details`` and make the plan fit them. Does not commit.

    A text that names a time on the clock of where they lived does not go out.
    """
    has_moved = patient.zone != details.zone
    registry.change_details(session, patient, details, now=now)
    session.flush()
    _fit_plan_of(session, patient, now=now)
    enrolment = enrolments.current(session, patient.id) if has_moved else None
    call = next_call.open_call(session, enrolment.id) if enrolment else None
    if call is not None:
        outbox.cancel(session, next_call.cause_of(call.id), now=now)


def change_wishes(session: Session, patient: Patient, wishes: Wishes, *, now: datetime) -> None:
    """Note when a patient likes to be called and make the plan fit. Does not commit."""
    registry.change_wishes(patient, wishes)
    session.flush()
    _fit_plan_of(session, patient, now=now)


def choose_rhythm(
    session: Session, course: Course, value: int, *, by_staff_id: int, now: datetime
) -> None:
    """Note how often the patient wants calls, and make the plan fit. Does not commit.

    Raises:
        NotPossibleNow: no phase with a choice lies ahead.
        NotOffered: the phase doesn't offer ``value``.

    """
    phase = course.choice_ahead
    if phase is None:
        raise NotPossibleNow("There is nothing left to choose in this programme.")
    choices.choose(
        session,
        course.enrolment,
        course.protocol,
        (phase.code, value),
        by_staff_id=by_staff_id,
        now=now,
    )
    session.flush()
    overtaken.drop(session, course.enrolment.patient_id, now=now)
    _fit_plan(session, course.enrolment.id, now=now)


def change_status(
    session: Session,
    course: Course,
    change: StatusChange,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Move an enrolment to another status and make the plan fit. Does not commit.

    Raises:
        StatusMoved: it is another one by now.
        NotPossibleNow: one doesn't lead to the other.

    """
    enrolment, _call = next_call.lock(session, course.enrolment.id)
    if enrolment.status is not change.seen:
        raise StatusMoved("Somebody else changed the status meanwhile.")
    if change.status not in next_statuses(
        change.seen, is_pause_to_come=enrolment.away_from_on is not None
    ):
        raise NotPossibleNow("The programme does not allow this step.")
    if change.status is EnrolmentStatus.PAUSED and change.first and change.until:
        days = (change.first, change.until)
        enrolments.announce_pause(
            session, enrolment, days, reason=change.reason, by_staff_id=by_staff_id, now=now
        )
    else:
        enrolments.change_status(
            enrolment,
            change.status,
            reason=change.reason,
            resume_on=change.until,
            by_staff_id=by_staff_id,
            now=now,
        )
    session.flush()
    next_call.replan(session, enrolment.id, now=now)


def enrol(
    session: Session, patient: Patient, programme: str, *, by_staff_id: int, now: datetime
) -> Enrolment:
    """Enrol a patient in ``programme``, a code, from their local today. Does not commit.

    Raises:
        NotPossibleNow: an enrolment is open, or the patient died.

    """
    latest = enrolments.current(session, patient.id)
    if not may_enrol(latest.status if latest else None):
        raise NotPossibleNow("This patient can't be enrolled now.")
    today = local_day(now, ZoneInfo(patient.zone))
    return enrolments.enrol(
        session, patient, starts_on=today, programme=programme, by_staff_id=by_staff_id, now=now
    )


def membership_of(session: Session, enrolment_id: int) -> PanelMembership | None:
    """Return the current membership of an enrolment, with its caller, if there is one."""
    return session.scalar(
        select(PanelMembership)
        .options(joinedload(PanelMembership.caller))
        .where(PanelMembership.enrolment_id == enrolment_id, PanelMembership.until_at.is_(None))
    )


def _fit_plan_of(session: Session, patient: Patient, *, now: datetime) -> None:
    enrolment = enrolments.current(session, patient.id)
    if enrolment is not None:
        _fit_plan(session, enrolment.id, now=now)


def _fit_plan(session: Session, enrolment_id: int, *, now: datetime) -> None:
    """Make the plan fit new wishes. A call that somebody is in stays where it is.

    What was wished in a conversation is about the calls after it; leaving that one without
    a result fits it as well (``calls/views.py:stop``).
    """
    call = next_call.open_call(session, enrolment_id)
    if call is None or not leases.is_in_use(session, call, now=now):
        next_call.replan(session, enrolment_id, now=now)


def _milestones(session: Session, course: Course) -> Sequence[DueMilestone]:
    return milestones.due_of(session, course.enrolment, course.protocol, today=course.today)


def _follow_ups(session: Session, course: Course) -> Sequence[FollowUp]:
    return follow_ups.open_of(session, [course.enrolment.id]).get(course.enrolment.id, ())


def _numbers(session: Session, patient_id: int, consents: Sequence[Entry]) -> list[Reachable]:
    ledger = [
        ConsentFact(event.number, event.is_given, event.source, event.at)
        for event, _by in consents
        if event.topic is ConsentTopic.REMINDERS
    ]
    of_calls = {  # the newest is read last
        event.number: event.is_given
        for event, _by in reversed(consents)
        if event.topic is ConsentTopic.CALLS
    }
    return [
        Reachable(
            number,
            *texts_to(number.e164, ledger),
            said_no_calls=of_calls.get(number.e164) is False,
        )
        for number in registry.numbers_of(session, patient_id)
    ]
