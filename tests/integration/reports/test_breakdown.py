"""Breakdowns add up to their totals, and lists to their figures."""

import random
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.patients.rules import Sex
from outreach.planning.rules import CallStatus
from outreach.reports import adherence, breakdown
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Dimension, GroupLine
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import Measure, Tally, parts_of, total_of
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history, noon

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
MONDAY = date(2026, 11, 2)
PERIOD = Period(date(2026, 9, 7), date(2026, 11, 22))
GROUPED = [each for each in Dimension if each is not Dimension.CLINIC]


def ask(clinic: Clinic, period: Period = PERIOD) -> Asked:
    return Here.of(EVERYTHING, clinic, now=NOW).about(period)


def called(session: Session, clinic: Clinic, *statuses: CallStatus, **who: Any) -> Patient:
    """A patient with a caller of their own and a call a day, from MONDAY on."""
    own = make_staff(session, clinic)
    patient = make_patient(session, clinic, phone=None, **who)
    enrolment = make_enrolment(session, patient, caller=own, starts_on=MONDAY)
    for ahead, status in enumerate(statuses):
        due_on = MONDAY + timedelta(days=ahead)
        call = make_planned_call(session, enrolment, due_on, status=status)
        if status is CallStatus.COMPLETED:
            make_attempt(session, call, own, at=noon(due_on))
    return patient


def sorted_parts(tally: Tally) -> dict[str, object]:
    return {
        name: sorted(map(repr, part)) if isinstance(part, tuple) else part
        for name, part in vars(tally).items()
    }


@pytest.mark.parametrize("seed", range(4))
def test_groups_of_every_kind_add_up_to_the_report(sessions: Sessions, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)
        for patient in session.scalars(select(Patient).filter_by(clinic_id=clinic.id)):
            patient.language = chance.choice(["en", "es"])
            patient.sex = chance.choice(list(Sex))

    with sessions() as session:
        total = adherence.report(session, ask(clinic)).total
        for dimension in GROUPED:
            found = breakdown.by(session, ask(clinic), dimension)
            added = total_of(line.tally for line in found.lines)
            assert sorted_parts(added) == sorted_parts(total), dimension
            assert sorted_parts(found.total) == sorted_parts(total), dimension


@pytest.mark.parametrize("seed", [1, 3])
def test_a_list_adds_up_to_its_figure(sessions: Sessions, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)

    with sessions() as session:
        asked = ask(clinic)
        for dimension in (Dimension.CALLER, Dimension.PHASE):
            for line in breakdown.by(session, asked, dimension).lines:
                for measure in Measure:
                    parts = parts_of(measure, line.tally)
                    if parts is None:
                        continue
                    rows = breakdown.behind(session, asked, measure, (dimension, line.key))
                    assert sum(row.numerator for row in rows) == parts[0], (line.key, measure)
                    assert sum(row.denominator for row in rows) == parts[1], (line.key, measure)
                    assert len({row.patient_id for row in rows}) == len(rows)


