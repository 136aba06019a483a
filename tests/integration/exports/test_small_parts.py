"""In a group that is shown, nothing is told of a part of it in which few could be known."""

import csv
import io
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from outreach.accounts import staff
from outreach.exports import contents
from outreach.exports.models import Export
from outreach.exports.rules import Content
from outreach.measures.rules import MeasureKind
from outreach.pulse.rules import Telling
from outreach.reports.definitions import HIDDEN
from tests.builders import make_enrolment, make_patient, make_reading
from tests.integration.exports.conftest import House
from tests.integration.reports.histories import noon

BEGAN = date(2026, 3, 2)
ASKED = "clinic=NORTH&as_of=2026-11-20&measure=phq9&point=month_3&by=language"


def measured(house: House, language: str, before: str, after: str | None, count: int) -> None:
    with house.sessions.begin() as session:
        clinic = session.merge(house.clinic)
        for _ in range(count):
            patient = make_patient(session, clinic, phone=None, language=language)
            make_enrolment(session, patient, starts_on=BEGAN)
            for days, value in ((0, before), (91, after)):
                at = noon(BEGAN + timedelta(days=days))
                if value is not None:
                    kind = MeasureKind.PHQ9_TOTAL
                    make_reading(session, patient, kind, value, taken_at=at, recorded_at=at)


@pytest.fixture
def mixed(house: House) -> House:
    """30 who speak English, half low at first; 14 who speak Spanish, of whom 3 were low."""
    measured(house, "en", "15", "5", 15)
    measured(house, "en", "3", "2", 15)
    measured(house, "es", "15", "5", 3)
    measured(house, "es", "3", "2", 11)
    measured(house, "es", "26", None, 1)  # missing at follow-up: a mean of one is their value
    measured(house, "en", "4", None, 12)
    return house


def test_a_share_of_few_who_could_respond_is_hidden_on_the_page(mixed: House) -> None:
    page = mixed.client.get(f"/reports/outcomes?{ASKED}").text

    groups = page[page.index('id="strata"') : page.index('id="dose"')]
    assert "14 of 15" in groups  # Spanish is shown: so many were measured twice
    assert "3 of 3" not in groups
    assert "15 of 15" not in groups  # which the total would tell them by
    assert groups.count("hidden: few patients") == 2
    assert "18 of 18" in groups


def test_a_file_tells_no_mean_of_few_who_are_missing(mixed: House) -> None:
    assert mixed.ask(Content.OUTCOME_GROUPS, "csv", ASKED) == 302

    rows = {row["group"]: row for row in csv.DictReader(io.StringIO(mixed.taken().decode()[1:]))}

    for group in ("en", "es"):
        row = rows[group]
        assert row["hidden"] == "no"
        assert row["measured"]
        assert [row["mean_baseline_missing"], row["responded"], row["could_respond"]] == [""] * 3
    assert rows["es"]["missing"] == "1"


def test_paper_hides_the_share_that_the_page_hides(mixed: House) -> None:
    assert mixed.ask(Content.OUTCOMES, "pdf", ASKED) == 302
    with mixed.sessions() as session:
        actor = staff.actor(session, mixed.manager.id, now=mixed.clock())
        assert actor
        data = contents.on_paper(
            session, actor, session.scalars(select(Export)).one(), Telling()
        ).data

    rows = {row[0]: row[1:] for row in data["groups"]["rows"]}
    assert rows["Spanish"][0] == "93% (14 of 15)"
    assert [rows[name][-1] for name in ("Spanish", "English")] == [HIDDEN, HIDDEN]
    assert rows["Everybody"][-1].startswith("100% (18 of 18)")
