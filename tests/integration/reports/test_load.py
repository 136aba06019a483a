"""What weighs on the team: days in a row on the telephone, and concerns raised."""

import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.orm import Sessions
from outreach.reports import adherence, load
from outreach.reports.asked import Asked
from outreach.reports.rollups import roll
from outreach.reports.rules.load import Load
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import Recount, make_history
from tests.integration.reports.test_adherence import PERIODS, ask
from tests.integration.reports.test_pages import call_made, manager_of


@pytest.mark.parametrize("is_rolled", [False, True])
def test_days_in_a_row_equal_a_recount(sessions: Sessions, *, is_rolled: bool) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(5))  # noqa: S311
    if is_rolled:
        is_left = True
        while is_left:
            with sessions.begin() as session:
                is_left = roll(session, clinic.id, now=NOW) > 0

    with sessions() as session:
        for period in PERIODS:
            dialled = set(Recount(session, clinic, period, NOW).dialled_days())
            expected = {}
            for caller, _day in dialled:
                days = {day for who, day in dialled if who == caller}
                expected[caller] = max(len(list(following(day, days))) for day in days)
            found = load_of(session, ask(clinic, period))
            assert {who: each.run for who, each in found.items()} == expected


def load_of(session: Session, asked: Asked) -> Mapping[int, Load]:
    return load.of_team(session, asked, adherence.report(session, asked).dialled)


def following(day: date, days: set[date]) -> Iterator[date]:
    while day in days:
        yield day
        day += timedelta(days=1)


def raised(session: Session, clinic: Clinic, by: StaffMember | None, at: datetime) -> None:
    concern = Concern(
        clinic_id=clinic.id,
        patient_id=make_patient(session, clinic).id,
        kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW,
        raised_at=at,
        status=ConcernStatus.OPEN,
    )
    session.add(concern)
    session.flush()
    for kind in (StepKind.RAISED, StepKind.NOTED):
        step = ConcernStep(concern_id=concern.id, kind=kind, note="", at=at)
        step.by_staff_id = by.id if by else None
        session.add(step)
    session.flush()


def test_concerns_count_for_who_raised_them_in_these_days(session: Session) -> None:
    clinic, other = make_clinic(session), make_clinic(session)
    caller, second = make_staff(session, clinic), make_staff(session, clinic)
    period = PERIODS[0]
    begins_at, ends_at = period.instants(ask(clinic, period).zone)
    for at in (
        begins_at,
        ends_at - timedelta(seconds=1),
        begins_at - timedelta(seconds=1),
        ends_at,
    ):
        raised(session, clinic, caller, at)
    raised(session, clinic, second, begins_at)
    raised(session, clinic, None, begins_at)
    raised(session, other, caller, begins_at)

    found = load_of(session, ask(clinic, period))

    assert {who: each.concerns for who, each in found.items()} == {caller.id: 2, second.id: 1}


def test_the_page_shows_them(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    page = client.get("/reports/adherence?days=28").text

    assert "Concerns raised" in page
    assert "Days in a row" in page
