"""What changed since: new values, corrections, and what was taken back, by ``_lastUpdated``."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role
from outreach.calls import correcting, outcomes
from outreach.calls.correcting import Amended
from outreach.calls.models import Attempt
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.fhir.rules.dates import DateAsked, moment_of
from outreach.measures import newest
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import (
    actor_of,
    make_attempt,
    make_enrolment,
    make_planned_call,
    make_reading,
)
from tests.integration.fhir.conftest import House

AT = datetime(2026, 11, 20, 16, tzinfo=UTC)  # ten in the morning in Chicago, a Friday
LATER = AT + timedelta(days=2, microseconds=250)


def moment(at: datetime) -> str:
    return quote(at.isoformat(timespec="microseconds"))


def since(house: House, at: datetime, person: Patient, kind: str = "Observation") -> list[Any]:
    """Return what changed of a patient from ``at`` on, as one who mirrors it asks."""
    return house.found(f"/{kind}?patient={person.ref}&_lastUpdated=ge{moment(at)}")


def told_of(found: list[Any]) -> list[tuple[str, str]]:
    return [(each["id"], each["status"]) for each in found]


def name_of(person: Patient, reading: Reading) -> str:
    return f"reading-{person.ref}-{reading.id}"


@pytest.fixture
def person(house: House) -> Patient:
    return house.patients[1]


@pytest.fixture
def reading(house: House, person: Patient) -> Reading:
    with house.sessions.begin() as session:
        return make_reading(
            session, person, value="8.1", taken_at=AT - timedelta(days=9), recorded_at=AT
        )


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ("2026", True), ("2026-11", True), ("2026-11-20", True), ("eq2026-11-19", False),
        ("ge2026-11-20", True), ("gt2026-11-20", False), ("le2026-11-20", True),
        ("lt2026-11-20", False), ("lt2026-11-21", True), ("gt2026-11-19", True),
        ("2026-11-20T10:00", True), ("2026-11-20T10:00:00", True), ("2026-11-20T16:00", False),
        ("2026-11-20T16:00:00Z", True), ("2026-11-20T16:00:00.000000Z", True),
        ("2026-11-20T16:00:00.000001Z", False), ("gt2026-11-20T16:00:00Z", False),
        ("gt2026-11-20T15:59:59.999999Z", True), ("lt2026-11-20T16:00:00.000001Z", True),
        ("ge2026-11-20T16:00:00.000001Z", False), ("le2026-11-20T15:59:59.999999Z", False),
        ("2026-11-20T10:00:00-06:00", True), ("ge2026-11-20T18:00:00%2B02:00", True),
        ("ge2026-01-01&_lastUpdated=lt2026-12-01", True),
        ("ge2026-01-01&_lastUpdated=lt2026-11-01", False),
    ],
)  # fmt: skip
def test_by_every_prefix_and_as_exact_as_it_is_written(
    house: House, person: Patient, reading: Reading, asked: str, *, is_found: bool
) -> None:
    """The same of a reading and of a call."""
    with house.sessions.begin() as session:
        planned = make_planned_call(session, make_enrolment(session, person))
        make_attempt(session, planned, house.caller, at=AT - timedelta(minutes=3), saved_at=AT)
    for kind in ("Observation", "Communication"):
        for count in (1, 50):
            query = f"patient={person.ref}&_lastUpdated={asked}&_count={count}"
            assert bool(house.found(f"/{kind}?{query}")) is is_found
    told = since(house, AT, person)[0]
    assert told["id"] == name_of(person, reading)
    assert told["meta"] == {"lastUpdated": "2026-11-20T16:00:00.000000+00:00"}


def test_without_a_zone_a_month_ends_on_the_patients_clock(
    house: House, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        person = session.get_one(Patient, house.patients[2].id)
        person.zone = "Pacific/Kiritimati"  # 14 hours ahead: there it is December already
        make_reading(session, person, recorded_at=datetime(2026, 11, 30, 11, tzinfo=UTC))
    path = f"/Observation?patient={house.patients[2].ref}&_lastUpdated="

    assert house.found(f"{path}2026-11") == []
    assert len(house.found(f"{path}2026-12-01")) == 1
    assert len(house.found(f"{path}lt2026-12-01T00:00:00Z")) == 1


def test_a_correction_is_found(house: House, person: Patient, reading: Reading) -> None:
    with house.sessions.begin() as session:
        make_reading(
            session, person, value="9.1", supersedes_id=reading.id, taken_at=reading.taken_at,
            recorded_at=LATER,
        )  # fmt: skip

    (found,) = since(house, LATER, person)

    assert (found["id"], found["status"]) == (name_of(person, reading), "corrected")
    assert found["meta"]["lastUpdated"] == LATER.isoformat()
    assert house.found(f"/Observation?patient={person.ref}&_lastUpdated=lt{moment(LATER)}") == []
    assert house.ask(f"/Observation/{found['id']}").json == found


@pytest.mark.parametrize("how", ["void", "withdrawn"])
def test_what_was_taken_back_is_found(
    house: House, person: Patient, how: str, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        planned = make_planned_call(session, make_enrolment(session, person))
        attempt = make_attempt(session, planned, house.caller, at=AT)
        first = make_reading(session, person, recorded_at=AT, attempt_id=attempt.id)
        if how == "void":
            make_reading(
                session, person, supersedes_id=first.id, recorded_at=LATER, is_void=True,
                attempt_id=attempt.id,
            )  # fmt: skip
        else:
            newest.withdraw(session, attempt.id, now=LATER)

    assert told_of(since(house, LATER, person)) == [(name_of(person, first), "entered-in-error")]
    assert since(house, LATER + timedelta(microseconds=1), person) == []


class Pressures:
    """An upper and a lower blood pressure that were taken together, and something else."""

    def __init__(self, session: Session, person: Patient) -> None:
        self.session, self.person = session, person
        self.upper = self.add(MeasureKind.SYSTOLIC, "131")
        self.lower = self.add(MeasureKind.DIASTOLIC, "84")
        self.add(MeasureKind.WEIGHT, "81.3")

    def add(self, kind: MeasureKind, value: str, **more: Any) -> Reading:
        row = {"taken_at": AT, "recorded_at": AT} | more
        return make_reading(self.session, self.person, kind, value, **row)

    def correct(self, reading: Reading, **more: Any) -> None:
        self.add(reading.kind, "90", supersedes_id=reading.id, recorded_at=LATER, **more)


def test_a_panel_that_is_parted_is_found_in_all_its_parts(house: House, person: Patient) -> None:
    with house.sessions.begin() as session:
        both = Pressures(session, person)
        both.correct(both.lower, is_void=True)

    assert sorted(told_of(since(house, LATER, person))) == sorted(
        [
            (name_of(person, both.upper), "final"),
            (name_of(person, both.lower), "entered-in-error"),
        ]
    )


def test_a_lower_pressure_that_stands_alone_now_is_found(house: House, person: Patient) -> None:
    with house.sessions.begin() as session:
        both = Pressures(session, person)
        both.correct(both.upper, is_void=True)

    assert (name_of(person, both.lower), "final") in told_of(since(house, LATER, person))


def test_a_panel_whose_part_was_moved_to_another_time_is_found(
    house: House, person: Patient
) -> None:
    with house.sessions.begin() as session:
        both = Pressures(session, person)
        both.correct(both.lower, taken_at=AT - timedelta(hours=1))

    assert told_of(since(house, LATER, person)) == [
        (name_of(person, both.lower), "corrected"),
        (name_of(person, both.upper), "final"),
    ]


def test_a_panel_of_which_a_part_was_corrected_is_found_once(house: House, person: Patient) -> None:
    with house.sessions.begin() as session:
        both = Pressures(session, person)
        both.correct(both.lower)

    assert told_of(since(house, LATER, person)) == [(name_of(person, both.upper), "corrected")]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pages_of_any_size_have_the_same(house: House, person: Patient, count: int) -> None:
    with house.sessions.begin() as session:
        for number in range(6):
            at = AT + timedelta(minutes=number)
            make_reading(session, person, taken_at=AT - timedelta(number), recorded_at=at)
    path = f"/Observation?patient={person.ref}&_lastUpdated=gt{moment(AT + timedelta(minutes=2))}"

    assert len(house.found(f"{path}&_count={count}")) == 3
    assert house.found(f"{path}&_count={count}") == house.found(path)


def report(form_key: str) -> CallReport:
    return CallReport(form_key, Outcome.COMPLETED, 12, note="Slept well.")


def call(house: House, person: Patient) -> Attempt:
    """Let the caller save a completed call, as the call screen does."""
    now = house.clock()
    with house.sessions.begin() as session:
        enrolment = make_enrolment(
            session, session.get_one(Patient, person.id), caller=house.caller
        )
        planned = make_planned_call(session, enrolment, version_id=enrolment.version_id)
        actor = actor_of(house.caller, house.here, as_of=now)
        return outcomes.record(
            session,
            session.get_one(Patient, person.id),
            planned.id,
            report("one form"),
            actor=actor,
            now=now,
        )


def test_a_call_that_was_taken_back_is_found_and_tells_no_more(
    house: House, person: Patient
) -> None:
    made = call(house, person)
    (told,) = since(house, house.clock(), person, "Communication")
    assert (told["id"], told["status"]) == (f"call-{made.id}", "completed")
    house.clock.advance(timedelta(minutes=5))
    with house.sessions.begin() as session:
        correcting.take_back(
            session,
            session.get_one(Patient, person.id),
            session.get_one(Attempt, made.id),
            actor=actor_of(house.caller, house.here, as_of=house.clock()),
            now=house.clock(),
        )

    (back,) = since(house, house.clock(), person, "Communication")

    assert (back["id"], back["status"]) == (told["id"], "entered-in-error")
    assert {"sender", "payload"}.isdisjoint(back)
    assert house.ask(f"/Communication/{back['id']}").json == back


def test_a_call_that_a_manager_corrected_is_found_with_what_stands_in_its_place(
    house: House, person: Patient
) -> None:
    made = call(house, person)
    house.clock.advance(timedelta(days=3))
    with house.sessions.begin() as session:
        correcting.amend(
            session,
            session.get_one(Attempt, made.id),
            Amended(Outcome.COMPLETED, 25, "Slept badly.", "The wrong minutes.", "another form"),
            actor=actor_of(house.manager, house.here, Role.MANAGER, as_of=house.clock()),
            now=house.clock(),
        )

    wrong, right = since(house, house.clock(), person, "Communication")

    assert (wrong["id"], wrong["status"]) == (f"call-{made.id}", "entered-in-error")
    assert (right["status"], right["payload"][0]["contentString"]) == (
        "completed",
        "Conversation of 25 minutes",
    )
    assert right["sent"] == wrong["sent"]


def test_a_call_that_waited_for_a_connection_changed_when_it_came(
    house: House, person: Patient
) -> None:
    with house.sessions.begin() as session:
        planned = make_planned_call(session, make_enrolment(session, person))
        make_attempt(session, planned, house.caller, at=AT, saved_at=LATER)
        make_attempt(session, planned, house.caller, Outcome.NO_ANSWER, at=AT, saved_at=LATER)

    (found,) = since(house, LATER, person, "Communication")

    assert found["sent"] == "2026-11-20T10:00:00-06:00"
    assert found["meta"]["lastUpdated"] == LATER.isoformat()


MOMENTS = [
    AT + each
    for each in (
        timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=1),
        timedelta(hours=14), timedelta(days=1), timedelta(days=11), timedelta(days=42),
        -timedelta(microseconds=1), -timedelta(hours=11),
    )
]  # fmt: skip
WRITTEN = (
    "2026", "2026-11", "2026-11-20", "2026-11-20T10:00", "2026-11-20T10:00:00",
    "2026-11-20T16:00:00.5Z", "2026-11-20T16:00:00.000001Z", "2026-12-31", "2027-01",
)  # fmt: skip


def test_calls_are_chosen_by_the_database_as_the_rule_says(house: House, person: Patient) -> None:
    """The one is asked of the database, the other is what readings are asked: they agree."""
    with house.sessions.begin() as session:
        planned = make_planned_call(session, make_enrolment(session, person))
        for at in MOMENTS:
            make_attempt(session, planned, house.caller, at=AT - timedelta(days=60), saved_at=at)
    with house.sessions() as session:
        zone = session.get_one(Patient, person.id).zone
    for prefix in ("", "eq", "ge", "gt", "le", "lt"):
        for written in WRITTEN:
            date = DateAsked.of(prefix + written)
            expected = {at for at in MOMENTS if date.is_met(moment_of(at), ZoneInfo(zone))}
            path = f"/Communication?patient={person.ref}&_lastUpdated={prefix}{written}"
            found = {
                datetime.fromisoformat(each["meta"]["lastUpdated"]) for each in house.found(path)
            }
            assert found == expected, prefix + written


def test_of_patients_no_such_time_is_kept_and_that_is_said(house: House) -> None:
    answer = house.ask("/Patient?_lastUpdated=ge2026-01-01")

    assert answer.status_code == 400
    said = answer.json["issue"][0]["diagnostics"]
    assert said.startswith(
        "_lastUpdated is no parameter here. When a patient's record last changed is not kept."
    )
    offered = {
        each["type"]: [parameter["name"] for parameter in each["searchParam"]]
        for each in house.ask("/metadata").json["rest"][0]["resource"]
    }
    assert [kind for kind, names in offered.items() if "_lastUpdated" in names] == [
        "Observation",
        "Communication",
    ]


@pytest.mark.parametrize(
    "value", ["ne2026", "sa2026", "ap2026", "2026-13", "2026-02-30", "yesterday", "", "ge"]
)
@pytest.mark.parametrize("kind", ["Observation", "Communication"])
def test_what_is_no_such_date_is_refused(house: House, kind: str, value: str) -> None:
    answer = house.ask(f"/{kind}?patient={house.ref}&_lastUpdated={value}")

    assert answer.status_code == 400
    assert "_lastUpdated" in answer.json["issue"][0]["diagnostics"]


def test_of_another_clinics_patient_nothing_is_told(house: House) -> None:
    for kind in ("Observation", "Communication"):
        assert house.found(f"/{kind}?patient={house.other.ref}&_lastUpdated=ge2020") == []
