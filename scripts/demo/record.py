"""Rows of the demo's clinics, staff, patients and enrolments."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Language, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.panels.models import CallerProfile, PanelMembership, Shift
from outreach.panels.rules import DEFAULT_PANEL_CAP, DEFAULT_WEEKLY_MINUTES, ChangeReason
from outreach.patients.consent import WORDING
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import (
    TOPICS,
    Channel,
    ConsentSource,
    NumberHealth,
    mask_of_weekdays,
)
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.planning.rules.silence import Cause, Follow, Step
from outreach.programmes import protocol
from outreach.programmes.models import CadenceChoice, Enrolment, EnrolmentEvent
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus
from scripts.demo import words
from scripts.demo.cast import enrolled_at
from scripts.demo.luck import change_of_caller_at
from scripts.demo.people import REGION, SITES, STAFF, DemoStaff, Fate, Part, Person, Site
from scripts.demo.rows import Rows
from scripts.demo.story import Story
from scripts.demo.today import stopped_at

_STATUS = {
    Fate.COMPLETED: EnrolmentStatus.COMPLETED,
    Fate.ACTIVE: EnrolmentStatus.ACTIVE,
    Fate.WAITING: EnrolmentStatus.ACTIVE,
    Fate.PAUSED: EnrolmentStatus.PAUSED,
    Fate.WITHDRAWN: EnrolmentStatus.WITHDRAWN,
    Fate.UNREACHABLE: EnrolmentStatus.UNREACHABLE,
}
_HAS_LEFT = (Fate.COMPLETED, Fate.WITHDRAWN)


@dataclass(frozen=True)
class Ids:
    """What one patient's other rows point to."""

    clinic: int
    patient: int
    enrolment: int

    @property
    def owned(self) -> dict[str, int]:
        """The columns that every row about a patient has."""
        return {"clinic_id": self.clinic, "patient_id": self.patient}


def _alert_number(person: DemoStaff) -> str | None:
    """Return a number kept for fiction, for those who are told of concerns."""
    is_told = person.role in (Role.NURSE, Role.MANAGER)
    return f"+1530555{110 + STAFF.index(person):04d}" if is_told else None


