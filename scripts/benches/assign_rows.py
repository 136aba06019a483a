"""A clinic with callers, and patients by the thousand who wait for one, written in bulk."""

import random
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta

from outreach import orm
from outreach.panels.rules import DEFAULT_WEEKLY_MINUTES
from outreach.programmes import protocol
from scripts.benches import databases
from scripts.benches.databases import Rows, stored

# A Monday, 10 in the morning in Chicago.
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
CLINIC, MANAGER, FIRST_CALLER = 1, 1, 2
PANEL = 50  # patients for each caller
CHUNK = 20_000
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
SPOKEN = (("en",), ("en", "es"), ("en", "vi"), ("en",), ("es", "en", "pt"))
LANGUAGES = ("en",) * 13 + ("es",) * 5 + ("vi", "pt")
WEEKDAYS = (0, 0, 0, 0b0010101, 0b0001010, 0b0100000)
DAYPARTS = ("[]", "[]", '["morning"]', '["afternoon"]', '["evening"]')
SHIFTS = ((), ((9, 13),), ((12, 17),), ((9, 12), (17, 20)))


def fill(address: str, patients: int) -> None:
    """Write ``patients`` that wait and a caller for every PANEL of them.

    A tenth was called before and comes back; some places are too few and some too many.
    """
    engine = orm.make_engine(address)
    with orm.make_sessions(engine).begin() as session:
        version_id = protocol.newest_version(session, now=NOW).id
    engine.dispose()
    is_sqlite, callers = databases.is_sqlite(address), max(2, patients // PANEL)
    rng = random.Random(11)
    with closing(databases.connect(address)) as connection:
        if not is_sqlite:
            connection.execute("SET TIME ZONE 'UTC'")  # of the instants below
        databases.write(connection, _house(callers, rng), is_sqlite=is_sqlite)
        for begin in range(1, patients + 1, CHUNK):
            numbers = range(begin, min(begin + CHUNK, patients + 1))
            rows = _waiting(numbers, callers, version_id, rng)
            databases.write(connection, rows, is_sqlite=is_sqlite)
        connection.commit()
    databases.settle(address)


def _house(callers: int, rng: random.Random) -> Rows:
    """Return the clinic, its manager and its callers with what they speak and when they work."""
    clinic = {
        "id": CLINIC,
        "code": "BENCH",
        "name": "Bench",
        "zone": "America/Chicago",
        "region": "US",
        "phone_number": "+12025550100",
        "opens": "09:00:00.000000",
        "closes": "20:00:00.000000",
        "glucose_unit": "mg/dL",
        "keeps_holidays": True,
    }
    ids = range(FIRST_CALLER, FIRST_CALLER + callers)
    spoken = {each: SPOKEN[each % len(SPOKEN)] for each in ids}
    return {
        "clinic": [clinic],
        "staff_member": [_person(each) for each in (MANAGER, *ids)],
        "membership": [
            {"staff_id": each, "clinic_id": CLINIC, "role": "caller", "from_on": "2026-01-05"}
            for each in ids
        ],
        "staff_language": [
            {"staff_id": each, "language": language} for each in ids for language in spoken[each]
        ],
        "caller_profile": [
            {
                "staff_id": each,
                "panel_cap": rng.randrange(PANEL - 8, PANEL + 9),
                "weekly_minutes": DEFAULT_WEEKLY_MINUTES * rng.randrange(14, 21) // 10,
                "gender": rng.choice(("female", "female", "male")),
                "trained_on": "2026-01-05",
            }
            for each in ids
        ],
        "caller_shift": [
            {
                "staff_id": each,
                "weekday": weekday,
                "begins": f"{time(begins)}.000000",
                "ends": f"{time(ends)}.000000",
            }
            for each in ids
            for begins, ends in SHIFTS[each % len(SHIFTS)]
            for weekday in range(5)
        ],
    }


def _person(number: int) -> dict[str, object]:
    return {
        "id": number,
        "email": f"person.{number}@bench.example",
        "name": f"Pat {number}",
        "locale": "en",
        "zone": "America/Chicago",
        "password_hash": "unusable",
        "has_shortcuts": True,
        "is_active": True,
        "created_at": stored(NOW),
    }


def _waiting(numbers: Iterable[int], callers: int, version_id: int, rng: random.Random) -> Rows:
    rows: Rows = {"patient": [], "enrolment": [], "panel_membership": []}
    for number in numbers:
        rows["patient"].append(_patient(number, rng))
        owned = {"clinic_id": CLINIC, "patient_id": number, "version_id": version_id}
        enrolled_at = stored(NOW - timedelta(minutes=rng.randrange(20_000)))
        comes_back = number % 10 == 0
        for is_past in (True, False) if comes_back else (False,):
            rows["enrolment"].append(
                {
                    **owned,
                    "id": 2 * number - is_past,
                    "starts_on": date(2026, 2 if is_past else 11, 23).isoformat(),
                    "status": "completed" if is_past else "active",
                    "status_at": enrolled_at,
                    "status_reason": "",
                    "enrolled_at": enrolled_at,
                }
            )
        if comes_back:
            rows["panel_membership"].append(
                {
                    "clinic_id": CLINIC,
                    "patient_id": number,
                    "enrolment_id": 2 * number - 1,
                    "caller_id": FIRST_CALLER + rng.randrange(callers),
                    "from_at": stored(NOW - timedelta(days=200)),
                    "until_at": stored(NOW - timedelta(days=20)),
                    "reason": "enrolled",
                    "note": "",
                }
            )
    return rows


def _patient(number: int, rng: random.Random) -> dict[str, object]:
    return {
        "id": number,
        "ref": f"{number:016x}",
        "clinic_id": CLINIC,
        "record_number": f"B{number}",
        "given_name": "Rosa",
        "family_name": "Nguyen",
        "date_of_birth": "1970-02-03",
        "sex": "female",
        "language": rng.choice(LANGUAGES),
        "zone": rng.choice(ZONES),
        "wished_caller": rng.choice((None, None, None, "female")),
        "weekdays": rng.choice(WEEKDAYS),
        "dayparts": rng.choice(DAYPARTS),
        "about": "",
        "created_at": stored(NOW),
    }
