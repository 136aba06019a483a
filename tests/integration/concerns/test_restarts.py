"""Every process may die before any write, around any commit, and while the carrier answers.

The whole way of one concern, from the caller's press to the second person's text, is walked
once for each point at which something can die; whoever comes next goes on. Nobody is left
untold, and nobody is told twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, func, select

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.concerns import raising
from outreach.concerns.jobs import alert_unanswered
from outreach.concerns.models import Alert, Concern, ConcernStep
from outreach.concerns.raising import Raised
from outreach.concerns.rules import ConcernKind, OnCallRank, StepKind, Trigger, Urgency
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.telephony.gateway import OutboundSms, ProviderReceipt
from tests.builders import make_clinic, make_on_call, make_patient, make_staff
from tests.fakes import FakeClock, FakeGateway

FIRST, BACKUP = "+15125550111", "+15125550122"
# After each round, when a text without an answer is looked up; then when it goes out at last.
MINUTES = (0, 6, 15, 21, 22)


class Died(BaseException):
    """A process was killed: nothing catches this."""


class Death:
    """Kills whoever comes to the n-th point: a write, a commit, the carrier's answer.

    Who dies while reading has done as little as who dies before the write that follows.
    """

    def __init__(self, engine: Engine, sessions: Sessions) -> None:
        self.points = 0
        self.at: int | None = None
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self.pass_by)
        event.listen(sessions, "after_commit", self.pass_by)

    def _statement(self, _connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.pass_by()

    def pass_by(self, *_whatever: object) -> None:
        self.points += 1
        if self.points == self.at:
            raise Died


class MortalGateway(FakeGateway):
    """A carrier that takes the text; whoever asked may die before hearing of it."""

    def __init__(self, clock: FakeClock, death: Death) -> None:
        super().__init__(clock)
        self.death = death

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        receipt = super().send_sms(sms)
        self.death.pass_by()
        return receipt


@dataclass
class Night:
    """A clinic with two people on call."""

    sessions: Sessions
    clock: FakeClock
    death: Death
    clinic: Clinic
    nurse_id: int

    def walk(self, at: int | None) -> tuple[list[str], int]:
        """Walk one concern's way, dying at a point; return who was texted, and the concern."""
        with self.sessions.begin() as session:
            patient_id = make_patient(session, self.clinic, phone=None).id
        gateway = MortalGateway(self.clock, self.death)
        self.death.points, self.death.at = 0, at
        concern_id = self._until_done(lambda: self._press(patient_id))
        began_at = self.clock()
        for minute in MINUTES:
            self.clock.now = began_at + timedelta(minutes=minute)
            self._work(gateway)
        self._until_done(lambda: self._take_on(concern_id))
        self.clock.advance(timedelta(hours=1))
        self._work(gateway)
        self.death.at = None
        return [sms.to for sms in gateway.sent], concern_id

    def _press(self, patient_id: int) -> int:
        trigger = Trigger(ConcernKind.DANGER, Urgency.NOW)
        raised = Raised(trigger, "Help.", form_key=f"key-{patient_id}")
        with self.sessions.begin() as session:
            patient = session.get_one(Patient, patient_id)
            return raising.raise_concern(
                session, patient, raised, by_staff_id=self.nurse_id, now=self.clock()
            ).id

    def _take_on(self, concern_id: int) -> int:
        with self.sessions.begin() as session:
            concern = session.get_one(Concern, concern_id)
            raising.acknowledge(session, concern, by_staff_id=self.nurse_id, now=self.clock())
        return concern_id

    def _work(self, gateway: FakeGateway) -> None:
        """Let a scheduler do its round; one that dies is not replaced before the next moment."""
        try:
            alert_unanswered(self.sessions, self.clock)
            settle_lost_messages(self.sessions, gateway, self.clock)
            send_due_messages(self.sessions, gateway, self.clock)
        except Died:
            pass

    def _until_done(self, press: Callable[[], int]) -> int:
        """Do what somebody at a screen does: press again until it answers."""
        while True:
            try:
                return press()
            except Died:
                continue


@pytest.fixture
def night(sessions: Sessions, engine: Engine, clock: FakeClock) -> Night:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        nurse = make_staff(session, clinic, Role.NURSE, phone=FIRST)
        backup = make_staff(session, clinic, Role.NURSE, phone=BACKUP)
        make_on_call(session, clinic, nurse, OnCallRank.FIRST)
        make_on_call(session, clinic, backup, OnCallRank.BACKUP)
    return Night(sessions, clock, Death(engine, sessions), clinic, nurse.id)


def test_no_alert_is_lost_and_none_goes_out_twice_wherever_a_process_dies(night: Night) -> None:
    alive, _concern_id = night.walk(None)
    points = night.death.points
    assert alive == [FIRST, BACKUP]
    assert points > 25, "the walk has lost its points"
    wrong = []
    for at in range(1, points + 1):
        texted, concern_id = night.walk(at)
        with night.sessions() as session:
            kinds = list(
                session.scalars(
                    select(ConcernStep.kind)
                    .where(ConcernStep.concern_id == concern_id)
                    .order_by(ConcernStep.id)
                )
            )
            alerts = session.scalar(
                select(func.count()).select_from(Alert).where(Alert.concern_id == concern_id)
            )
        if (sorted(texted), kinds, alerts) != (
            [FIRST, BACKUP],
            [StepKind.RAISED, StepKind.ACKNOWLEDGED],
            2,
        ):
            wrong.append((at, texted, kinds, alerts))

    assert wrong == []
    with night.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Concern)) == points + 1
