"""Reports as PDF: what their pages show, set on paper."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from outreach.accounts import staff
from outreach.exports import contents
from outreach.exports.models import Export
from outreach.exports.rules import Content
from outreach.measures.rules import MeasureKind
from outreach.reports.definitions import HIDDEN
from tests.builders import make_enrolment, make_patient, make_reading
from tests.integration.exports.conftest import START, House
from tests.integration.exports.test_report_tables import files, read
from tests.integration.reports.histories import noon

AS_OF = "clinic=NORTH&as_of=2026-11-20"
PAGES = {
    Content.ADHERENCE: "/reports/adherence?clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20",
    Content.OUTCOMES: f"/reports/outcomes?{AS_OF}&measure=phq9&point=month_3&by=sex",
    Content.BOARD: f"/reports/cohort?{AS_OF}",
}


def button_of(page: str, content: Content) -> str:
    """Return the query of the button that asks for a PDF of ``content``."""
    forms = page.split("<form")
    form = next(each for each in forms if f'value="{content}"' in each and 'value="pdf"' in each)
    found = re.search(r'name="query" value="([^"]*)"', form)
    assert found
    return found.group(1).replace("&amp;", "&")


def on_paper(house: House, content: Content, query: str) -> dict[str, Any]:
    assert house.ask(content, "pdf", query) == 302
    with house.sessions() as session:
        export = session.scalars(select(Export)).one()
        actor = staff.actor(session, house.manager.id, now=house.clock())
        assert actor
        return dict(contents.on_paper(session, actor, export).data)


@pytest.mark.parametrize("content", PAGES)
def test_a_page_offers_itself_on_paper(full_house: House, content: Content) -> None:
    query = button_of(full_house.client.get(PAGES[content]).text, content)

    assert full_house.ask(content, "pdf", query) == 302

    found = files(full_house)["key"]
    assert read(full_house, found).startswith(b"%PDF-")
    assert found.rows_total


def test_paper_has_the_measure_the_point_and_the_groups_of_its_page(full_house: House) -> None:
    query = button_of(full_house.client.get(PAGES[Content.OUTCOMES]).text, Content.OUTCOMES)

    data = on_paper(full_house, Content.OUTCOMES, query)

    assert (data["chosen"], data["by"]) == ("PHQ-9, month 3", "sex")
    everybody = data["groups"]["rows"][0]
    assert everybody[:5] == ["Everybody", "100% (13 of 13)", "15.0", "9.0", "−6.0"]
    assert data["course"]["mean"]
    assert len(data["course"]["threads"]) == 13
    changes = {row[0]: row[1:5] for row in data["changes"]["rows"]}
    assert changes["HbA1c (%), month 6"] == ["100% (13 of 13)", "9.80", "7.40", "−2.40"]


def test_paper_hides_the_groups_that_the_page_hides(full_house: House) -> None:
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        patient = make_patient(session, clinic, phone=None, language="es")
        make_enrolment(session, patient, starts_on=START)
        at = noon(START)
        make_reading(session, patient, MeasureKind.PHQ9_TOTAL, "27", taken_at=at, recorded_at=at)

    data = on_paper(full_house, Content.OUTCOMES, f"{AS_OF}&by=language")

    rows = {row[0]: row[1:] for row in data["groups"]["rows"]}
    assert rows["Spanish"] == [HIDDEN, *[""] * 7]
    assert rows["English"] == [HIDDEN, *[""] * 7]


def test_the_board_on_paper_says_nothing_of_nobody(full_house: House) -> None:
    data = on_paper(full_house, Content.BOARD, AS_OF)

    cohorts = {row[0]: row[1:] for row in data["cohorts"]["rows"]}
    assert cohorts["March 2026"] == ["13", "100% (13 of 13)", *["0% (0 of 13)"] * 3]
    assert cohorts["September 2026"][1:4] == ["–", "–", "–"]


def test_a_cohort_without_anybody_to_count_shows_a_dash(full_house: House) -> None:
    page = full_house.client.get(PAGES[Content.BOARD]).text

    assert "0 of 0" not in page
    assert "nobody to count yet" in page


def test_paper_says_as_of_when_it_was_asked(full_house: House) -> None:
    page = full_house.client.get(f"{PAGES[Content.ADHERENCE]}&as_of=2026-11-21").text

    query = button_of(page, Content.ADHERENCE)

    assert ("As of the end of", "Nov 21, 2026") in on_paper(full_house, Content.ADHERENCE, query)[
        "about"
    ]
