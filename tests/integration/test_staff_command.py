"""Adding staff from the command line."""

from flask import Flask
from sqlalchemy import select

from outreach.accounts.models import Language, StaffMember
from outreach.accounts.rules import Role
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
        args=[*COMMAND, "--clinic", "HERE", "--password", "Password1234"]
    )

    assert told.exit_code == 1
    assert "guessed first" in told.output
