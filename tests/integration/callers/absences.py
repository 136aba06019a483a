"""Entering absences as a browser does, and what comes of them."""

import re
from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from outreach.panels import duty
from outreach.panels.models import Absence, Cover
from tests.integration.callers.conftest import Place

# From Wednesday to Friday of the clock's own week, in Chicago.
DAYS = {"from_on": "2026-11-25", "last_on": "2026-11-27"}
WEDNESDAY = datetime(2026, 11, 25, 6, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 6, tzinfo=UTC)


def answers_on(page: str) -> dict[str, str]:
    """Return what a browser would send back from a page as it is."""
    hidden = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="(\w+)" value="([^"]*)"', page))
    answers = {name: value for name, value in hidden.items() if name in ("seen", "shown_days")}
    for name, options in re.findall(
        r'<select class="form-select" name="(caller-\d+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'value="(\d+)" selected', options)
        answers[name] = chosen.group(1) if chosen else ""
    return answers


def propose(client: FlaskClient, caller: StaffMember, **more: str) -> dict[str, str]:
    page = client.post(f"/callers/{caller.id}/absences", data={**DAYS, **more, "propose": "1"})
    assert page.status_code == 200, page.text
    return {**DAYS, **answers_on(page.text), **more, "save": "1"}


def covers(sessions: Sessions) -> list[Cover]:
    with sessions() as session:
        return list(session.scalars(select(Cover).order_by(Cover.id)))


def on_duty(sessions: Sessions, enrolment_id: int, at: datetime) -> int | None:
    with sessions() as session:
        return duty.on_duty(session, enrolment_id, now=at)


def entered(client: FlaskClient, sessions: Sessions, place: Place, **more: str) -> int:
    answers = propose(client, place.ana, **more)
    client.post(f"/callers/{place.ana.id}/absences", data=answers)
    with sessions() as session:
        return session.scalars(select(Absence.id)).one()
