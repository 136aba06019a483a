"""The months of the team as a run chart: what may not be told of is missing, and no zero."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from config import Config
from outreach.accounts.models import Clinic, Membership
from outreach.accounts.rules import Role
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.exports.rules import Progress
from outreach.orm import Sessions
from outreach.pulse.rules import Group
from outreach.reports import graphs
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.pulse.test_pulse import LAST_MONTH, House, tell
from tests.integration.pulse.test_support import page_text

FEW, MOST = (3, 4, 5, 1), (3, 4, 5, 3, 2)


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def tell_four_months(sessions: Sessions, house: House) -> None:
    """One that is told, one that too few answered, one that would name somebody, and the last."""
    tell(sessions, house.callers, date(2026, 7, 1), 3, 4, 1, 1, 2)
    tell(sessions, house.callers, date(2026, 8, 1), *FEW)
    tell(sessions, house.callers, date(2026, 9, 1), *MOST)
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 2)


def chart_of(page: str) -> str:
    """Return the chart with its table, from the report."""
    section = page[page.index('aria-labelledby="pulse"') :]
    return section[: section.index("</figure>")]


def test_the_report_shows_the_months_with_a_gap_where_too_few_answered(
    client: FlaskClient, house: House, sessions: Sessions
) -> None:
    tell_four_months(sessions, house)
    sign_in(client, house.manager)

    chart = chart_of(client.get(f"/reports/adherence?clinic={house.clinic.code}").text)

    words = page_text(chart)
    assert "July 2026 40% 2 of 5 August 2026 – not shown September 2026 – not shown" in words
    assert "October 2026 0% 0 of 5" in words
    assert len(re.findall("<polyline", chart)) == 2
    assert "November 2026" not in words


def test_the_months_are_a_file_that_hides_what_the_page_hides(
    client: FlaskClient, house: House, sessions: Sessions, clock: FakeClock, config: Config
) -> None:
    tell_four_months(sessions, house)
    sign_in(client, house.manager)
    query = f"clinic={house.clinic.code}"
    assert "how the team is" in client.get(f"/reports/adherence?{query}").text

    data = {"content": "how the team is", "format": "csv", "query": query, "form_key": "k"}
    assert client.post("/exports/", data=data).status_code == 302
    write_exports(sessions, clock, Place(config.exports, timedelta(days=7), b"a key"))

    with sessions() as session:
        made = session.scalars(select(Export)).one()
    assert made.progress is Progress.READY, made.trouble
    with client.get(f"/exports/{made.ref}/file") as answer:
        rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))[1:]
    assert rows == [
        ["2026-07-01", "2", "5", "0.4", "6", ""],
        ["2026-08-01", "", "", "", "", "fewer than 5 answered"],
        ["2026-09-01", "", "5", "", "6", "all of them, or all but one"],
        ["2026-10-01", "0", "5", "0.0", "6", ""],
    ]


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.NURSE, Role.CALLER])
def test_nobody_but_its_managers_has_the_months_as_a_file(
    client: FlaskClient, house: House, sessions: Sessions, role: Role
) -> None:
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 2)
    with sessions.begin() as session:
        clinic = None if role is Role.ADMINISTRATOR else session.merge(house.clinic)
        other = make_staff(session, clinic, role, password_hash=HASH)
    sign_in(client, other)

    query = f"clinic={house.clinic.code}"
    data = {"content": "how the team is", "format": "csv", "query": query, "form_key": "k"}
    assert client.post("/exports/", data=data).status_code == 404


def test_an_administrator_who_manages_another_clinic_has_no_months_of_this_one(
    client: FlaskClient, house: House, sessions: Sessions, clock: FakeClock, config: Config
) -> None:
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 2)
    with sessions.begin() as session:
        other = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        at = make_clinic(session)
        from_on = date(2020, 1, 1)
        session.add(
            Membership(staff_id=other.id, clinic_id=at.id, role=Role.MANAGER, from_on=from_on)
        )
    sign_in(client, other)

    query = f"clinic={house.clinic.code}"
    data = {"content": "how the team is", "format": "csv", "query": query, "form_key": "k"}
    client.post("/exports/", data=data)
    write_exports(sessions, clock, Place(config.exports, timedelta(days=7), b"a key"))

    with sessions() as session:
        assert [each.progress for each in session.scalars(select(Export))] in (
            [],
            [Progress.FAILED],
        )


def test_no_month_to_tell_of_is_no_chart(
    client: FlaskClient, house: House, sessions: Sessions
) -> None:
    tell(sessions, house.callers, LAST_MONTH, *FEW)
    sign_in(client, house.manager)

    page = client.get(f"/reports/adherence?clinic={house.clinic.code}").text

    section = page[page.index('aria-labelledby="pulse"') :].split("</section>")[0]
    assert "fewer than 5 answered: not shown" in section
    assert "<figure" not in section


def test_nobody_answered_is_no_section(client: FlaskClient, house: House) -> None:
    sign_in(client, house.manager)

    page = client.get(f"/reports/adherence?clinic={house.clinic.code}").text

    assert "How the team is" not in page


def test_a_shift_is_told_of(client: FlaskClient, house: House, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(Membership).values(from_on=date(2025, 1, 1)))
    months = [date(2025, month, 1) for month in (11, 12)]
    months += [date(2026, month, 1) for month in range(1, 11)]
    for on in months:
        burnt = 3 if on < date(2026, 5, 1) else 1
        tell(sessions, house.callers, on, *([4] * burnt), *([1] * (6 - burnt)))
    sign_in(client, house.manager)

    page = page_text(client.get(f"/reports/adherence?clinic={house.clinic.code}").text)

    assert "Median 33%" in page
    assert "The median is crossed 1 times, at least 3 by chance." in page


def groups(*told: tuple[int, int] | None) -> list[Group]:
    """Return months, the latest first, of which each is told of or is not."""
    found = []
    for number, each in enumerate(told):
        burnt, answered = each or (None, None)
        found.append(Group(date(2026, 1 + number, 1), 9, answered, burnt))
    return found[::-1]


def test_the_rules_ask_only_months_that_are_told_of() -> None:
    told = [(1, 5), (3, 5)] * 5
    months = graphs.of_months(groups(*told[:4], None, *told[4:], None))

    assert months.runs is not None
    assert (months.runs.median, months.runs.useful, months.runs.crossings) == (0.4, 10, 9)


def test_nine_months_are_too_few() -> None:
    months = graphs.of_months(groups(*[(1, 5), (3, 5)] * 4, (1, 5), None, None))

    assert months.chart is not None
    assert (months.runs, months.chart.levels) == (None, ())


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Chicago"])
def test_over_a_months_end_no_zone_is_told_of_a_month_that_goes_on_somewhere(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, zone: str
) -> None:
    """At noon UTC of October's last day it is November 1 in Kiritimati, and told of nowhere."""
    with sessions.begin() as session:
        clinic: Clinic = make_clinic(session, zone=zone)
        callers = [make_staff(session, clinic) for _each in range(5)]
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    for on in (date(2026, 9, 1), date(2026, 10, 1)):
        tell(sessions, callers, on, 1, 1, 1, 4, 1)
    for now, is_over in (
        (datetime(2026, 10, 31, 12, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 12, 30, tzinfo=UTC), False),
        (datetime(2026, 11, 3, 12, tzinfo=UTC), True),
    ):
        clock.now = now
        sign_in(client, manager)
        page = client.get(f"/reports/adherence?clinic={clinic.code}").text
        shown = page_text(chart_of(page))
        assert ("October 2026" in shown) is is_over
        assert "September 2026" in shown