class House:
    """The clinics and their staff, as rows, and the rows of who comes to them.

    ``panels`` are the patients whom each caller calls now.
    """

    def __init__(self, rows: Rows, rng: Random, *, now: datetime, password_hash: str) -> None:
        self.rows, self.rng, self.now = rows, rng, now
        self.opened_at = now - timedelta(days=280)
        self.panels: defaultdict[DemoStaff, list[tuple[Person, Ids]]] = defaultdict(list)
        self.clinic_ids = {site: self._clinic(site) for site in SITES}
        self.staff_ids = {person.name: self._staff(person, password_hash) for person in STAFF}
        self.version_id = self._version_id(rows.session)

    def staff_id(self, person: DemoStaff) -> int:
        """Return the id of somebody who works here."""
        return self.staff_ids[person.name]

    def on_duty(self, role: Role, site: Site) -> int:
        """Return who holds ``role`` at ``site``."""
        held = (each for each in STAFF if each.role is role and each.site is site)
        return self.staff_id(next(held))

    def admit(self, person: Person, story: Story) -> Ids:
        """Add a patient with numbers, consents, enrolment and callers."""
        entered_at = enrolled_at(person, now=self.now)
        clinic_id = self.clinic_ids[person.site]
        patient_id = self.rows.add(
            Patient,
            ref=f"{self.rng.getrandbits(64):016x}",
            clinic_id=clinic_id,
            record_number=f"{person.site.code[0]}{40_000 + person.number * 37}",
            given_name=person.given_name,
            family_name=person.family_name,
            preferred_name=person.preferred_name,
            pronouns=None,
            date_of_birth=person.date_of_birth,
            sex=person.sex,
            language=person.language,
            zone=person.zone.key,
            weekdays=mask_of_weekdays(person.wishes.weekdays),
            dayparts=[part.value for part in person.wishes.dayparts],
            is_voicemail_allowed=person.is_voicemail_allowed,
            is_welfare_check_agreed=person.is_welfare_check_agreed,
            about=person.about,
            created_at=entered_at,
        )
        status_at, reason = self._status_of(person, story)
        enrolment_id = self.rows.add(
            Enrolment,
            clinic_id=clinic_id,
            patient_id=patient_id,
            version_id=self.version_id,
            starts_on=person.starts_on,
            status=_STATUS[person.fate],
            status_at=status_at or entered_at,
            status_reason=reason,
            enrolled_at=entered_at,
        )
        ids = Ids(clinic_id, patient_id, enrolment_id)
        self._numbers(person, ids, entered_at, story)
        self._consents(person, ids, entered_at, status_at)
        self._memberships(person, ids, entered_at, status_at)
        self._choices(story, ids)
        self._event(ids, EnrolmentStatus.ACTIVE, "", entered_at)
        if status_at is not None:
            self._event(ids, _STATUS[person.fate], reason, status_at)
        if person.fate is Fate.UNREACHABLE and status_at is not None:
            self._contact_check(ids, status_at)
        return ids

    def _clinic(self, site: Site) -> int:
        return self.rows.add(
            Clinic,
            code=site.code,
            name=site.name,
            zone=site.zone,
            region=REGION,
            phone_number=site.phone_number,
            sms_sender=None,
            opens=time(9),
            closes=time(20),
            glucose_unit="mg/dL",
        )

    def _staff(self, person: DemoStaff, password_hash: str) -> int:
        staff_id = self.rows.add(
            StaffMember,
            email=person.email,
            name=person.name,
            locale="en",
            zone=person.site.zone if person.site else SITES[0].zone,
            password_hash=password_hash,
            has_shortcuts=True,
            is_active=True,
            created_at=self.opened_at,
            phone=_alert_number(person),
        )
        self.rows.add(
            Membership,
            staff_id=staff_id,
            clinic_id=self.clinic_ids[person.site] if person.site else None,
            role=person.role,
            from_on=self.opened_at.date(),
            until_on=None,
        )
        for language in person.languages:
            self.rows.add(Language, staff_id=staff_id, language=language)
        if person.role is Role.CALLER:
            self._profile(person, staff_id)
        return staff_id

    def _profile(self, person: DemoStaff, staff_id: int) -> None:
        self.rows.add(
            CallerProfile,
            staff_id=staff_id,
            panel_cap=DEFAULT_PANEL_CAP,
            weekly_minutes=DEFAULT_WEEKLY_MINUTES,
            gender=person.gender,
            trained_on=self.opened_at.date(),
        )
        for days, begins, ends in person.hours:
            for weekday in days:
                self.rows.add(
                    Shift,
                    staff_id=staff_id,
                    weekday=weekday,
                    begins=time(begins),
                    ends=time(ends),
                )

    def _version_id(self, session: Session) -> int:
        return protocol.newest_version(session, now=self.opened_at).id

    def _status_of(self, person: Person, story: Story) -> tuple[datetime | None, str]:
        """Return since when the enrolment is no longer active, and why."""
        if person.fate is Fate.COMPLETED:
            ends_on = PUBLISHED_PROTOCOL.ends_on(person.starts_on)
            ended_at = datetime.combine(ends_on, time(0, 20), tzinfo=person.zone)
            return ended_at, "end of the programme"
        if person.fate is Fate.WITHDRAWN:
            return story.calls[-1].closed_at, words.OPTED_OUT_REASONS[person.number % 3]
        if person.fate is Fate.PAUSED:
            return stopped_at(person), words.PAUSED_REASONS[person.number % 3]
        if person.fate is Fate.UNREACHABLE:
            return stopped_at(person), words.UNREACHABLE_REASON
        return None, ""

    def _numbers(self, person: Person, ids: Ids, since: datetime, story: Story) -> None:
        numbers = person.phones
        spoilt_at = None
        if person.part is Part.BAD_NUMBER and story.open_call:
            numbers, spoilt_at = numbers[:1], story.open_call.dials[-1].over_at
        for position, number in enumerate(numbers, start=1):
            self.rows.add(
                PhoneNumber,
                **ids.owned,
                e164=number,
                position=position,
                health=NumberHealth.DISCONNECTED if spoilt_at else NumberHealth.WORKING,
                can_text=True,
                health_at=spoilt_at or since,
            )

    def _consents(self, person: Person, ids: Ids, since: datetime, until: datetime | None) -> None:
        given = [Channel.CALL, *([Channel.SMS] if person.has_sms_consent else [])]
        for channel in given:
            self._consent(person, ids, channel, since, is_given=True)
        if person.fate is Fate.WITHDRAWN and until:
            for channel in given:
                self._consent(person, ids, channel, until, is_given=False)

    def _consent(
        self, person: Person, ids: Ids, channel: Channel, at: datetime, *, is_given: bool
    ) -> None:
        caller = person.caller if not is_given else None
        self.rows.add(
            ConsentEvent,
            **ids.owned,
            channel=channel,
            topic=TOPICS[channel][0],
            is_given=is_given,
            number=person.phones[0],
            source=ConsentSource.FORM if is_given else ConsentSource.CALL,
            wording=WORDING,
            by_staff_id=self.staff_id(caller) if caller else None,
            at=at,
        )

    def _memberships(
        self, person: Person, ids: Ids, since: datetime, until: datetime | None
    ) -> None:
        if person.caller is None:
            return
        left_at = until if person.fate in _HAS_LEFT else None
        first = (ChangeReason.ENROLLED, "")
        if left_at is None:
            self.panels[person.caller].append((person, ids))
        if person.earlier_caller is None:
            self._member(person.caller, ids, (since, left_at), first)
            return
        handed_over_at = change_of_caller_at(person)
        again = person.number % 3
        reason = ChangeReason.BALANCE if again == 1 else ChangeReason.PATIENT_ASKED
        why = (reason, words.REASSIGNED[again])
        read_at: datetime | None = handed_over_at + timedelta(hours=14)
        if person.handed_over_on:  # just now: the new caller has not read it yet
            why, read_at = (ChangeReason.BALANCE, words.TAKEN_OVER), None
        self._member(person.earlier_caller, ids, (since, handed_over_at), first)
        self._member(person.caller, ids, (handed_over_at, left_at), why, read_at=read_at)

    def _member(
        self,
        caller: DemoStaff,
        ids: Ids,
        span: tuple[datetime, datetime | None],
        why: tuple[ChangeReason, str],
        *,
        read_at: datetime | None = None,
    ) -> None:
        site = caller.site or SITES[0]
        self.rows.add(
            PanelMembership,
            **ids.owned,
            enrolment_id=ids.enrolment,
            caller_id=self.staff_id(caller),
            from_at=span[0],
            until_at=span[1],
            reason=why[0],
            note=why[1],
            by_staff_id=self.on_duty(Role.MANAGER, site),
            opened_at=read_at,
        )

    def _event(self, ids: Ids, status: EnrolmentStatus, reason: str, at: datetime) -> None:
        self.rows.add(
            EnrolmentEvent,
            **ids.owned,
            enrolment_id=ids.enrolment,
            status=status,
            version_id=self.version_id,
            reason=reason,
            at=at,
        )

    def _contact_check(self, ids: Ids, given_up_at: datetime) -> None:
        """Ask for the contact to be checked, which a letter began and nobody has closed."""
        opened_at = given_up_at - timedelta(days=30)
        self.rows.add(
            FollowUp,
            **ids.owned,
            enrolment_id=ids.enrolment,
            kind=FollowUpKind.CONTACT_CHECK,
            reason=Follow(Step.CONTACT_CHECK, Cause.SILENT, 30).reason,
            opened_at=opened_at,
            letter_at=opened_at + timedelta(days=1, hours=3),
            note="",
        )

    def _choices(self, story: Story, ids: Ids) -> None:
        for phase, value, caller, at in story.choices:
            self.rows.add(
                CadenceChoice,
                **ids.owned,
                enrolment_id=ids.enrolment,
                phase=phase,
                value=value,
                by_staff_id=self.staff_id(caller),
                chosen_at=at,
            )
