"""A questionnaire asked in the middle of a call, in a real browser, by keyboard alone."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from outreach.calls.models import CallNote
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind
from outreach.orm import Sessions
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import Skip
from tests.browser.asking import begin, note_of, question, talk_and_ask
from tests.browser.conftest import sign_in
from tests.browser.test_safety import Line
from tests.fakes import FakeClock

SOON = 20_000  # ms: a second try later


@pytest.fixture
def line(sessions: Sessions) -> Line:
    return Line(sessions)


def test_a_phq_9_from_start_to_score_during_a_call_with_its_note(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.keyboard.press("1")
    page.keyboard.type("He sleeps badly since 3 weeks. ")

    page.keyboard.press("Alt+Shift+q")
    expect(question(page)).to_contain_text("1 of 9")
    expect(question(page)).to_be_focused()
    for key in "2111":
        page.keyboard.press(key)
    expect(question(page)).to_contain_text("5 of 9")
    page.keyboard.press("ArrowLeft")
    expect(question(page)).to_contain_text("4 of 9")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    expect(note_of(page)).to_be_focused()
    page.keyboard.type("Is 61, walks 2 miles.")
    expect(question(page)).to_contain_text("5 of 9")

    page.keyboard.press("Alt+Shift+q")
    page.keyboard.press("Enter")
    expect(question(page)).to_contain_text("6 of 9")
    for key in "11d":
        page.keyboard.press(key)
    page.keyboard.press("0")
    expect(question(page)).to_contain_text("5 of 9")
    page.keyboard.press("1")
    expect(question(page)).to_contain_text("Last question")
    page.keyboard.press("2")
    expect(question(page)).to_contain_text("All 9 questions are asked")
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("8 mild")
    page.keyboard.press("Escape")
    expect(note_of(page)).to_be_focused()
    expect(note_of(page)).to_have_value("He sleeps badly since 3 weeks. Is 61, walks 2 miles.")
    expect(page.locator("[name=reached][value=yes]")).to_be_checked()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/queue/")

    with sessions() as session:
        asked = session.scalars(select(Questionnaire)).one()
        assert asked.given == {1: 2, 2: 1, 3: 1, 4: 0, 5: 1, 6: 1, 7: 1, 9: 0, 10: 2}
        assert asked.why_skipped == {8: Skip.DECLINED}
        assert (asked.score, asked.is_prorated) == (Decimal(8), True)
        note = session.scalars(select(CallNote.text)).one()
        assert note == "He sleeps badly since 3 weeks. Is 61, walks 2 miles."


def test_a_thought_of_self_harm_shows_what_to_say_at_once_and_the_call_stays(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    note_of(page).fill("Half a sentence")
    page.keyboard.press("Alt+Shift+q")
    expect(question(page)).to_be_focused()
    for key in "00000000":
        page.keyboard.press(key)
    expect(page.locator("[data-asking-danger]")).to_be_hidden()

    page.keyboard.press("1")

    danger = page.locator("[data-asking-danger]")
    expect(danger).to_contain_text("Stay on the line")
    expect(danger).to_contain_text("988")
    expect(page.locator(".safety-bar [data-watch]")).to_contain_text("Nurse told", timeout=SOON)
    expect(note_of(page)).to_have_value("Half a sentence")
    with sessions() as session:
        assert session.scalars(select(Concern.kind)).all() == [ConcernKind.SELF_HARM]


def test_nobody_says_that_a_nurse_is_told_before_the_server_has_said_so(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.keyboard.press("q")
    expect(question(page)).to_be_focused()
    for _step in range(8):
        page.keyboard.press("ArrowRight")
    context.set_offline(True)
    page.keyboard.press("1")

    danger = page.locator("[data-asking-danger]")
    status = page.locator("[data-asking-status]")
    expect(danger).to_contain_text("Stay on the line.")
    expect(status).to_contain_text("The nurse is not told yet. Ring the nurse now.")
    expect(danger.get_by_text("A nurse is told.")).to_be_hidden()

    context.set_offline(False)
    expect(danger.get_by_text("A nurse is told.")).to_be_visible(timeout=SOON)
    expect(status).to_have_text("Saved")
    with sessions() as session:
        assert session.scalars(select(Concern.kind)).all() == [ConcernKind.SELF_HARM]


def test_a_late_thought_of_self_harm_is_shown_with_the_score(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    other = context.new_page()
    for tab in (page, other):
        tab.goto(f"/calls/{line.patient.ref}?ask=phq9")
        expect(question(tab)).to_be_focused()
    for key in "000000000":
        page.keyboard.press(key)
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")
    page.reload()
    other.reload()
    expect(question(other)).to_contain_text("All 9 questions")
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("0 minimal")

    context.set_offline(True)
    other.locator(".asking__over [data-go='8']").click()
    other.keyboard.press("2")
    other.keyboard.press("ArrowLeft")  # from the last question, on how difficult it is
    other.keyboard.press("1")
    context.set_offline(False)

    expect(other.locator(".asking__score")).to_contain_text("0 minimal", timeout=SOON)
    expect(other.locator("[data-asking-danger]")).to_contain_text("A nurse is told.")
    with sessions() as session:
        assert session.scalars(select(Concern.kind)).all() == [ConcernKind.SELF_HARM]


def test_an_answer_that_is_refused_is_taken_back_and_its_question_stands_there(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=phq2")
    expect(question(page)).to_be_focused()
    page.locator("[name=item_1][value='2']").evaluate("button => { button.value = '7'; }")

    page.locator("[name=item_1][value='7']").click()

    expect(page.locator("[data-asking-status]")).to_contain_text("That answer was not saved.")
    expect(question(page)).to_contain_text("1 of 2")
    expect(page.locator("[name=item_1][aria-pressed=true]")).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("1")


def test_a_call_is_saved_once_the_answer_on_its_way_is_there(
    page: Page, sessions: Sessions, line: Line
) -> None:
    talk_and_ask(page, line, "phq2")
    page.keyboard.press("1")
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")
    held: list[Route] = []
    sent: list[str] = []
    page.on("request", lambda each: sent.append(f"{each.method} {urlsplit(each.url).path}"))

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/ask/phq2", hold, times=1)
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-saved]")).to_have_text("Saving …")
    page.wait_for_timeout(500)  # ms: time enough for a call that does not wait
    sent.append("the answer")
    held[0].continue_()

    page.wait_for_url("**/queue/")
    assert sent.index("the answer") < sent.index(f"POST /calls/{line.patient.ref}")
    with sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1, 2: 2}
        assert session.scalars(select(BegunQuestionnaire)).all() == []


def test_a_reload_keeps_the_score_and_what_a_phq_9_takes_over(
    page: Page, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=phq2")
    expect(question(page)).to_be_focused()
    for key in "21":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("3")
    page.reload()
    expect(page.locator(".asking__score")).to_contain_text("3")
    page.get_by_role("link", name="Go on with the PHQ-9").click()
    expect(question(page)).to_contain_text("3 of 9")
    page.reload()
    expect(question(page)).to_contain_text("3 of 9")


def test_q_finds_what_is_due_after_what_was_just_scored(page: Page, line: Line) -> None:
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask=gad7")
    expect(question(page)).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")
    page.goto(f"/calls/{line.patient.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("Alt+Shift+q")
    expect(question(page)).to_contain_text("2 of 7")
    for key in "000000":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("1 minimal")
    page.keyboard.press("Escape")
    expect(page.locator("[data-asking]")).to_have_count(0)

    page.keyboard.press("Alt+Shift+q")

    expect(question(page)).to_contain_text("1 of 9")


def test_a_panel_with_an_answer_that_is_not_saved_stays_however_often_it_is_closed(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.keyboard.press("q")
    expect(question(page)).to_be_focused()
    context.set_offline(True)
    page.keyboard.press("1")
    close = page.get_by_role("link", name="Go on later")
    close.click()
    close.click()
    expect(page.locator("[data-asking-status]")).to_contain_text("no connection")
    expect(note_of(page)).to_be_focused()

    context.set_offline(False)
    expect(page.locator("[data-asking-status]")).to_have_text("Saved", timeout=SOON)
    close.dblclick()
    expect(page.locator("[data-asking]")).to_have_count(0)
    with sessions() as session:
        assert session.scalars(select(BegunQuestionnaire)).one().given == {1: 1}


def test_a_cut_connection_loses_no_answer_and_asking_goes_on(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    page.keyboard.press("q")
    expect(question(page)).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")

    context.set_offline(True)
    for key in "23":
        page.keyboard.press(key)
    expect(question(page)).to_contain_text("4 of 9")
    expect(page.locator("[data-asking-status]")).to_contain_text("no connection")

    context.set_offline(False)
    expect(page.locator("[data-asking-status]")).to_have_text("Saved", timeout=SOON)
    page.reload()
    expect(question(page)).to_contain_text("4 of 9")
    with sessions() as session:
        assert session.scalars(select(BegunQuestionnaire)).one().given == {1: 1, 2: 2, 3: 3}


def test_being_signed_out_while_asking_loses_no_answer(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line, clock: FakeClock
) -> None:
    begin(page, line)
    page.keyboard.press("q")
    expect(question(page)).to_be_focused()
    clock.advance(timedelta(minutes=16))

    page.keyboard.press("1")
    expect(page.locator("[data-asking-status]")).to_contain_text("signed out")
    page.keyboard.press("2")
    sign_in(context.new_page(), line.caller)

    expect(page.locator("[data-asking-status]")).to_have_text("Saved", timeout=SOON)
    with sessions() as session:
        assert session.scalars(select(BegunQuestionnaire)).one().given == {1: 1, 2: 2}


def test_two_tabs_answer_one_questionnaire_and_score_it_once(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    begin(page, line)
    other = context.new_page()
    for tab in (page, other):
        tab.goto(f"/calls/{line.patient.ref}?ask=phq2")
        expect(question(tab)).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("[data-asking-status]")).to_have_text("Saved")
    other.keyboard.press("ArrowRight")
    other.keyboard.press("2")
    expect(other.locator("[data-asking-status]")).to_have_text("Saved")

    page.keyboard.press("0")
    page.keyboard.press("Enter")
    expect(page.locator(".asking__score")).to_contain_text("1")
    other.keyboard.press("3")
    expect(other.locator(".asking__score")).to_contain_text("1")

    with sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1, 2: 0}
        assert session.scalars(select(BegunQuestionnaire)).all() == []
