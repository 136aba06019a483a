"""Luis is away next week: who stands in for him, and for whom nobody does yet."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.accounts.rules import Role
from outreach.callers.rules import span_of
from outreach.panels.models import Absence, Cover
from scripts.demo import words
from scripts.demo.people import ANA, BETH, CEDAR, GRACE, LUIS, SPANISH, DemoStaff, Person
from scripts.demo.record import House

LEFT_OPEN = 2  # of his patients, so that a manager finds something to arrange
_SINCE = timedelta(days=2)


def write(house: House, *, now: datetime) -> None:
    """Add the absence, from Monday to Friday of next week, and its covers."""
    today = now.astimezone(ZoneInfo(CEDAR.zone)).date()
    monday = today + timedelta(days=7 - today.weekday())
    span = span_of(monday, monday + timedelta(days=4), ZoneInfo(CEDAR.zone))
    spanned = {"from_at": span.from_at, "until_at": span.until_at, "ended_at": None}
    arranged = {
        "clinic_id": house.clinic_ids[CEDAR],
        "by_staff_id": house.on_duty(Role.MANAGER, CEDAR),
        "created_at": now - _SINCE,
    }
    absence_id = house.rows.add(
        Absence, staff_id=house.staff_id(LUIS), reason="Vacation", **spanned, **arranged
    )
    for at, (person, ids) in enumerate(house.panels[LUIS][:-LEFT_OPEN]):
        house.rows.add(
            Cover,
            patient_id=ids.patient,
            enrolment_id=ids.enrolment,
            absence_id=absence_id,
            stand_in_id=house.staff_id(_stand_in(person, at)),
            note=words.COVER_NOTE,
            opened_at=None,
            **spanned,
            **arranged,
        )


def _stand_in(person: Person, at: int) -> DemoStaff:
    if person.language == SPANISH:
        return ANA
    return (BETH, GRACE)[at % 2]
