"""Operators rebuild the roll-ups, and are told where they differ from the rows."""

import random

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from outreach.orm import Sessions
from outreach.reports import jobs, rollups
from outreach.reports.models import DayCount, TouchedDays, TouchedEnrolment, WeekCount
from tests.integration.reports.histories import make_history


def test_a_wrong_roll_up_is_named_and_mended(sessions: Sessions, app: Flask) -> None:
    cli = app.test_cli_runner()
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(2))  # noqa: S311

    built = cli.invoke(args=["reports", "rebuild"])
    assert built.exit_code == 0, built.output
    assert "Roll-ups and rows agree." in built.output
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(TouchedDays)) == 0
        day = session.scalars(select(DayCount).filter_by(clinic_id=clinic.id)).first()
        assert day is not None
        session.execute(update(DayCount).where(DayCount.id == day.id).values(dials=77))
        session.execute(update(WeekCount).values(minutes=WeekCount.minutes + 1))

    compared = cli.invoke(args=["reports", "compare", "--clinic", clinic.code])
    assert compared.exit_code == 1
    assert f"days by caller: {day.day}" in compared.output
    assert "weeks by enrolment" in compared.output

    assert cli.invoke(args=["reports", "rebuild", "--clinic", clinic.code]).exit_code == 0
    again = cli.invoke(args=["reports", "compare", "--clinic", clinic.code])
    assert again.exit_code == 0, again.output
    assert cli.invoke(args=["reports", "compare", "--clinic", "NOWHERE"]).exit_code == 1


def test_all_of_one_clinic_is_rebuilt_and_nothing_of_another(
    sessions: Sessions, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.roll_clinic, "__kwdefaults__", {"most": 1})
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(2))  # noqa: S311

    built = app.test_cli_runner().invoke(args=["reports", "rebuild", "--clinic", clinic.code])

    assert built.exit_code == 0, built.output
    with sessions() as session:
        for model in (TouchedDays, TouchedEnrolment):
            assert clinic.id not in session.scalars(select(model.clinic_id)).all()
            assert session.scalars(select(model.clinic_id)).all()


def test_a_rebuilding_that_leaves_something_says_so(
    sessions: Sessions, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(2))  # noqa: S311
    monkeypatch.setattr(rollups, "roll", lambda *_args, **_options: 0)

    built = app.test_cli_runner().invoke(args=["reports", "rebuild"])

    assert built.exit_code == 1
    assert clinic.code in built.output
