"""Reports as PDF: what their pages show, set on paper."""

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from outreach.accounts import staff
from outreach.exports import contents
from outreach.exports.models import Export
from outreach.exports.rules import Content
from outreach.measures.rules import MeasureKind
from outreach.planning.rules import CallStatus
from outreach.pulse.rules import Telling
from outreach.reports.definitions import HIDDEN
from tests.builders import make_enrolment, make_patient, make_planned_call, make_reading
from tests.integration.exports.conftest import START, House
from tests.integration.exports.test_report_tables import files, read
from tests.integration.reports.histories import noon

AS_OF = "clinic=NORTH&as_of=2026-11-20"
PAGES = {
    Content.TODAY: "/reports/today?clinic=NORTH",
    Content.AROUND: "/reports/around?clinic=NORTH&from_on=2026-08-01&until_on=2026-11-20",
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
        return dict(contents.on_paper(session, actor, export, Telling()).data)


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
    measured = ["100% (13 of 13)", "13"]
    assert everybody[:6] == ["Everybody", *measured, "15.0", "9.0", "−6.0"]
    assert data["course"]["mean"]
    assert len(data["course"]["threads"]) == 13
    changes = {row[0]: row[1:6] for row in data["changes"]["rows"]}
    assert changes["HbA1c (%), month 6"] == [*measured, "9.80", "7.40", "−2.40"]


def test_paper_hides_the_groups_that_the_page_hides(full_house: House) -> None:
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        patient = make_patient(session, clinic, phone=None, language="es")
        make_enrolment(session, patient, starts_on=START)
        at = noon(START)
        make_reading(session, patient, MeasureKind.PHQ9_TOTAL, "27", taken_at=at, recorded_at=at)

    data = on_paper(full_house, Content.OUTCOMES, f"{AS_OF}&by=language")

    rows = {row[0]: row[1:] for row in data["groups"]["rows"]}
    assert rows["Spanish"] == [HIDDEN, *[""] * 8]
    assert rows["English"] == [HIDDEN, *[""] * 8]


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


def test_adherence_on_paper_has_the_groups_of_its_page_and_every_rate_by_week(
    full_house: House,
) -> None:
    page = full_house.client.get(f"{PAGES[Content.ADHERENCE]}&by=sex").text

    data = on_paper(full_house, Content.ADHERENCE, button_of(page, Content.ADHERENCE))

    assert data["by"] == "sex"
    rows = {row[0]: row[1:] for row in data["groups"]["rows"]}
    assert rows["North"][:2] == ["100% (13 of 13)", "50% (13 of 26)"]
    assert rows["Women"][:2] == rows["North"][:2]
    assert [chart["name"] for chart in data["charts"]] == [
        "Calls completed", "Reached per dial", "Weeks as planned", "Weeks as chosen",
        "First call in time", "Same caller",
    ]  # fmt: skip
    dots = data["charts"][0]["plot"]["dots"]
    assert len(dots) == 1
    assert not dots[0]["outside"]
    assert ["Same caller", "100% (13 of 13)", "–", "", ""] in data["aims"]["rows"]


def test_a_hidden_group_on_paper_says_nothing(full_house: House) -> None:
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        patient = make_patient(session, clinic, phone=None, language="es")
        enrolment = make_enrolment(session, patient, starts_on=START)
        make_planned_call(session, enrolment, date(2026, 11, 12), status=CallStatus.MISSED)

    query = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20&by=language"
    data = on_paper(full_house, Content.ADHERENCE, query)

    rows = {row[0]: row[1:] for row in data["groups"]["rows"]}
    assert rows["Spanish"] == [HIDDEN, *[""] * 9]


def test_today_on_paper_has_what_needs_a_manager_and_names_no_patient(full_house: House) -> None:
    page = full_house.client.get(PAGES[Content.TODAY]).text

    data = on_paper(full_house, Content.TODAY, button_of(page, Content.TODAY))

    assert ["!", "Nobody is on call now: no call can start"] in data["tasks"]
    assert ["13", "patients have no working number"] in data["tasks"]
    assert [bar["words"] for bar in data["bars"]] == ["0 of 1", "0 of 1"]
    assert "HYPERLINK" not in str(data)


def test_around_on_paper_has_the_figures_of_its_page_and_who_is_not_counted(
    full_house: House,
) -> None:
    page = full_house.client.get(PAGES[Content.AROUND]).text

    data = on_paper(full_house, Content.AROUND, button_of(page, Content.AROUND))

    rows = {what: words for part in data["parts"] for what, *words in part["figures"]["rows"]}
    assert rows["Still in the programme at month 6"] == ["100% (13 of 13)", "nothing"]
    assert rows["Returned to care within 180 days"] == ["–", "13 after the last import of visits"]
    assert rows["Median time until taken on"] == ["–", ""]
    assert ("Days", "Aug 1, 2026 to Nov 20, 2026") in data["about"]
    for what in rows:
        assert what.partition(" (")[0] in page


@pytest.mark.parametrize("content", [each for each in PAGES if each is not Content.TODAY])
def test_paper_defines_its_numbers_in_the_words_of_the_page(
    full_house: House, content: Content
) -> None:
    page = html.unescape(full_house.client.get(PAGES[content]).text)

    data = on_paper(full_house, content, button_of(page, content))

    assert data["definitions"]
    for term, words in data["definitions"]:
        assert f">{term}</dt>" in page
        assert words in page


def test_means_of_groups_are_rounded_on_page_and_in_files(full_house: House) -> None:
    with full_house.sessions.begin() as session:
        clinic = session.merge(full_house.clinic)
        patient = make_patient(session, clinic, phone=None)
        make_enrolment(session, patient, starts_on=START)
        for day, value in ((0, "9.9"), (182, "6.1")):
            at = noon(START + timedelta(days=day))
            make_reading(session, patient, value=value, taken_at=at, recorded_at=at)
    query = f"{AS_OF}&by=sex"

    page = full_house.client.get(f"/reports/outcomes?{query}").text
    assert full_house.ask(Content.OUTCOME_GROUPS, "csv", query) == 302
    [row] = full_house.rows()

    groups = page[page.index('id="strata"') : page.index('id="dose"')]
    everybody, told = groups.split("<tr")[2:]
    assert "7.31" in everybody
    assert ">7.3<" in told
    assert (row["mean_baseline"], row["mean_follow_up"]) == ("9.8", "7.3")
    assert (row["mean_change"], row["median_change"], row["measured"]) == ("-2.5", "-2.4", "14")
