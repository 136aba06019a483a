"""Passkeys in a real browser, whose authenticator is Chromium's virtual one."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import HASH
from tests.fakes import FakeClock


@pytest.fixture
def nurse(sessions: Sessions) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, make_clinic(session), Role.NURSE, password_hash=HASH)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page with an authenticator that verifies its user, reached by a host name."""
    named = address.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=named)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    yield page
    context.close()


def sign_in_by_password(page: Page, person: StaffMember) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Page, name: str) -> None:
    page.goto("/my-sign-in/")
    page.get_by_label("Name of the device").fill(name)
    page.get_by_role("button", name="Add a passkey on this device").click()
    expect(page.get_by_text("The passkey is kept.")).to_be_visible()


def test_a_passkey_is_made_and_signs_in_alone_until_it_is_removed(
    page: Page, nurse: StaffMember
) -> None:
    sign_in_by_password(page, nurse)
    add_passkey(page, "Laptop <b>")
    expect(page.locator("strong", has_text="Laptop <b>")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.goto("/sign-in?next=/my-sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="My sign-in")).to_be_visible()
    expect(page.get_by_text(re.compile("used just now"))).to_be_visible()

    page.get_by_role("button", name="Remove Laptop").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("was not accepted")


def test_after_the_password_the_passkey_is_the_second_step(page: Page, nurse: StaffMember) -> None:
    sign_in_by_password(page, nurse)
    add_passkey(page, "Laptop")
    page.get_by_role("button", name="Sign out", exact=True).click()

    sign_in_by_password(page, nurse)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use your passkey").click()

    expect(page.get_by_role("heading", name=re.compile("Concerns"))).to_be_visible()


def test_a_passkey_confirms_who_one_is(page: Page, nurse: StaffMember, clock: FakeClock) -> None:
    sign_in_by_password(page, nurse)
    add_passkey(page, "Laptop")
    clock.advance(timedelta(minutes=11))
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()

    page.get_by_role("button", name="Confirm with your passkey").click()

    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
