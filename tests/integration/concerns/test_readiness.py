"""No call starts without a named person: by dates, by the week, or the clinic's lead."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import readiness, rota, weekly
from outreach.concerns.models import OnCall
from outreach.concerns.readiness import Net, NobodyOnCall
from outreach.concerns.rules import Needed, OnCallRank
from outreach.concerns.weekly import NewWeek
from outreach.orm import Sessions
from tests.builders import make_clinic, make_on_call, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW

FIRST, BACKUP, LEAD = OnCallRank
DAY = timedelta(days=1)


@dataclass
class House:
    """A clinic with a nurse and a manager, and nobody on call."""

    sessions: Sessions
    clinic: Clinic
    nurse: StaffMember
    manager: StaffMember

    def ready(self, now: datetime = NOW) -> dict[OnCallRank, int]:
        with self.sessions() as session:
            watch = readiness.watch(session, self.clinic.id, now=now)
            return {rank: person.id for rank, person in watch.ready.items()}

    def may_start(self, now: datetime = NOW) -> bool:
        with self.sessions() as session:
            try:
                readiness.refuse_unguarded(session, self.clinic.id, now=now)
            except NobodyOnCall:
                return False
            return True

    def keep(self, net: Net) -> None:
        with self.sessions.begin() as session:
            readiness.keep_net(session, session.merge(self.clinic), net, now=NOW)

    def by_dates(self, person: StaffMember, rank: OnCallRank, until: datetime) -> None:
        with self.sessions.begin() as session:
            session.add(
                OnCall(
                    clinic_id=self.clinic.id,
                    staff_id=person.id,
                    rank=rank,
                    from_at=NOW - DAY,
                    until_at=until,
                )
            )

    def by_week(self, person: StaffMember, rank: OnCallRank = FIRST, **hours: object) -> None:
        with self.sessions.begin() as session:
            make_on_call(session, self.clinic, person, rank, **hours)

    def gaps(self) -> list[tuple[str, str]]:
        with self.sessions() as session:
            found = readiness.coming_gaps(session, session.merge(self.clinic), now=NOW)
            return [(f"{begins:%a %H:%M}", f"{ends:%a %H:%M}") for begins, ends in found]


@pytest.fixture
def house(sessions: Sessions) -> House:
    with sessions.begin() as session:
        clinic = make_clinic(session, keeps_holidays=False)
        nurse = make_staff(session, clinic, Role.NURSE, name="Nadia", password_hash=HASH)
        manager = make_staff(session, clinic, Role.MANAGER, name="Mark", password_hash=HASH)
        return House(sessions, clinic, nurse, manager)


def test_nobody_named_means_no_call(house: House) -> None:
    assert house.ready() == {}
    assert not house.may_start()


def test_dates_come_before_the_week_and_the_week_before_the_lead(house: House) -> None:
    house.keep(Net(lead_id=house.manager.id))
    assert house.ready() == {LEAD: house.manager.id}
    assert house.may_start()

    house.by_week(house.nurse, LEAD)
    house.by_week(house.nurse, FIRST)
    assert house.ready() == {FIRST: house.nurse.id, LEAD: house.nurse.id}

    house.by_dates(house.manager, FIRST, NOW + DAY)
    assert house.ready() == {FIRST: house.manager.id, LEAD: house.nurse.id}
    assert house.ready(NOW + DAY) == {FIRST: house.nurse.id, LEAD: house.nurse.id}


def test_a_clinic_may_ask_for_somebody_in_the_first_place(house: House) -> None:
    house.keep(Net(Needed.FIRST, house.manager.id))
    assert not house.may_start()

    house.by_week(house.nurse)

    assert house.may_start()


def test_who_left_the_clinic_is_nobody_on_call(house: House) -> None:
    house.keep(Net(lead_id=house.nurse.id))
    house.by_week(house.nurse)
    with house.sessions.begin() as session:
        session.merge(house.nurse).is_active = False

    assert house.ready() == {}


def test_the_week_is_on_the_clinics_clock_and_lasts_over_midnight(house: House) -> None:
    house.by_week(house.nurse, weekdays=1, begins=time(20), ends=time(8))  # Monday, in Chicago

    evening = datetime(2026, 11, 24, 1, 59, tzinfo=UTC)  # 19:59 there
    assert [
        house.may_start(evening + ahead)
        for ahead in (timedelta(0), timedelta(minutes=1), timedelta(hours=12), timedelta(hours=13))
    ] == [False, True, True, False]


def test_gaps_are_where_calls_could_be_made_and_nobody_is_on_call(house: House) -> None:
    house.by_week(house.nurse, weekdays=0b0011111, begins=time(9), ends=time(20))  # Mon to Fri
    house.by_dates(house.nurse, BACKUP, NOW + timedelta(minutes=30))

    assert house.gaps() == [("Sat 15:00", "Sun 02:00")]  # 9 to 20 in Chicago; Sunday is closed

    house.keep(Net(lead_id=house.manager.id))
    assert house.gaps() == []

    house.keep(Net(Needed.FIRST, house.manager.id))
    assert house.gaps() == [("Sat 15:00", "Sun 02:00")]


def test_a_manager_keeps_week_lead_and_rule_and_ends_them(
    house: House, client: FlaskClient
) -> None:
    sign_in(client, house.manager)
    week = {
        "week-staff_id": str(house.nurse.id), "week-rank": "first",
        "week-weekdays": ["0", "1"], "week-begins": "08:00", "week-ends": "20:00",
    }  # fmt: skip

    added = client.post("/concerns/on-call/weekly", data=week)
    again = client.post("/concerns/on-call/weekly", data=week)
    no_days = client.post("/concerns/on-call/weekly", data=week | {"week-weekdays": []})
    kept = client.post(
        "/concerns/on-call/net", data={"net-needed": "first", "net-lead_id": str(house.manager.id)}
    )
    page = client.get("/concerns/on-call").text

    assert [each.status_code for each in (added, again, no_days, kept)] == [302, 422, 422, 302]
    assert "Nadia is on call in this place then." in again.text
    assert "Mon, Tue, 8 AM – 8 PM" in " ".join(page.split())
    assert "In the coming 7 days nobody is on call" in page
    assert house.ready() == {FIRST: house.nurse.id, LEAD: house.manager.id}
    week_id = page.split("/weekly/")[1].split("/")[0]
    assert client.post(f"/concerns/on-call/weekly/{week_id}/end").status_code == 302
    assert client.post(f"/concerns/on-call/weekly/{week_id}/end").status_code == 404
    assert house.ready() == {LEAD: house.manager.id}
    assert "no call can start." in client.get("/concerns/on-call").text


def test_a_whole_week_is_told_as_every_day_all_day(house: House, client: FlaskClient) -> None:
    house.by_week(house.nurse, weekdays=0b1111111, begins=time(), ends=time())
    sign_in(client, house.manager)

    assert "every day, all day" in " ".join(client.get("/concerns/on-call").text.split())


def test_only_the_clinics_own_nurses_and_managers_are_named(house: House) -> None:
    with house.sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session), Role.NURSE)
        clinic = session.merge(house.clinic)
        with pytest.raises(rota.UnfitForDuty):
            readiness.keep_net(session, clinic, Net(lead_id=stranger.id), now=NOW)
        new = NewWeek(stranger.id, FIRST, frozenset({0}), time(8), time(20), date(2026, 11, 23))
        with pytest.raises(rota.UnfitForDuty):
            weekly.add(session, clinic, new, by_staff_id=stranger.id, now=NOW)


def test_a_nurse_sees_who_is_on_call_and_changes_nothing(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
        first = make_on_call(session, clinic)
        second = make_on_call(session, clinic, rank=BACKUP)
        elsewhere = make_on_call(session, make_clinic(session))
    sign_in(client, nurse)
    assert 'href="/concerns/on-call/now"' in client.get("/concerns/").text

    page = client.get("/concerns/on-call/now").text

    assert first.name in page
    assert second.name in page
    assert elsewhere.name not in page
    assert page.count("<form") == 2  # signing out, and staying signed in
    assert client.get("/concerns/on-call").status_code == 404
    assert client.post("/concerns/on-call/net").status_code == 404
