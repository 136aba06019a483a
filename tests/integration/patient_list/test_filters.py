"""Each filter lists who meets it, and the count is the length of the list."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.calls.rules import Outcome
from outreach.concerns import raising
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patient_list import listing
from outreach.patient_list.ordering import Cursor
from outreach.patient_list.rules import (
    NOBODY,
    Filters,
    Numbers,
    Sort,
    Standing,
    Stratum,
    Wanted,
)
from outreach.patient_list.selecting import Search
from outreach.patients import consent
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from outreach.planning.rules import CallStatus
from outreach.programmes.rules import EnrolmentStatus
from outreach.results import due
from tests.builders import (
    make_attempt,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
)
from tests.integration.patient_list.conftest import NOW, Names, Place, listed

LONG_BEFORE = NOW.date() - timedelta(days=100)


def _enrolled(
    session: Session, place: Place, name: str, caller: StaffMember | None = None
) -> Patient:
    patient = make_patient(session, place.clinic, given_name=name, family_name="Zed")
    make_enrolment(session, patient, caller=caller or place.caller, starts_on=LONG_BEFORE)
    return patient


def _reached(
    session: Session, place: Place, patient: Patient, days_ago: int, outcome: Outcome
) -> None:
    enrolment = make_enrolment(session, patient, status=EnrolmentStatus.COMPLETED)
    planned = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
    at = NOW - timedelta(days=days_ago)
    make_attempt(session, planned, place.caller, outcome, at=at)


def test_hba1c_over_9_and_not_reached_for_30_days(
    sessions: Sessions, place: Place, names: Names
) -> None:
    with sessions.begin() as session:
        both = _enrolled(session, place, "Both")
        make_reading(session, both, value="9.1")
        talked = _enrolled(session, place, "Talked")
        make_reading(session, talked, value="11")
        low = _enrolled(session, place, "Low")
        make_reading(session, low, value="9.5")
        make_reading(session, low, value="9.0", taken_at=NOW - timedelta(days=3))
        for patient, days, outcome in (
            (both, 31, Outcome.COMPLETED),
            (both, 2, Outcome.NO_ANSWER),
            (talked, 29, Outcome.COMPLETED),
        ):
            enrolment = make_enrolment(session, patient, status=EnrolmentStatus.WITHDRAWN)
            planned = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
            make_attempt(session, planned, place.caller, outcome, at=NOW - timedelta(days=days))

    assert names(hba1c_over=Decimal(9), silent_days=30) == ["Both Zed"]
    assert names(hba1c_over=Decimal(9)) == ["Both Zed", "Talked Zed"]
    assert names(hba1c_over=Decimal(8), hba1c_under=Decimal("9.1")) == ["Low Zed"]
    assert names(silent_days=30) == ["Both Zed", "Low Zed"]


def test_a_value_that_was_corrected_counts_as_corrected(
    sessions: Sessions, place: Place, names: Names
) -> None:
    with sessions.begin() as session:
        patient = _enrolled(session, place, "Ada")
        wrong = make_reading(session, patient, value="18.0")
        make_reading(session, patient, value="7.9", supersedes_id=wrong.id)

    assert names(hba1c_over=Decimal(9)) == []
    assert names(hba1c_under=Decimal(8)) == ["Ada Zed"]


def test_not_reached_is_said_of_those_who_were_there_to_be_reached(
    sessions: Sessions, place: Place, names: Names
) -> None:
    with sessions.begin() as session:
        _enrolled(session, place, "Old")
        left = make_patient(session, place.clinic, given_name="Left", family_name="Zed")
        make_enrolment(session, left, starts_on=LONG_BEFORE, status=EnrolmentStatus.WITHDRAWN)
        unlucky = _enrolled(session, place, "Unlucky")
        enrolment = make_enrolment(session, unlucky, status=EnrolmentStatus.WITHDRAWN)
        planned = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
        make_attempt(session, planned, place.caller, at=NOW - timedelta(days=1), superseded_at=NOW)

    assert names(silent_days=30) == ["Old Zed", "Unlucky Zed"]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing.OPEN, ["Bea Back", "Mia Mine", "Theo Theirs"]),
        (Standing.ACTIVE, ["Bea Back", "Mia Mine", "Theo Theirs"]),
        (Standing.PAUSED, []),
        (Standing.COMPLETED, ["Dan Done"]),
        (Standing.WITHDRAWN, []),
        (Standing.NEVER, ["Nia New"]),
    ],
)
def test_the_latest_enrolment_says_where_somebody_stands(
    sessions: Sessions, place: Place, names: Names, standing: Standing, expected: list[str]
) -> None:
    with sessions.begin() as session:
        done = make_patient(session, place.clinic, given_name="Dan", family_name="Done")
        make_enrolment(session, done, status=EnrolmentStatus.COMPLETED)
        back = make_patient(session, place.clinic, given_name="Bea", family_name="Back")
        make_enrolment(session, back, status=EnrolmentStatus.WITHDRAWN)
        make_enrolment(session, back, caller=place.caller)
        make_patient(session, place.clinic, given_name="Nia", family_name="New")

    assert names(standing=standing) == expected


def test_by_caller_and_those_who_wait_for_one(place: Place, names: Names) -> None:
    assert names(caller=str(place.caller.id)) == ["Mia Mine"]
    assert names(caller=NOBODY) == ["Theo Theirs"]
    assert names(caller=str(place.manager.id)) == []


def test_by_phase_as_the_programme_counts_its_weeks(
    sessions: Sessions, place: Place, names: Names
) -> None:
    with sessions.begin() as session:
        for weeks in range(16):
            patient = make_patient(session, place.clinic, given_name=f"W{weeks + 1}")
            patient.family_name = f"{weeks:02d}"
            make_enrolment(session, patient, starts_on=NOW.date() - timedelta(weeks=weeks, days=2))
    with sessions() as session:
        frame = listing.frame(session, place.scope, Filters(), now=NOW)
        lines = listing.page(session, frame, Wanted(), Search()).lines
    codes = {line.phase.code for line in lines if line.phase}
    for code in sorted(codes):
        expected = [
            line.patient.full_name for line in lines if line.phase and line.phase.code == code
        ]
        assert names(phase=code) == expected
    assert len(codes) > 1
    assert names(phase="no such phase") == []


@pytest.mark.parametrize(
    ("total", "stratum"),
    [
        ("0", Stratum.MINIMAL),
        ("4", Stratum.MINIMAL),
        ("5", Stratum.MILD),
        ("14", Stratum.MODERATE),
        ("15", Stratum.MODERATELY_SEVERE),
        ("27", Stratum.SEVERE),
        (None, Stratum.UNMEASURED),
    ],
)
def test_by_the_band_of_the_last_phq9(
    sessions: Sessions, place: Place, names: Names, total: str | None, stratum: Stratum
) -> None:
    with sessions.begin() as session:
        for patient in session.query(Patient).filter_by(clinic_id=place.clinic.id):
            make_reading(session, patient, MeasureKind.PHQ9_TOTAL, "10")
        patient = _enrolled(session, place, "Ada")
        if total is not None:
            make_reading(session, patient, MeasureKind.PHQ9_TOTAL, "10")
            at = NOW - timedelta(days=1)
            make_reading(session, patient, MeasureKind.PHQ9_TOTAL, total, taken_at=at)

    found = {each: names(phq9=each) for each in Stratum}

    assert "Ada Zed" in found[stratum]
    assert sum("Ada Zed" in each for each in found.values()) == 1


def test_by_concern_number_texts_language_and_first_day(
    sessions: Sessions, place: Place, names: Names
) -> None:
    with sessions.begin() as session:
        ada, ben, cid = (_enrolled(session, place, each) for each in ("Ada", "Ben", "Cid"))
        raised = raising.raise_concern(
            session, ada, raising.safety("worrying"), by_staff_id=place.caller.id, now=NOW
        )
        closed = raising.raise_concern(
            session, ben, raising.safety("worrying"), by_staff_id=place.caller.id, now=NOW
        )
        assert raised.id != closed.id
        session.get_one(Concern, closed.id).status = ConcernStatus.CLOSED
        session.query(PhoneNumber).filter_by(patient_id=ben.id).update(
            {"health": NumberHealth.WRONG}
        )
        session.add(
            PhoneNumber(
                clinic_id=place.clinic.id, patient_id=cid.id, e164="+15125550199", position=2,
                health=NumberHealth.DISCONNECTED, health_at=NOW,
            )
        )  # fmt: skip
        for patient, answers in ((ada, [True, False]), (ben, [False, True])):
            for answer in answers:
                consent.note(
                    session, patient, Channel.SMS, "+15125550147", is_given=answer,
                    source=ConsentSource.SMS, by_staff_id=None, now=NOW,
                )  # fmt: skip
        cid.language = "es"

    assert names(concern=True) == ["Ada Zed"]
    assert names(number=Numbers.ONE_BROKEN) == ["Ben Zed", "Cid Zed"]
    assert names(number=Numbers.NONE_WORKS) == ["Ben Zed"]
    assert names(stopped=True) == ["Ada Zed"]
    assert names(language="es") == ["Cid Zed"]
    assert names(enrolled_until=LONG_BEFORE) == ["Ada Zed", "Ben Zed", "Cid Zed"]
    assert names(enrolled_from=LONG_BEFORE + timedelta(days=1)) == ["Mia Mine", "Theo Theirs"]
    assert names(enrolled_from=LONG_BEFORE, enrolled_until=date(2026, 1, 1)) == []


def test_who_is_due_to_be_measured_is_who_the_other_list_says(
    sessions: Sessions, place: Place, names: Names
) -> None:
    with sessions.begin() as session:
        for days in (2, 40, 85, 90, 180):
            patient = make_patient(session, place.clinic, given_name=f"D{days}")
            make_enrolment(session, patient, starts_on=NOW.date() - timedelta(days=days))
    with sessions() as session:
        missing = due.everybody(session, place.scope, now=NOW).missing
        expected = {each.patient.full_name for each in missing}

    assert expected
    assert set(names(due=True)) == expected


@pytest.mark.parametrize("is_backwards", [False, True])
@pytest.mark.parametrize("sort", list(Sort))
def test_every_order_has_everybody_once_whatever_the_size_of_a_page(
    sessions: Sessions, place: Place, sort: Sort, *, is_backwards: bool
) -> None:
    with sessions.begin() as session:
        for number in range(9):
            patient = _enrolled(session, place, "Twin" if number % 2 else f"N{number}")
            if number % 3:
                value = str(8 + number % 4)
                make_reading(session, patient, value=value)
                _reached(session, place, patient, number % 4, Outcome.COMPLETED)
        make_patient(session, place.clinic, given_name="Nia", family_name="New")
    wanted = Wanted(sort=sort, is_backwards=is_backwards)

    with sessions() as session:
        frame = listing.frame(session, place.scope, Filters(), now=NOW)
        whole = listing.page(session, frame, wanted, Search()).lines
        in_pages = [
            line for some in listing.everybody(session, frame, wanted, Search(), size=2)
            for line in some
        ]  # fmt: skip
        last = whole[-1].patient.ref
        before = listing.page(
            session, frame, wanted, Search(), Cursor(last, is_before=True), size=100
        )

    ids = [line.patient.id for line in whole]
    assert [line.patient.id for line in in_pages] == ids
    assert len(set(ids)) == 12
    assert [line.patient.id for line in before.lines] == ids[:-1]
    assert not before.has_earlier
    assert before.has_more


def test_hba1c_is_sorted_from_the_highest_and_who_has_none_is_last(
    sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        for name, value in (("Ten", "10"), ("Nine", "9"), ("Eleven", "11")):
            make_reading(session, _enrolled(session, place, name), value=value)
    with sessions() as session:
        falling = listed(session, place.scope, Wanted(sort=Sort.HBA1C))
        rising = listed(session, place.scope, Wanted(sort=Sort.HBA1C, is_backwards=True))

    assert falling[:3] == ["Eleven Zed", "Ten Zed", "Nine Zed"]
    assert rising[:3] == ["Nine Zed", "Ten Zed", "Eleven Zed"]
    assert set(falling[3:]) == set(rising[3:]) == {"Mia Mine", "Theo Theirs"}


def test_a_place_in_the_list_outside_the_scope_is_the_beginning(
    sessions: Sessions, place: Place
) -> None:
    with sessions() as session:
        frame = listing.frame(session, place.scope, Filters(), now=NOW)
        stranger = session.query(Patient).filter_by(clinic_id=place.elsewhere.id).one()
        found = listing.page(session, frame, Wanted(), Search(), Cursor(stranger.ref))

    assert [line.patient.given_name for line in found.lines] == ["Mia", "Theo"]
    assert not found.has_earlier
