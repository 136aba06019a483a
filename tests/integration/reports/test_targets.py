"""What a clinic aims for: set by its managers, kept with its history, shown beside the figure."""

from datetime import date
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.reports import targets
from outreach.reports.models import Target
from outreach.reports.rules.tally import Measure
from outreach.reports.targets import Aim, SetMeanwhile
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.test_pages import call_made, row_of

DAY = date(2027, 1, 31)
AIM = Aim(Decimal("0.800"), "Evening slots", DAY)
PATH = "/reports/target?measure=completion"


def sets(
    session: Session, clinic: Clinic, aim: Aim, *, seen: int, measure: Measure = Measure.COMPLETION
) -> bool:
    manager = make_staff(session, clinic, Role.MANAGER)
    return targets.set_target(
        session, clinic, measure, aim, seen_number=seen, by_staff_id=manager.id, now=NOW
    )


def typed(**deviations: str) -> dict[str, str]:
    return {
        "seen": "0",
        "percent": "80",
        "due_on": "2027-01-31",
        "plan": "Evening slots",
    } | deviations


def manager(sessions: Sessions, client: FlaskClient, clinic: Clinic) -> None:
    with sessions.begin() as session:
        person = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, person)


def test_the_newest_target_holds_and_those_before_stay(session: Session) -> None:
    clinic, other = make_clinic(session), make_clinic(session)
    higher = Aim(Decimal("0.900"), "", DAY)

    assert sets(session, clinic, AIM, seen=0)
    assert sets(session, clinic, higher, seen=1)
    assert sets(session, clinic, AIM, seen=0, measure=Measure.PROTOCOL)

    holding = targets.holding(session, clinic.id)
    assert {measure: each.share for measure, each in holding.items()} == {
        Measure.COMPLETION: Decimal("0.900"),
        Measure.PROTOCOL: Decimal("0.800"),
    }
    assert targets.holding(session, other.id) == {}
    assert len(session.scalars(select(Target)).all()) == 3


def test_aiming_for_nothing_ends_a_target(session: Session) -> None:
    clinic = make_clinic(session)
    sets(session, clinic, AIM, seen=0)

    sets(session, clinic, Aim(None, "", None), seen=1)

    assert targets.holding(session, clinic.id) == {}


def test_the_same_target_twice_is_one(session: Session) -> None:
    clinic = make_clinic(session)

    assert sets(session, clinic, AIM, seen=0)
    assert not sets(session, clinic, AIM, seen=0)
    assert len(session.scalars(select(Target)).all()) == 1


def test_of_two_who_write_at_once_the_second_is_told(session: Session) -> None:
    clinic = make_clinic(session)
    sets(session, clinic, AIM, seen=0)

    with pytest.raises(SetMeanwhile):
        sets(session, clinic, Aim(Decimal("0.700"), "", DAY), seen=0)


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE])
def test_callers_and_nurses_set_nothing(
    sessions: Sessions, client: FlaskClient, role: Role
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), role, password_hash=HASH)
    sign_in(client, person)

    assert client.get(PATH).status_code == 404
    assert client.post(PATH, data=typed()).status_code == 404


def test_a_manager_sets_a_target_and_sees_it_beside_the_figure(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        call_made(session, clinic)
    manager(sessions, client, clinic)

    answer = client.post(PATH, data=typed(), follow_redirects=True)

    assert answer.status_code == 200
    # One of two calls was completed.
    row = row_of(answer.text, "Calls completed")
    assert "50% 1 of 2 at least 80% 30 points to go by Jan 31, 2027 Evening slots" in row
    assert client.post(f"{PATH}&clinic={other.code}", data=typed()).status_code == 404
    with sessions() as session:
        assert [each.clinic_id for each in session.scalars(select(Target))] == [clinic.id]
        actions = session.scalars(select(AuditEvent.action)).all()
    assert actions.count("set a target") == 1
    assert 'value="80"' in client.get(PATH).text


@pytest.mark.parametrize(("percent", "said"), [("50", "reached"), ("50.1", "0.1 points to go")])
def test_a_target_is_reached_at_its_own_value(
    sessions: Sessions, client: FlaskClient, percent: str, said: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic)
    manager(sessions, client, clinic)

    page = client.post(PATH, data=typed(percent=percent), follow_redirects=True).text

    assert said in row_of(page, "Calls completed")


@pytest.mark.parametrize(
    "wrong", [{"percent": "101"}, {"percent": "0"}, {"percent": "many"}, {"due_on": ""},
              {"plan": " "}, {"plan": "x" * 1001}, {"due_on": "soon"}],
    ids=str,
)  # fmt: skip
def test_what_was_typed_stays_where_it_makes_no_target(
    sessions: Sessions, client: FlaskClient, wrong: dict[str, str]
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
    manager(sessions, client, clinic)

    answer = client.post(PATH, data=typed(**wrong))

    assert answer.status_code == 422
    assert next(iter(wrong.values())).strip() in answer.text
    with sessions() as session:
        assert session.scalars(select(Target)).all() == []


def test_a_target_set_meanwhile_is_shown_and_ones_own_is_kept(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        sets(session, clinic, AIM, seen=0)
    manager(sessions, client, clinic)

    answer = client.post(PATH, data=typed(percent="70", plan="Call on Saturdays"))

    assert answer.status_code == 422
    assert "Somebody else set this target meanwhile" in answer.text
    assert "Call on Saturdays" in answer.text
    assert "at least 80%" in answer.text
    assert client.post(PATH, data=typed(seen="1", percent="70")).status_code == 302


@pytest.mark.parametrize("measure", ["dials_per_reach", "hba1c", ""])
def test_nothing_is_aimed_for_in_what_is_no_rate(
    sessions: Sessions, client: FlaskClient, measure: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
    manager(sessions, client, clinic)

    assert client.get(f"/reports/target?measure={measure}").status_code == 404
