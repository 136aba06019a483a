"""Every route, with every role and with nobody: what is outside one's scope does not exist."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import Config
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.integration.access.house import OF_A_CLINIC, OF_ONE_PERSON, People, TwoClinics
from tests.integration.access.walk import (
    Route,
    is_turned_away,
    knocks,
    knows_of,
    routes,
    signed_in,
)

# Throwing away an upload that is not there is no trouble, and tells nobody anything.
NO_TROUBLE = "intake.discard"
# Nothing is shown of what was not asked for, or is not under way.
ASKS_FOR_MORE = frozenset(
    {
        "exports.ask", "panels.apply", "pulse.working_life", "pulse.answer_working_life",
        "security.authenticator_page", "security.authenticator_picture",
        "security.confirm_authenticator", "security.end_authenticator",
        "cohort.board_patients", "outcomes.glycaemic", "outcomes.patients", "report_lists.caller",
        "report_lists.calls_of_today", "report_lists.concerns_met",
        "report_lists.concerns_raised", "report_lists.days_on_phone", "reports.adherence_calls",
        "reports.adherence_patients", "reports.around_patients", "reports.target",
    }
)  # fmt: skip
# Doors that are open to a role, behind which this one of them may not do this to that record.
NOT_THIS_ONE = {
    ("concerns.acknowledge", Role.MANAGER): "a manager takes concerns on while on call",
    ("concerns.work", Role.MANAGER): "likewise",
    ("oversight.emergency_page", Role.MANAGER): "reads who opened whom, and opens nobody",
    ("oversight.emergency_page", Role.AUDITOR): "likewise",
    ("chart.follow_up", Role.CALLER): "how to reach somebody is for a manager to check",
    ("inbox.done", Role.NURSE): "a nurse sees to texts that speak of danger",
    ("pulse.spoken", Role.NURSE): "where there is a manager, they are asked for support",
    ("pulse.spoken", Role.ADMINISTRATOR): "likewise",
    **{("typed.keep", role): "a form says who types in it" for role in Role},
}


@pytest.fixture
def clinics(sessions: Sessions, config: Config) -> TwoClinics:
    return TwoClinics(sessions, config.instance_path / "uploads")


@pytest.fixture
def people(sessions: Sessions, clinics: TwoClinics) -> People:
    return clinics.people(sessions)


@pytest.mark.parametrize("role", Role)
def test_a_role_comes_in_where_the_table_says_and_nowhere_else(
    role: Role, app: Flask, sessions: Sessions, clinics: TwoClinics, people: People
) -> None:
    browser = signed_in(app, people.here[role])
    asked = routes(app, clinics.arguments_of(sessions, people.here[role]))
    assert len(asked) > 200, "the walk has lost its routes"

    wrong = [
        f"{route} answered {answer.status_code}"
        for route, answer in knocks(browser, asked)
        if not is_right(route, role, answer)
    ]

    assert wrong == []


def is_right(route: Route, role: Role, answer: TestResponse) -> bool:
    """Say whether ``role`` was let in or not, as the table says."""
    if role not in route.allowed:
        return answer.status_code == HTTPStatus.NOT_FOUND
    return not is_turned_away(answer) or is_not_for_them(route, role, answer.status_code)


def is_not_for_them(route: Route, role: Role, status: int) -> bool:
    """Say whether who may open a page is told, rightly, that this is not for them to do."""
    if (route.endpoint, role) in NOT_THIS_ONE:
        return status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    return route.endpoint in ASKS_FOR_MORE and status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("role", OF_A_CLINIC)
def test_a_record_of_another_clinic_does_not_exist(
    role: Role, app: Flask, sessions: Sessions, clinics: TwoClinics, people: People
) -> None:
    arguments = clinics.arguments_of(sessions, people.here[role])
    browser = signed_in(app, people.elsewhere[role])

    assert list(seen(browser, routes(app, arguments), clinics.secrets)) == []
    assert clinics.untouched(sessions, people.here[role], arguments)


@pytest.mark.parametrize("role", Role)
def test_what_belongs_to_one_person_does_not_exist_for_a_colleague(
    role: Role, app: Flask, sessions: Sessions, clinics: TwoClinics, people: People
) -> None:
    arguments = clinics.arguments_of(sessions, people.here[role])
    browser = signed_in(app, people.colleagues[role])
    own = [route for route in routes(app, arguments) if route.names & OF_ONE_PERSON]
    assert len(own) > 5

    assert list(seen(browser, own, [])) == []
    assert clinics.untouched(sessions, people.here[role], arguments)


def test_a_patient_of_another_panel_does_not_exist(
    app: Flask, clinics: TwoClinics, people: People
) -> None:
    browser = signed_in(app, people.colleagues[Role.CALLER])

    assert list(seen(browser, routes(app, clinics.arguments), clinics.patients)) == []


def seen(browser: FlaskClient, asked: list[Route], secrets: list[str]) -> Iterator[str]:
    """Yield what an outsider is told that they should not be."""
    for route, answer in knocks(browser, asked):
        is_there = answer.status_code != HTTPStatus.NOT_FOUND
        if route.names and is_there and route.endpoint != NO_TROUBLE:
            yield f"{route} answered {answer.status_code}"
        yield from (f"{route} tells of {word}" for word in knows_of(answer, secrets))


def test_nobody_gets_anywhere_without_signing_in(app: Flask, clinics: TwoClinics) -> None:
    wrong = [
        f"{route} answered {answer.status_code}"
        for route, answer in knocks(app.test_client(), routes(app, clinics.arguments))
        if answer.status_code != HTTPStatus.FOUND or "/sign-in" not in answer.location
    ]

    assert wrong == []


def test_the_walk_knows_a_page_that_tells_of_a_patient(
    app: Flask, clinics: TwoClinics, people: People
) -> None:
    page = signed_in(app, people.here[Role.MANAGER]).get(f"/patients/{clinics.arguments['ref']}")

    assert set(clinics.secrets) == set(knows_of(page, clinics.secrets))


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/queue/", "/healthz", "/calls/x"])
def test_every_answer_carries_the_strict_policy_and_is_never_kept(
    client: FlaskClient, path: str
) -> None:
    headers = client.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_form_without_its_token_is_refused(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True

    answer = app.test_client().post("/sign-in", data={"email": "a@b.c", "password": "x"})

    assert answer.status_code == 400
