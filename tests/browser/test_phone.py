"""A caller presses Call, and the screen follows the two telephones without a reload."""

import os
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import APIRequestContext, Page, expect

from outreach.orm import Sessions
from outreach.phoning.models import PhoneCall
from tests.browser.conftest import sign_in
from tests.fakes import FakeClock, FakeGateway, call_sid
from tests.integration.calls.conftest import Day
from tests.integration.phoning.conftest import (
    ANAS_PHONE,
    CLINICS_NUMBER,
    PATIENT_LEG,
    ROSAS_PHONE,
    add_phone,
    only_call,
)

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def day(sessions: Sessions) -> Day:
    day = Day(sessions)
    with sessions.begin() as session:
        add_phone(session, day.ana, ANAS_PHONE)
    return day


def tell(page: Page, address: str, **told: str) -> None:
    carrier: APIRequestContext = page.context.request
    signed = {"X-Twilio-Signature": "valid"}
    form: dict[str, str | float | bool] = {**told}
    answer = carrier.post(f"/webhooks/voice/{address}", form=form, headers=signed)
    assert answer.ok


def shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody asks for one."""
    if SHOTS:
        for width in (1440, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png")
        page.set_viewport_size({"width": 1440, "height": 900})


def call_up(page: Page, day: Day, sessions: Sessions) -> PhoneCall:
    sign_in(page, day.ana)
    page.goto(f"/calls/{day.rosa.ref}")
    shoot(page, "before")
    page.keyboard.press("c")
    page.get_by_text("Your phone is ringing").wait_for()
    call = only_call(sessions)
    sid = call_sid(call.id)
    tell(page, f"{call.id}/answered", CallSid=sid)
    page.get_by_text("Press 1 on your phone").wait_for()
    tell(page, f"{call.id}/key", CallSid=sid, Digits="1")
    tell(page, f"{call.id}/patient", CallSid=PATIENT_LEG, CallStatus="ringing")
    page.get_by_text("Ringing Rosa").wait_for()
    return call


def test_a_call_is_followed_to_its_end_while_the_note_is_typed(
    page: Page, day: Day, sessions: Sessions, gateway: FakeGateway
) -> None:
    call = call_up(page, day, sessions)
    shoot(page, "ringing")
    tell(page, f"{call.id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    page.get_by_text("Connected", exact=True).wait_for()
    expect(page.locator("[data-phone-clock]")).to_have_text("0:02")
    page.locator("[name=note]").fill("She walked to the market.")
    shoot(page, "connected")

    with page.expect_response(lambda answer: "hang-up" in answer.url):  # before it ends by itself
        page.get_by_role("button", name="Hang up").click()
    done = {"CallSid": PATIENT_LEG, "CallStatus": "completed", "CallDuration": "671"}
    tell(page, f"{call.id}/patient", **done)

    page.get_by_text("Ended, 12 min").wait_for()
    shoot(page, "ended")
    assert gateway.hung_up == [call_sid(call.id)]
    expect(page.locator("[name=note]")).to_have_value("She walked to the market.")
    expect(page.get_by_role("button", name="Call again")).to_be_visible()
    expect(page.get_by_role("button", name="Hang up")).to_be_hidden()
    expect(page.locator("[name=minutes]")).to_have_attribute("placeholder", "auto")


def test_no_answer_is_chosen_by_itself_and_saved_with_one_key(
    page: Page, day: Day, sessions: Sessions
) -> None:
    call = call_up(page, day, sessions)
    tell(page, f"{call.id}/patient", CallSid=PATIENT_LEG, CallStatus="no-answer")

    page.get_by_text("Rosa did not answer").wait_for()
    expect(page.locator("[name=outcome][value=no_answer]")).to_be_checked()
    page.keyboard.press("Control+Enter")

    page.get_by_text("Your last call is saved.").wait_for()


def test_a_machine_brings_the_card(page: Page, day: Day, sessions: Sessions) -> None:
    call = call_up(page, day, sessions)
    tell(page, f"{call.id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    tell(page, f"{call.id}/answered-by", CallSid=PATIENT_LEG, AnsweredBy="machine_start")

    page.get_by_text("A machine answered. After the tone, say once:").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("v")
    expect(page.locator("[name=outcome][value=voicemail_left]")).to_be_checked()
    words = page.get_by_text("this is a message for Rosa").filter(visible=True)
    expect(words).to_have_count(1)
    shoot(page, "machine")
    assert Axe().run(page).response["violations"] == []


def test_the_queue_says_who_rings_back_and_who_did(
    page: Page, day: Day, sessions: Sessions, clock: FakeClock
) -> None:
    now = clock.now
    clock.now = now - timedelta(hours=3)
    tell(page, "incoming", CallSid="CA1", From=ROSAS_PHONE, To=CLINICS_NUMBER)
    clock.now = now
    tell(page, "incoming", CallSid="CA2", From=ROSAS_PHONE, To=CLINICS_NUMBER)
    sign_in(page, day.ana)
    page.goto("/queue/")

    page.get_by_text("is ringing you back").wait_for()
    page.get_by_text("rang the clinic 3 h ago").wait_for()
    shoot(page, "queue")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Seen to").click()
    expect(page.get_by_text("rang the clinic 3 h ago")).to_have_count(0)
