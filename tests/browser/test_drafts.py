"""Nothing that is typed is lost: a minute without network, two tabs, a closed one."""

from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt, CallNote, Draft, DraftAside
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.browser.conftest import sign_in
from tests.builders import make_clinic, make_enrolment, make_patient, make_planned_call, make_staff
from tests.conftest import HASH
from tests.fakes import FakeClock

CUT_SECONDS = 60


class Place:
    """A caller with one patient to call now."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session)
            self.caller: StaffMember = make_staff(session, clinic, password_hash=HASH)
            self.rosa: Patient = make_patient(session, clinic, family_name="Aguilar")
            make_planned_call(session, make_enrolment(session, self.rosa, caller=self.caller))

    @property
    def call(self) -> str:
        return f"/calls/{self.rosa.ref}"


@pytest.fixture
def place(sessions: Sessions) -> Place:
    return Place(sessions)


def _note(page: Page) -> str:
    return page.get_by_role("textbox", name="Note").input_value()


def _kept(sessions: Sessions) -> list[str]:
    with sessions() as session:
        (answers,) = session.scalars(select(Draft.answers)).all()
    return list(answers["note"])


def test_a_minute_without_network_loses_nothing_and_the_page_says_so(
    page: Page, context: BrowserContext, sessions: Sessions, place: Place
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    page.keyboard.press("1")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    typed = ""

    context.set_offline(offline=True)
    for second in range(0, CUT_SECONDS, 2):
        page.keyboard.type(f"word{second} ")
        typed += f"word{second} "
        page.wait_for_timeout(2000)
        if second > 2:
            expect(page.locator("[data-saved]")).to_contain_text("no connection")
    page.keyboard.press("Control+Enter")  # saving the call into a dead line keeps the page
    assert _note(page) == typed

    context.set_offline(offline=False)
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    assert _kept(sessions) == [typed]
    page.reload()
    assert _note(page) == typed


def test_who_types_without_a_rest_is_saved_meanwhile(
    page: Page, sessions: Sessions, place: Place
) -> None:
    page.clock.install()
    sign_in(page, place.caller)
    page.goto(place.call)
    page.locator("#report[data-ready]").wait_for()
    page.get_by_role("textbox", name="Note").focus()
    page.clock.pause_at((page.evaluate("Date.now()") + 1000) / 1000)

    for word in ("She ", "went ", "home ", "at "):
        page.keyboard.type(word)
        page.clock.run_for(450)

    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    assert _kept(sessions)[0].startswith("She went home")


def test_two_tabs_keep_two_texts_and_the_caller_joins_them(
    page: Page, context: BrowserContext, sessions: Sessions, place: Place
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    second = context.new_page()
    second.goto(place.call)
    page.get_by_role("textbox", name="Note").fill("From the first tab.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")

    second.keyboard.press("1")
    second.get_by_role("textbox", name="Note").fill("From the second tab.")

    panel = second.get_by_role("region", name="Two texts about this call")
    expect(panel).to_contain_text("From the first tab.")
    expect(panel).to_contain_text("From the second tab.")
    expect(panel).not_to_contain_text("low_card")
    second.keyboard.press("Control+Enter")
    expect(panel.get_by_role("button", name="Join both")).to_be_focused()
    second.get_by_role("textbox", name="Note").focus()
    second.keyboard.press("End")
    second.keyboard.type(" More.")
    panel.get_by_role("button", name="Join both").click()

    joined = "From the first tab.\r\n\r\nFrom the second tab. More."  # as forms send it
    expect(panel).to_be_hidden()
    expect(second.locator("[data-saved]")).to_contain_text("Saved")
    assert _kept(sessions) == [joined]
    second.get_by_label("Minutes").fill("5")
    second.keyboard.press("Control+Enter")
    second.wait_for_url("**/queue/")
    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == [joined]


def test_a_tab_that_was_closed_leaves_its_text_for_the_one_that_stays(
    page: Page, context: BrowserContext, sessions: Sessions, place: Place
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    second = context.new_page()
    second.goto(place.call)
    page.get_by_role("textbox", name="Note").fill("From the first tab.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    second.get_by_role("textbox", name="Note").fill("From the second tab.")
    expect(second.locator("[data-saved]")).to_contain_text("another tab")
    second.close()

    page.reload()
    panel = page.get_by_role("region", name="Two texts about this call")
    expect(panel).to_contain_text("From the second tab.")
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(panel.get_by_role("button", name="Join both")).to_be_focused()
    with sessions() as session:
        assert session.scalars(select(Attempt)).all() == []

    panel.get_by_role("button", name="Go on with the other").click()
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    assert _kept(sessions) == ["From the second tab."]
    with sessions() as session:
        assert session.scalars(select(DraftAside)).all() == []


def test_save_pressed_into_a_dead_line_is_sent_once_when_it_is_back(
    page: Page, context: BrowserContext, sessions: Sessions, place: Place
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    page.locator("#report[data-ready]").wait_for()

    context.set_offline(offline=True)
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-saved]")).to_contain_text("kept on this page")
    page.keyboard.press("Control+Enter")  # again, out of doubt
    expect(page.locator("[data-saved]")).to_contain_text("kept on this page")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "no_answer" not in kept

    context.set_offline(offline=False)
    page.wait_for_url("**/queue/")
    expect(page.get_by_text("Your last call is saved.")).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(Attempt.outcome)).all() == [Outcome.NO_ANSWER]


def test_who_types_on_presses_save_again(
    page: Page, context: BrowserContext, sessions: Sessions, place: Place
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    page.locator("#report[data-ready]").wait_for()
    context.set_offline(offline=True)
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-saved]")).to_contain_text("kept on this page")

    page.get_by_role("textbox", name="Note").fill("Not there on Mondays.")
    context.set_offline(offline=False)

    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    with sessions() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_without_a_network_the_page_stays_whatever_is_pressed(
    page: Page, context: BrowserContext, place: Place
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    page.locator("#report[data-ready]").wait_for()
    context.set_offline(offline=True)

    page.keyboard.press("c")
    expect(page.locator("[data-saved]")).to_contain_text("stay on this page")
    page.get_by_role("link", name="Patient page").click()

    page.keyboard.press("n")
    page.keyboard.type("Still here.")
    assert _note(page) == "Still here."


def test_save_pressed_after_the_session_ended_goes_out_once_somebody_signed_in_again(
    page: Page, context: BrowserContext, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(page, place.caller)
    page.goto(place.call)
    page.locator("#report[data-ready]").wait_for()
    clock.advance(timedelta(minutes=16))
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-saved]")).to_contain_text("signed out")

    other = context.new_page()
    sign_in(other, place.caller)

    page.wait_for_url("**/queue/")
    with sessions() as session:
        assert session.scalars(select(Attempt.outcome)).all() == [Outcome.NO_ANSWER]
