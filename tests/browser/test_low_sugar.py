"""The low-sugar card on the call screen, by keyboard alone, and without a script."""

from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.concerns import limits
from outreach.concerns.limits import NewLimits
from outreach.concerns.low_sugar import BUILT_IN
from outreach.concerns.models import LowSugarAnswer
from outreach.measures.rules import MeasureKind
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
from tests.fakes import MONDAY_10_CHICAGO


class Line:
    """A caller on the line with a patient who speaks Spanish."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session)
            make_on_call(session, clinic)
            self.caller: StaffMember = make_staff(session, clinic, password_hash=HASH)
            self.patient: Patient = make_patient(session, clinic, language="es")
            make_planned_call(session, make_enrolment(session, self.patient, caller=self.caller))

    @property
    def call(self) -> str:
        return f"/calls/{self.patient.ref}"


@pytest.fixture
def line(sessions: Sessions) -> Line:
    return Line(sessions)


def open_call(page: Page, line: Line) -> None:
    sign_in(page, line.caller)
    page.goto(line.call)
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("1")
    page.get_by_role("textbox", name="Minutes").fill("5")


def answers(sessions: Sessions) -> list[tuple[bool, bool]]:
    with sessions() as session:
        rows = session.scalars(select(LowSugarAnswer).order_by(LowSugarAnswer.concern_id))
        return [(row.is_treated, row.is_help_coming) for row in rows]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of that name has the focus."""
    for _press in range(40):
        if page.evaluate(
            "name => document.activeElement?.labels?.[0]?.textContent.trim() === name", name
        ):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


def test_a_low_opens_the_card_and_two_keys_say_that_it_is_treated(
    page: Page, sessions: Sessions, line: Line
) -> None:
    open_call(page, line)
    card = page.locator("[data-low-card]")
    words = card.get_by_text(BUILT_IN["es"][1])
    expect(words).to_be_hidden()

    page.get_by_role("textbox", name="Blood sugar").focus()
    page.keyboard.type("48")
    page.keyboard.press("Tab")

    expect(words).to_be_visible()
    assert words.evaluate("each => each.closest('[lang]').lang") == "es"
    expect(page.locator("[data-glucose=low]")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    tab_to(page, "They say that it is treated")
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/safety/**")
    assert answers(sessions) == [(True, False)]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_saving_too_early_asks_once_and_then_saves(
    page: Page, sessions: Sessions, line: Line
) -> None:
    open_call(page, line)
    page.get_by_role("textbox", name="Blood sugar").focus()
    page.keyboard.type("LO")

    page.keyboard.press("Control+Enter")

    page.get_by_role("heading", name="Not recorded yet").wait_for()
    page.locator("#report[data-ready]").wait_for()
    expect(page.get_by_label("Help is coming")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/safety/**")
    assert answers(sessions) == [(False, False)]


@pytest.mark.parametrize(
    ("value", "unit", "day", "is_open"),
    [
        ("69", "mg/dL", None, True),
        ("70", "mg/dL", None, False),
        ("3.8", "mmol/L", None, True),
        ("3.9", "mmol/L", None, False),
        ("5.6", "mg/dL", None, False),
        ("48", "mg/dL", "2026-11-20", False),
        ("48", "mg/dL", "2026-11-23", True),
    ],
)
def test_it_opens_where_the_value_is_low_and_of_now(
    page: Page, line: Line, value: str, unit: str, day: str | None, *, is_open: bool
) -> None:
    open_call(page, line)
    page.locator("[name=glucose_unit]").select_option(unit)
    page.locator(".elsewhen:has([name=glucose_on])").evaluate("each => { each.open = true; }")

    page.locator("[name=glucose]").fill(value)
    page.locator("[name=glucose]").blur()
    if day:
        page.locator("[name=glucose_on]").fill(day)
        page.locator("[name=glucose_on]").blur()

    card = page.locator("[data-low-card]")
    expect(card).to_have_js_property("open", is_open)
    page.locator("[name=glucose]").fill("150")
    page.locator("[name=glucose]").blur()
    expect(card).to_have_js_property("open", False)


def test_a_patients_own_lower_limit_opens_it(page: Page, sessions: Sessions, line: Line) -> None:
    with sessions.begin() as session:
        new = NewLimits(
            MeasureKind.GLUCOSE, Decimal(80), None, "mg/dL", "Feels no lows.", None, seen=0
        )
        patient = session.get_one(Patient, line.patient.id)
        limits.put(session, patient, new, by_staff_id=line.caller.id, now=MONDAY_10_CHICAGO)
    open_call(page, line)

    page.locator("[name=glucose]").fill("75")
    page.locator("[name=glucose]").blur()

    expect(page.locator("[data-low-card]")).to_have_js_property("open", True)
    expect(page.locator("[data-beyond]")).to_be_hidden()


def test_without_javascript_it_opens_by_hand_and_at_save(
    context: BrowserContext, sessions: Sessions, line: Line
) -> None:
    plain = without_javascript(context, line.caller)
    page = plain.new_page()
    page.goto(line.call)
    page.get_by_text("Low-sugar card").click()
    expect(page.get_by_text(BUILT_IN["es"][1])).to_be_visible()
    page.locator("[name=reached][value=yes]").check(force=True)
    page.get_by_role("textbox", name="Minutes").fill("5")
    page.get_by_role("textbox", name="Blood sugar").fill("48")

    page.get_by_role("button", name="Save and next").click()

    expect(page.get_by_text(BUILT_IN["es"][1])).to_be_visible()
    page.get_by_label("Help is coming").check()
    page.get_by_role("button", name="Save and next").click()
    page.wait_for_url("**/safety/**")
    assert answers(sessions) == [(False, True)]
    plain.close()
