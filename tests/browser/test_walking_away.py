"""Who walks away leaves no patient on the screen, and finds what they typed when they are back."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy import select

from outreach.accounts.models import Clinic, SignIn, StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import Draft
from outreach.concerns import raising
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.typed.models import TypedForm
from tests.browser.conftest import sign_in
from tests.builders import (
    PASSWORD,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH
from tests.fakes import MONDAY_10_CHICAGO, FakeClock


class Desk:
    """A caller's desk, with one patient to call now."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            clinic = self.clinic
            make_on_call(session, clinic)
            self.caller: StaffMember = make_staff(session, clinic, password_hash=HASH)
            self.rosa: Patient = make_patient(session, clinic, family_name="Aguilar")
            make_planned_call(session, make_enrolment(session, self.rosa, caller=self.caller))

    @property
    def call(self) -> str:
        return f"/calls/{self.rosa.ref}"


@pytest.fixture
def desk(sessions: Sessions) -> Desk:
    return Desk(sessions)


def _open(page: Page, path: str) -> None:
    page.clock.install()
    page.goto(path)
    expect(page.locator("body")).to_contain_text("Aguilar")


def _until_asked(page: Page, desk: Desk, clock: FakeClock) -> Locator:
    """Open the call and touch nothing, until the page asks; return its question."""
    sign_in(page, desk.caller)
    _open(page, desk.call)
    page.clock.fast_forward("14:30")
    clock.advance(timedelta(minutes=14, seconds=30))
    question = page.get_by_role("alertdialog")
    expect(question).to_be_visible()
    return question


def _until_seen(page: Page, sessions: Sessions, at: datetime) -> None:
    """Wait until the server knows that somebody was there at ``at``."""
    for _each in range(100):
        with sessions() as session:
            if session.scalars(select(SignIn.seen_at)).one() == at:
                return
        page.wait_for_timeout(50)
    raise AssertionError("The server was not told.")


def _is_open(sessions: Sessions) -> bool:
    with sessions() as session:
        return None in session.scalars(select(SignIn.ended_at)).all()


