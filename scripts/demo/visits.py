"""Visits to the clinics, as an import of yesterday brought them: most in care, some not."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind
from outreach.programmes.models import Enrolment
from outreach.visits.models import Visit
from outreach.visits.rules import VisitKind
from scripts.demo.record import House

_NONE_ON_FILE, _OUT_OF_CARE = 0.04, 0.22
_BACK_WITHIN = ((0.35, 20, 88), (0.2, 95, 178))  # (how likely, from day, until day)
_KINDS = (VisitKind.IN_PERSON, VisitKind.IN_PERSON, VisitKind.TELEHEALTH)


def write(house: House, rng: Random, *, now: datetime) -> None:
    """Add the visits of everybody who was enrolled, and the import that told of them."""
    told_at = now - timedelta(days=1)
    counts: dict[int, int] = {}
    for row in list(house.rows.rows[Enrolment]):
        days = sorted(set(_days(rng, row["starts_on"])))
        for day in (each for each in days if each < told_at.date()):
            counts[row["clinic_id"]] = counts.get(row["clinic_id"], 0) + 1
            house.rows.add(
                Visit,
                clinic_id=row["clinic_id"],
                patient_id=row["patient_id"],
                took_place_on=day,
                at=datetime.combine(day, time(17), tzinfo=UTC),
                kind=VisitKind.EMERGENCY if rng.random() < 0.04 else rng.choice(_KINDS),  # noqa: PLR2004
                external_key=f"csv:{day}",
                recorded_at=told_at,
                recorded_by_id=None,
            )
    for clinic_id, count in sorted(counts.items()):
        house.rows.add(
            ImportRun,
            clinic_id=clinic_id,
            by_staff_id=None,
            kind=FileKind.CSV_VISITS,
            sha256="0" * 64,
            counts={"new": 0, "refused": 0, "readings": 0, "visits": count, "visits_read": count},
            problems={"problems": [], "notes": []},
            at=told_at,
        )


def _days(rng: Random, starts_on: date) -> Iterator[date]:
    luck = rng.random()
    if luck < _NONE_ON_FILE:
        return
    if luck < _NONE_ON_FILE + _OUT_OF_CARE:
        yield starts_on - timedelta(days=rng.randint(370, 700))
        for likely, first, last in _BACK_WITHIN:
            if rng.random() < likely:
                yield starts_on + timedelta(days=rng.randint(first, last))
        return
    for _each in range(rng.randint(1, 3)):
        yield starts_on - timedelta(days=rng.randint(3, 360))
    for _each in range(rng.randint(0, 2)):
        yield starts_on + timedelta(days=rng.randint(10, 180))
