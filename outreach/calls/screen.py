"""All that the call screen shows about one patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from outreach import absent
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor
from outreach.built_once import built_once
from outreach.calls import dialing, drafts, foreseen, leases, seldom_there, taken
from outreach.calls.dialing import Moment
from outreach.calls.foreseen import Foreseen
from outreach.calls.leases import Mark
from outreach.calls.models import Attempt, CallNote, Draft, DraftAside, Promise
from outreach.calls.openers import Opener, Topics, openers
from outreach.calls.rules import REACHED, UNDO_FOR, AskedBy, Outcome, asked_by
from outreach.calls.taken import Left
from outreach.clock import local_day
from outreach.concerns import limits, steps
from outreach.concerns.models import OwnLimits
from outreach.errors import NotFound
from outreach.goals import setting
from outreach.goals.setting import Pursued
from outreach.measures import readings
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind, Place, shown_on, weight_unit_in
from outreach.orm import rows_of
from outreach.panels import duty
from outreach.patients import consent, dead_numbers, registry
from outreach.patients.consent import OfNumber
from outreach.patients.dead_numbers import DeadNumber
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.planning import courses, next_call
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.programmes.rules import Phase
from outreach.questionnaires import item_by_item, licences
from outreach.questionnaires.asking import ASKED_BY
from outreach.questionnaires.models import BegunQuestionnaire
from outreach.questionnaires.rules import Instrument
from outreach.results import due
from outreach.results.rules import PointStanding, PointState

LAST_NOTES = 3
CALL_BACK_DAYS = 7
NURSES_WORDS_FOR = timedelta(days=60)
SHOWN = tuple(shown_on(Place.CALL))


class NoPlannedCall(NotFound):
    """The patient has no call planned."""


@dataclass(frozen=True)
class Said:
    """What a caller or a nurse wrote about this patient; ``is_talk``: of a conversation."""

    text: str
    at: datetime
    name: str
    is_nurse: bool
    is_talk: bool = False


@dataclass(frozen=True)
class Questions:
    """The questionnaires that can be asked, by code; what is due, and what was begun of them.

    ``other`` are measures that are missing and no questionnaire's; ``waiting`` the codes of
    questionnaires that are due or begun, in the order in which they are best asked.
    """

    askable: Mapping[str, Instrument]
    begun: Mapping[str, BegunQuestionnaire]
    other: Sequence[str]
    waiting: Sequence[str]

    def of_measure(self, code: str) -> str | None:
        """Return the questionnaire that asks for a measure, where it may be asked."""
        asks = ASKED_BY.get(code)
        return asks if asks in self.askable else None


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a report about a call is judged against; of the page, no more than that.

    ``numbers``, ``consents``: the patient's; ``own_limits``: those agreed for this patient.
    """

    patient: Patient
    call: PlannedCall
    standing: Standing
    now: datetime
    numbers: Sequence[PhoneNumber]
    consents: Mapping[str, OfNumber]
    promises: Sequence[Promise]
    readings: Sequence[Reading]
    own_limits: Mapping[MeasureKind, OwnLimits]
    draft: Draft | None
    must_read: bool

    @property
    def weighed(self) -> Reading | None:
        """The last weight."""
        found = (each for each in self.readings if each.kind is MeasureKind.WEIGHT)
        return next(found, None)

    @property
    def weight_unit(self) -> str:
        """The unit of the last weight, else what people use where the clinic is."""
        weighed = self.weighed
        return weighed.entered_unit if weighed else weight_unit_in(self.patient.clinic.region)

    @property
    def number(self) -> PhoneNumber | None:
        """The number to dial: the first that works and has not said stop to calls."""
        return next((each for each in self.numbers if self.may_dial(each)), None)

    def may_dial(self, number: PhoneNumber) -> bool:
        """Say whether a number works and has not said stop to calls."""
        works = number.health is NumberHealth.WORKING
        return works and self.said_of(number).calls is not False

    def said_of(self, number: PhoneNumber) -> OfNumber:
        """Return what was said about calls and texts to a number."""
        return self.consents.get(number.e164, OfNumber())