def test_a_screen_that_nobody_touches_is_empty_after_a_quarter_of_an_hour(
    page: Page, sessions: Sessions, desk: Desk
) -> None:
    sign_in(page, desk.caller)
    _open(page, desk.call)
    page.get_by_role("textbox", name="Note").fill("She looks forward to her garden.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")

    page.clock.fast_forward("14:30")
    warning = page.get_by_role("alertdialog", name="Are you still there?")
    expect(warning).to_contain_text(re.compile(r"Seconds left: [23]\d"))
    page.clock.fast_forward("00:40")

    page.wait_for_url("**/sign-in?next=*")
    expect(page.locator("body")).not_to_contain_text("Aguilar")
    expect(page.get_by_text("You were away for 15 minutes")).to_be_visible()
    assert not _is_open(sessions)
    page.get_by_label("E-mail address").fill(desk.caller.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.wait_for_url(f"**{desk.call}")
    note = page.get_by_role("textbox", name="Note")
    expect(note).to_have_value("She looks forward to her garden.")


def test_back_shows_nothing_once_one_was_away(page: Page, desk: Desk) -> None:
    sign_in(page, desk.caller)
    _open(page, "/queue/")
    page.goto(desk.call)
    page.clock.fast_forward("16:00")
    page.wait_for_url("**/sign-in?next=*")

    page.go_back()

    expect(page.locator("body")).not_to_contain_text("Aguilar")


def test_one_touch_is_enough_to_stay(
    page: Page, sessions: Sessions, desk: Desk, clock: FakeClock
) -> None:
    question = _until_asked(page, desk, clock)

    page.get_by_role("button", name="Stay signed in").click()

    expect(question).to_be_hidden()
    _until_seen(page, sessions, clock())
    page.clock.fast_forward("10:00")
    clock.advance(timedelta(minutes=10))
    page.reload()
    expect(page.locator("body")).to_contain_text("Aguilar")  # the server was told as well
    assert _is_open(sessions)


def test_whoever_stays_is_heard_of_though_the_line_was_cut_as_they_said_so(
    page: Page, sessions: Sessions, desk: Desk, clock: FakeClock
) -> None:
    _until_asked(page, desk, clock)
    page.route("**/form-token", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Stay signed in").click()
    page.unroute("**/form-token")

    with page.expect_response("**/form-token"):
        page.clock.fast_forward("00:10")

    _until_seen(page, sessions, clock())


def test_who_listened_for_long_types_on(page: Page, desk: Desk) -> None:
    sign_in(page, desk.caller)
    _open(page, desk.call)
    note = page.get_by_role("textbox", name="Note")
    note.fill("Her sister ")
    page.clock.fast_forward("14:30")
    expect(page.get_by_role("alertdialog")).to_be_visible()

    page.keyboard.type("visits.")

    expect(page.get_by_role("alertdialog")).to_be_hidden()
    expect(note).to_have_value("Her sister visits.")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)  # V is a shortcut elsewhere


def test_a_press_anywhere_is_one_for_the_question_and_for_nothing_below_it(
    page: Page, desk: Desk
) -> None:
    sign_in(page, desk.caller)
    _open(page, "/queue/")
    below = page.get_by_role("link", name="Aguilar").last.bounding_box()
    assert below is not None
    page.clock.fast_forward("14:30")
    expect(page.get_by_role("alertdialog")).to_be_visible()

    page.mouse.click(below["x"] + 5, below["y"] + 5)

    expect(page.get_by_role("alertdialog")).to_be_hidden()
    expect(page).to_have_url(re.compile("/queue/$"))


def test_a_pointer_at_rest_is_nobody(page: Page, desk: Desk) -> None:
    sign_in(page, desk.caller)
    _open(page, desk.call)
    page.mouse.move(300, 300)
    page.clock.fast_forward("14:30")
    warning = page.get_by_role("alertdialog")
    expect(warning).to_be_visible()

    page.mouse.move(300, 300)
    page.evaluate("document.querySelector('#still-there p').remove()")

    expect(warning).to_be_visible()


def test_who_works_in_another_tab_is_there(page: Page, context: BrowserContext, desk: Desk) -> None:
    sign_in(page, desk.caller)
    _open(page, desk.call)
    other = context.new_page()
    other.goto("/queue/")
    page.clock.fast_forward("14:30")  # in every tab
    expect(page.get_by_role("alertdialog")).to_be_visible()

    other.get_by_role("button", name="Stay signed in").click()

    expect(page.get_by_role("alertdialog")).to_be_hidden()


def test_what_could_not_be_saved_waits_behind_an_empty_screen(
    page: Page, context: BrowserContext, sessions: Sessions, desk: Desk
) -> None:
    sign_in(page, desk.caller)
    _open(page, desk.call)
    page.locator("#report[data-ready]").wait_for()
    context.set_offline(offline=True)
    page.get_by_role("textbox", name="Note").fill("Typed while the line was dead.")
    page.clock.fast_forward("00:05")
    expect(page.locator("[data-saved]")).to_contain_text("no connection")
    page.clock.fast_forward("16:00")

    expect(page.get_by_text("Something you typed is not saved yet")).to_be_visible()
    expect(page.locator(".shell")).to_be_hidden()
    context.set_offline(offline=False)
    page.clock.fast_forward("00:30")

    page.wait_for_url("**/sign-in?next=*")
    with sessions() as session:
        assert "dead" in str(session.scalars(select(Draft.answers)).one())


def test_words_in_any_form_are_back_after_signing_in_and_gone_once_sent(
    page: Page, sessions: Sessions, desk: Desk
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, desk.clinic, Role.NURSE, password_hash=HASH)
        rosa = session.merge(desk.rosa)
        concern = raising.raise_concern(
            session, rosa, raising.safety("worrying"), by_staff_id=desk.caller.id,
            now=MONDAY_10_CHICAGO,
        )  # fmt: skip
        path = f"/concerns/{concern.id}"
    sign_in(page, nurse)
    _open(page, path)
    note = page.get_by_role("textbox", name="What was done or learned")
    note.fill("Rang her daughter, who drives over.")
    page.clock.fast_forward("16:00")  # the rest after typing and the quarter of an hour, at once
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_label("E-mail address").fill(nurse.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.wait_for_url(f"**{path}")
    expect(note).to_have_value("Rang her daughter, who drives over.")
    expect(page.get_by_text("What you typed here before is back")).to_be_visible()
    page.get_by_role("button", name="Save, keep open").click()
    page.wait_for_url("**/concerns/")
    with page.expect_response("**/typed/?*"):
        page.goto(path)
    expect(page.get_by_role("status").get_by_text("is back")).to_have_count(0)
    expect(note).to_have_value("")
    with sessions() as session:
        assert session.scalars(select(TypedForm)).all() == []


def test_what_a_colleague_changed_meanwhile_stays_beside_the_words_that_are_back(
    page: Page, sessions: Sessions, desk: Desk
) -> None:
    sign_in(page, desk.caller)
    path = f"/patients/{desk.rosa.ref}/details"
    _open(page, path)
    page.get_by_label("About this person").fill("Paints, since her husband died.")
    with page.expect_response("**/typed/"):
        page.clock.fast_forward("00:02")
    with sessions.begin() as session:
        session.merge(desk.rosa).pronouns = "she"

    with page.expect_response("**/typed/?*"):
        page.goto(path)

    expect(page.get_by_text("What you typed here before is back")).to_be_visible()
    about = page.get_by_label("About this person")
    expect(about).to_have_value("Paints, since her husband died.")
    expect(page.get_by_label("Pronouns")).to_have_value("she")


def test_a_page_without_anybody_has_no_clock(page: Page, app: Flask) -> None:
    page.goto("/sign-in")

    assert page.locator("#still-there").count() == 0
