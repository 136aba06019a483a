"""One person has a call open; everybody else is told who, and until when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Actor
from outreach.calls import leases, outcomes, queue
from outreach.calls.models import Attempt, Lease
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import HELD_FOR, OPEN_FOR, Outcome
from outreach.orm import Sessions
from outreach.planning import next_call
from outreach.programmes.models import Enrolment
from tests.builders import actor_of, make_absence, make_cover
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day

NOW = MONDAY_10_CHICAGO
SECOND = timedelta(seconds=1)


class Covered:
    """Ben covers Ana for another quarter of an hour; both are asked what they see."""

    def __init__(self, sessions: Sessions, day: Day) -> None:
        self.sessions, self.day = sessions, day
        self.ends_at = NOW + timedelta(minutes=15)
        with sessions.begin() as session:
            absence = make_absence(session, day.ana, day.clinic.id)
            enrolment = session.get_one(Enrolment, day.call.enrolment_id)
            cover = make_cover(session, absence, enrolment, day.ben)
            cover.opened_at, cover.until_at = NOW, self.ends_at

    def actor(self, person: StaffMember, at: datetime = NOW) -> Actor:
        return actor_of(person, self.day.clinic, as_of=at)

    def take(self, person: StaffMember, at: datetime = NOW) -> bool:
        with self.sessions.begin() as session:
            return leases.take(session, self.day.call, self.actor(person), now=at)

    def seen_by(self, person: StaffMember, at: datetime = NOW) -> tuple[str | None, bool]:
        """Return who has the call by the mark on the screen, and whether it is up next."""
        with self.sessions() as session:
            actor = self.actor(person, at)
            mark = leases.mark_of_others(session, self.day.call, actor, now=at)
            return mark.name if mark else None, queue.next_ref(session, actor, now=at) is not None


@pytest.fixture
def covered(sessions: Sessions, day: Day) -> Covered:
    return Covered(sessions, day)


@pytest.mark.parametrize("people", [2, 5])
def test_of_many_who_open_in_the_same_instant_one_gets_the_call(
    sessions: Sessions, day: Day, people: int
) -> None:
    barrier = Barrier(people)
    who = [day.ana, day.ben, day.ben, day.ana, day.ben][:people]

    def open_it(person: StaffMember) -> tuple[int, bool]:
        actor = actor_of(person, day.clinic)
        barrier.wait()
        with sessions.begin() as session:
            return person.id, leases.take(session, day.call, actor, now=NOW)

    with ThreadPoolExecutor(people) as pool:
        answers = set(pool.map(open_it, who))

    with sessions() as session:
        holder = session.scalars(select(Lease.staff_id)).one()
    assert answers == {(each.id, each.id == holder) for each in (day.ana, day.ben)}


def test_of_two_who_find_a_lease_run_out_one_gets_the_call(sessions: Sessions, day: Day) -> None:
    with sessions.begin() as session:
        leases.take(session, day.call, actor_of(day.ana, day.clinic), now=NOW - OPEN_FOR)
    barrier = Barrier(2)

    def take(person: StaffMember) -> bool:
        barrier.wait()
        with sessions.begin() as session:
            return leases.take(session, day.call, actor_of(person, day.clinic), now=NOW)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(take, (day.ana, day.ben)))

    assert sorted(answers) == [False, True]


def test_an_open_call_is_nobody_elses_next_and_comes_free_by_itself(
    day: Day, covered: Covered
) -> None:
    assert covered.take(day.ana)

    assert covered.seen_by(day.ben) == ("Ana Morales", False)
    assert covered.seen_by(day.ben, NOW + OPEN_FOR - SECOND) == ("Ana Morales", False)
    assert covered.seen_by(day.ben, NOW + OPEN_FOR) == (None, True)


@pytest.mark.parametrize(
    ("is_started", "lasts"),
    [pytest.param(False, OPEN_FOR, id="open"), pytest.param(True, HELD_FOR, id="on the line")],
)
def test_a_heartbeat_keeps_a_call_and_a_started_one_longer(
    sessions: Sessions, day: Day, covered: Covered, *, is_started: bool, lasts: timedelta
) -> None:
    ana = covered.actor(day.ana)
    covered.take(day.ana)
    beat_at = NOW + timedelta(minutes=3)
    with sessions.begin() as session:
        if is_started:
            leases.start(session, day.call, ana, now=NOW)
        assert leases.keep(session, day.call, ana, now=beat_at)

    assert covered.seen_by(day.ben, beat_at + lasts - SECOND)[0] == "Ana Morales"
    assert covered.seen_by(day.ben, beat_at + lasts)[0] is None


def test_a_heartbeat_after_somebody_took_over_tells_so_and_changes_nothing(
    sessions: Sessions, day: Day, covered: Covered
) -> None:
    covered.take(day.ana)
    with sessions.begin() as session:
        leases.take_over(session, day.call, covered.actor(day.ben), now=NOW + SECOND)

    with sessions.begin() as session:
        assert not leases.keep(session, day.call, covered.actor(day.ana), now=NOW + 2 * SECOND)
    assert covered.seen_by(day.ana)[0] == "Ben Ode"
    assert covered.seen_by(day.ben)[0] is None


def test_a_clock_forgotten_yesterday_is_not_on_the_line_today(
    sessions: Sessions, day: Day, covered: Covered
) -> None:
    ana, tomorrow = covered.actor(day.ana), NOW + timedelta(days=1)
    covered.take(day.ana)
    with sessions.begin() as session:
        leases.start(session, day.call, ana, now=NOW)
        assert leases.held(session, day.call, ana, now=NOW + timedelta(hours=1)).is_started

    assert covered.take(day.ana, tomorrow)

    with sessions() as session:
        assert not leases.held(session, day.call, ana, now=tomorrow).is_started
        mark = leases.mark_of_others(session, day.call, covered.actor(day.ben), now=tomorrow)
    assert mark is not None
    assert (mark.since, mark.until, mark.is_on_the_line) == (tomorrow, tomorrow + OPEN_FOR, False)


def test_a_replanned_call_keeps_its_lease_and_a_closed_one_leaves_the_next_free(
    sessions: Sessions, day: Day, covered: Covered
) -> None:
    covered.take(day.ana)
    with sessions.begin() as session:
        next_call.replan(session, day.call.enrolment_id, now=NOW)
    assert covered.seen_by(day.ben)[0] == "Ana Morales"

    ben = covered.actor(day.ben)
    with sessions.begin() as session:
        report = CallReport("bens", Outcome.COMPLETED, minutes=3)
        outcomes.record(session, day.rosa, day.call.id, report, actor=ben, now=NOW)
    with sessions() as session:
        following = next_call.open_call(session, day.call.enrolment_id)
        assert following is not None
        assert leases.mark_of_others(session, following, ben, now=NOW) is None


def test_a_stand_in_whose_cover_ends_mid_call_finishes_it_and_then_is_out(
    sessions: Sessions, client: FlaskClient, day: Day, covered: Covered, clock: FakeClock
) -> None:
    sign_in(client, day.ben)
    assert client.post(f"/calls/{day.rosa.ref}/start").status_code == 302
    clock.now = covered.ends_at - SECOND
    client.post(f"/calls/{day.rosa.ref}/lease")
    clock.now = covered.ends_at + timedelta(minutes=5)

    kept = client.post(f"/calls/{day.rosa.ref}/draft", data=day.typed("She laughed.", "0"))
    saved = client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="9"))

    assert (kept.status_code, saved.status_code) == (200, 302)
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1
    assert client.get(f"/patients/{day.rosa.ref}").status_code == 404


def test_a_lease_left_alone_gives_nobody_a_patient_for_longer_than_it_lasts(
    client: FlaskClient, day: Day, covered: Covered, clock: FakeClock
) -> None:
    sign_in(client, day.ben)
    client.post(f"/calls/{day.rosa.ref}/start")

    clock.now = covered.ends_at + HELD_FOR
    sign_in(client, day.ben)

    assert client.get(f"/calls/{day.rosa.ref}").status_code == 404


def test_the_second_to_open_is_told_by_whom_and_until_when_and_may_take_over(
    app: Flask, day: Day, covered: Covered
) -> None:
    ana, ben = app.test_client(), app.test_client()
    sign_in(ana, day.ana)
    sign_in(ben, day.ben)
    address = f"/calls/{day.rosa.ref}"
    ben.get(address)

    second = ana.get(address).text
    refused = ana.post(f"{address}/start", follow_redirects=True).text
    ana.post(f"{address}/start", data={"take_over": "1"})

    assert "Ben Ode has this call open" in second
    assert "comes free at 10:10" in second.replace("\xa0", " ")
    assert "Ben Ode has this call open" in refused
    assert ben.post(f"{address}/lease").get_json() == {"is_yours": False, "by": "Ana Morales"}
    kept = ben.post(f"{address}/draft", data=day.typed("She laughed.", "0")).get_json()
    assert (kept["version"], kept["is_yours"]) == (1, False)
    assert "Ana Morales is on the line" in ben.get(address).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"X-Purpose": "preview"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_page_that_nobody_looks_at_takes_no_call(
    app: Flask, sessions: Sessions, day: Day, headers: dict[str, str]
) -> None:
    client = app.test_client()
    sign_in(client, day.ana)

    assert client.get(f"/calls/{day.rosa.ref}", headers=headers).status_code == 200
    client.head(f"/calls/{day.rosa.ref}")

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Lease)) == 0
    client.get(
        f"/calls/{day.rosa.ref}",
        headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    )
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Lease)) == 1
