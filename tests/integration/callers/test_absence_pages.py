"""A caller is away: stand-ins are proposed, changed, kept, and the calls come back."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.orm import Sessions
from outreach.panels import assignment
from outreach.panels.assignment import Handover
from outreach.panels.models import Absence, CallerProfile, Cover, PanelMembership
from outreach.panels.rules import ChangeReason
from outreach.patients.models import Patient
from outreach.patients.rules import Sex
from tests.builders import make_absence, make_enrolment, make_patient
from tests.conftest import sign_in
from tests.fakes import FakeClock
from tests.integration.callers.absences import (
    DAYS,
    SATURDAY,
    WEDNESDAY,
    answers_on,
    covers,
    entered,
    on_duty,
    propose,
)
from tests.integration.callers.conftest import Place


def test_proposes_by_language_and_load_and_keeps_what_is_saved(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    answers = propose(client, place.ana, note="Both like mornings.")
    answer = client.post(f"/callers/{place.ana.id}/absences", data=answers)

    assert answers[f"caller-{place.rosas.id}"] == str(place.carla.id)
    assert answers[f"caller-{place.sams.id}"] == str(place.ben.id)
    assert answer.status_code == 302
    assert on_duty(sessions, place.rosas.id, WEDNESDAY) == place.carla.id
    assert on_duty(sessions, place.sams.id, WEDNESDAY) == place.ben.id
    for enrolment in (place.rosas, place.sams):
        assert on_duty(sessions, enrolment.id, WEDNESDAY - timedelta(seconds=1)) == place.ana.id
        assert on_duty(sessions, enrolment.id, SATURDAY) == place.ana.id
    assert {cover.note for cover in covers(sessions)} == {"Both like mornings."}
    page = client.get(f"/callers/{place.ana.id}").text
    assert "everybody is covered" in page


def test_asking_for_a_proposal_keeps_nothing(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    propose(client, place.ana)

    assert covers(sessions) == []
    with sessions() as session:
        assert session.scalars(select(Absence)).all() == []


def test_new_days_are_proposed_for_before_they_are_kept(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    answers = propose(client, place.ana)

    page = client.post(
        f"/callers/{place.ana.id}/absences", data={**answers, "last_on": "2026-11-30"}
    )

    assert page.status_code == 200
    assert "2026-11-25/2026-11-30" in page.text
    assert covers(sessions) == []


def test_a_manager_may_choose_another_or_nobody(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    answers = propose(client, place.ana)
    answers |= {f"caller-{place.sams.id}": str(place.carla.id), f"caller-{place.rosas.id}": ""}

    client.post(f"/callers/{place.ana.id}/absences", data=answers)

    assert [cover.stand_in_id for cover in covers(sessions)] == [place.carla.id]
    page = client.get(f"/callers/{place.ana.id}").text
    assert "1 patient not covered" in page
    assert "Choose stand-ins" in page


def test_a_patient_who_asked_for_a_woman_gets_one_where_there_is_one(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(Patient, place.sam.id).wished_caller = Sex.FEMALE
        session.get_one(CallerProfile, place.carla.id).gender = Sex.FEMALE
    sign_in(client, place.manager)

    answers = propose(client, place.ana)

    assert answers[f"caller-{place.sams.id}"] == str(place.carla.id)


def test_whoever_is_untrained_away_or_speaks_another_language_can_not_stand_in(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(CallerProfile, place.ben.id).trained_on = None
        make_absence(session, place.carla, place.clinic.id)
    sign_in(client, place.manager)

    page = client.post(f"/callers/{place.ana.id}/absences", data={**DAYS, "propose": "1"}).text
    refused = client.post(
        f"/callers/{place.ana.id}/absences",
        data={
            **DAYS,
            **answers_on(page),
            f"caller-{place.sams.id}": str(place.ben.id),
            "save": "1",
        },
    )

    # Carla is away; Ben, untrained, is left for nobody.
    assert "Everybody who speaks this language is away then." in page
    assert f"caller-{place.sams.id}" not in page
    assert refused.status_code == 422
    assert "can&#39;t stand in" in refused.text
    assert covers(sessions) == []


@pytest.mark.parametrize("change", ["joined", "handed over"])
def test_a_panel_that_changed_meanwhile_is_told_and_nothing_is_kept(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock, change: str
) -> None:
    sign_in(client, place.manager)
    answers = propose(client, place.ana)
    with sessions.begin() as session:
        if change == "joined":
            patient = make_patient(session, place.clinic, family_name="Newcomer")
            make_enrolment(session, patient, caller=place.ana)
        else:
            current = assignment.current_membership(session, place.sams.id)
            assert current is not None
            handover = Handover(current.id, place.ben.id, ChangeReason.PATIENT_ASKED, "Asked")
            assignment.change_caller(
                session, place.sams.id, handover, by_staff_id=place.manager.id, now=clock()
            )

    answer = client.post(f"/callers/{place.ana.id}/absences", data=answers)

    assert answer.status_code == 409
    assert "The panel changed meanwhile" in answer.text
    assert covers(sessions) == []
    again = {**DAYS, **answers_on(answer.text), "save": "1"}
    assert client.post(f"/callers/{place.ana.id}/absences", data=again).status_code == 302
    assert len(covers(sessions)) == (3 if change == "joined" else 1)


def test_two_absences_never_overlap(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    sign_in(client, place.manager)
    answers = propose(client, place.ana)

    first = client.post(f"/callers/{place.ana.id}/absences", data=answers)
    second = client.post(f"/callers/{place.ana.id}/absences", data=answers)

    assert (first.status_code, second.status_code) == (302, 422)
    assert "away in some of these days already" in second.text
    assert len(covers(sessions)) == 2


def test_a_longer_absence_keeps_its_stand_ins_and_what_they_have_read(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place)
    clock.now = WEDNESDAY + timedelta(hours=10)
    sign_in(client, place.manager)
    with sessions.begin() as session:
        for cover in session.scalars(select(Cover)):
            cover.opened_at = clock()

    url, longer = f"/callers/absences/{absence_id}", {**DAYS, "last_on": "2026-12-02"}
    page = client.post(url, data={**longer, "propose": "1"}).text
    answer = client.post(url, data={**longer, **answers_on(page), "save": "1"})

    assert answer.status_code == 302
    assert on_duty(sessions, place.rosas.id, datetime(2026, 12, 3, 5, tzinfo=UTC)) == place.carla.id
    assert on_duty(sessions, place.rosas.id, datetime(2026, 12, 3, 6, tzinfo=UTC)) == place.ana.id
    old, new = covers(sessions)[:2], covers(sessions)[2:]
    assert [cover.ended_at for cover in old] == [clock()] * 2
    assert [cover.until_at for cover in old] == [SATURDAY] * 2  # as it was: history
    assert [cover.opened_at for cover in new] == [clock()] * 2


def test_saving_without_a_change_changes_nothing(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place, note="Mornings.")

    page = client.get(f"/callers/absences/{absence_id}").text
    answer = client.post(
        f"/callers/absences/{absence_id}",
        data={**DAYS, **answers_on(page), "note": "Mornings.", "save": "1"},
    )

    assert answer.status_code == 302
    assert [cover.ended_at for cover in covers(sessions)] == [None, None]


def test_another_note_is_read_anew(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place)
    with sessions.begin() as session:
        for cover in session.scalars(select(Cover)):
            cover.opened_at = WEDNESDAY

    page = client.get(f"/callers/absences/{absence_id}").text
    client.post(
        f"/callers/absences/{absence_id}",
        data={**DAYS, **answers_on(page), "note": "Rosa moved.", "save": "1"},
    )

    assert [cover.opened_at for cover in covers(sessions)[2:]] == [None, None]


def test_back_today_ends_every_cover_at_once(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place)
    clock.now = WEDNESDAY + timedelta(hours=10)
    sign_in(client, place.manager)
    assert on_duty(sessions, place.sams.id, clock()) == place.ben.id

    assert "Back today" in client.get(f"/callers/{place.ana.id}").text
    answer = client.post(f"/callers/absences/{absence_id}/end")

    assert answer.status_code == 302
    assert on_duty(sessions, place.sams.id, clock()) == place.ana.id
    assert client.post(f"/callers/absences/{absence_id}/end").status_code == 409
    assert "back on Nov 25, 2026" in client.get(f"/callers/{place.ana.id}").text


def test_an_absence_to_come_is_called_off(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place)

    client.post(f"/callers/absences/{absence_id}/end")

    assert on_duty(sessions, place.sams.id, WEDNESDAY) == place.ana.id
    assert "called off" in client.get(f"/callers/{place.ana.id}").text


def test_a_new_caller_for_good_ends_the_cover(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(client, place.manager)
    entered(client, sessions, place)
    with sessions.begin() as session:
        current = session.scalars(
            select(PanelMembership).where(PanelMembership.enrolment_id == place.sams.id)
        ).one()
        handover = Handover(current.id, place.carla.id, ChangeReason.PATIENT_ASKED, "Asked")
        assignment.change_caller(
            session, place.sams.id, handover, by_staff_id=place.manager.id, now=clock()
        )

    assert on_duty(sessions, place.sams.id, WEDNESDAY) == place.carla.id


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"from_on": "2026-11-27", "last_on": "2026-11-25"}, "before the first"),
        ({"from_on": "2026-11-20", "last_on": "2026-11-22"}, "over already"),
        ({"from_on": "", "last_on": "2026-11-25"}, "Enter the day."),
        ({"from_on": "2026-11-25", "last_on": "2028-11-20"}, "Longer than a year"),
        ({"from_on": "2026-11-25", "last_on": "soon"}, "Not a valid date"),
        ({"from_on": "9999-12-01", "last_on": "9999-12-31"}, "next two years"),
    ],
)
def test_days_that_make_no_sense_are_refused(
    client: FlaskClient, place: Place, days: dict[str, str], words: str
) -> None:
    sign_in(client, place.manager)

    answer = client.post(f"/callers/{place.ana.id}/absences", data={**days, "propose": "1"})

    assert answer.status_code == 422
    assert words in answer.text
