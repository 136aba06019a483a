"""Enrolments by the hundred thousand that each lack their next call, written in bulk."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

from outreach import orm
from outreach.programmes import protocol
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from scripts.benches import databases
from scripts.benches.databases import Rows

# A Monday, 10 in the morning in Chicago.
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
TODAY = NOW.date()
CLINICS, PANEL = 50, 20
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
STATES = ("TX", "NY", None)
WEEKDAYS = (0, 0, 0, 0b0010101, 0b0001010, 0b0101000, 0b0100000, 0b0011111)
DAYPARTS = ("[]", '["morning"]', '["afternoon"]', '["evening"]', '["evening", "afternoon"]')
PER_WEEK, DAYS_BETWEEN = PUBLISHED_PROTOCOL.phases[1:]
LONGEST = PUBLISHED_PROTOCOL.weeks * 7
CHUNK = 20_000


def fill(
    address: str, enrolments: int, *, clinics: int = CLINICS, days: int = LONGEST - 14
) -> None:
    """Write active enrolments with a caller, a choice and their latest call, not the next.

    They started on any of the last so many ``days``, the earliest first, as ids do in life.
    """
    engine = orm.make_engine(address)
    with orm.make_sessions(engine).begin() as session:
        version_id = protocol.newest_version(session, now=NOW).id
    engine.dispose()
    with closing(databases.connect(address)) as connection:
        if not databases.is_sqlite(address):
            connection.execute("SET TIME ZONE 'UTC'")  # of the instants below
        people = _people(enrolments, clinics)
        databases.write(connection, people, is_sqlite=databases.is_sqlite(address))
        for begin in range(1, enrolments + 1, CHUNK):
            numbers = range(begin, min(begin + CHUNK, enrolments + 1))
            rows = _enrolled(numbers, enrolments, (clinics, days), version_id)
            databases.write(connection, rows, is_sqlite=databases.is_sqlite(address))
        connection.commit()
    databases.settle(address)


def clinic_of(patient_id: int, clinics: int = CLINICS) -> int:
    """Return the id of a patient's clinic, which is that of the others of the same caller."""
    return patient_id // PANEL % clinics + 1


def _people(enrolments: int, clinics: int) -> Rows:
    """Return clinics, and callers by the panel."""
    places = [
        {
            "id": each,
            "code": f"B{each}",
            "name": f"Bench {each}",
            "zone": ZONES[each % len(ZONES)],
            "region": "US",
            "phone_number": "+12025550100",
            "opens": "09:00:00.000000",
            "closes": "20:00:00.000000",
            "glucose_unit": "mg/dL",
            "keeps_holidays": True,
        }
        for each in range(1, clinics + 1)
    ]
    callers = [
        {
            "id": each,
            "email": f"caller.{each}@bench.example",
            "name": "Pat Caller",
            "locale": "en",
            "zone": "America/Chicago",
            "password_hash": "unusable",
            "has_shortcuts": True,
            "is_active": True,
            "created_at": databases.stored(NOW),
        }
        for each in range(1, enrolments // PANEL + 2)
    ]
    return {"clinic": places, "staff_member": callers}


def _enrolled(
    numbers: Iterable[int], enrolments: int, spread: tuple[int, int], version_id: int
) -> Rows:
    """Return the rows of some enrolments, ``spread`` over so many clinics and days."""
    clinics, days = spread
    rows: Rows = {
        name: []
        for name in "patient enrolment panel_membership cadence_choice planned_call".split()
    }
    for number in numbers:
        starts_on = TODAY - timedelta(days=days - number * days // enrolments)
        clinic_id = clinic_of(number, clinics)
        for table, row in _of_one(number, clinic_id, starts_on, version_id):
            rows[table].append(row)
    return rows


def _of_one(
    number: int, clinic_id: int, starts_on: date, version_id: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of one enrolment, in week 2 or later up to the last but one."""
    owned = {"clinic_id": clinic_id, "patient_id": number}
    at = databases.stored(NOW - timedelta(days=2))
    yield (
        "patient",
        {
            "id": number,
            "ref": f"{number:016x}",
            "clinic_id": owned["clinic_id"],
            "record_number": f"B{number}",
            "given_name": "Rosa",
            "family_name": "Nguyen",
            "date_of_birth": "1970-02-03",
            "sex": "female",
            "language": "en",
            "zone": ZONES[number % len(ZONES)],
            "state": STATES[number % len(STATES)],
            "weekdays": WEEKDAYS[number % len(WEEKDAYS)],
            "dayparts": DAYPARTS[number % len(DAYPARTS)],
            "about": "",
            "created_at": at,
        },
    )
    yield (
        "enrolment",
        {
            **owned,
            "id": number,
            "version_id": version_id,
            "starts_on": starts_on.isoformat(),
            "status": "active",
            "status_at": at,
            "status_reason": "",
            "enrolled_at": at,
        },
    )
    owned["enrolment_id"] = number
    yield (
        "panel_membership",
        {
            **owned,
            "caller_id": number // PANEL + 1,
            "from_at": at,
            "reason": "enrolled",
            "note": "",
        },
    )
    is_early = (TODAY - starts_on).days < PER_WEEK.last_week * 7
    phase = PER_WEEK if is_early else DAYS_BETWEEN
    choice = phase.choices[number % len(phase.choices)]
    yield (
        "cadence_choice",
        {**owned, "phase": phase.code, "value": choice, "chosen_at": at},
    )
    last_on = TODAY - timedelta(days=1 + number % (3 if is_early else choice))
    yield (
        "planned_call",
        {
            **owned,
            "sequence": 1,
            "phase": phase.code,
            "due_on": last_on.isoformat(),
            "complete_by_on": last_on.isoformat(),
            "dial_from_at": at,
            "dial_until_at": at,
            "is_agreed": False,
            "dials": 1,
            "status": "completed" if number % 4 else "missed",
            "planned_at": at,
            "closed_at": at,
            "version_id": version_id,
        },
    )
