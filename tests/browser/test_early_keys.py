"""Keys that come before the page is ready: they act once, on the right call, or are refused."""

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, select

from outreach.calls.models import Attempt, Draft
from outreach.orm import Sessions
from tests.browser.conftest import sign_in
from tests.browser.test_call import Day

READY = "#report[data-ready]"


@pytest.fixture
def day(sessions: Sessions) -> Day:
    return Day(sessions)


class Held:
    """What goes to an address waits until it is let go."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.routes = page, list[Route]()
        page.route(address, self.hold, times=1)

    def hold(self, route: Route) -> None:
        self.routes.append(route)

    def wait(self) -> None:
        while not self.routes:
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        self.wait()
        self.routes.pop().continue_()


def test_what_is_pressed_and_typed_while_the_call_starts_stays(
    page: Page, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator(READY).wait_for()
    held = Held(page, "**/start")

    page.keyboard.press("c")
    page.keyboard.press("1")
    page.keyboard.type("She was already talking.")
    held.let_go()

    page.locator("[data-timer]").wait_for()
    note = page.get_by_role("textbox", name="Note")
    expect(note).to_have_value("She was already talking.")
    expect(note).to_be_focused()
    expect(page.locator("[name=outcome][value=reached_completed]")).to_be_checked()
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    with sessions() as session:
        (draft,) = session.scalars(select(Draft)).all()
        assert draft.answers["note"] == ["She was already talking."]
        assert draft.started_at is not None


def test_what_is_pressed_while_a_call_is_saved_touches_neither_call(
    page: Page, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator(READY).wait_for()
    # Told by the page itself: whatever is asked of it here waits for the next page.
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(
        "window.addEventListener('keydown', (event) => console.log(event.key, "
        "document.querySelector('[data-late]').checkVisibility()))"
    )
    page.keyboard.press("b")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    held = Held(page, f"**/calls/{day.rosa.ref}")

    page.keyboard.press("Enter")
    held.wait()
    for key in ("2", "Enter", "n", "x"):
        page.keyboard.press(key)
    held.let_go()

    page.wait_for_url(f"**/calls/{day.lee.ref}")
    page.locator(READY).wait_for()
    assert said == ["b false", "Enter false", "2 true", "Enter true", "n true", "x true"]
    expect(page.locator("[name=outcome]:checked")).to_have_count(0)
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1


def test_keys_before_a_page_is_ready_are_refused_in_words(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    held = Held(page, "**/call_keys.js*")
    page.goto(f"/calls/{day.rosa.ref}", wait_until="commit")
    page.locator("#report").wait_for(state="attached")

    page.keyboard.press("2")
    page.keyboard.press("Enter")
    held.let_go()

    page.locator(READY).wait_for()
    refused = page.get_by_text("Keys pressed while this page was loading did nothing.")
    expect(refused).to_be_visible()
    expect(page.locator("[name=outcome]:checked")).to_have_count(0)
    page.keyboard.press("2")
    expect(refused).to_be_hidden()
    expect(page.locator("[name=outcome]:checked")).to_have_count(1)
