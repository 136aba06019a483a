"""A caller leaves: everybody gets a new caller in one go, and history stays."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.panels.rules import ChangeReason
from tests.builders import (
    make_absence,
    make_clinic,
    make_cover,
    make_enrolment,
    make_patient,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.callers.absences import answers_on
from tests.integration.callers.conftest import Place

NOTE = "Ana left on good terms; both know."


def propose(client: FlaskClient, caller: StaffMember) -> dict[str, str]:
    page = client.get(f"/callers/{caller.id}/leave")
    assert page.status_code == 200
    return {**answers_on(page.text), "note": NOTE}


def memberships(sessions: Sessions, enrolment_id: int) -> list[PanelMembership]:
    with sessions() as session:
        return list(
            session.scalars(
                select(PanelMembership)
                .where(PanelMembership.enrolment_id == enrolment_id)
                .order_by(PanelMembership.id)
            )
        )


def role_of(sessions: Sessions, person: StaffMember) -> Membership:
    with sessions() as session:
        return session.scalars(
            select(Membership).where(
                Membership.staff_id == person.id, Membership.role == Role.CALLER
            )
        ).one()


def test_hands_everybody_over_with_a_note_and_ends_the_role(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(client, place.manager)

    answers = propose(client, place.ana) | {f"note-{place.rosas.id}": "Likes to be called Rosi."}
    answer = client.post(f"/callers/{place.ana.id}/leave", data=answers)

    assert answer.status_code == 302
    before, after = memberships(sessions, place.rosas.id)
    assert (before.caller_id, before.until_at) == (place.ana.id, clock())
    assert (after.caller_id, after.until_at) == (place.carla.id, None)
    assert after.reason is ChangeReason.CALLER_LEFT
    assert after.note == f"{NOTE}\n\nLikes to be called Rosi."
    assert after.opened_at is None
    assert [each.note for each in memberships(sessions, place.sams.id)] == ["", NOTE]
    assert role_of(sessions, place.ana).until_on == clock().date()
    page = client.get(f"/callers/{place.ana.id}").text
    assert "no longer a caller here" in page
    assert "Enter an absence" not in page
    assert client.get(f"/callers/{place.ana.id}/leave").status_code == 404


def test_the_role_goes_on_while_somebody_is_left_on_the_panel(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    answers = propose(client, place.ana) | {f"caller-{place.rosas.id}": ""}
    page = client.post(f"/callers/{place.ana.id}/leave", data=answers, follow_redirects=True).text

    assert "1 patient stays with them" in page
    assert role_of(sessions, place.ana).until_on is None
    assert len(memberships(sessions, place.rosas.id)) == 1
    assert len(memberships(sessions, place.sams.id)) == 2


def test_nothing_is_changed_where_the_panel_changed_meanwhile(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    answers = propose(client, place.ana)
    with sessions.begin() as session:
        make_enrolment(session, make_patient(session, place.clinic), caller=place.ana)

    answer = client.post(f"/callers/{place.ana.id}/leave", data=answers)

    assert answer.status_code == 409
    assert "The panel changed meanwhile" in answer.text
    assert NOTE in answer.text
    assert len(memberships(sessions, place.sams.id)) == 1


def test_one_line_that_does_not_fit_holds_them_all_back(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    answers = propose(client, place.ana) | {f"caller-{place.rosas.id}": str(place.ben.id)}
    answer = client.post(f"/callers/{place.ana.id}/leave", data=answers)

    assert answer.status_code == 422
    assert "can&#39;t take these patients" in answer.text
    assert len(memberships(sessions, place.sams.id)) == 1
    assert role_of(sessions, place.ana).until_on is None


def test_nobody_is_handed_to_somebody_who_went_away_meanwhile(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    answers = propose(client, place.ana) | {f"caller-{place.sams.id}": str(place.ben.id)}
    with sessions.begin() as session:
        make_absence(session, place.ben, place.clinic.id)

    answer = client.post(f"/callers/{place.ana.id}/leave", data=answers)
    with sessions.begin() as session:
        make_absence(session, place.carla, place.clinic.id)
    nobody_left = client.get(f"/callers/{place.ana.id}/leave").text

    assert answer.status_code == 422
    assert len(memberships(sessions, place.sams.id)) == 1
    assert len(memberships(sessions, place.rosas.id)) == 1
    assert "Everybody who speaks this language is away within 7 days." in nobody_left


def test_a_panel_grows_above_its_cap_only_where_that_is_wanted(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(CallerProfile, place.ben.id).panel_cap = 0
        session.get_one(CallerProfile, place.carla.id).panel_cap = 0
    sign_in(client, place.manager)
    page = client.get(f"/callers/{place.ana.id}/leave").text
    assert "Everybody who speaks this language has a full panel." in page
    answers = propose(client, place.ana) | {
        f"caller-{place.sams.id}": str(place.ben.id),
        f"caller-{place.rosas.id}": "",
    }

    refused = client.post(f"/callers/{place.ana.id}/leave", data=answers)
    wanted = client.post(f"/callers/{place.ana.id}/leave", data=answers | {"above_cap": "y"})

    assert (refused.status_code, wanted.status_code) == (422, 302)
    assert len(memberships(sessions, place.sams.id)) == 2


def test_whom_they_covered_is_told(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        others = make_enrolment(session, make_patient(session, place.clinic), caller=place.ben)
        absence = make_absence(session, place.ben, place.clinic.id)
        cover = make_cover(session, absence, others, place.ana)
    sign_in(client, place.manager)

    page = client.post(
        f"/callers/{place.ana.id}/leave",
        data=propose(client, place.ana),
        follow_redirects=True,
    ).text

    assert "They covered 1 patient, who needs another stand-in." in page
    with sessions() as session:
        session.add(cover)
        session.refresh(cover)
        assert cover.ended_at == clock()
    assert "has nobody to call while their caller is away" in client.get("/reports/today").text


def test_an_empty_panel_needs_no_note(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(client, place.manager)

    page = client.get(f"/callers/{place.ben.id}/leave").text
    answer = client.post(f"/callers/{place.ben.id}/leave", data=answers_on(page))

    assert "End their role" in page
    assert answer.status_code == 302
    assert role_of(sessions, place.ben).until_on == clock().date()


@pytest.mark.parametrize("path", ["", "/edit", "/absences", "/leave"])
def test_managers_of_other_clinics_see_nothing(
    client: FlaskClient, sessions: Sessions, place: Place, path: str
) -> None:

    with sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)
    sign_in(client, stranger)

    assert client.get(f"/callers/{place.ana.id}{path}").status_code == 404
