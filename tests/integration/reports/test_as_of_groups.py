"""What reports group by, and first days, are known as of a day as they were on it."""

import ast
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from config import ROOT
from outreach.accounts.models import Clinic
from outreach.orm import Sessions
from outreach.panels import assignment
from outreach.patients import registry
from outreach.patients.models import Patient, PatientBefore
from outreach.patients.rules import Sex
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment, EnrolmentBefore
from outreach.reports import breakdown, cohort, outcomes, service
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.period import DAY, begin_of
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import ZONES, make_history
from tests.integration.reports.test_as_of import EVERYTHING, LATER, PERIOD, settle_times, told

FIRST_CHANGE = date(2027, 2, 1)  # nothing else of a random history happens from then on


def details(patient: Patient, **changed: str) -> registry.Details:
    return registry.Details(
        preferred_name=patient.preferred_name,
        pronouns=None,
        weekdays=frozenset(),
        dayparts=(),
        is_voicemail_allowed=None,
        about="",
        language=changed.get("language", patient.language),
        zone=changed.get("zone", patient.zone),
    )


def change(session: Session, chance: random.Random, *, now: datetime) -> None:
    """Move some patients, have some speak another language, and let some begin another day."""
    for patient in session.scalars(select(Patient).order_by(Patient.id)).all():
        if chance.random() < 0.5:
            changed = {
                "zone": chance.choice(ZONES),
                "language": chance.choice(["en", "es", "pt"]),
            }
            born_on = patient.date_of_birth + timedelta(days=chance.randint(-4000, 4000))
            record = registry.OfRecord(chance.choice(list(Sex)), born_on)
            written = replace(details(patient, **changed), record=chance.choice([None, record]))
            registry.change_details(session, patient, written, now=now)
    for each in session.scalars(select(Enrolment).order_by(Enrolment.id)).all():
        day = each.starts_on + timedelta(days=chance.randint(1, 20))
        if chance.random() < 0.2:
            enrolments.move_first_day(session, each, day, now=now)
        elif chance.random() < 0.2:
            enrolments.move_first_days(session, Enrolment.id == each.id, literal(day), now=now)
            session.expire_all()


def everything_told(session: Session, clinic: Clinic, here: Here, day: date) -> object:
    asked = here.about(PERIOD).as_of(day)
    groups = [
        [repr(line) for line in breakdown.by(session, asked, each).lines]
        for each in (Dimension.LANGUAGE, Dimension.AGE, Dimension.SEX, Dimension.PHQ9)
    ]
    return (
        told(session, asked),
        groups,
        repr(outcomes.cohort(session, here, day, with_talks=False).patients),
        repr(cohort.board(session, here, day)),
        repr(outcomes.glycaemic_status(session, here, day)),
        repr(service.service(session, asked).figures),
    )


@pytest.mark.parametrize("seed", range(3))
def test_as_of_any_day_is_what_was_told_as_it_ended(sessions: Sessions, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)
        settle_times(session)
        clinic_id = clinic.id
    on_the_day = []
    for number in range(4):
        day = FIRST_CHANGE + number * DAY
        with sessions.begin() as session:
            change(session, chance, now=datetime(day.year, day.month, day.day, 15, tzinfo=UTC))
        with sessions() as session:
            clinic = session.get_one(Clinic, clinic_id)
            ends = Here.of(EVERYTHING, clinic, now=LATER)
            then = Here.of(EVERYTHING, clinic, now=begin_of(day + DAY, ends.zone))
            on_the_day.append((day, everything_told(session, clinic, then, then.today)))

    with sessions() as session:
        clinic = session.get_one(Clinic, clinic_id)
        here = Here.of(EVERYTHING, clinic, now=LATER)
        found = [(day, everything_told(session, clinic, here, day)) for day, _told in on_the_day]

    assert found == on_the_day
    assert len({repr(each) for _day, each in found}) > 1  # the changes showed


def test_a_kind_of_people_is_that_of_then(session: Session) -> None:
    clinic = make_clinic(session)
    patient = make_patient(session, clinic, phone=None, language="en")
    made_on = date(2026, 11, 20)
    for number, language in enumerate(["es", "pt"]):
        at = datetime(2026, 11, 20 + 2 * number, 15, tzinfo=UTC)
        registry.change_details(session, patient, details(patient, language=language), now=at)

    def language_on(day: date) -> str:
        then = Here.of(EVERYTHING, clinic, now=LATER).about(PERIOD).as_of(day)
        found = breakdown.patient_groups(session, then, Dimension.LANGUAGE, on=day, then=then.past)
        return found[patient.id]

    days = [made_on + number * DAY for number in (-1, 0, 1, 2)]
    assert [language_on(day) for day in days] == ["en", "es", "es", "pt"]


def test_only_what_changes_is_kept(session: Session) -> None:
    patient = make_patient(session, make_clinic(session), language="en")

    registry.change_details(session, patient, details(patient), now=NOW)
    session.flush()

    assert session.scalars(select(PatientBefore)).all() == []


def test_who_waited_for_a_caller_had_their_first_day_until_they_had_one(session: Session) -> None:
    clinic = make_clinic(session)
    waited_from = NOW.date() - timedelta(days=30)
    enrolment = make_enrolment(
        session, make_patient(session, clinic, language="en"), starts_on=waited_from
    )
    caller = make_staff(session, clinic)

    assignment.assign(session, {enrolment.id: caller.id}, by_staff_id=None, now=NOW)
    session.flush()

    assert enrolment.starts_on == NOW.date()
    before = session.scalars(select(EnrolmentBefore)).one()
    assert (before.enrolment_id, before.starts_on) == (enrolment.id, waited_from)
    assert before.until_at == NOW


def test_only_their_own_places_write_what_a_history_is_kept_of() -> None:
    """Whoever writes it elsewhere forgets what was: a report of then would change."""
    allowed = {
        ("patients/registry.py", "language"),
        ("patients/registry.py", "zone"),
        ("programmes/enrolment.py", "starts_on"),
    }
    kept = {"date_of_birth", "sex", "language", "zone", "starts_on"}
    found = set()
    for path in sorted((ROOT / "outreach").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            name = path.relative_to(ROOT / "outreach").as_posix()
            found |= {
                (name, each.attr)
                for each in targets
                if isinstance(each, ast.Attribute)
                and each.attr in kept
                and _names_a_row(each.value)
            }
            if _writes_in_sql(node):
                assert isinstance(node, ast.Call)
                found |= {(name, each.arg) for each in node.keywords if each.arg in kept}

    assert found - {("retention/erasing.py", "date_of_birth")} == allowed


def _names_a_row(node: ast.expr) -> bool:
    """Say whether it is a patient, an enrolment or what came of a query, not a form or a self."""
    return not (isinstance(node, ast.Name) and node.id in ("self", "form"))


def _writes_in_sql(node: ast.AST) -> bool:
    """Say whether it is update(Patient or Enrolment) with what follows, and values()."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr == "values" and any(
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Name)
        and inner.func.id == "update"
        and isinstance(inner.args[0], ast.Name)
        and inner.args[0].id in ("Patient", "Enrolment")
        for inner in ast.walk(node.func)
    )
