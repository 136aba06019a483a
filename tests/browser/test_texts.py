"""A conversation by keyboard: what is typed is kept, new texts appear, Ctrl+Enter sends."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from outreach.inbox.models import AnswerDraft, InboxItem
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind
from outreach.orm import Sessions
from tests.browser.conftest import sign_in
from tests.integration.calls.conftest import Day


@pytest.fixture
def day(sessions: Sessions) -> Day:
    return Day(sessions)


def send(page: Page, body: str, sid: str) -> None:
    form: dict[str, str | float | bool] = {
        "MessageSid": sid,
        "From": "+15125550147",
        "To": "+15125550100",
        "Body": body,
        "NumMedia": "0",
    }
    answer = page.context.request.post(
        "/webhooks/texts/incoming", form=form, headers={"X-Twilio-Signature": "valid"}
    )
    assert answer.ok


def test_a_text_is_answered_by_keyboard_alone(page: Page, day: Day, sessions: Sessions) -> None:
    send(page, "My cat is ill", "SM1")
    sign_in(page, day.ana)
    page.goto("/texts/")
    page.get_by_role("link", name="Open Rosa Nguyen").press("Enter")

    answer = page.get_by_label("Your answer")
    answer.focus()
    page.keyboard.type("I am sorry about the cat.")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_label("Your answer")).to_have_value("I am sorry about the cat.")
    violations = Axe().run(page).response["violations"]
    assert [each["id"] for each in violations] == []
    page.get_by_label("Your answer").press("Control+Enter")
    page.get_by_text("Your answer goes out now.").wait_for()

    with sessions() as session:
        (sent,) = session.scalars(select(Message).where(Message.kind == MessageKind.ANSWER)).all()
        assert sent.body == "I am sorry about the cat."
        assert session.scalars(select(AnswerDraft)).all() == []


def test_a_text_that_comes_in_meanwhile_is_shown_and_read(
    page: Page, day: Day, sessions: Sessions
) -> None:
    send(page, "My cat is ill", "SM1")
    sign_in(page, day.ana)
    page.goto(f"/texts/{day.rosa.ref}")
    page.get_by_label("Your answer").focus()
    send(page, "and I feel alone", "SM2")

    page.evaluate("htmx.ajax('GET', document.getElementById('lines').getAttribute('hx-get'),"
                  " {target: '#lines', swap: 'outerHTML'})")  # fmt: skip
    page.get_by_text("and I feel alone").wait_for()
    expect(page.get_by_label("Your answer")).to_be_focused()
    page.keyboard.type("I will ring you today.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Your answer goes out now.").wait_for()

    with sessions() as session:
        left = session.scalars(select(InboxItem).where(InboxItem.done_at.is_(None))).all()
    assert left == []
