"""What the demo's clinics aim for: one target that is reached, one that is not yet."""

from datetime import datetime, timedelta
from decimal import Decimal

from outreach.accounts.rules import Role
from outreach.reports.models import Target
from scripts.demo.people import SITES
from scripts.demo.record import House

_SET_BEFORE = timedelta(days=30)
_AIMS = (
    ("completion", "0.800", "Try in the evening where two mornings in a row failed."),
    ("protocol", "0.850", "In Monday's meeting, look at whose weeks fell short and ask why."),
)


def write(house: House, *, now: datetime) -> None:
    """Add both clinics' targets, set by their managers a month ago."""
    at = now - _SET_BEFORE
    for site in SITES:
        for measure, share, plan in _AIMS:
            house.rows.add(
                Target,
                clinic_id=house.clinic_ids[site],
                measure=measure,
                number=1,
                share=Decimal(share),
                plan=plan,
                due_on=(now + _SET_BEFORE).date(),
                by_staff_id=house.on_duty(Role.MANAGER, site),
                at=at,
            )