@dataclass(frozen=True, kw_only=True)
class Screen(Basis):
    """What the page shows, besides the form.

    ``is_new_voice``: whoever looks has never spoken with this patient, and can't know the voice.
    """

    week: int
    moment: Moment
    dead: Sequence[DeadNumber]
    said: Sequence[Said]
    attempts: Sequence[Row[datetime, Outcome, str]]
    asides: Sequence[DraftAside]
    other: Mark | None
    left: Sequence[Left]
    is_started: bool
    is_new_voice: bool
    foreseen: Foreseen
    goals: Sequence[Pursued]
    due: Sequence[PointStanding]
    questions: Questions

    @property
    def openers(self) -> Sequence[Opener]:
        """What the conversation might begin with."""
        notes = [said.text for said in self.said if said.is_talk]
        return openers(
            Topics(
                promises=[promise.text for promise in self.promises],
                last_note=next(iter(notes), ""),
                goals=[goal.text for goal in self.goals if goal.ending is None],
                about=self.patient.about,
            )
        )

    @property
    def today(self) -> date:
        """The day where the patient is."""
        return local_day(self.now, self.standing.zone)

    @property
    def is_before_its_day(self) -> bool:
        """Whether the call is one of a later day, and nobody asked for now."""
        first = min(self.call.due_on, local_day(self.call.dial_from_at, self.standing.zone))
        return first > self.today

    @property
    def choice_ahead(self) -> Phase | None:
        """The phase, current or next, whose rhythm the patient may choose."""
        course = self.standing.course
        return course.protocol.phase_to_choose(self.today, course.starts_on)

    @property
    def rhythm_ahead(self) -> int | None:
        """What holds in that phase, in the unit of its rhythm."""
        phase = self.choice_ahead
        return phase.chosen(self.standing.course.choices.get(phase.code)) if phase else None

    @property
    def callback_days(self) -> Sequence[date]:
        """The days that somebody is likeliest to name, on the patient's calendar."""
        return [self.today + timedelta(days=ahead) for ahead in range(CALL_BACK_DAYS)]

    @property
    def may_leave_voicemail(self) -> bool:
        """Whether one is allowed, and was not left for this call. Source: domain.md E2."""
        is_used = any(each.outcome is Outcome.VOICEMAIL_LEFT for each in self.attempts)
        return bool(self.patient.is_voicemail_allowed) and not is_used

    @property
    def asked_by(self) -> AskedBy | None:
        """Who asked for the time at which this call is now."""
        last = self.attempts[-1].outcome if self.attempts else None
        return asked_by(last, is_agreed=self.call.is_agreed)


def call_of(session: Session, patient: Patient, *, is_locked: bool = False) -> PlannedCall:
    """Return the open call of a patient, or raise NoPlannedCall."""
    call = next_call.open_call_of(session, patient.id, is_locked=is_locked)
    if call is None:
        raise NoPlannedCall("No call is planned for this patient.")
    return call


def basis_of(session: Session, patient: Patient, actor: Actor, *, now: datetime) -> Basis:
    """Return what a report about the open call is judged against. Raises NoPlannedCall."""
    call = call_of(session, patient)
    seldom_there.look_ahead(session, call)
    return Basis(
        patient=patient,
        call=call,
        standing=courses.standing_of(session, call.enrolment_id, now=now),
        now=now,
        numbers=registry.numbers_of(session, patient.id),
        consents=consent.of_numbers(session, patient.id),
        promises=open_promises(session, patient.id),
        readings=readings.latest(session, patient.id, SHOWN),
        own_limits=_own_limits(session, patient, now=now),
        draft=drafts.of(session, call, actor),
        must_read=must_read(session, call, actor, now=now),
    )


def screen_of(session: Session, patient: Patient, actor: Actor, *, now: datetime) -> Screen:
    """Return all that the call screen shows. Raises NoPlannedCall."""
    return screen_around(session, basis_of(session, patient, actor, now=now), actor)


