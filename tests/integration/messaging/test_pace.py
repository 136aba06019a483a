"""A sender with a pace: any number of workers keep it, and no clinic waits for another."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from outreach import orm
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.errors import ProviderUnavailable
from outreach.messaging import outbox, paced, pacing
from outreach.messaging.asking import Landed, Landing
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.keeping_pace import Round
from outreach.messaging.models import Message, SenderPace
from outreach.messaging.rules import LEASE, MessageStatus
from outreach.messaging.rules.pace import AHEAD, LATE, WINDOW
from outreach.telephony.gateway import OutboundSms, ProviderReceipt
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.carrier import Killed
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_message

SENDER = "+15125550111"
LONGEST = 60  # seconds, until a test gives up
_number = count(1)


class SharedClock(FakeClock):
    """Time stands still while anybody works, and then goes on to the first who waits."""

    def __init__(self, workers: int = 1) -> None:
        super().__init__()
        self._working = workers
        self._asleep: dict[object, datetime] = {}
        self._changed = threading.Condition()

    def wait(self, landed: Landed, flying: int, up_to: timedelta) -> Landing | None:
        if flying:
            return landed.get(timeout=LONGEST)
        self.sleep(up_to)
        return None

    def sleep(self, up_to: timedelta) -> None:
        with self._changed:
            me = object()
            self._asleep[me] = self.now + up_to
            self._rest()
            while me in self._asleep:
                assert self._changed.wait(LONGEST)

    def leave(self) -> None:
        with self._changed:
            self._rest()

    def _rest(self) -> None:
        self._working -= 1
        if self._working or not self._asleep:
            return
        self.now = max(self.now, min(self._asleep.values()))
        for each in [me for me, until in self._asleep.items() if until <= self.now]:
            del self._asleep[each]
            self._working += 1
        self._changed.notify_all()


class House:
    """Clinics that send by one sender, which may send so much a second."""

    def __init__(self, engine: Engine, per_second: int, workers: int = 1) -> None:
        self.sessions = orm.make_sessions(engine)
        self.clock = SharedClock(workers)
        self.gateway = FakeGateway(self.clock)
        with self.sessions.begin() as session:
            self.here = make_clinic(session, sms_sender=SENDER)
            self.there = make_clinic(session, sms_sender=SENDER)
            self.caller = make_staff(session, self.here, phone="+12025550101")
            by = self.caller.id
            pacing.choose(session, self.here, SENDER, per_second, by_staff_id=by, now=self.clock())

    def write(self, number: int, clinic: Clinic, *, ago: int = 0, body: str = "Hello.") -> None:
        """Write a reminder that is due to each of so many patients."""
        with self.sessions.begin() as session:
            for _each in range(number):
                phone = f"+1512556{next(_number):04d}"
                patient = make_patient(session, clinic, sms_consent=True, phone=phone)
                make_enrolment(session, patient, caller=self.caller)
                make_message(
                    session,
                    patient,
                    to_number=phone,
                    body=body,
                    status=MessageStatus.SCHEDULED,
                    send_after=self.clock() - timedelta(minutes=ago),
                    tries=0,
                    provider_id=None,
                )

    def round(self, go_on: Callable[[], bool] = lambda: True) -> Round:
        return Round(self.sessions, self.gateway, self.clock, 8, go_on, self.clock.wait)

    def states(self) -> Counter[MessageStatus]:
        with self.sessions() as session:
            return Counter(session.scalars(select(Message.status)))

    def clinics_of_sent(self) -> list[int]:
        with self.sessions() as session:
            rows = session.execute(select(Message.id, Message.clinic_id))
            whose = {row.id: row.clinic_id for row in rows}
        return [whose[sms.reference] for sms in self.gateway.sent]


def work(house: House) -> None:
    """Be a worker until nothing waits."""
    try:
        while house.states()[MessageStatus.SCHEDULED]:
            house.round().run()
            house.clock.sleep(timedelta(seconds=2))
    finally:
        house.clock.leave()


@dataclass
class Dying(FakeGateway):
    """A carrier after whose third and ninth answer our process ends."""

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        receipt = super().send_sms(sms)
        if len(self.taken) in (3, 9):
            raise Killed
        return receipt


def test_several_workers_together_keep_the_pace(engine: Engine) -> None:
    house = House(engine, 5, workers=3)
    house.write(90, house.here)
    house.write(90, house.there)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work, house) for _each in range(3)]:
            done.result()

    times = sorted(at for at, _sms in house.gateway.taken)
    assert len({sms.reference for sms in house.gateway.sent}) == len(times) == 180
    for begins in times:
        within = sum(begins <= at < begins + WINDOW for at in times)
        assert within <= 50
        assert within >= 47 or begins + WINDOW > times[-1] or begins < times[0] + AHEAD
    assert house.states() == {MessageStatus.ACCEPTED: 180}


def test_a_long_text_takes_as_many_turns_as_segments(engine: Engine) -> None:
    house = House(engine, 2)
    house.write(12, house.here, body="a" * 400)  # three segments each

    house.round().run()

    times = [at for at, _sms in house.gateway.taken]
    assert max(sum(begins <= at < begins + WINDOW for at in times) for begins in times) == 6


def test_a_clinic_with_few_texts_does_not_wait_for_one_with_many(engine: Engine) -> None:
    house = House(engine, 2)
    house.write(40, house.here, ago=30)
    house.write(5, house.there)

    house.round().run()

    assert house.clinics_of_sent()[:11].count(house.there.id) == 5


def test_an_alert_gets_the_next_turn_that_is_not_given_yet(engine: Engine) -> None:
    house = House(engine, 5)
    house.write(30, house.here, ago=30)
    with house.sessions.begin() as session:
        first = paced.claim(session, SENDER, now=house.clock(), limit=100)
    window = (house.clock(), house.clock() + timedelta(hours=1))
    with house.sessions.begin() as session:
        row = outbox.new_alert(
            house.caller,
            house.there.id,
            "Somebody needs help.",
            dedupe_key="alert:1",
            cause="concern:1",
            window=window,
            now=house.clock(),
        )
        outbox.write(session, [row])

    house.clock.advance(AHEAD / 2)
    with house.sessions.begin() as session:
        second = paced.claim(session, SENDER, now=house.clock(), limit=100)

    assert second.texts[0].sms.body == "Somebody needs help."
    alert_at, before = second.texts[0].turn_at, first.texts[-1].turn_at
    assert alert_at is not None
    assert before is not None
    assert before < alert_at < house.clock() + AHEAD


def test_other_senders_wait_for_no_turn(engine: Engine) -> None:
    house = House(engine, 1)
    house.write(5, house.here, ago=30)
    with house.sessions.begin() as session:
        free = make_clinic(session)
    house.write(5, free)

    assert send_due_messages(house.sessions, house.gateway, house.clock) == 5
    assert set(house.clinics_of_sent()) == {free.id}
    house.round().run()
    assert len(house.gateway.sent) == 10


def test_without_the_limit_all_goes_out_as_before(engine: Engine) -> None:
    house = House(engine, 1)
    house.write(5, house.here)
    with house.sessions.begin() as session:
        clinic = session.get_one(Clinic, house.here.id)
        pacing.choose(session, clinic, SENDER, None, by_staff_id=house.caller.id, now=house.clock())

    assert house.round().run() == 0
    assert send_due_messages(house.sessions, house.gateway, house.clock) == 5


def test_what_is_too_late_for_its_turn_gets_another(engine: Engine) -> None:
    house = House(engine, 5)
    house.write(8, house.here)
    slept: list[timedelta] = []

    def oversleep(landed: Landed, flying: int, up_to: timedelta) -> Landing | None:
        late = LATE * 2 if not flying and not slept else timedelta()
        slept.append(late)
        return house.clock.wait(landed, flying, up_to + late)

    Round(house.sessions, house.gateway, house.clock, 8, lambda: True, oversleep).run()

    assert house.states() == {MessageStatus.ACCEPTED: 8}
    assert len(house.gateway.sent) == 8
    with house.sessions() as session:
        assert set(session.scalars(select(Message.tries))) == {1}


def test_a_carrier_in_trouble_is_asked_once(engine: Engine) -> None:
    house = House(engine, 5)
    house.write(8, house.here)
    house.gateway.troubles = [ProviderUnavailable("no connection")] * 8

    assert house.round().run() == 0

    assert len(house.gateway.troubles) == 7
    assert house.states() == {MessageStatus.SCHEDULED: 8}


def test_a_worker_that_is_told_to_stop_hands_over_what_has_a_turn(engine: Engine) -> None:
    house = House(engine, 5)
    house.write(60, house.here)
    until = house.clock() + timedelta(seconds=4)

    house.round(go_on=lambda: house.clock() < until).run()

    states = house.states()
    assert set(states) == {MessageStatus.ACCEPTED, MessageStatus.SCHEDULED}
    assert states[MessageStatus.ACCEPTED] <= 30


def test_a_worker_that_dies_loses_and_doubles_nothing(engine: Engine) -> None:
    house = House(engine, 5)
    house.write(20, house.here)
    house.gateway = Dying(house.clock)
    for _life in range(3):
        try:
            house.round().run()
        except Killed:
            house.clock.advance(LEASE + timedelta(minutes=1))
            settle_lost_messages(house.sessions, house.gateway, house.clock)
    house.clock.advance(timedelta(hours=1))
    settle_lost_messages(house.sessions, house.gateway, house.clock)
    house.clock.advance(timedelta(minutes=20))
    house.round().run()

    assert Counter(Counter(sms.reference for sms in house.gateway.sent).values()) == {1: 20}
    assert house.states() == {MessageStatus.ACCEPTED: 20}


@pytest.fixture
def page(engine: Engine) -> House:
    return House(engine, 5)


def _person(house: House, role: Role) -> StaffMember:
    with house.sessions.begin() as session:
        clinic = None if role is Role.ADMINISTRATOR else house.here
        return make_staff(session, clinic, role, password_hash=HASH)


def test_the_delivery_page_says_how_many_wait_for_their_turn(
    page: House, client: FlaskClient
) -> None:
    page.write(3, page.here)
    page.write(4, page.there)
    sign_in(client, _person(page, Role.MANAGER))

    shown = client.get("/messages/delivery").text

    assert "3 texts wait: the sender sends 5 segments a second." in " ".join(shown.split())


def test_an_administrator_chooses_the_sender_and_its_pace(page: House, client: FlaskClient) -> None:
    sign_in(client, _person(page, Role.ADMINISTRATOR))
    address = f"/messages/settings/sender?clinic={page.there.code}"

    wrong = client.post(address, data={"sender": "Bob", "per_second": "0"})
    assert wrong.status_code == 422
    assert "Use a number from 1 to 500." in wrong.text
    right = client.post(
        address, data={"sender": "MG" + "0" * 32, "per_second": "20"}, follow_redirects=True
    )

    assert "Saved." in right.text
    with page.sessions() as session:
        assert session.get_one(Clinic, page.there.id).sms_sender == "MG" + "0" * 32
        paces = {each.sender: each.per_second for each in session.scalars(select(SenderPace))}
    assert paces == {SENDER: 5, "MG" + "0" * 32: 20}


def test_a_manager_reads_the_pace_and_sets_none(page: House, client: FlaskClient) -> None:
    sign_in(client, _person(page, Role.MANAGER))

    assert "At most 5 segments a second go out" in client.get("/messages/settings").text
    answer = client.post(f"/messages/settings/sender?clinic={page.here.code}", data={})
    assert answer.status_code == 404
