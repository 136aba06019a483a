"""Lists behind what weighs on callers: today's calls, days on the telephone, concerns."""

import html
import random
import re
from collections import Counter
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.orm import Sessions
from outreach.planning.rules import CallStatus
from outreach.reports import adherence, load, one_caller, single_concerns, today_calls
from outreach.reports.asked import Asked, Here
from outreach.reports.rollups import roll
from outreach.reports.rules.tally import Measure
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history
from tests.integration.reports.test_adherence import EVERYTHING, PERIODS, ask
from tests.integration.reports.test_load import raised
from tests.integration.reports.test_pages import call_made, manager_of, row_of

DAYS = "from_on=2026-10-26&until_on=2026-11-22"
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("as_of", [None, date(2026, 11, 1)])
@pytest.mark.parametrize("is_rolled", [False, True])
def test_the_days_of_each_caller_are_those_of_the_card(
    sessions: Sessions, *, is_rolled: bool, as_of: date | None
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(7))  # noqa: S311
    while is_rolled:
        with sessions.begin() as session:
            is_rolled = roll(session, clinic.id, now=NOW) > 0

    with sessions() as session:
        for period in PERIODS:
            asked: Asked = ask(clinic, period)
            asked = asked.as_of(as_of) if as_of else asked
            report = adherence.report(session, asked)
            loads = load.of_team(session, asked, report.dialled)
            for line in report.lines:
                if line.caller_id is None:
                    continue
                days = load.days_of(session, asked, line.caller_id)
                assert sum(each.dials for each in days) == line.tally.dials
                assert sum(each.reached for each in days) == line.tally.reached
                run = loads[line.caller_id].run if line.caller_id in loads else 0
                assert sum(each.is_in for each in days) == run


def test_concerns_raised_are_listed_as_they_are_counted(session: Session) -> None:
    clinic, other = make_clinic(session), make_clinic(session)
    caller, second = make_staff(session, clinic), make_staff(session, clinic)
    asked = ask(clinic, PERIODS[0])
    begins_at, ends_at = asked.instants
    for by, at, where in (
        (caller, begins_at, clinic),
        (caller, ends_at - timedelta(seconds=1), clinic),
        (caller, ends_at, clinic),
        (second, begins_at, clinic),
        (caller, begins_at, other),
    ):
        raised(session, where, by, at)

    for staff in (caller, second):
        lines = single_concerns.raised_by(session, asked, staff.id)
        counted = load.of_team(session, asked, {})[staff.id].concerns
        assert len(lines) == counted > 0
        page = single_concerns.page_of(session, asked, lines, 1)
        assert set(page.people) == {line.met.patient_id for line in lines}