def screen_around(session: Session, basis: Basis, actor: Actor) -> Screen:
    """Return all that the call screen shows around what is known already."""
    patient, call, standing, now = basis.patient, basis.call, basis.standing, basis.now
    today = local_day(now, standing.zone)
    course, open_points = standing.course, _open_points(session, basis, today)
    tries, held = _attempts(session, call.id), leases.held(session, call, actor, now=now)
    known = {each.name: getattr(basis, each.name) for each in fields(Basis)}
    return Screen(
        **known,
        week=max(1, (today - course.starts_on).days // 7 + 1),
        moment=dialing.moment_of(session, patient, call, now=now, lawful=course.calendar.lawful()),
        dead=dead_numbers.of(session, patient.id, basis.numbers),
        said=_said(session, patient.id, now=now),
        attempts=tries,
        asides=drafts.asides_of(session, call, actor),
        other=held.other,
        left=taken.left_by_others(session, call, actor),
        is_started=held.is_started,
        is_new_voice=not _has_spoken(session, patient.id, actor),
        foreseen=foreseen.of(session, call, standing, tries, now=now),
        goals=setting.open_of(session, patient.id, or_ended_after=now - UNDO_FOR),
        due=open_points,
        questions=_questions(session, patient.id, open_points, now=now),
    )


def _own_limits(
    session: Session, patient: Patient, *, now: datetime
) -> Mapping[MeasureKind, OwnLimits]:
    zone = ZoneInfo(session.get_one(Clinic, patient.clinic_id).zone)
    return limits.of_patient(session, patient.id, today=local_day(now, zone))


def _open_points(session: Session, basis: Basis, today: date) -> list[PointStanding]:
    course, zone = basis.standing.course, basis.standing.zone
    standings = due.of(session, basis.patient.id, course.protocol, course.starts_on, zone, today)
    return [each for each in standings if each.state is PointState.OPEN]


def _questions(
    session: Session, patient_id: int, points: Sequence[PointStanding], *, now: datetime
) -> Questions:
    askable = {code.value: each for code, each in licences.askable(session).items()}
    rows = item_by_item.begun_of(session, patient_id, now=now)
    begun: Mapping[str, BegunQuestionnaire] = {
        code.value: row for code, row in rows.items() if code.value in askable
    }
    missing = dict.fromkeys(code for point in points for code in point.missing)
    asked = {code: ASKED_BY[code] for code in missing if ASKED_BY.get(code) in askable}
    return Questions(
        askable=askable,
        begun=begun,
        other=[code for code in missing if code not in asked],
        waiting=list(dict.fromkeys([*begun, *asked.values()])),
    )


def must_read(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> bool:
    """Say whether ``actor`` takes over or covers, and has not read the hand-over yet."""
    unread = duty.unread_handover(session, call.enrolment_id, actor.staff_id, now=now)
    return unread is not None


def open_promises(session: Session, patient_id: int) -> Sequence[Promise]:
    """Return what was promised and not kept yet, the oldest first."""
    if absent.is_known(session, Promise.patient_id, patient_id):
        return ()
    return session.scalars(*_open_promises(patient_id)).all()


@built_once
def _open_promises(patient_id: Any) -> Select[Promise]:
    return (
        select(Promise)
        .where(
            Promise.patient_id == patient_id,
            Promise.kept_at.is_(None),
            Promise.withdrawn_at.is_(None),
        )
        .order_by(Promise.id)
    )


def _said(session: Session, patient_id: int, *, now: datetime) -> list[Said]:
    """Return the last notes of callers and the recent words of nurses, newest first."""
    words = steps.nurses_words(session, patient_id, since=now - NURSES_WORDS_FOR)
    by_nurses = [
        Said(step.note, step.at, step.by.name if step.by else "", is_nurse=True) for step in words
    ]
    by_callers = [
        Said(text, at, name, is_nurse=False, is_talk=outcome.completes)
        for text, at, name, outcome in rows_of(session, *_last_notes(patient_id))
    ]
    return sorted(by_callers + by_nurses, key=lambda said: said.at, reverse=True)


@built_once
def _last_notes(patient_id: Any) -> Select[str, datetime, str, Outcome]:
    return (
        select(CallNote.text, CallNote.at, StaffMember.name, Attempt.outcome)
        .join(StaffMember, StaffMember.id == CallNote.by_staff_id)
        .join(Attempt, Attempt.id == CallNote.attempt_id)
        .where(CallNote.patient_id == patient_id, CallNote.superseded_at.is_(None))
        .order_by(CallNote.at.desc(), CallNote.id.desc())
        .limit(LAST_NOTES)
    )


def _has_spoken(session: Session, patient_id: int, actor: Actor) -> bool:
    return bool(session.scalar(*_talk_of(patient_id, actor.staff_id)))


@built_once
def _talk_of(patient_id: Any, staff_id: Any) -> Select[bool]:
    talk = exists().where(
        Attempt.patient_id == patient_id,
        Attempt.caller_id == staff_id,
        Attempt.outcome.in_(REACHED),
        Attempt.superseded_at.is_(None),
    )
    return select(talk)


def _attempts(session: Session, call_id: int) -> Sequence[Row[datetime, Outcome, str]]:
    if absent.is_known(session, Attempt.planned_call_id, call_id):
        return ()
    return rows_of(session, *_attempts_of(call_id))


@built_once
def _attempts_of(call_id: Any) -> Select[datetime, Outcome, str]:
    return (
        select(Attempt.at, Attempt.outcome, StaffMember.name)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .where(Attempt.planned_call_id == call_id, Attempt.superseded_at.is_(None))
        .order_by(Attempt.at, Attempt.id)
    )