@pytest.mark.parametrize("seed", range(4))
def test_callers_are_the_same_on_both_ways_of_counting(sessions: Sessions, seed: int) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311

    with sessions() as session:
        quick = adherence.report(session, ask(clinic)).lines
        finely = breakdown.by(session, ask(clinic), Dimension.CALLER).lines

    assert [str(line.caller_id or "") for line in quick] == [line.key for line in finely]
    assert [sorted_parts(line.tally) for line in quick] == [
        sorted_parts(line.tally) for line in finely
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("measure", list(adherence.SERIES))
def test_weeks_add_up_to_their_figure(sessions: Sessions, seed: int, measure: Measure) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311
    asked = ask(clinic, Period(date(2026, 5, 25), date(2026, 11, 22)))

    with sessions() as session:
        weeks = adherence.by_week(session, asked, measure)
        total = adherence.report(session, asked).total

    added = sum(each.part for each in weeks), sum(each.whole for each in weeks)
    assert len(weeks) == 26
    assert added == parts_of(measure, total)


@pytest.mark.parametrize(
    ("dimension", "groups"),
    [
        (Dimension.LANGUAGE, {"en": 2, "es": 1}),
        (Dimension.SEX, {"female": 2, "male": 1}),
        (Dimension.AGE, {"40-54": 1, "55-64": 1, "75-199": 1}),
        (Dimension.PHQ9, {"10 to 27": 1, "not asked": 2}),
        (Dimension.PHASE, {"week_1": 3}),
        (Dimension.WEEK, {"2026-11-02": 3}),
    ],
)
def test_calls_belong_to_their_group(
    session: Session, dimension: Dimension, groups: dict[str, int]
) -> None:
    clinic = make_clinic(session)
    patients = [
        called(session, clinic, CallStatus.COMPLETED, **who)
        for who in (
            {"date_of_birth": date(1971, 11, 23)},  # 54 to the end of the day before
            {"date_of_birth": date(1971, 11, 22), "language": "es"},
            {"date_of_birth": date(1940, 1, 1), "sex": Sex.MALE},
        )
    ]
    at = noon(MONDAY)
    make_reading(session, patients[1], MeasureKind.PHQ9_TOTAL, "12", taken_at=at, recorded_at=at)

    lines = breakdown.by(session, ask(clinic), dimension).lines

    assert {line.key: line.tally.completed for line in lines if line.tally.completed} == groups


def test_those_who_add_least_of_what_they_could_come_first(session: Session) -> None:
    clinic = make_clinic(session)
    done, missed = CallStatus.COMPLETED, CallStatus.MISSED
    well, badly, so_so = (
        called(session, clinic, *statuses)
        for statuses in ((done, done), (missed, missed, done), (missed, done))
    )

    rows = breakdown.behind(session, ask(clinic), Measure.COMPLETION, None)

    assert [row.patient_id for row in rows] == [badly.id, so_so.id, well.id]
    assert [(row.numerator, row.denominator) for row in rows] == [(1, 3), (1, 2), (2, 2)]


def test_a_figure_that_few_of_a_large_group_are_behind_is_hidden(session: Session) -> None:
    """12 who speak Spanish, of whom one has enrolled in these days: their wait is one person's."""
    clinic = make_clinic(session)
    for language in ("es", "en"):
        for number in range(12):
            own = make_staff(session, clinic)
            patient = make_patient(session, clinic, phone=None, language=language)
            is_new = number == 0 or language == "en"
            began_on = MONDAY if is_new else date(2026, 8, 3)
            enrolment = make_enrolment(
                session, patient, caller=own, starts_on=began_on, enrolled_at=noon(began_on)
            )
            call = make_planned_call(session, enrolment, MONDAY, status=CallStatus.COMPLETED)
            make_attempt(session, call, own, at=noon(MONDAY))
    asked = ask(clinic, Period(MONDAY, MONDAY + timedelta(days=10)))

    lines = {line.key: line for line in breakdown.by(session, asked, Dimension.LANGUAGE).lines}

    assert not any(line.is_hidden for line in lines.values())
    assert [len(lines[key].tally.waits) for key in ("es", "en")] == [1, 12]
    for key in ("es", "en"):  # both: the total would tell the one by the other
        assert not lines[key].tells(Measure.FIRST_CALL)
        assert not lines[key].tells(Measure.FIRST_CALL_MEDIAN)
        assert lines[key].tells(Measure.COMPLETION)
        assert lines[key].tells(Measure.STILL_OPEN)


def test_small_groups_of_people_are_hidden_and_callers_are_not(session: Session) -> None:
    clinic = make_clinic(session)
    for language, count in (("en", 12), ("es", 11), ("pt", 2)):
        for _ in range(count):
            called(session, clinic, CallStatus.COMPLETED, language=language)

    def shown(dimension: Dimension) -> dict[str, bool]:
        lines = breakdown.by(session, ask(clinic), dimension).lines
        return {line.key: not line.is_hidden for line in lines}

    assert shown(Dimension.LANGUAGE) == {"en": True, "es": False, "pt": False}
    assert all(shown(Dimension.CALLER).values())


def test_clinics_stand_side_by_side(session: Session) -> None:
    first, second = make_clinic(session), make_clinic(session, zone="Pacific/Auckland")
    called(session, first, CallStatus.COMPLETED)
    called(session, second, CallStatus.MISSED)

    lines = breakdown.by_place(session, [first, second], ask(first), Dimension.CLINIC)

    counted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in lines:
        assert isinstance(line, GroupLine)
        counted[line.key].append((line.tally.completed, line.tally.due))
    assert counted == {first.code: [(1, 1)], second.code: [(0, 1)]}


@pytest.mark.parametrize("dimension", GROUPED)
def test_takes_as_many_statements_for_many_patients(
    sessions: Sessions, engine: Engine, dimension: Dimension
) -> None:
    asked = []
    for patients in (2, 12):
        with sessions.begin() as session:
            clinic = make_clinic(session)
            for _ in range(patients):
                called(session, clinic, CallStatus.COMPLETED, CallStatus.MISSED)
        with sessions() as session, statements(engine) as seen:
            breakdown.by(session, ask(clinic), dimension)
        asked.append(len(seen))

    assert asked[0] == asked[1]
    assert asked[0] <= 16
