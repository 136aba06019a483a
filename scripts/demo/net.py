"""Who is on call at the demo's clinics: the nurse around the clock, the manager as the lead."""

from datetime import datetime, time, timedelta

from outreach.accounts.rules import Role
from outreach.concerns.models import ClinicSafety, OnCallWeek, RiskFlag
from outreach.concerns.rules import Needed, OnCallRank, RiskKind
from outreach.patients.rules import mask_of_weekdays
from scripts.demo.people import ANA, CEDAR, SITES
from scripts.demo.record import House

_FLAGGED_FOR = timedelta(days=8)


def write(house: House, *, now: datetime) -> None:
    """Add both clinics' rota and lead, and a flag on one of Ana's patients."""
    for site in SITES:
        nurse, manager = (house.on_duty(role, site) for role in (Role.NURSE, Role.MANAGER))
        clinic_id = house.clinic_ids[site]
        house.rows.add(ClinicSafety, clinic_id=clinic_id, needed=Needed.ANYBODY, lead_id=manager)
        house.rows.add(
            OnCallWeek,
            clinic_id=clinic_id,
            staff_id=nurse,
            rank=OnCallRank.FIRST,
            weekdays=mask_of_weekdays(range(7)),
            begins=time(0),
            ends=time(0),
            from_on=house.opened_at.date(),
            until_on=None,
            by_staff_id=manager,
        )
    _person, ids = house.panels[ANA][-1]
    house.rows.add(
        RiskFlag,
        **ids.owned,
        kind=RiskKind.SUICIDE,
        words="Said last month that life is too much. A sister is close by.",
        raised_at=now - _FLAGGED_FOR,
        by_staff_id=house.on_duty(Role.NURSE, CEDAR),
        review_on=(now + _FLAGGED_FOR).date(),
        ended_at=None,
    )
