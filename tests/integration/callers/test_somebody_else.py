"""Whoever asked for somebody else is not given back to the same caller unawares."""

import re
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from outreach.orm import Sessions
from outreach.panels import assignment, history
from outreach.panels.assignment import Handover
from outreach.panels.models import PanelMembership
from outreach.panels.rules import ChangeReason
from tests.builders import make_enrolment, make_patient
from tests.conftest import sign_in
from tests.fakes import FakeClock
from tests.integration.callers.absences import propose
from tests.integration.callers.conftest import Place


@pytest.fixture
def parted(sessions: Sessions, place: Place, clock: FakeClock) -> Place:
    """Sam was handed to Carla, and asked for somebody else: Ana calls him again."""
    with sessions.begin() as session:
        _hand(session, place, place.carla.id, ChangeReason.BALANCE, now=clock())
        clock.advance(timedelta(minutes=1))
        _hand(session, place, place.ana.id, ChangeReason.PATIENT_ASKED, now=clock())
    return place


def _hand(
    session: Session, place: Place, to_id: int, reason: ChangeReason, *, now: datetime
) -> None:
    current = assignment.current_membership(session, place.sams.id)
    assert current is not None
    handover = Handover(current.id, to_id, reason, "Likes mornings.")
    assignment.change_caller(
        session, place.sams.id, handover, by_staff_id=place.manager.id, now=now
    )


def test_only_a_patients_own_wish_parts_them_from_a_caller(
    sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        _hand(session, place, place.ben.id, ChangeReason.BALANCE, now=clock())

        assert history.parted(session, [place.sam.id, place.rosa.id]) == {}


def test_who_asks_for_the_same_caller_again_is_not_parted_from_them(
    sessions: Sessions, parted: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        assert history.parted(session, [parted.sam.id]) == {parted.sam.id: {parted.carla.id}}

        clock.advance(timedelta(minutes=1))
        _hand(session, parted, parted.carla.id, ChangeReason.PATIENT_ASKED, now=clock())

        assert history.parted(session, [parted.sam.id]) == {parted.sam.id: {parted.ana.id}}


def test_a_stand_in_is_somebody_else_even_where_they_have_more_to_do(
    client: FlaskClient, sessions: Sessions, parted: Place
) -> None:
    with sessions.begin() as session:
        for _each in range(4):
            make_enrolment(session, make_patient(session, parted.clinic), caller=parted.ben)
    sign_in(client, parted.manager)

    answers = propose(client, parted.ana)

    assert answers[f"caller-{parted.sams.id}"] == str(parted.ben.id)


def test_a_manager_who_chooses_them_all_the_same_is_told(
    client: FlaskClient, parted: Place
) -> None:
    sign_in(client, parted.manager)
    answers = propose(client, parted.ana)
    del answers["save"]

    again = {**answers, f"caller-{parted.sams.id}": str(parted.carla.id), "propose": "1"}
    told = client.post(f"/callers/{parted.ana.id}/absences", data=again).text

    assert "asked for somebody else after them" in told


def test_a_proposal_says_after_whom_they_asked_for_somebody_else(
    client: FlaskClient, sessions: Sessions, parted: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        session.execute(
            update(PanelMembership)
            .where(
                PanelMembership.enrolment_id == parted.sams.id, PanelMembership.until_at.is_(None)
            )
            .values(until_at=clock())
        )
    sign_in(client, parted.manager)

    proposal = client.post("/panels/propose", follow_redirects=True).text
    line = re.search(r'href="(/panels/proposal/lines/\d+[^"]*)"', proposal)
    assert line
    page = client.get(line.group(1).replace("&amp;", "&")).text

    assert page.count("they asked for somebody else before") == 1


def test_the_page_of_one_patient_names_them_last_and_says_so(
    client: FlaskClient, parted: Place
) -> None:
    sign_in(client, parted.manager)

    page = client.get(f"/patients/{parted.sam.ref}/caller").text

    names = re.findall(r"<option[^>]*>([^<]*)</option>", page)
    assert names[-1] == "Carla Diaz, 0 of 20, they asked for somebody else before"
    assert "asked" not in names[0]
