"""A caller with one patient to call now."""

import pytest
from flask.testing import FlaskClient

from outreach.orm import Sessions
from tests.integration.calls.asked import Asking
from tests.integration.calls.day import Day

__all__ = ["Day"]


@pytest.fixture
def day(sessions: Sessions) -> Day:
    return Day(sessions)


@pytest.fixture
def asking(sessions: Sessions, client: FlaskClient, day: Day) -> Asking:
    return Asking(sessions, client, day)
