"""The monthly question in a real browser: by number keys, by pointer, and without scripts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.pulse.models import PulseAnswer, SupportRequest
from tests.browser.conftest import sign_in, without_javascript
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH
from tests.fakes import FakeClock

MONTH = date(2026, 11, 1)


class Team:
    """A caller and their manager."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session)
            self.caller: StaffMember = make_staff(session, clinic, password_hash=HASH)
            self.manager: StaffMember = make_staff(
                session, clinic, Role.MANAGER, password_hash=HASH
            )


@pytest.fixture
def team(sessions: Sessions) -> Team:
    return Team(sessions)


def kept(sessions: Sessions) -> list[tuple[date, str | None]]:
    with sessions() as session:
        rows = session.execute(select(PulseAnswer.month, PulseAnswer.answer))
        return [(month, answer) for month, answer in rows]


def open_page(page: Page, team: Team) -> None:
    sign_in(page, team.caller)
    page.goto("/pulse/")
    page.locator(".pulse[data-ready]").wait_for()


def test_a_number_answers_and_another_answers_anew(
    page: Page, sessions: Sessions, team: Team
) -> None:
    open_page(page, team)
    page.keyboard.press("4")
    expect(page.get_by_text("Kept, for you alone.")).to_be_visible()
    expect(page.get_by_role("radio", name="The symptoms of burnout")).to_be_checked()
    assert kept(sessions) == [(MONTH, "4")]

    page.locator(".pulse[data-ready]").wait_for()
    with page.expect_navigation():
        page.keyboard.press("2")

    expect(page.get_by_role("radio", name="Occasionally I am under stress")).to_be_checked()
    assert kept(sessions) == [(MONTH, "2")]
    page.locator(".pulse[data-ready]").wait_for()
    page.keyboard.press("0")  # there is nothing left to put away
    page.keyboard.press("7")  # and no such answer
    expect(page.get_by_role("radio", name="Occasionally I am under stress")).to_be_checked()
    assert kept(sessions) == [(MONTH, "2")]


def test_zero_is_not_this_month(page: Page, sessions: Sessions, team: Team) -> None:
    open_page(page, team)

    page.keyboard.press("0")

    page.wait_for_url("**/queue/")
    assert kept(sessions) == [(MONTH, None)]


def test_a_key_that_is_held_down_or_pressed_twice_answers_once(
    page: Page, sessions: Sessions, team: Team
) -> None:
    open_page(page, team)
    posted: list[str] = []
    page.on("request", lambda each: posted.append(each.url) if each.method == "POST" else None)

    page.keyboard.down("3")
    for _repeat in range(4):
        page.keyboard.down("3")
    page.keyboard.up("3")

    expect(page.get_by_text("Kept, for you alone.")).to_be_visible()
    assert len(posted) == 1
    assert kept(sessions) == [(MONTH, "3")]


def test_a_question_mark_shows_the_keys_and_numbers_rest_meanwhile(
    page: Page, sessions: Sessions, team: Team
) -> None:
    open_page(page, team)
    keys = page.get_by_role("dialog", name="Keys")

    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("5")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.get_by_role("button", name="Keys").click()

    expect(keys).to_contain_text("answer, kept at once")
    assert kept(sessions) == []


def test_where_single_keys_are_off_they_work_with_alt_and_shift(
    page: Page, sessions: Sessions, team: Team
) -> None:
    with sessions.begin() as session:
        session.get_one(StaffMember, team.caller.id).has_shortcuts = False
    open_page(page, team)
    page.keyboard.press("4")
    page.keyboard.press("Control+4")
    assert kept(sessions) == []

    page.keyboard.press("Alt+Shift+1")

    expect(page.get_by_text("Kept, for you alone.")).to_be_visible()
    assert kept(sessions) == [(MONTH, "1")]


def test_a_month_that_ended_meanwhile_keeps_nothing(
    page: Page, sessions: Sessions, team: Team, clock: FakeClock
) -> None:
    clock.now = datetime(2026, 12, 1, 5, 58, tzinfo=UTC)  # two minutes to midnight in Chicago
    open_page(page, team)
    clock.advance(timedelta(minutes=3))

    page.keyboard.press("4")

    expect(page.get_by_text("A new month has begun since")).to_be_visible()
    assert kept(sessions) == []


def test_without_scripts_the_page_answers_and_asks_all_the_same(
    context: BrowserContext, sessions: Sessions, team: Team
) -> None:
    without = without_javascript(context, team.caller)
    page = without.new_page()
    page.goto("/pulse/")
    expect(page.get_by_role("button", name="Keys")).to_be_hidden()
    expect(page.locator(".pulse kbd").first).to_be_hidden()

    page.get_by_role("radio", name="I enjoy my work.").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept, for you alone.")).to_be_visible()
    assert kept(sessions) == [(MONTH, "1")]
    expect(page.locator("#support + p")).to_contain_text("You need not say why")
    expect(page.get_by_text(f"{team.manager.name} manager")).to_be_visible()
    page.get_by_role("button", name="Ask for support").click()

    expect(page.get_by_text("They see it on their first page, with your name.")).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(SupportRequest.staff_id)).all() == [team.caller.id]
    without.close()
