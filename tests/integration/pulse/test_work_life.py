"""The ProQOL: there once it is permitted, once a quarter, for oneself and for nobody else."""

from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.pulse import jobs, work_life
from outreach.pulse.models import WorkLifeAnswer
from outreach.questionnaires import licences
from outreach.questionnaires.rules import InstrumentCode
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.fakes import FakeClock
from tests.proqol import permit_proqol

PAGE = "/pulse/working-life"
THIS_QUARTER = date(2026, 10, 1)


class House:
    """A clinic with two callers, a manager and an administrator."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.ana: StaffMember = make_staff(session, self.clinic, password_hash=HASH)
            self.ben: StaffMember = make_staff(session, self.clinic, password_hash=HASH)
            self.manager = make_staff(session, self.clinic, Role.MANAGER, password_hash=HASH)
            self.administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)

    def permit(self) -> None:
        with self.sessions.begin() as session:
            permit_proqol(session, by_staff_id=self.administrator.id, now=NOW)

    def kept(self) -> list[WorkLifeAnswer]:
        with self.sessions() as session:
            return list(session.scalars(select(WorkLifeAnswer).order_by(WorkLifeAnswer.id)))


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def form(answer: int = 3, **changes: str) -> dict[str, str]:
    items = {f"item_{number}": str(answer) for number in range(1, 31)}
    return {"quarter": THIS_QUARTER.isoformat(), **items, **changes}


def test_without_a_permission_it_does_not_exist(client: FlaskClient, house: House) -> None:
    sign_in(client, house.ana)

    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, data=form()).status_code == 404
    assert "working life" not in client.get("/pulse/").text


def test_it_is_stated_where_the_others_are_and_no_patient_is_asked(
    client: FlaskClient, house: House
) -> None:
    sign_in(client, house.administrator)
    assert "ProQOL 5" in client.get("/instruments/").text
    page = client.get("/instruments/proqol").text
    assert "no patient is asked" in page
    assert "numbers 1, 4, 15, 17, 29 are scored from high to low" in page
    house.permit()

    with house.sessions() as session:
        assert InstrumentCode.PROQOL not in licences.askable(session)


def test_a_caller_answers_for_themselves_and_sees_what_came_of_it(
    client: FlaskClient, house: House
) -> None:
    house.permit()
    sign_in(client, house.ana)
    assert PAGE in client.get("/pulse/").text
    asked = client.get(PAGE).text
    assert "Statement 30" in asked
    assert "Very often" in asked

    answer = client.post(PAGE, data=form(5), follow_redirects=True).text

    assert "Kept, for you alone" in answer
    assert [" ".join(cell.split()) for cell in _cells(answer)] == [
        "50 high",
        "30 moderate",
        "50 high",
    ]
    client.post(PAGE, data=form(3))
    (kept,) = house.kept()
    assert (kept.quarter, kept.given[30]) == (THIS_QUARTER, 3)
    assert client.get(PAGE).text.count("checked") == 30


def _cells(page: str) -> list[str]:
    row = page.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    cells = [each.split("</td>")[0].split(">", 1)[1] for each in row.split("<td")[1:]]
    return [
        each.replace('<span class="pulse__number">', "").replace("</span>", "") for each in cells
    ]


def test_an_item_left_out_leaves_its_scale_without_a_score(
    client: FlaskClient, house: House
) -> None:
    house.permit()
    sign_in(client, house.ana)

    answer = client.post(PAGE, data=form(item_30=""), follow_redirects=True).text

    assert "no score" in _cells(answer)[0]
    assert "30 moderate" in " ".join(_cells(answer)[1].split())


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"quarter": THIS_QUARTER.isoformat()}, 422),
        (form(item_4="6"), 422),
        (form(item_4="x"), 422),
        (form(quarter="2026-07-01"), 302),
        (form(quarter=""), 302),
    ],
)
def test_what_is_no_answer_of_this_quarter_is_not_kept(
    client: FlaskClient, house: House, data: dict[str, str], status: int
) -> None:
    house.permit()
    sign_in(client, house.ana)

    assert client.post(PAGE, data=data).status_code == status

    assert house.kept() == []


def test_nobody_else_sees_it_and_nothing_tells_that_it_was_answered(
    client: FlaskClient, house: House, engine: Engine
) -> None:
    house.permit()
    sign_in(client, house.ana)
    client.post(PAGE, data=form(5))
    with house.sessions() as session:
        actions = session.scalars(select(AuditEvent.action)).all()
    assert not any("work" in action or "life" in action for action in actions)
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT answers FROM work_life_answer").scalar_one()
    assert '"30"' not in str(stored)

    for other in (house.manager, house.administrator):
        sign_in(client, other)
        assert client.get(PAGE).status_code in {403, 404}
    sign_in(client, house.ben)
    assert "What came of it" not in client.get(PAGE).text


def test_a_withdrawn_permission_ends_it(client: FlaskClient, house: House) -> None:
    house.permit()
    sign_in(client, house.administrator)
    assert (
        client.post("/instruments/proqol/withdraw", data={"reason": "It ended."}).status_code == 302
    )
    sign_in(client, house.ana)

    assert client.get(PAGE).status_code == 404


def test_old_quarters_are_forgotten(house: House, sessions: Sessions) -> None:
    old, kept = date(2025, 7, 1), date(2025, 10, 1)
    with sessions.begin() as session:
        for quarter in (old, kept, THIS_QUARTER):
            work_life.keep(session, house.ana.id, quarter, {1: 3}, now=NOW)

    jobs.forget_answers(sessions, FakeClock(datetime(2026, 11, 23, 16, tzinfo=UTC)))

    assert [each.quarter for each in house.kept()] == [kept, THIS_QUARTER]
