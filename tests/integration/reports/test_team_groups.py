"""The team by week, clinic and region: recounted, and each number leads to what is behind it."""

import html
import random
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import median

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Membership, Region, RegionClinic
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.pulse.rules import Telling
from outreach.reports import adherence, breakdown, load, team_groups
from outreach.reports.breakdown import Dimension
from outreach.reports.rollups import roll
from outreach.reports.rules.period import Period, monday_of
from outreach.reports.team_groups import TeamLine
from tests.builders import make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.pulse.test_pulse import LAST_MONTH, House, tell
from tests.integration.pulse.test_support import page_text
from tests.integration.reports.histories import Recount, make_history, noon
from tests.integration.reports.test_adherence import PERIODS, ask
from tests.integration.reports.test_load import raised

LONG = PERIODS[1]


def lines(
    session: Session, clinics: list[Clinic], period: Period, dimension: Dimension
) -> dict[str, TeamLine]:
    asked = ask(clinics[0], period)
    report = adherence.report(session, asked)
    groups = breakdown.lines_of(session, clinics, report, asked, dimension)
    found = team_groups.lines_of(
        session, clinics, report, asked, groups, dimension, telling=Telling(), managed=()
    )
    return {line.key: line for line in found}


@pytest.mark.parametrize("is_rolled", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_weeks_equal_a_recount(sessions: Sessions, seed: int, *, is_rolled: bool) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311
        caller = make_staff(session, clinic)
        for ago in (3, 4, 20):
            raised(session, clinic, caller, noon(NOW.date() - timedelta(days=ago)))
    while is_rolled:
        with sessions.begin() as session:
            is_rolled = roll(session, clinic.id, now=NOW) > 0

    with sessions() as session:
        for period in PERIODS:
            dialled = set(Recount(session, clinic, period, NOW).dialled_days())
            days = Counter(monday_of(day).isoformat() for _who, day in dialled)
            callers: defaultdict[str, set[int]] = defaultdict(set)
            for who, day in dialled:
                callers[monday_of(day).isoformat()].add(who)

            found = lines(session, [clinic], period, Dimension.WEEK)

            told = {key: each for key, each in found.items() if each.days}
            assert {key: each.days for key, each in told.items()} == dict(days)
            assert {key: each.callers for key, each in told.items()} == {
                key: len(some) for key, some in callers.items()
            }
            total = adherence.report(session, ask(clinic, period)).total
            assert sum(each.dials for each in found.values()) == total.dials
            assert sum(each.reached for each in found.values()) == total.reached
            asked = ask(clinic, period)
            of_team = load.of_team(session, asked, {}).values()
            assert sum(each.concerns for each in found.values()) == sum(
                each.concerns for each in of_team
            )


def test_clinics_and_regions_are_made_of_their_callers(session: Session) -> None:
    make_history(session, random.Random(3))  # noqa: S311
    clinics = list(session.scalars(select(Clinic).order_by(Clinic.id)))
    both, caller = Region(name="Both"), make_staff(session, clinics[0])
    session.add(both)
    session.flush()
    session.add_all(RegionClinic(clinic_id=each.id, region_id=both.id) for each in clinics)
    raised(session, clinics[0], caller, noon(date(2026, 10, 6)))

    by_clinic = lines(session, clinics, LONG, Dimension.CLINIC)
    [region] = lines(session, clinics, LONG, Dimension.REGION).values()

    panels, runs = [], []
    for clinic in clinics:
        line, asked = by_clinic[clinic.code], ask(clinic, LONG)
        report = adherence.report(session, asked)
        own = [each.tally.patients for each, _days in report.team if each.tally.patients]
        panels += own
        loads = load.of_team(session, asked, report.dialled).values()
        runs += [each.run for each in loads]
        assert line.panel
        assert line.panel.median == median(own)
        assert line.run == max(each.run for each in loads)
        assert (line.callers, line.days) == (len(report.dialled), sum(report.days.values()))
        assert (line.dials, line.reached) == (report.total.dials, report.total.reached)
        assert line.concerns == sum(each.concerns for each in loads)
    assert region.panel
    assert region.panel.median == median(panels)
    assert region.run == max(runs)
    for part in ("days", "dials", "reached", "concerns"):
        assert getattr(region, part) == sum(getattr(each, part) for each in by_clinic.values())
    assert region.dials > 0


@pytest.mark.parametrize(
    "dimension",
    [each for each in Dimension if each not in team_groups.GROUPED],
)
def test_other_groups_have_no_team(session: Session, dimension: Dimension) -> None:
    clinic = make_history(session, random.Random(1))  # noqa: S311

    assert lines(session, [clinic], LONG, dimension) == {}


def test_numbers_of_a_week_lead_to_what_is_behind_them(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(2))  # noqa: S311
        caller = make_staff(session, clinic, name="Chidi Obi")
        for day in (10, 11, 12, 25):
            raised(session, clinic, caller, noon(date(2026, 11, day)))
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    page = client.get("/reports/adherence?by=week&from_on=2026-11-03&until_on=2026-11-22").text

    section = page[page.index('id="team-groups"') :].split("</section>")[0]
    [row] = [each for each in section.split("<tr>") if "Nov 9, 2026" in each]
    link = re.search(r'href="([^"]*concerns[^"]*)"><strong>3</strong>', row)
    assert link
    listed = client.get(html.unescape(link[1])).text
    assert "3 concerns, the newest first" in page_text(listed)
    assert "All callers" in listed
    dials = re.search(r'href="([^"]*measure=reach_per_dial[^"]*)">(\d+) in \d+ day', row)
    assert dials
    listed = client.get(html.unescape(dials[1])).text
    total = listed[listed.index("measures__total") :].split("</tr>")[0]
    assert re.findall(r'class="num"[^>]*>(\d+)<', total)[1] == dials[2]


def test_a_manager_of_several_clinics_hears_the_last_month_of_each(
    sessions: Sessions, client: FlaskClient
) -> None:
    house = House(sessions)
    tell(sessions, house.callers, LAST_MONTH, 3, 4, 1, 1, 2)
    with sessions.begin() as session:
        session.add(
            Membership(
                staff_id=house.manager.id,
                clinic_id=house.other.id,
                role=Role.MANAGER,
                from_on=date(2026, 1, 1),
            )
        )
        few = [make_staff(session, house.other) for _ in range(4)]
    tell(sessions, few, LAST_MONTH, 5, 5, 5, 5)
    sign_in(client, house.manager)

    page = client.get("/reports/adherence?by=clinic").text

    section = page_text(page[page.index('id="team-groups"') :].split("</section>")[0])
    assert "40% 2 of 5" in section
    assert "fewer than 5 answered: not shown" in section
    sign_in(client, house.administrator)
    assert "Burning out, last month" not in client.get("/reports/adherence?by=clinic").text
