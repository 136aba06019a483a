"""What a history consists of: calls as planned, tries as they ended, choices as made."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from outreach.calls.rules import Outcome
from outreach.patients.rules import Slot
from outreach.planning.rules import CallStatus, Due
from scripts.demo.people import DemoStaff

LONGEST_CALL = timedelta(minutes=26)


@dataclass(frozen=True)
class Dial:
    """One try, and how it ended. ``minutes`` is 0 where nobody was reached."""

    at: datetime
    minutes: int
    outcome: Outcome
    caller: DemoStaff

    @property
    def over_at(self) -> datetime:
        """When the line was free again."""
        return self.at + timedelta(minutes=self.minutes)


@dataclass
class Call:
    """One planned call. ``first_slot`` is what a reminder named, ``slot`` when to dial next."""

    sequence: int
    due: Due
    planned_at: datetime
    first_slot: Slot
    slot: Slot
    is_agreed: bool = False
    dials: list[Dial] = field(default_factory=list)
    status: CallStatus = CallStatus.PLANNED
    closed_at: datetime | None = None

    def close(self, status: CallStatus, at: datetime) -> None:
        """End this call as ``status``."""
        self.status, self.closed_at = status, at


@dataclass
class Story:
    """All that happened: calls in order, and (phase, choice, caller, instant) as chosen."""

    calls: list[Call] = field(default_factory=list)
    choices: list[tuple[str, int, DemoStaff, datetime]] = field(default_factory=list)

    @property
    def open_call(self) -> Call | None:
        """The call that is still to be made, if there is one."""
        last = self.calls[-1] if self.calls else None
        return last if last and last.status is CallStatus.PLANNED else None
