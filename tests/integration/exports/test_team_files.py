"""Files about the team and what weighs on it say what their pages say."""

from datetime import date

from outreach.exports.rules import Content
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
    assert (told["value"], told["hidden"]) == ("17", "no")
