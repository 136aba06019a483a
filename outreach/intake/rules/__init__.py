"""From the cells of a file to a patient, or to a reason why not. Pure."""

import enum
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.patients.rules import Daypart, Sex
from outreach.visits.rules import VisitKind

MOST_REMARKS = 5000  # kept with an import, of each sort; the rest is counted


class FileKind(enum.StrEnum):
    """What a file holds, by its content."""

    CSV = "csv"
    CSV_VISITS = "csv visits"
    FHIR_BUNDLE = "fhir bundle"
    FHIR_NDJSON = "fhir ndjson"


class Refused(ValueError):
    """A cell can't be taken. The message says, in plain words, what to do."""


@dataclass(frozen=True)
class Frame:
    """Against what a file is read: the instant, and the clinic's region and zone."""

    now: datetime
    region: str
    zone: str

    def today(self, zone: str = "") -> date:
        """Return the local day in ``zone``, by default the clinic's."""
        return self.now.astimezone(ZoneInfo(zone or self.zone)).date()


@dataclass(frozen=True)
class Remark:
    """Something to say about one place in a file.

    ``line`` is the line of a table or of NDJSON, the entry of a Bundle, counted from 1;
    0 means the whole file. ``file`` is its name where there are several.
    """

    line: int
    field: str
    reason: str
    file: str = ""


@dataclass(frozen=True)
class Problem(Remark):
    """Why something was refused, and what to do."""


@dataclass(frozen=True)
class Note(Remark):
    """What is worth knowing about something that was taken."""


@dataclass(frozen=True)
class IncomingReading:
    """One value, already in the canonical unit of ``kind``.

    Either ``at`` is known, or only the patient's local day ``on``. ``key`` is the same
    whenever the same reading comes again. ``begins_on`` is the first day of a value over
    several days, ``is_unreliable``: something about the body makes the value doubtful,
    ``is_corrected``: its source had told another value or time before.
    """

    kind: MeasureKind
    value: Decimal
    entered_value: str
    entered_unit: str
    on: date | None
    at: datetime | None
    source: ReadingSource
    key: str
    begins_on: date | None = None
    is_unreliable: bool = False
    is_corrected: bool = False

    def taken_at(self, zone: str) -> datetime:
        """Return the instant it was taken: local noon where only the day is known."""
        if self.at is not None:
            return self.at
        if self.on is None:
            raise ValueError("a reading has an instant or a day")
        return datetime.combine(self.on, time(12), tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class IncomingVisit:
    """A visit that took place, on the patient's local day ``on``; ``at``: where it is known.

    ``key`` is the same whenever the same visit comes again.
    """

    kind: VisitKind
    on: date
    at: datetime | None
    key: str

    def began_at(self, zone: str) -> datetime:
        """Return the instant it began: local noon where only the day is known."""
        if self.at is not None:
            return self.at
        return datetime.combine(self.on, time(12), tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class IncomingPatient:
    """Somebody in a file, checked. Where the file says it does not count in comparisons.

    ``phones``: E.164, the first is tried first. ``external_ids``: what readings in the
    same files call this patient. ``enrolled_on``: the local day, None: not enrolled.
    """

    record_number: str
    given_name: str
    family_name: str
    preferred_name: str | None
    date_of_birth: date
    sex: Sex
    phones: tuple[str, ...]
    language: str
    zone: str
    weekdays: frozenset[int] = frozenset()
    dayparts: tuple[Daypart, ...] = ()
    is_text_agreed: bool | None = None
    is_voicemail_allowed: bool | None = None
    is_welfare_check_agreed: bool | None = None
    wished_caller: Sex | None = None
    state: str | None = None
    enrolled_on: date | None = None
    readings: tuple[IncomingReading, ...] = ()
    visits: tuple[IncomingVisit, ...] = ()
    external_ids: tuple[str, ...] = field(default=(), compare=False)
    line: int = field(default=0, compare=False)
    file: str = field(default="", compare=False)

    def starts_on(self, today: date) -> date | None:
        """Return the first day of the programme: never in the past; None: not enrolled."""
        return max(self.enrolled_on, today) if self.enrolled_on else None


@dataclass(frozen=True)
class LooseReading:
    """A reading that stands apart from its patient, whom ``of`` names by external id."""

    of: str
    reading: IncomingReading


@dataclass(frozen=True)
class LooseVisit:
    """A visit that stands apart from its patient, whom ``of`` names by external id."""

    of: str
    visit: IncomingVisit


@dataclass(frozen=True)
class VisitOf:
    """A visit of somebody the clinic has, whom a table names by record number."""

    record_number: str
    visit: IncomingVisit
    line: int
    file: str = ""


@dataclass(frozen=True)
class Absent:
    """A patient who is in the file but does not come in: refused, or no longer alive."""

    external_ids: tuple[str, ...]
    is_deceased: bool


@dataclass(frozen=True)
class PassedOver:
    """A part of a file that is not ours, such as an allergy."""


Incoming = (
    IncomingPatient | LooseReading | LooseVisit | VisitOf | Absent | PassedOver | Problem | Note
)


@dataclass
class Report:
    """What an import did, or would do. Counts are of patients unless they say otherwise.

    ``visits`` counts those that are new, ``visits_read`` all of patients we have or get: that
    files told of visits is how far they are known.
    ``concerns`` counts what a nurse was told of because of a recent reading.
    ``withdrawn`` counts patients we have who want no texts any more, which is news to us.
    ``refused`` counts the places (rows, resources) with a problem; ``more_problems`` and
    ``more_notes`` those beyond MOST_REMARKS.
    """

    new: int = 0
    known: int = 0
    repeated: int = 0
    refused: int = 0
    enrolled: int = 0
    readings: int = 0
    visits: int = 0
    visits_read: int = 0
    concerns: int = 0
    withdrawn: int = 0
    deceased: int = 0
    passed_over: int = 0
    more_problems: int = 0
    more_notes: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _last_refused: tuple[str, int] | None = field(default=None, init=False)

    def add(self, remark: Problem | Note) -> None:
        """Take one remark. Several problems of one place are one refusal."""
        if isinstance(remark, Note):
            if len(self.notes) < MOST_REMARKS:
                self.notes.append(remark)
            else:
                self.more_notes += 1
            return
        place = (remark.file, remark.line)
        self.refused += place != self._last_refused
        self._last_refused = place
        if len(self.problems) < MOST_REMARKS:
            self.problems.append(remark)
        else:
            self.more_problems += 1

    def put_in_order(self, problems: int, notes: int) -> None:
        """Sort what was said behind the first so many by file and line: it came by chance."""
        self.problems[problems:] = sorted(self.problems[problems:], key=_place)
        self.notes[notes:] = sorted(self.notes[notes:], key=_place)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}

    @property
    def remarks(self) -> dict[str, Any]:
        """Problems and notes as plain data."""
        return {
            "problems": [asdict(problem) for problem in self.problems],
            "notes": [asdict(note) for note in self.notes],
        }

    @classmethod
    def from_data(cls, counts: dict[str, int], remarks: dict[str, Any] | None) -> "Report":
        """Return the report that was kept as ``counts`` and ``remarks``; None: without them."""
        remarks = remarks or {"problems": [], "notes": []}
        return cls(
            **counts,
            problems=[Problem(**each) for each in remarks["problems"]],
            notes=[Note(**each) for each in remarks["notes"]],
        )


def _place(remark: Problem | Note) -> tuple[str, int]:
    return remark.file, remark.line
