"""The call screen in a real browser: by keyboard alone, and with the connection cut."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete, func, select, update

from outreach.accounts.models import Clinic, StaffMember
from outreach.calls.models import Attempt, CallNote, Draft, Lease
from outreach.concerns import limits
from outreach.concerns.limits import NewLimits
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.browser.conftest import sign_in
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH
from tests.fakes import MONDAY_10_CHICAGO, FakeClock


class Day:
    """A caller with two patients to call now."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            make_on_call(session, self.clinic)
            self.caller: StaffMember = make_staff(session, self.clinic, password_hash=HASH)
            self.rosa: Patient = make_patient(session, self.clinic, family_name="Aguilar")
            self.lee: Patient = make_patient(
                session, self.clinic, given_name="Lee", phone="+15125550148"
            )
            for patient in (self.rosa, self.lee):
                make_planned_call(session, make_enrolment(session, patient, caller=self.caller))


@pytest.fixture
def day(sessions: Sessions) -> Day:
    return Day(sessions)


def test_the_commonest_log_takes_at_most_twelve_keys_beside_the_note(
    page: Page, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto("/queue/")
    pressed = 0

    def press(*keys: str) -> None:
        nonlocal pressed
        for key in keys:
            page.keyboard.press(key)
            pressed += key.count("+") + 1

    press("Enter")  # open the first call
    page.wait_for_url(f"**/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    press("c")  # start it
    page.locator("[data-timer]").wait_for()
    page.locator("#report[data-ready]").wait_for()
    press("1")
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()
    page.keyboard.type("Her sister came to visit.")
    press("Tab", "1", "3", "2", "Control+Enter")
    page.wait_for_url(f"**/calls/{day.lee.ref}")

    assert pressed <= 12
    expect(page.get_by_text("Your last call is saved.")).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == ["Her sister came to visit."]
        assert [str(value) for value in session.scalars(select(Reading.value))] == ["132.000"]


def test_a_cut_connection_loses_nothing_that_was_typed(
    page: Page, context: BrowserContext, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.keyboard.press("1")
    page.get_by_role("textbox", name="Note").fill("Before the cut.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")

    context.set_offline(True)
    page.get_by_role("textbox", name="Note").fill("Before the cut. And after it.")
    expect(page.locator("[data-saved]")).to_contain_text("no connection")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Before the cut. And after it.")

    context.set_offline(False)
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    page.reload()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Before the cut. And after it.")
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 0


def test_being_signed_out_while_typing_loses_nothing(
    page: Page, context: BrowserContext, sessions: Sessions, day: Day, clock: object
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    clock.advance(timedelta(minutes=16))  # type: ignore[attr-defined]

    page.keyboard.press("1")
    page.get_by_role("textbox", name="Note").fill("Typed after the session ended.")
    expect(page.locator("[data-saved]")).to_contain_text("signed out")
    other = context.new_page()
    sign_in(other, day.caller)

    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    with sessions() as session:
        (answers,) = session.scalars(select(Draft.answers)).all()
        assert answers["note"] == ["Typed after the session ended."]


def test_a_double_click_on_save_is_one_call(page: Page, sessions: Sessions, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.get_by_role("radio", name="Not reached").check()
    page.get_by_role("radio", name="Busy").check()

    page.locator("[data-save]").dblclick()
    page.wait_for_url(f"**/calls/{day.lee.ref}")

    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1


def test_keys_rest_while_somebody_types(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")

    page.get_by_role("textbox", name="Note").click()
    page.keyboard.type("c12n? cold coffee")

    expect(page.get_by_role("textbox", name="Note")).to_have_value("c12n? cold coffee")
    expect(page.locator("[data-timer]")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_with_alt_and_shift_the_keys_work_while_typing_and_when_switched_off(
    page: Page, sessions: Sessions, day: Day
) -> None:
    with sessions.begin() as session:
        session.get_one(StaffMember, day.caller.id).has_shortcuts = False
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    note = page.get_by_role("textbox", name="Note")
    busy = page.locator("[name=outcome][value=busy]")

    page.locator("#reached-0").focus()
    page.keyboard.press("b")
    expect(busy).not_to_be_checked()
    note.click()
    page.keyboard.press("Alt+Shift+B")

    expect(busy).to_be_checked()
    expect(note).to_have_value("")


def test_enter_saves_from_the_outcomes_and_from_nowhere_else(
    page: Page, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("1")
    page.get_by_label("Blood sugar", exact=True).fill("120")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(day.rosa.ref))
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 0

    page.locator("#reached-1").focus()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/calls/{day.lee.ref}")


def test_nothing_is_saved_from_behind_the_list_of_keys(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("2")
    page.evaluate("report.addEventListener('submit', () => { window.sent = true; })")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()

    page.keyboard.press("Control+Enter")

    assert page.evaluate("window.sent") is None


def test_a_key_that_is_held_down_acts_once(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.evaluate("report.addEventListener('submit', () => { window.sent = true; })")

    for _held in range(3):
        page.keyboard.down("1")
    page.keyboard.up("1")

    note = page.get_by_role("textbox", name="Note")
    expect(note).to_be_focused()
    expect(note).to_have_value("")
    page.evaluate(
        "note.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', ctrlKey: true, repeat: true, bubbles: true}))"
    )
    assert page.evaluate("window.sent") is None  # held since the call before
    page.keyboard.type("11")
    expect(note).to_have_value("11")


def test_a_call_that_was_interrupted_goes_on_at_the_first_question_without_an_answer(
    page: Page, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("c")
    page.locator("[data-timer]").wait_for()
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("t")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")

    page.goto("/queue/")
    expect(page.get_by_text("You started a call with Rosa Aguilar")).to_be_visible()
    page.goto(f"/calls/{day.lee.ref}")
    page.get_by_role("link", name="Go there first").click()

    expect(page.locator("[name=callback_on]")).to_be_focused()
    page.locator("[name=callback_on]").fill("2026-11-25")
    page.locator("[name=callback_at]").fill("15:00")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    page.reload()
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()


def test_no_words_and_no_patient_are_kept_in_the_browsers_own_storage(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.get_by_role("textbox", name="Note").fill("Private words.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")

    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    assert "Private" not in kept
    assert day.rosa.ref not in kept


def test_a_pause_that_is_chosen_takes_the_next_call_off_the_buttons(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#reached-0").check(force=True)
    button = page.locator("label[for=outcome-0]")
    expect(button).to_contain_text("next call", use_inner_text=True)

    page.get_by_text("Pause or end").click()
    page.locator("[name=rest][value=hospital]").check(force=True)

    expect(button).to_contain_text("the calls rest", use_inner_text=True)
    expect(button).not_to_contain_text("next call", use_inner_text=True)


def test_the_weeks_of_a_pause_count_from_its_first_day_away(page: Page, day: Day) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.get_by_text("Pause or end").click()
    page.locator("[name=rest][value=travel]").check(force=True)
    until = page.locator("[name=rest_until]")
    two_weeks = page.get_by_role("button", name="after 2 weeks")

    two_weeks.click()
    expect(until).to_have_value("2026-12-07")
    page.locator("[name=rest_from]").fill("2026-12-01")

    expect(until).to_have_value("2026-12-15")
    expect(two_weeks).to_have_attribute("aria-pressed", "true")
    until.fill("2026-12-20")
    page.locator("[name=rest_from]").fill("2026-12-02")
    expect(until).to_have_value("2026-12-20")  # a day of one's own stays


def test_who_took_the_call_over_is_told_on_the_screen_of_the_other(
    page: Page, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    notice = page.get_by_text("Somebody else has taken this call over.")
    expect(notice).to_be_hidden()
    with sessions.begin() as session:
        other = make_staff(session, session.get_one(Clinic, day.clinic.id))
        session.execute(update(Lease).values(staff_id=other.id))

    page.locator("[name=note]").fill("She sings again.")  # told as soon as this is kept

    expect(notice).to_be_visible()


def test_an_unread_hand_over_is_not_told_as_a_call_that_was_taken(
    page: Page, sessions: Sessions, day: Day
) -> None:
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    with sessions.begin() as session:
        session.execute(delete(Lease))

    with page.expect_response("**/lease"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.get_by_text("Somebody else has taken this call over.")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("glucose", "210", "data-beyond"),
        ("glucose", "65", "data-glucose=low"),
        ("glucose", "HI", "data-glucose=high"),
        ("diastolic", "125", "data-beyond"),
        ("glucose", "150", None),
    ],
)
def test_a_value_is_held_against_this_patients_limits_while_they_are_on_the_line(
    page: Page, sessions: Sessions, day: Day, name: str, value: str, said: str | None
) -> None:
    with sessions.begin() as session:
        new = NewLimits(
            MeasureKind.GLUCOSE, None, Decimal(200), "mg/dL", "Kidneys.", until_on=None, seen=0
        )
        rosa = session.get_one(Patient, day.rosa.id)
        limits.put(session, rosa, new, by_staff_id=day.caller.id, now=MONDAY_10_CHICAGO)
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("1")
    page.locator(".others").evaluate("each => { each.open = true; }")

    page.locator(f"[name={name}]").fill(value)
    page.locator(f"[name={name}]").blur()

    for each in ("data-beyond", "data-glucose=low", "data-glucose=high"):
        shown = page.locator(f"[{each}]")
        expect(shown).to_be_visible() if each == said else expect(shown).to_be_hidden()


def test_the_minutes_of_a_call_do_not_follow_this_computers_clock(
    page: Page, day: Day, clock: FakeClock
) -> None:
    """The server's clock is stopped on another day than the browser's."""
    sign_in(page, day.caller)
    page.goto(f"/calls/{day.rosa.ref}")
    page.get_by_role("button", name="Start call").click()
    page.locator("[data-timer]").wait_for()

    clock.advance(timedelta(minutes=5))
    page.reload()

    expect(page.locator("[data-timer]")).to_have_text(re.compile(r"^5:\d\d$"))
