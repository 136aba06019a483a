"""Adding staff from the command line."""

from flask import Flask
from sqlalchemy import select

from outreach.accounts.models import Language, StaffMember
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic

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
