"""Files about the team and what weighs on it say what their pages say."""

from datetime import date

from sqlalchemy import update

from outreach.accounts.models import Membership
from outreach.exports.rules import Content, Progress
from tests.builders import make_patient, make_staff
from tests.integration.exports.conftest import House
from tests.integration.exports.test_papers import button_of, on_paper
from tests.integration.pulse.test_pulse import LAST_MONTH, tell
from tests.integration.reports.test_minutes_by_group import worry


def test_page_and_file_say_after_how_long_concerns_are_taken_on(full_house: House) -> None:
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        for _ in range(11):
            patient = make_patient(session, clinic, phone=None, language="es")
            worry(session, patient, date(2026, 10, 5), 17.0)
    query = "clinic=NORTH&from_on=2026-10-01&until_on=2026-10-31&by=language"

    page = full_house.client.get(f"/reports/around?{query}").text
    full_house.ask(Content.AROUND_GROUPS, "csv", query)

    row = page[page.rindex("Median time until taken on") :].split("</tr>")[0]
    assert row.count("17 minutes") == 2
    [told] = [
        each
        for each in full_house.rows()
        if each["group"] == "es" and each["measure"].startswith("median minutes")
    ]
    assert (float(told["value"]), told["hidden"]) == (17, "no")


def test_the_team_by_week_is_a_file_as_the_page_tells_it(full_house: House) -> None:
    query = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20&by=week"
    page = full_house.client.get(f"/reports/adherence?{query}").text
    assert 'value="team by group"' in page
    section = page[page.index('id="team-groups"') :].split("</section>")[0]

    full_house.ask(Content.TEAM_GROUPS, "csv", query)

    rows = full_house.rows()
    assert len(rows) == section.count('<th scope="row">') > 0
    [busy] = [row for row in rows if row["dials"] == "26"]
    assert (busy["callers"], busy["days"], busy["conversations"]) == ("1", "1", "13")
    assert "26 in 1 day<" in section
    assert (busy["patients_of_a_caller"], busy["burning_out"]) == ("", "")


def test_there_is_no_team_of_a_kind_of_people(full_house: House) -> None:
    query = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20&by=sex"

    page = full_house.client.get(f"/reports/adherence?{query}").text
    full_house.ask(Content.TEAM_GROUPS, "csv", query)
    full_house.write()

    assert 'value="team by group"' not in page
    assert "these groups have no team of their own" in page
    assert full_house.one().progress is not Progress.READY


def test_how_the_team_is_stands_on_paper_for_its_manager(full_house: House) -> None:
    """And by clinic: the last month of each, where enough answered."""
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        callers = [make_staff(session, clinic) for _ in range(6)]
        session.execute(update(Membership).values(from_on=date(2026, 1, 1)))
    tell(full_house.sessions, callers, date(2026, 9, 1), 1, 1, 1, 1)
    tell(full_house.sessions, callers, LAST_MONTH, 3, 4, 1, 1, 2)
    days = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20"
    page = full_house.client.get(f"/reports/adherence?{days}&by=clinic").text

    data = on_paper(full_house, Content.ADHERENCE, button_of(page, Content.ADHERENCE))

    rows = {row[0]: row[1:] for row in data["pulse"]["figures"]["rows"]}
    assert rows["October 2026"] == ["40% (2 of 5)", "62% (5 of 8)"]
    assert rows["September 2026"] == ["fewer than 5 answered: not shown", ""]
    assert len(data["pulse"]["plot"]["dots"]) == 1
    assert "each month" in data["pulse"]["plot"]["words"]
    [north] = data["team_groups"]["figures"]["rows"]
    assert (north[0], north[-1]) == ("North", "40% (2 of 5)")
    assert "Burning out" in [term for term, _words in data["definitions"]]
    assert 'id="def-pulse"' in page


def test_it_stands_on_no_paper_of_an_earlier_day(full_house: House) -> None:
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        callers = [make_staff(session, clinic) for _ in range(6)]
        session.execute(update(Membership).values(from_on=date(2026, 1, 1)))
    tell(full_house.sessions, callers, LAST_MONTH, 3, 4, 1, 1, 2)
    days = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20&as_of=2026-11-20"
    page = full_house.client.get(f"/reports/adherence?{days}").text

    data = on_paper(full_house, Content.ADHERENCE, button_of(page, Content.ADHERENCE))

    assert data["pulse"] is None
    assert "Burning out" not in [term for term, _words in data["definitions"]]
