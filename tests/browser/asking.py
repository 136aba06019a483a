"""What journeys through a questionnaire have in common."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_safety import Line


def begin(page: Page, line: Line) -> None:
    """Sign in, open the call and start its clock."""
    sign_in(page, line.caller)
    page.goto(f"/calls/{line.patient.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("c")
    page.locator("[data-timer]").wait_for()
    page.locator("#report[data-ready]").wait_for()


def talk_and_ask(page: Page, line: Line, code: str) -> None:
    """Begin a call, write that one talked, and stand at the first question of ``code``."""
    begin(page, line)
    page.goto(f"/calls/{line.patient.ref}?ask={code}")
    expect(question(page)).to_be_focused()
    page.keyboard.press("Alt+Shift+1")
    page.keyboard.type("We talked.")
    page.keyboard.press("Alt+Shift+q")
    expect(question(page)).to_be_focused()


def note_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Note")


def question(page: Page) -> Locator:
    """Return the one question that stands there."""
    return page.locator("[data-item]:not([hidden])")
