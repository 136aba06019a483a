"""What set-based statements find is what the pure rule asks for, whatever happened."""

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.planning import candidates, silence
from outreach.planning.models import FollowUp
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.planning.rules.silence import Rest, Silence, steps
from outreach.programmes import protocol
from outreach.programmes.models import EnrolmentEvent, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus, FollowUpPolicy
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_planned_call,
    make_staff,
)

LIVES = 150
NOW = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
ZONES = ("America/Chicago", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu")
STATUSES = (*EnrolmentStatus, EnrolmentStatus.PAUSED, EnrolmentStatus.PAUSED)


class Life:
    """One enrolment with a life of its own, written to the database and kept as values."""

    def __init__(
        self,
        session: Session,
        rng: random.Random,
        caller: StaffMember,
        clinic: Clinic,
        version: ProgrammeVersion,
    ) -> None:
        self.rng = rng
        self.zone = ZoneInfo(rng.choice(ZONES))
        self.policy = version.protocol.follow_up
        self.is_welfare_agreed = rng.choice((True, False, None))
        patient = make_patient(
            session,
            clinic,
            zone=self.zone.key,
            phone=None,
            is_welfare_check_agreed=self.is_welfare_agreed,
        )
        self.starts_on = NOW.date() - timedelta(days=rng.randrange(-5, 100))
        self.enrolled_at = self._some_at(100)
        self.enrolment = make_enrolment(
            session,
            patient,
            starts_on=self.starts_on,
            enrolled_at=self.enrolled_at,
            version_id=version.id,
        )
        self.assigned_at = max(self.enrolled_at, self._some_at(90))
        make_membership(session, self.enrolment, caller, from_at=self.assigned_at)
        self.events = self._live(session)
        self.missed: list[datetime] = []
        self.dials: list[datetime] = []
        self.spoken: list[datetime] = []
        for _each in range(rng.randrange(6)):
            self._call(session, caller)
        self.asked = [self._asked(session) for _each in range(rng.randrange(3))]

    def _some_at(self, days: int) -> datetime:
        return NOW - timedelta(minutes=self.rng.randrange(2, days * 24 * 60))

    def _live(self, session: Session) -> list[tuple[EnrolmentStatus, datetime]]:
        instants = sorted({self._some_at(70) for _each in range(self.rng.randrange(4))})
        events = [(self.rng.choice(STATUSES), at) for at in instants]
        if events:
            events.append((EnrolmentStatus.ACTIVE, NOW - timedelta(minutes=1)))
        for status, at in events:
            row = EnrolmentEvent(
                clinic_id=self.enrolment.clinic_id,
                patient_id=self.enrolment.patient_id,
                enrolment_id=self.enrolment.id,
                status=status,
                version_id=self.enrolment.version_id,
                reason="",
                at=at,
            )
            session.add(row)
            session.flush()
        return events

    def _call(self, session: Session, caller: StaffMember) -> None:
        at = self._some_at(80)
        is_missed = self.rng.random() < 0.8
        call = make_planned_call(
            session,
            self.enrolment,
            at.date(),
            status=CallStatus.MISSED if is_missed else CallStatus.COMPLETED,
            closed_at=at,
        )
        if is_missed:
            self.missed.append(at)
        if self.rng.random() < 0.7:
            outcome = self.rng.choice([Outcome.NO_ANSWER] * 4 + list(Outcome))
            make_attempt(session, call, caller, outcome, at=at)
            self.dials.append(at)
            if outcome.is_reached:
                self.spoken.append(at)

    def _asked(self, session: Session) -> FollowUp:
        opened_at = self._some_at(60)
        is_open = self.rng.random() < 0.3
        row = FollowUp(
            clinic_id=self.enrolment.clinic_id,
            patient_id=self.enrolment.patient_id,
            enrolment_id=self.enrolment.id,
            kind=self.rng.choice(tuple(FollowUpKind)),
            reason="missed in a row: 3",
            opened_at=opened_at,
            done_at=None if is_open else opened_at + timedelta(days=1),
            note="",
        )
        known = session.scalars(
            select(FollowUp.kind).where(
                FollowUp.enrolment_id == self.enrolment.id, FollowUp.done_at.is_(None)
            )
        ).all()
        if row.done_at is None and row.kind in known:
            row.done_at = opened_at
        session.add(row)
        session.flush()
        return row

    def silence(self) -> Silence:
        """Return what the rule wants to know, from what was kept in Python."""
        resting = (EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED)
        gone = [at for status, at in self.events if status not in resting]
        since_at = max(
            self.enrolled_at,
            self.assigned_at,
            datetime.combine(self.starts_on, time(), tzinfo=self.zone),
            *self.spoken,
            *gone,
        )
        following = [at for _status, at in self.events][1:]
        rests = [
            Rest(at, until_at)
            for (status, at), until_at in zip(self.events, following, strict=False)
            if status is not EnrolmentStatus.ACTIVE
        ]
        reviews = [each for each in self.asked if each.kind is FollowUpKind.REVIEW_TIMES]
        checks = [each for each in self.asked if each.kind is FollowUpKind.CONTACT_CHECK]
        welfare = [each for each in self.asked if each.kind is FollowUpKind.WELFARE_CHECK]
        return Silence(
            since_at=since_at,
            starts_on=self.starts_on,
            zone=self.zone,
            missed_at=tuple(sorted(at for at in self.missed if at > since_at)),
            rests=tuple(rest for rest in rests if rest.until_at > since_at),
            is_dialled=any(at > since_at for at in self.dials),
            is_reviewed=any(each.done_at is None or each.opened_at > since_at for each in reviews),
            is_in_check=any(each.done_at is None for each in checks),
            checked_at=max((each.done_at for each in checks if each.done_at), default=None),
            has_welfare=any(each.done_at is None or each.opened_at > since_at for each in welfare),
            is_welfare_agreed=self.is_welfare_agreed is True,
        )


def versions(session: Session) -> list[ProgrammeVersion]:
    """The published programme, and a version that is in more of a hurry."""
    first = protocol.newest_version(session, now=NOW)
    hasty = replace(PUBLISHED_PROTOCOL, follow_up=FollowUpPolicy(1, 2, 6, 9, 8, 20, 3, 12))
    second = ProgrammeVersion(
        programme_id=first.programme_id, number=2, data=hasty.as_data(), created_at=NOW
    )
    session.add(second)
    session.flush()
    return [first, second]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_statement_and_the_rule_agree_on_every_life(sessions: Sessions, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        both = versions(session)
        lives = [Life(session, rng, caller, clinic, rng.choice(both)) for _each in range(LIVES)]
    expected = {life.enrolment.id: life.silence() for life in lives}
    asked = {
        life.enrolment.id: steps(expected[life.enrolment.id], life.policy, now=NOW)
        for life in lives
    }

    found: list[int] = []
    with sessions() as session:
        read = silence.read(session, sorted(expected))
        after_id: int | None = 0
        while after_id is not None:
            page = candidates.page_of(session, now=NOW, after_id=after_id, limit=40)
            found += page.ids
            after_id = page.next_after_id
        due = silence.due(session, found, now=NOW)

    assert {each: known.silence for each, known in read.items()} == expected
    assert {each: tuple(follows) for each, follows in due.items() if follows} == {
        each: follows for each, follows in asked.items() if follows
    }
    assert 20 < sum(map(bool, asked.values())) < LIVES - 20
    assert found == sorted(set(found))
