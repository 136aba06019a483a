"""What a report is about, as every statement of it wants to know."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.clock import local_day
from outreach.reports.rules.period import Period


@dataclass(frozen=True)
class Here:
    """One clinic as known at one instant, within somebody's scope."""

    scope: Scope
    clinic_id: int
    zone: ZoneInfo
    now: datetime

    @classmethod
    def of(cls, scope: Scope, clinic: Clinic, *, now: datetime) -> "Here":
        """Return ``clinic`` as known at ``now``."""
        return Here(scope, clinic.id, ZoneInfo(clinic.zone), now)

    @property
    def today(self) -> date:
        """The clinic's local day."""
        return local_day(self.now, self.zone)

    def within(self, clinic_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Return the condition that a row is the clinic's and in scope."""
        return and_(clinic_id == self.clinic_id, visible_clinics(self.scope, clinic_id))

    def about(self, period: Period) -> "Asked":
        """Return the question about some days here."""
        return Asked(self.scope, self.clinic_id, self.zone, self.now, period)


@dataclass(frozen=True)
class Asked(Here):
    """One clinic, and the days that are asked about."""

    period: Period

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The period as [begins, ends) at the clinic."""
        return self.period.instants(self.zone)
