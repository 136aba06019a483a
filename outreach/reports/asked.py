"""What a report is about, as every statement of it wants to know."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.clock import local_day
from outreach.reports.rules.period import DAY, Period, begin_of


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

    def known_at(self, day: date) -> datetime:
        """Return up to when things are known as of the end of a local day.

        That is the instant at which the next one begins: what ends on the day is over. A day
        that has not ended is known as far as it went, and nothing that ends on it is over.
        """
        return min(self.now, begin_of(day + DAY, self.zone))

    def then(self, at: datetime) -> datetime | None:
        """Return ``at`` where it is an earlier moment than this is asked at; else None."""
        return at if at < self.now else None

    def about(self, period: Period) -> "Asked":
        """Return the question about some days here."""
        return Asked(self.scope, self.clinic_id, self.zone, self.now, period)


@dataclass(frozen=True)
class Asked(Here):
    """One clinic, and the days that are asked about.

    ``is_past``: what became known after ``now`` doesn't count, where else it does.
    ``asked_at``: when that was asked; None where it is ``now``.
    """

    period: Period
    is_past: bool = False
    asked_at: datetime | None = None

    @property
    def past(self) -> datetime | None:
        """The earlier moment as of which it is asked; None: what is known now."""
        return self.now if self.is_past else None

    def then(self, at: datetime) -> datetime | None:
        """Return ``at`` where it is an earlier moment than this was asked at; else None."""
        return at if self.is_past else super().then(at)

    def as_of(self, day: date) -> "Asked":
        """Return the same question as it was answered when a local day ended.

        Today's day, or a later one, is the question as it stands.
        """
        if day >= self.today:
            return self
        return replace(self, now=self.known_at(day), is_past=True, asked_at=self.now)

    def at(self, clinic: Clinic) -> "Asked":
        """Return the same question about another clinic, by its own calendar and clock."""
        there = Here.of(self.scope, clinic, now=self.asked_at or self.now).about(self.period)
        return there.as_of(self.as_of_day) if self.as_of_day else there

    @property
    def as_of_day(self) -> date | None:
        """The earlier day as of whose end it is asked; None: what is known now."""
        return self.today - DAY if self.is_past else None

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The period as [begins, ends) at the clinic."""
        return self.period.instants(self.zone)

    def each_day(self) -> list[tuple[date, datetime, datetime]]:
        """Return the days of the period with the instants at which they begin and end here."""
        begins_at = [begin_of(day, self.zone) for day in self.period.each_day()]
        ends_at = [*begins_at[1:], self.instants[1]]
        return list(zip(self.period.each_day(), begins_at, ends_at, strict=True))
