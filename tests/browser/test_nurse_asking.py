"""A nurse asks a questionnaire from the patient's page, by keyboard alone."""

from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind
from outreach.orm import Sessions
from outreach.questionnaires.models import Questionnaire
from tests.browser.asking import question
from tests.browser.conftest import sign_in
from tests.browser.test_pages import RULES, WIDTHS
from tests.browser.test_safety import Line


@pytest.fixture
def line(sessions: Sessions) -> Line:
    return Line(sessions)


def test_a_phq_9_from_the_patient_page_to_its_score_and_back(
    page: Page, sessions: Sessions, line: Line
) -> None:
    sign_in(page, line.nurse)
    page.goto(f"/patients/{line.patient.ref}")
    page.get_by_role("link", name="PHQ-9").click()

    expect(question(page)).to_contain_text("1 of 9")
    expect(question(page)).to_be_focused()
    for key in "10000000":
        page.keyboard.press(key)
    expect(question(page)).to_contain_text("9 of 9")
    page.keyboard.press("1")
    expect(page.get_by_text("A nurse is told.")).to_be_visible()
    expect(question(page)).to_contain_text("How difficult have these problems made it")
    page.keyboard.press("3")
    expect(question(page)).to_contain_text("All 9 questions")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="minimal")).to_be_visible()
    page.keyboard.press("Escape")

    page.wait_for_url(f"**/patients/{line.patient.ref}")
    with sessions() as session:
        kept = session.scalars(select(Questionnaire)).one()
        assert (kept.score, kept.given[10]) == (Decimal(2), 3)
        assert session.scalars(select(Concern.kind)).one() is ConcernKind.SELF_HARM


def test_from_a_concern_to_each_answer_and_to_those_before(
    page: Page, sessions: Sessions, line: Line
) -> None:
    sign_in(page, line.nurse)
    page.goto(f"/patients/{line.patient.ref}/ask/phq9")
    expect(question(page)).to_be_focused()
    for key in "1000d0001":  # one of them they would rather not say
        page.keyboard.press(key)
    expect(page.get_by_text("A nurse is told.")).to_be_visible()
    with sessions() as session:
        concern_id = session.scalars(select(Concern.id)).one()

    page.goto(f"/concerns/{concern_id}")
    expect(page.get_by_text("9 of 9 asked")).to_be_visible()
    expect(page.get_by_text("no answer: 5")).to_have_count(0)  # it is still being asked
    page.get_by_role("link", name="Go on asking").click()
    expect(question(page)).to_contain_text("How difficult")
    expect(question(page)).to_be_focused()
    page.keyboard.press("0")
    expect(question(page)).to_contain_text("All 9 questions")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="estimated")).to_be_visible()

    page.goto(f"/concerns/{concern_id}")
    expect(page.get_by_text("Question 9: 1 Several days")).to_be_visible()
    expect(page.get_by_text("no answer: 5")).to_be_visible()
    assert Axe().run(page, options=RULES).response["violations"] == []
    page.get_by_role("link", name="What they answered before").click()
    table = page.get_by_role("table", name="PHQ-9")
    expect(table.get_by_role("row", name="Poor appetite")).to_contain_text("rather not say")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page, options=RULES).response["violations"] == []
