"""A clinic with a manager who can sign in, for tests that need no more of people."""

import pytest

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    with sessions.begin() as session:
        return make_clinic(session, code="HERE")


@pytest.fixture
def manager(sessions: Sessions, clinic: Clinic) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
