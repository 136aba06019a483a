"""Who is on call at the demo's clinics: the nurse around the clock, the manager as the lead."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from outreach.accounts.rules import Role
from outreach.concerns.models import ClinicSafety, OnCallWeek, OwnLimits, RiskFlag
from outreach.concerns.rules import Needed, OnCallRank, RiskKind
from outreach.measures.rules import MeasureKind
from outreach.patients.rules import mask_of_weekdays
from outreach.welfare.models import EmergencyContact
from scripts.demo.people import ANA, CEDAR, SITES
from scripts.demo.record import House

_FLAGGED_FOR = timedelta(days=8)


def write(house: House, *, now: datetime) -> None:
    """Add both clinics' rota and lead, and what nurses said of some of Ana's patients."""
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
    _own_limits(house, now=now)
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


def _own_limits(house: House, *, now: datetime) -> None:
    """Let a nurse hear sooner of one patient's lows, and know whom to ring about another."""
    (_person, ids), (_other, others) = house.panels[ANA][0], house.panels[ANA][1]
    nurse = house.on_duty(Role.NURSE, CEDAR)
    house.rows.add(
        OwnLimits,
        **ids.owned,
        kind=MeasureKind.GLUCOSE,
        number=1,
        low=Decimal(80),
        high=None,
        unit="mg/dL",
        reason="Does not feel lows; lives alone.",
        until_on=None,
        at=now - _FLAGGED_FOR,
        by_staff_id=nurse,
    )
    house.rows.add(
        EmergencyContact,
        **others.owned,
        name="Teresa",
        relation="sister",
        e164="+12025550191",
        is_agreed=True,
        at=now - _FLAGGED_FOR,
        by_staff_id=house.staff_id(ANA),
    )
