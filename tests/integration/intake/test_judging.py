"""A critical value that comes by a file tells a nurse, once, by its own time; history nobody."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.concerns.models import Alert, Concern, ConcernStep, OwnLimits
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.intake import importing
from outreach.intake.judging import JUDGED_FOR
from outreach.intake.rules import Report
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_on_call, make_staff
from tests.integration.intake.conftest import bring_in, put
from tests.unit.intake.builders import NOW, a_person, a_pressure, an_observation, as_ndjson

AN_HOUR_AGO = NOW - timedelta(hours=1)
LOW, HIGH = ConcernKind.GLUCOSE_LOW, ConcernKind.GLUCOSE_HIGH


def sugar(value: float, at: datetime = AN_HOUR_AGO, name: str = "o1") -> dict[str, Any]:
    return an_observation("41653-7", value, "mg/dL", effectiveDateTime=at.isoformat(), id=name)


def bring(
    sessions: Sessions, clinic: Clinic, folder: Path, *observations: dict[str, Any]
) -> Report:
    return bring_in(sessions, clinic, put(folder, as_ndjson(a_person(), *observations)))


def raised(sessions: Sessions) -> list[tuple[ConcernKind, Urgency]]:
    with sessions() as session:
        rows = session.execute(select(Concern.kind, Concern.urgency).order_by(Concern.id))
        return [(kind, urgency) for kind, urgency in rows]


def test_a_low_of_today_tells_who_is_on_call(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, clinic, Role.NURSE)
        make_on_call(session, clinic, nurse)

    report = bring(sessions, clinic, folder, sugar(48))

    assert report.concerns == 1
    assert raised(sessions) == [(LOW, Urgency.NOW)]
    with sessions() as session:
        assert session.scalars(select(Alert.staff_id)).all() == [nurse.id]
        step = session.scalars(select(ConcernStep)).one()
        assert step.note == "48 mg/dL (2.7 mmol/L)\nFrom an imported file."


def test_the_same_file_again_tells_nobody_again(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    bring(sessions, clinic, folder, sugar(48))

    report = bring(sessions, clinic, folder, sugar(48))

    assert (report.readings, report.concerns) == (0, 0)
    assert len(raised(sessions)) == 1


def test_a_value_of_last_year_is_history(sessions: Sessions, clinic: Clinic, folder: Path) -> None:
    long_ago = [sugar(48, NOW - timedelta(days=days), f"o{days}") for days in (15, 100, 400)]

    report = bring(sessions, clinic, folder, *long_ago)

    assert (report.readings, report.concerns) == (3, 0)
    assert raised(sessions) == []


def test_a_value_of_last_week_is_a_task_and_no_alarm(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    bring(sessions, clinic, folder, sugar(410, NOW - JUDGED_FOR))

    assert raised(sessions) == [(HIGH, Urgency.NEXT_BUSINESS_DAY)]


def test_usual_values_tell_nobody(sessions: Sessions, clinic: Clinic, folder: Path) -> None:
    pressure = a_pressure(130, 80) | {"effectiveDateTime": AN_HOUR_AGO.isoformat()}

    report = bring(sessions, clinic, folder, sugar(120), pressure)

    assert (report.readings, report.concerns) == (3, 0)


def test_two_highs_in_one_file_are_one_concern_that_presses(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    bring(sessions, clinic, folder, sugar(310), sugar(320, NOW - timedelta(hours=5), "o2"))

    assert raised(sessions) == [(HIGH, Urgency.NOW)]


def test_upper_and_lower_pressure_are_one_concern(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    pressure = a_pressure(190, 125) | {"effectiveDateTime": AN_HOUR_AGO.isoformat()}

    bring(sessions, clinic, folder, pressure)

    assert raised(sessions) == [(ConcernKind.PRESSURE_HIGH, Urgency.SAME_DAY)]


def test_limits_of_the_patients_own_hold_for_files_as_well(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    bring(sessions, clinic, folder)
    with sessions.begin() as session:
        patient = session.scalars(select(Patient)).one()
        nurse = make_staff(session, clinic, Role.NURSE)
        session.add(
            OwnLimits(
                clinic_id=clinic.id, patient_id=patient.id, kind=MeasureKind.GLUCOSE, number=1,
                low=80, unit="mg/dL", reason="Does not feel lows", at=NOW, by_staff_id=nurse.id,
            )
        )  # fmt: skip

    bring(sessions, clinic, folder, sugar(78))

    assert raised(sessions) == [(LOW, Urgency.SAME_DAY)]


def test_a_look_at_a_file_tells_nobody(sessions: Sessions, clinic: Clinic, folder: Path) -> None:

    sources = put(folder, as_ndjson(a_person(), sugar(48)))
    target = importing.Target.of(clinic)
    with importing.read(sources, target, now=NOW) as checked, sessions() as session:
        importing.preview(session, checked, target, now=NOW)

    assert raised(sessions) == []


def test_a_long_history_costs_no_statement_a_reading(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    days = [NOW - timedelta(days=days) for days in range(1, 200)]
    history = [sugar(48 if at < NOW - JUDGED_FOR else 120, at, f"o{at:%j%y}") for at in days]
    counted: list[str] = []
    with sessions() as session:
        engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *args: counted.append(args[2]))

    bring(sessions, clinic, folder, *history)

    assert len([each for each in counted if "FROM reading" in each]) <= 1
