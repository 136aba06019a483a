"""The keys of a questionnaire on the call screen, in a real browser: held down, or two in a row."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from outreach.orm import Sessions
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import Skip
from tests.browser.asking import begin, note_of, question, talk_and_ask
from tests.browser.test_safety import Line


@pytest.fixture
def line(sessions: Sessions) -> Line:
    return Line(sessions)


def test_a_key_that_is_held_down_answers_one_question(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.keyboard.press("q")
    expect(question(page)).to_be_focused()

    for key in ("3", "d"):
        page.keyboard.down(key)
        for _repeat in range(5):
            page.keyboard.down(key)
        page.keyboard.up(key)

    expect(question(page)).to_contain_text("3 of 9")
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")
    with sessions() as session:
        row = session.scalars(select(BegunQuestionnaire)).one()
        assert (row.given, row.why_skipped) == ({1: 3}, {2: Skip.DECLINED})


def test_enter_held_down_at_the_end_scores_nothing(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=phq2")
    expect(question(page)).to_be_focused()
    page.keyboard.press("1")

    page.keyboard.down("Enter")
    for _repeat in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")

    expect(question(page)).to_contain_text("All 2 questions")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("3")
    with sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1, 2: 2}


def test_a_figure_may_have_two_digits(page: Page, sessions: Sessions, line: Line) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=peg")
    expect(question(page)).to_be_focused()
    page.keyboard.press("1")
    page.keyboard.press("0")
    expect(question(page)).to_contain_text("2 of 3")
    page.keyboard.press("1")
    expect(question(page)).to_contain_text("3 of 3")
    page.keyboard.press("7")
    page.keyboard.press("Enter")

    expect(page.locator(".asking__score")).to_contain_text("6")
    with sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 10, 2: 1, 3: 7}


def test_a_first_figure_answers_the_question_it_was_typed_for(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=peg")
    expect(question(page)).to_be_focused()
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    expect(question(page)).to_contain_text("2 of 3")
    page.keyboard.press("0")
    expect(question(page)).to_contain_text("3 of 3")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(note_of(page)).to_be_focused()
    page.wait_for_timeout(800)  # ms: longer than a second figure is waited for
    expect(note_of(page)).to_be_focused()
    page.keyboard.type("5 of 7 days.")

    expect(note_of(page)).to_have_value("5 of 7 days.")
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")
    with sessions() as session:
        assert session.scalars(select(BegunQuestionnaire)).one().given == {1: 1, 2: 0, 3: 1}


def test_two_figures_that_are_no_number_together_answer_two_questions(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=peg")
    expect(question(page)).to_be_focused()

    for key in "157":
        page.keyboard.press(key)
    page.keyboard.press("Enter")

    expect(page.locator(".asking__score")).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1, 2: 5, 3: 7}


def test_a_call_that_is_saved_with_a_figure_waiting_has_its_answer(
    page: Page, sessions: Sessions, line: Line
) -> None:
    talk_and_ask(page, line, "pain")

    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")

    page.wait_for_url("**/queue/")
    with sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1}
