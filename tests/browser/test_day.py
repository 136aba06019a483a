"""A day at a clinic: the manager imports and assigns, the scheduler plans, a text goes out,
the caller calls and logs, the manager reads it in the report.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select

from config import Config
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import Attempt
from outreach.exports.jobs import write_exports
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.scheduler.schedule import exports_of, periodic_jobs
from tests.browser.conftest import sign_in
from tests.builders import make_clinic, make_on_call, make_staff
from tests.conftest import HASH
from tests.fakes import FakeClock, FakeGateway

HEADER = (
    "mrn,given_name,family_name,preferred_name,date_of_birth,sex,phone,language,time_zone,"
    "preferred_days,preferred_dayparts,sms_consent,voicemail_ok,hba1c_percent,hba1c_date,"
    "phq9_total,enrolled_on"
)
ROSA = (
    "A1,Rosa,Aguilar,,1970-02-03,F,512-555-0147,en,America/Chicago,,afternoon,yes,yes,"
    "9.8,2026-11-01,,2026-11-23"
)
LEE = (
    "A2,Lee,Moss,,1965-05-06,M,512-555-0148,en,America/Chicago,,afternoon,no,yes,"
    "10.4,2026-11-02,,2026-11-23"
)
WRONG = "A3,Bad,Row,,03/02/1970,F,512-555-0149,en,America/Chicago,,,,,,,,"


class Clinic:
    """A clinic with a manager and one caller, and nobody to call yet."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session, name="Cedar Creek Clinic")
            make_on_call(session, clinic)
            self.manager: StaffMember = make_staff(
                session, clinic, Role.MANAGER, password_hash=HASH
            )
            self.caller: StaffMember = make_staff(
                session, clinic, name="Ana Morales", password_hash=HASH
            )


def tick(sessions: Sessions, gateway: FakeGateway, clock: FakeClock, uploads: Path) -> None:
    """Let the scheduler do its round twice, as after a restart."""
    for _round in range(2):
        for job in periodic_jobs(sessions, gateway, clock, uploads):
            job.run()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()


def test_a_day(
    page: Page,
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
    config: Config,
    tmp_path: Path,
) -> None:
    clinic = Clinic(sessions)
    file = tmp_path / "patients.csv"
    file.write_text(f"{HEADER}\n{ROSA}\n{LEE}\n{WRONG}\n")
    clock.now -= timedelta(hours=15)  # Sunday evening, 7 p.m. in Chicago

    sign_in(page, clinic.manager)
    _import(page, file)
    _assign(page)
    tick(sessions, gateway, clock, tmp_path / "uploads")
    sign_out(page)
    assert gateway.sent == [], "nobody is texted on a Sunday"

    clock.now += timedelta(hours=14, minutes=5)  # Monday, 9:05 there
    tick(sessions, gateway, clock, tmp_path / "uploads")
    _check_reminder(sessions, gateway)

    clock.now += timedelta(hours=4)  # 1:05 p.m.
    sign_in(page, clinic.caller)
    _call(page)
    tick(sessions, gateway, clock, tmp_path / "uploads")
    sign_out(page)
    _check_plan(sessions)

    clock.now += timedelta(days=1)
    sign_in(page, clinic.manager)
    _read_report(page, lambda: write_exports(sessions, clock, exports_of(config)))
    assert len(gateway.sent) == 1


def _import(page: Page, file: Path) -> None:
    page.get_by_role("link", name="Import").click()
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_role("button", name=re.compile("Check")).click()
    expect(page.get_by_text(re.compile(r"03/02/1970|date_of_birth")).first).to_be_visible()
    page.get_by_role("button", name="Import 2 patients").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _assign(page: Page) -> None:
    page.get_by_role("link", name="Panels").click()
    page.get_by_role("button", name="Propose callers").click()
    page.get_by_role("button", name="Give 2 patients their callers").click()
    expect(page.get_by_text("2 of 20")).to_be_visible()


def _check_reminder(sessions: Sessions, gateway: FakeGateway) -> None:
    with sessions() as session:
        messages = session.scalars(select(Message)).all()
    assert [message.status for message in messages] == [MessageStatus.ACCEPTED]
    assert [sms.to for sms in gateway.sent] == ["+15125550147"]
    assert "Ana calls Mon, Nov 23, 12 PM-5 PM." in gateway.sent[0].body


def _call(page: Page) -> None:
    expect(page.get_by_text("to call now").first).to_be_visible()
    page.get_by_role("link", name="Open call").click()
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Start call").click()
    page.locator("#report[data-ready]").wait_for()
    page.keyboard.press("1")
    page.keyboard.type("Grandson starts school. Wants to walk more.")
    page.get_by_role("textbox", name="Blood sugar", exact=True).fill("184")
    page.get_by_role("textbox", name="Something to come back to").fill("Ask about the walks")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Your last call is saved.")).to_be_visible()
    assert page.get_by_role("heading", level=1).inner_text() != name

    page.get_by_role("radio", name="Not reached").check()
    page.get_by_role("radio", name="No answer").check()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Nobody to call right now")).to_be_visible()
    expect(page.get_by_text("We talked")).to_be_visible()


def _check_plan(sessions: Sessions) -> None:
    with sessions() as session:
        attempts = session.scalars(select(Attempt)).all()
        calls = session.scalars(select(PlannedCall).order_by(PlannedCall.id)).all()
    assert len(attempts) == 2
    assert [call.status for call in calls].count(CallStatus.PLANNED) == 2
    assert [call.status for call in calls].count(CallStatus.COMPLETED) == 1


def _read_report(page: Page, write_files: Callable[[], int]) -> None:
    page.get_by_role("link", name="Adherence").click()
    row = page.get_by_role("row").filter(has_text="Ana Morales").first
    expect(row).to_contain_text("1 of 2")  # dials that reached the patient
    page.get_by_role("button", name="CSV", exact=True).click()
    page.get_by_role("heading", name="My files").wait_for()
    assert write_files() == 1
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert any("Ana Morales" in line for line in lines)

    page.get_by_role("link", name="Patients", exact=True).click()
    page.get_by_role("link", name="Rosa Aguilar").click()
    expect(page.get_by_role("figure", name=re.compile("HbA1c"))).to_be_visible()