@pytest.mark.parametrize("seed", range(3))
def test_todays_calls_are_listed_as_they_are_counted(session: Session, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    clinic = make_history(session, chance)
    callers = [None, *(make_staff(session, clinic) for _ in range(2))]
    for _ in range(12):
        enrolment = make_enrolment(
            session, make_patient(session, clinic), caller=chance.choice(callers)
        )
        status = chance.choice(list(CallStatus))
        closed_at = NOW - timedelta(hours=chance.choice([1, 40]))
        make_planned_call(
            session,
            enrolment,
            TODAY + timedelta(days=chance.randint(-1, 1)),
            status=status,
            closed_at=None if status is CallStatus.PLANNED else closed_at,
        )
    here = Here.of(EVERYTHING, clinic, now=NOW)

    days = today_calls.by_caller(session, here)

    assert sum(each.due for each in days) > 3
    for each in days:
        calls = today_calls.one_by_one(session, here, each.caller_id)
        assert len(calls) == each.due
        assert sum(call.status is CallStatus.COMPLETED for call in calls) == each.done


def people_of(session: Session, clinic: Clinic) -> int:
    """A caller with a call of today and a concern that they raised; return who."""
    caller = make_staff(session, clinic, name="Chidi Obi")
    patient = make_patient(session, clinic, given_name="Zebedee")
    enrolment = make_enrolment(session, patient, caller=caller, starts_on=date(2026, 11, 2))
    make_planned_call(session, enrolment, TODAY)
    raised(session, clinic, caller, NOW - timedelta(days=3))
    concern = Concern(
        clinic_id=clinic.id, patient_id=patient.id, kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW, raised_at=NOW - timedelta(days=4), status=ConcernStatus.CLOSED,
    )  # fmt: skip
    session.add(concern)
    session.flush()
    for kind, minutes in (
        (StepKind.RAISED, 0), (StepKind.ACKNOWLEDGED, 7), (StepKind.CLOSED, 40),
    ):  # fmt: skip
        step = ConcernStep(
            concern_id=concern.id, kind=kind, note="", by_staff_id=caller.id,
            at=concern.raised_at + timedelta(minutes=minutes),
        )  # fmt: skip
        session.add(step)
    return caller.id


def test_cards_lead_to_their_lists(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller_id = people_of(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    today = client.get("/reports/today").text
    [(href, done, due)] = re.findall(r'href="(/reports/today/calls[^"]+)">(\d) of (\d)<', today)
    calls = client.get(html.unescape(href)).text
    assert (done, due) == ("0", "1")
    assert "Zebedee" in calls
    assert f"caller={caller_id}" in href

    concerns = client.get(f"/reports/adherence/concerns?{DAYS}&caller={caller_id}").text
    assert "Zebedee" in concerns
    assert "2 concerns" in concerns
    assert "7 minutes" in concerns

    met = client.get(f"/reports/around/concerns?{DAYS}&measure=in_time").text
    assert "2 concerns" in met
    assert "1 counted" in met
    around = client.get(f"/reports/around/patients?{DAYS}&measure=in_time").text
    assert "/reports/around/concerns?" in around
    by_caller = f"/reports/around/concerns?{DAYS}&measure=in_time&by=caller&group={caller_id}"
    assert "1 concern, " in client.get(by_caller).text


def test_the_team_leads_to_days_and_concerns(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(7))  # noqa: S311
        report = adherence.report(session, ask(clinic, PERIODS[0]))
        line = next(line for line, days in report.team if days)
        manager = manager_of(session, clinic)
    sign_in(client, manager)
    period = f"from_on={PERIODS[0].from_on}&until_on={PERIODS[0].until_on}"

    page = client.get(f"/reports/adherence?{period}").text
    link = re.search(rf'href="(/reports/adherence/days[^"]*caller={line.caller_id}&[^"]*)"', page)

    assert link
    listed = client.get(html.unescape(link.group(1)))
    assert listed.status_code == 200
    assert f">{line.tally.dials}</td>" in listed.text


@pytest.mark.parametrize("seed", range(2))
def test_one_caller_has_the_figures_of_the_report_and_weeks_add_up(
    session: Session, seed: int
) -> None:
    clinic = make_history(session, random.Random(seed))  # noqa: S311
    asked = ask(clinic, PERIODS[1])
    report = adherence.report(session, asked)
    callers = [line for line in report.lines if line.caller_id is not None]
    assert len(callers) > 1

    for measure in adherence.SERIES:
        parts: Counter[date] = Counter()
        for line in report.lines:
            found = one_caller.of(session, asked, line.caller_id or 0, measure)
            if line.caller_id is not None:
                assert found.tally == line.tally
                assert found.total == report.total
                parts.update({each.week_on: each.whole for each in found.weeks})
        for week in adherence.by_week(session, asked, measure):
            assert parts[week.week_on] <= week.whole
        if measure is Measure.REACH_PER_DIAL:  # each dial is somebody's
            weeks = adherence.by_week(session, asked, measure)
            assert +parts == +Counter({week.week_on: week.whole for week in weeks})


def test_a_caller_stands_beside_everybody(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic, name="Chidi Obi")
        other = make_staff(session, clinic, name="Ana Ortiz")
        call_made(session, clinic, name="Beth Nolan")
        manager = manager_of(session, clinic)
    sign_in(client, manager)
    adherence_page = client.get("/reports/adherence?days=28").text
    link = re.search(r'href="(/reports/adherence/caller[^"]+)">Chidi Obi<', adherence_page)
    assert link

    page = client.get(html.unescape(link.group(1))).text

    row = row_of(page, "Calls completed")
    assert "1 of 2" in row
    assert "2 of 4" in row
    idle = client.get(f"/reports/adherence/caller?caller={other.id}")
    assert (idle.status_code, "Nothing in these days" in idle.text) == (200, True)
    assert client.get(f"/reports/adherence/caller?caller={other.id}&weeks=luck").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/reports/adherence/caller?{DAYS}&caller={{}}",
        "/reports/today/calls?caller={}",
        f"/reports/adherence/days?{DAYS}&caller={{}}",
        f"/reports/adherence/concerns?{DAYS}&caller={{}}",
    ],
)
def test_nobody_of_another_clinic_is_named(
    sessions: Sessions, client: FlaskClient, path: str
) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        caller_id = people_of(session, other)
        manager = manager_of(session, clinic)
        nurse = make_staff(session, other, Role.NURSE, password_hash=HASH)
    sign_in(client, manager)

    assert client.get(path.format(caller_id)).status_code == 404
    assert client.get(f"{path.format(caller_id)}&clinic={other.code}").status_code == 404
    assert client.get(path.format("999999999999999999999")).status_code == 404

    client.post("/sign-out")
    sign_in(client, nurse)
    assert client.get(path.format(caller_id)).status_code == 404
