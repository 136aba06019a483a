"""Goals: set and ended with their history, and how they go, noted on a call."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt
from outreach.goals import setting
from outreach.goals.models import Goal, GoalNews
from outreach.goals.rules import GoalArea, GoalEnding
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from tests.builders import make_clinic, make_enrolment, make_patient, make_planned_call, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock


class Place:
    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            clinic = make_clinic(session)
            self.caller: StaffMember = make_staff(session, clinic, password_hash=HASH)
            self.rosa: Patient = make_patient(session, clinic)
            self.lee: Patient = make_patient(session, clinic, phone="+15125550148")
            enrolment = make_enrolment(session, self.rosa, caller=self.caller)
            self.call: PlannedCall = make_planned_call(session, enrolment)
            self.goal: Goal = self._set(session, self.rosa, "Dance at the wedding")
            self.of_lee: Goal = self._set(session, self.lee, "Sleep through")

    def _set(self, session: object, patient: Patient, text: str) -> Goal:
        return setting.set_goal(
            session,  # type: ignore[arg-type]
            patient,
            GoalArea.OWN,
            text,
            by_staff_id=self.caller.id,
            now=MONDAY_10_CHICAGO,
        )

    def form(self, **answers: str) -> dict[str, str]:
        base = {"planned_call_id": str(self.call.id), "form_key": "one", "glucose_unit": "mg/dL"}
        return {
            **base,
            "hba1c_unit": "%",
            "weight_unit": "kg",
            "reached": "yes",
            "minutes": "9",
        } | answers


@pytest.fixture
def place(sessions: Sessions) -> Place:
    return Place(sessions)


def test_a_goal_is_set_from_the_call_and_a_double_click_sets_one(
    sessions: Sessions, client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.caller)

    for _twice in range(2):
        answer = client.post(
            f"/patients/{place.rosa.ref}/goals/",
            data={"back": "call", "area": "exercise", "text": " Walk to church "},
        )

    assert answer.location == f"/calls/{place.rosa.ref}#goals"
    with sessions() as session:
        found = setting.open_of(session, place.rosa.id)
    assert [(goal.area, goal.text) for goal in found] == [
        (GoalArea.OWN, "Dance at the wedding"),
        (GoalArea.EXERCISE, "Walk to church"),
    ]


def test_how_it_goes_is_kept_with_the_call_and_shown_on_the_next(
    sessions: Sessions, client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.caller)
    told = {f"goal-{place.goal.id}": "Practised twice.", f"goal-{place.of_lee.id}": "not hers"}

    client.post(f"/calls/{place.rosa.ref}", data=place.form(**told))

    with sessions() as session:
        (news,) = session.scalars(select(GoalNews)).all()
        attempt = session.scalars(select(Attempt)).one()
    assert (news.goal_id, news.text, news.attempt_id) == (
        place.goal.id, "Practised twice.", attempt.id,
    )  # fmt: skip
    assert "Practised twice." in client.get(f"/calls/{place.rosa.ref}").text


def test_what_was_typed_about_a_goal_is_part_of_the_draft(
    client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.caller)
    typed = {f"goal-{place.goal.id}": "Half a sen", "version": "0", "tab": "a"}

    client.post(f"/calls/{place.rosa.ref}/draft", data=place.form(**typed))

    assert 'value="Half a sen"' in client.get(f"/calls/{place.rosa.ref}").text


def test_an_ended_goal_stays_in_the_history(
    sessions: Sessions, client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.caller)
    path = f"/patients/{place.rosa.ref}/goals/{place.goal.id}"

    first = client.post(path, data={"ending": "reached"})
    again = client.post(path, data={"ending": "let_go"})

    assert (first.status_code, again.status_code) == (302, 404)
    with sessions() as session:
        (ended,) = setting.ended_of(session, place.rosa.id)
        assert setting.open_of(session, place.rosa.id) == []
    assert (ended.ending, ended.ended_at) == (GoalEnding.REACHED, MONDAY_10_CHICAGO)
    assert "Dance at the wedding" in client.get(f"/patients/{place.rosa.ref}").text


def test_a_goal_that_was_ended_by_mistake_is_taken_back_from_the_call(
    sessions: Sessions, client: FlaskClient, clock: FakeClock, place: Place
) -> None:
    sign_in(client, place.caller)
    path, call = f"/patients/{place.rosa.ref}/goals/{place.goal.id}", f"/calls/{place.rosa.ref}"
    client.post(path, data={"ending": "reached", "back": "call"})
    assert "Reached: Dance at the wedding" in client.get(call).text

    answers = [client.post(path, data={"ending": "still_open", "back": "call"}) for _ in "ab"]

    assert [each.status_code for each in answers] == [302, 404]
    assert "Reached: Dance at the wedding" not in client.get(call).text
    with sessions() as session:
        (pursued,) = setting.open_of(session, place.rosa.id)
        assert setting.ended_of(session, place.rosa.id) == []
    assert (pursued.text, pursued.ending) == ("Dance at the wedding", None)


def test_what_ended_a_while_ago_is_no_more_on_the_call_nor_asked_about(
    client: FlaskClient, clock: FakeClock, place: Place
) -> None:
    sign_in(client, place.caller)
    path = f"/patients/{place.rosa.ref}/goals/{place.goal.id}"
    client.post(path, data={"ending": "reached"})
    assert "You might ask how it goes" not in client.get(f"/calls/{place.rosa.ref}").text

    clock.advance(timedelta(minutes=11))

    assert "Dance at the wedding" not in client.get(f"/calls/{place.rosa.ref}").text


def test_another_patients_goal_does_not_exist(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)

    path = f"/patients/{place.rosa.ref}/goals/{place.of_lee.id}"

    assert client.post(path, data={"ending": "reached"}).status_code == 404
