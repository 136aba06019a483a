"""Who guesses at accounts waits, and keeps nobody from their own."""

from datetime import timedelta

import pytest
from flask import Flask

from outreach.accounts import throttle
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.accounts.throttle import Source
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import HASH
from tests.fakes import FakeClock

HOUSE = "192.0.2.7"


class Door:
    """The page to sign in, for browsers that no account knows, and what was refused before."""

    def __init__(self, app: Flask, sessions: Sessions, clock: FakeClock) -> None:
        self._app, self._sessions, self.clock = app, sessions, clock
        with sessions.begin() as session:
            self.owner: StaffMember = make_staff(
                session, make_clinic(session), Role.MANAGER, password_hash=HASH
            )

    def refused(self, email: str, address: str) -> None:
        """Note a wrong password as the page does, without the time that hashing it takes."""
        account, source = throttle.by_address(email), Source.at(address)
        with self._sessions.begin() as session:
            throttle.note_failure(session, account, source, now=self.clock.now)

    def answer(self, password: str, address: str) -> str:
        """Return where the owner's browser is led, or the page that it is shown."""
        answer = self._app.test_client().post(
            "/sign-in",
            data={"email": self.owner.email, "password": password},
            environ_overrides={"REMOTE_ADDR": address},
        )
        return answer.location or answer.text


@pytest.fixture
def door(app: Flask, sessions: Sessions, clock: FakeClock) -> Door:
    return Door(app, sessions, clock)


def test_guessers_elsewhere_never_keep_the_owner_out(door: Door) -> None:
    """Twenty networks, then a wrong try a minute: the right password gets in each time."""
    for each in range(100):
        door.refused(door.owner.email, f"2001:db8:0:{each % 20:x}::1")
    for _minute in range(10):
        door.refused(door.owner.email, "2001:db8:0:1::1")
        assert door.answer(PASSWORD, HOUSE) == "/"
        door.clock.advance(timedelta(minutes=1))

    door.refused(door.owner.email, "2001:db8:0:1::1")
    assert "Too many tries" in door.answer(PASSWORD, "2001:db8:0:2::1")


def test_the_owner_may_mistype_while_others_guess(door: Door) -> None:
    for each in range(200):
        door.refused(door.owner.email, f"2001:db8:0:{each:x}::1")

    for _slip in range(2):
        assert "is not right" in door.answer("no", HOUSE)
    assert door.answer(PASSWORD, HOUSE) == "/"


def test_many_who_mistype_in_one_house_keep_nobody_out(door: Door) -> None:
    """A hundred failures of twenty people who share an address are an ordinary morning."""
    for each in range(100):
        door.refused(f"p{each % 20}@clinic.example", HOUSE)

    assert door.answer(PASSWORD, HOUSE) == "/"


def test_one_place_that_fails_at_a_hundred_accounts_waits_for_a_quarter_of_an_hour(
    door: Door,
) -> None:
    for each in range(100):
        door.refused(f"p{each}@clinic.example", HOUSE)

    assert "Wait 15 minutes" in door.answer(PASSWORD, HOUSE)
    assert door.answer(PASSWORD, "192.0.2.8") == "/"
    door.clock.advance(timedelta(minutes=15))
    assert door.answer(PASSWORD, HOUSE) == "/"
