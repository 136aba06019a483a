"""Telling the nurse in the middle of a sentence, in a real browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import func, select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import Attempt
from outreach.concerns.models import Concern
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.browser.conftest import sign_in, without_javascript
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH
from tests.fakes import FakeClock

SOON = 20_000  # ms: a poll or a second try later


class Line:
    """A caller on the line with a patient, and a nurse on call."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session)
            self.nurse: StaffMember = make_staff(
                session,
                clinic,
                Role.NURSE,
                name="Nadia Brooks",
                phone="+15125550111",
                password_hash=HASH,
            )
            make_on_call(session, clinic, self.nurse)
            self.caller: StaffMember = make_staff(session, clinic, password_hash=HASH)
            self.patient: Patient = make_patient(session, clinic, family_name="Aguilar")
            make_planned_call(session, make_enrolment(session, self.patient, caller=self.caller))


@pytest.fixture
def line(sessions: Sessions) -> Line:
    return Line(sessions)


def test_one_key_while_typing_tells_the_nurse_once_and_shows_who_took_it_on(
    page: Page, context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    sign_in(page, line.caller)
    page.goto(f"/calls/{line.patient.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("1")
    page.keyboard.type("She says she can")

    page.keyboard.press("Alt+Shift+S")
    panel = page.get_by_role("dialog", name="Somebody is in danger")
    expect(panel.get_by_role("link", name="988")).to_be_visible()
    expect(panel.get_by_role("textbox", name="A few words for the nurse")).to_be_focused()
    page.keyboard.type("2 knives on the table")  # the keys of the call rest
    context.set_offline(True)
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(panel.get_by_text("Not sent: no connection.")).to_be_visible()
    context.set_offline(False)
    expect(panel.get_by_text("not taken on yet.")).to_be_visible(timeout=SOON)
    page.keyboard.press("Escape")

    note = page.get_by_role("textbox", name="Note", exact=True)
    expect(note).to_have_value("She says she can")
    expect(note).to_be_focused()
    page.keyboard.type("not stay alone.")
    expect(page.locator(".safety-bar")).to_contain_text("Nurse told")
    nurses = context.browser.new_context(base_url=page.url.split("/calls")[0])  # type: ignore[union-attr]
    other = nurses.new_page()
    sign_in(other, line.nurse)
    expect(other).to_have_title("(1) Concerns – Outreach")
    other.get_by_role("button", name="Take on").click()
    other.get_by_text("2 knives on the table").wait_for()
    nurses.close()
    expect(page.locator(".safety-bar")).to_contain_text("Nadia Brooks took it on", timeout=SOON)
    expect(note).to_have_value("She says she cannot stay alone.")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Concern)) == 1
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0


def told(page: Page, line: Line) -> None:
    """Tell the nurse from the call screen."""
    sign_in(page, line.caller)
    page.goto(f"/calls/{line.patient.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("Alt+Shift+S")
    page.get_by_role("textbox", name="A few words for the nurse").fill("Alone and confused")
    page.keyboard.press("Control+Enter")
    page.get_by_role("dialog").get_by_text("not taken on yet.").wait_for()


def test_on_a_phone_the_line_on_top_hides_nothing_of_what_is_written_down(
    page: Page, line: Line
) -> None:
    told(page, line)
    page.set_viewport_size({"width": 360, "height": 780})
    page.reload()

    page.get_by_role("link", name="Write it down").click()

    expect(page.get_by_text("Did you speak with the patient?")).to_be_in_viewport()
    bar, asked = (
        page.locator(each).evaluate("it => it.getBoundingClientRect().toJSON()")
        for each in (".safety-bar", "#reached legend")
    )
    assert asked["top"] >= bar["bottom"]


def test_how_long_a_nurse_is_told_does_not_follow_this_computers_clock(
    page: Page, line: Line, clock: FakeClock
) -> None:
    told(page, line)

    clock.advance(timedelta(minutes=4))
    page.reload()

    page.wait_for_timeout(1100)  # a tick of the page's own
    expect(page.locator(".safety-bar [data-waited]")).to_have_text(re.compile(r"^4:\d\d$"))


def test_without_javascript_it_is_a_page(
    context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    plain = without_javascript(context, line.caller)
    page = plain.new_page()
    page.goto(f"/calls/{line.patient.ref}")
    with plain.expect_page() as opened:
        page.get_by_role("link", name="In danger?").click()

    beside = opened.value
    beside.get_by_role("radio", name="Thoughts of suicide").check(force=True)
    beside.get_by_role("button", name="Tell the nurse").click()

    expect(beside.get_by_text("not taken on yet.")).to_be_visible()
    with sessions() as session:
        assert [each.value for each in session.scalars(select(Concern.kind))] == ["self_harm"]
    plain.close()
