"""Adding staff from the command line."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from outreach.accounts.models import Clinic, Language, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_staff

COMMAND = ["staff", "add", "ana@example.org", "--name", "Ana", "--role", "caller"]


def test_languages_are_kept_as_patients_languages_are(app: Flask, sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_clinic(session, code="HERE")
    spoken = ["--language", "pt", "--language", "pt-BR", "--language", "EN"]

    result = app.test_cli_runner().invoke(
        args=[*COMMAND, "--clinic", "HERE", *spoken, "--password", PASSWORD]
    )

    assert result.exit_code == 0, result.output
    with sessions() as session:
        kept = session.scalars(select(Language.language).order_by(Language.language)).all()
        assert kept == ["en", "pt-BR"]


def test_a_new_account_and_its_role_are_in_the_trail(app: Flask, sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic_id = make_clinic(session, code="HERE").id

    app.test_cli_runner().invoke(args=[*COMMAND, "--clinic", "HERE", "--password", PASSWORD])

    with sessions() as session:
        added = session.scalars(select(StaffMember.id)).one()
        noted = select(
            AuditEvent.action, AuditEvent.clinic_id, AuditEvent.actor_id, AuditEvent.object_id
        ).order_by(AuditEvent.id)
        assert [tuple(row) for row in session.execute(noted)] == [
            ("added account by command", clinic_id, None, added),
            ("gave role caller by command", clinic_id, None, added),
        ]


def test_a_language_that_is_none_is_refused(app: Flask, sessions: Sessions) -> None:
    result = app.test_cli_runner().invoke(
        args=[*COMMAND, "--language", "Klingon", "--password", PASSWORD]
    )

    assert result.exit_code == 1
    assert "'Klingon' is not a language code" in result.output
    with sessions() as session:
        assert session.scalars(select(StaffMember)).all() == []


def test_the_only_administrator_gets_back_in(app: Flask, sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_staff(session, None, Role.ADMINISTRATOR, email="ada@example.org")

    told = app.test_cli_runner().invoke(args=["staff", "link", "ada@example.org", "--end-factors"])
    nobody = app.test_cli_runner().invoke(args=["staff", "link", "eve@example.org"])

    assert told.exit_code == 0, told.output
    assert nobody.exit_code == 1
    path = told.output.split()[0]
    answer = app.test_client().post(path, data={"password": "trombone ladder quilt"})
    assert answer.location == "/"


def test_a_weak_password_is_refused_here_too(app: Flask, sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_clinic(session, code="HERE")

    told = app.test_cli_runner().invoke(
        args=[*COMMAND, "--clinic", "HERE", "--password", "Password12345678"]
    )

    assert told.exit_code == 1
    assert "guessed first" in told.output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "There is a clinic with the code ELM already."),
        ({"code": "OAK", "--phone": "5125550100"}, "is no number as +15125550100"),
        ({"code": "OAK", "--phone": "+1512"}, "is no number as +15125550100"),
        ({"code": "OAK", "--zone": "Texas"}, "is not a time zone"),
    ],
)
def test_a_clinic_that_can_not_be_added_is_refused_in_words(
    app: Flask, sessions: Sessions, change: dict[str, str], words: str
) -> None:
    with sessions.begin() as session:
        make_clinic(session, code="ELM")
    told = {"code": "ELM", "--name": "Elm", "--zone": "UTC", "--phone": "+15125550100"} | change
    code = told.pop("code")

    done = app.test_cli_runner().invoke(
        args=["clinics", "add", code, *(each for pair in told.items() for each in pair)]
    )

    assert done.exit_code == 1
    assert words in done.output
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Clinic)) == 1


def test_a_number_is_kept_in_one_form(app: Flask, sessions: Sessions) -> None:
    words = ["clinics", "add", "OAK", "--name", "Oak", "--zone", "UTC", "--phone"]
    assert app.test_cli_runner().invoke(args=[*words, "+1 (512) 555-0100"]).exit_code == 0

    with sessions() as session:
        assert session.scalars(select(Clinic.phone_number)).all() == ["+15125550100"]
