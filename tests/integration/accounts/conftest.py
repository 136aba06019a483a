"""People with second factors, and the codes that their telephones show."""

import base64
import re
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.deps import Deps
from outreach.factors import authenticator, recovery
from outreach.factors.rules import code_of, step_at
from outreach.orm import Sessions
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH
from tests.fakes import FakeClock


@dataclass
class Owner:
    """Somebody with an authenticator app and recovery codes."""

    person: StaffMember
    secret: bytes
    codes: list[str]
    clock: FakeClock

    def code(self, steps: int = 0) -> str:
        """Return what the app shows, or showed or will show some steps of 30 seconds off."""
        return code_of(self.secret, step_at(self.clock()) + steps)


@pytest.fixture
def outside(app: Flask) -> Deps:
    found: Deps = app.extensions["outreach"]
    return found


@pytest.fixture
def owner(sessions: Sessions, outside: Deps, clock: FakeClock) -> Owner:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)
        secret = authenticator.propose(session, person.id, outside.cipher, now=clock())
        session.flush()
        shown = code_of(secret, step_at(clock()) - 1)
        authenticator.confirm(session, person.id, shown, outside.cipher, now=clock())
        codes = recovery.renew(session, person.id, outside.cipher, now=clock())
        return Owner(person, secret, codes, clock)


def is_in(client: FlaskClient) -> bool:
    """Say whether this browser is signed in all the way."""
    answer = client.get("/form-token")
    return answer.status_code == 200


def secret_on(page: str) -> bytes:
    """Return the secret that the page of a new app shows."""
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found, page
    return base64.b32decode(found[1].replace(" ", ""))
