"""Every main page: accessible by axe, and no sideways scrolling at any width."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern
from outreach.orm import Sessions
from outreach.panels.models import Absence, PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from scripts.seed_demo import DEMO_ACCOUNTS, seed_if_empty
from tests.browser.conftest import sign_in
from tests.builders import PASSWORD
from tests.conftest import FAST_HASHER
from tests.fakes import FakeClock
from tests.proqol import permit_proqol

WIDTHS = (360, 768, 1440)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# {ref}: a patient of the demo caller with an open call; {concern}: an open concern;
# {caller}: who is absent next week, {absence}: that absence.
PAGES = {
    Role.CALLER: [
        "/queue/",
        "/calls/{ref}",
        "/patients/{ref}",
        "/patients/{ref}/details",
        "/patients/{ref}/handover",
        "/callers/me",
        "/pulse/",
        "/pulse/working-life",
        "/safety/{ref}/raise",
        "/safety/{ref}",
        "/phone/me",
        "/phone/find",
        "/texts/",
        "/texts/{ref}",
    ],
    Role.NURSE: [
        "/concerns/",
        "/concerns/{concern}",
        "/concerns/flags/{ref}",
        "/patients/{ref}",
        "/patients/{ref}/ask/phq9",
    ],
    Role.MANAGER: [
        "/reports/today",
        "/reports/adherence",
        "/reports/adherence?by=language",
        "/reports/adherence/patients?measure=completion",
        "/reports/adherence/calls?measure=completion",
        "/reports/around",
        "/reports/around?by=caller",
        "/reports/around/concerns?measure=closed&days=182",
        "/reports/adherence/caller?caller={own}",
        "/reports/adherence/days?caller={own}",
        "/reports/adherence/concerns?days=182&caller={own}",
        "/reports/today/calls?caller={own}",
        "/reports/target?measure=completion",
        "/reports/outcomes",
        "/reports/outcomes/patients?measure=hba1c&point=month_6&group=eligible",
        "/reports/cohort",
        "/patients/follow-ups/",
        "/concerns/on-call",
        "/concerns/on-call/card",
        "/concerns/on-call/low-sugar",
        "/patients/",
        "/patients/?hba1c_over=8&sort=hba1c&phq9=mild&columns=concern&columns=number",
        "/patients/?standing=open&sort=reached&columns=phq9&columns=texts",
        "/patients/?silent_days=soon",
        "/exports/",
        "/patients/{ref}",
        "/patients/{ref}/caller",
        "/panels/",
        "/callers/",
        "/callers/{caller}",
        "/callers/{caller}/edit",
        "/callers/{caller}/absences",
        "/callers/{caller}/leave",
        "/callers/absences/{absence}",
        "/import/",
        "/messages/",
        "/phone/returned",
        "/texts/",
        "/my-sign-in/",
        "/staff/",
        "/staff/new",
        "/staff/{caller}",
        "/audit/",
        "/audit/emergency",
        "/confirm",
    ],
    Role.ADMINISTRATOR: ["/reports/today", "/reports/adherence", "/panels/"],
}


@pytest.fixture
def demo(sessions: Sessions, clock: FakeClock) -> None:
    seed_if_empty(sessions, now=clock(), hasher=FAST_HASHER, password=PASSWORD)
    with sessions.begin() as session:
        administrator = dict(DEMO_ACCOUNTS)[Role.ADMINISTRATOR]
        by = session.scalars(select(StaffMember).where(StaffMember.email == administrator)).one()
        permit_proqol(session, by_staff_id=by.id, now=clock())


@pytest.fixture(params=["light", "dark"])
def scheme_page(
    request: pytest.FixtureRequest, browser: Browser, address: str, demo: None
) -> Iterator[Page]:
    context = browser.new_context(base_url=address, color_scheme=request.param)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def paths_of(sessions: Sessions, role: Role) -> list[str]:
    caller_email = dict(DEMO_ACCOUNTS)[Role.CALLER]
    with sessions() as session:
        ref = session.scalars(
            select(Patient.ref)
            .join(PlannedCall, PlannedCall.patient_id == Patient.id)
            .join(PanelMembership, PanelMembership.patient_id == Patient.id)
            .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
            .where(
                PlannedCall.status == CallStatus.PLANNED,
                StaffMember.email == caller_email,
                PanelMembership.until_at.is_(None),
            )
            .order_by(Patient.id)
        ).first()
        concern = session.scalars(
            select(Concern.id).where(Concern.status == "open").order_by(Concern.id)
        ).first()
        absence = session.scalars(select(Absence).order_by(Absence.id)).first()
        own = session.scalars(select(StaffMember.id).where(StaffMember.email == caller_email)).one()
    assert absence is not None
    found = {"ref": ref, "concern": concern, "caller": absence.staff_id, "absence": absence.id}
    found["own"] = own
    return [path.format(**found) for path in PAGES[role]]


@pytest.mark.parametrize("role", list(PAGES))
def test_pages_are_accessible_and_fit_every_width(
    scheme_page: Page, sessions: Sessions, role: Role
) -> None:
    page = scheme_page
    email = dict(DEMO_ACCOUNTS)[role]
    with sessions() as session:
        person = session.scalars(select(StaffMember).where(StaffMember.email == email)).one()
    sign_in(page, person)
    problems = []

    for path in paths_of(sessions, role):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                problems.append(f"{path} is {wide} px wide at {width}")
            if width != 768:
                found = Axe().run(page, options=RULES).response["violations"]
                problems += [
                    f"{path} at {width}: {each['id']} {each['nodes'][0]['target']}"
                    for each in found
                ]

    assert problems == []


def test_the_door_is_accessible(page: Page) -> None:
    page.goto("/sign-in")

    assert Axe().run(page, options=RULES).response["violations"] == []
