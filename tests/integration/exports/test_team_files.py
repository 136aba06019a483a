"""Files about the team and what weighs on it say what their pages say."""

from datetime import date

from outreach.exports.rules import Content, Progress
from tests.builders import make_patient
from tests.integration.exports.conftest import House
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
