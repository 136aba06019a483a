"""A patient's weeks as a protocol plans them, for people to look at. Pure."""

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from outreach.patients.rules import ContactHours, Wishes
from outreach.planning.rules import Calendar, Course, due_days
from outreach.programmes.rules import DAYS_A_WEEK, Phase, Protocol, Rhythm

MOST_ROWS = 24  # of one kind on the page: far more than any protocol has

PARTS = ("phases", "measure_points", "milestones")

_A_MONDAY = date(2024, 1, 1)
_RANGE = re.compile(r"(\d{1,2})\s*(?:to|-|–)\s*(\d{1,2})")
_STEP = re.compile(rf"(add|remove|up)-({'|'.join(PARTS)})(?:-([0-9]{{1,2}}))?")
_LIST = re.compile(r"\d{1,2}(?:(?:\s*[,;]\s*|\s+(?:or\s+)?)\d{1,2})*")


class Pick(enum.StrEnum):
    """What the patient of the preview chooses wherever there is a choice."""

    FEWEST = "fewest"
    USUAL = "usual"
    MOST = "most"


class BandKind(enum.StrEnum):
    """What a band beside the weeks is."""

    MEASURE = "measure"
    MILESTONE = "milestone"


@dataclass(frozen=True)
class Band:
    """Something that lasts from one week to another, both included, counted from 1.

    ``goes_on`` says that it lasts beyond the programme.
    """

    name: str
    kind: BandKind
    first_week: int
    last_week: int
    goes_on: bool = False

    @property
    def weeks(self) -> int:
        """How many weeks it covers."""
        return self.last_week - self.first_week + 1


@dataclass(frozen=True)
class PreviewWeek:
    """One week: on which of its seven days there are calls, and the phase that begins."""

    number: int
    days: tuple[bool, ...]
    begins: Phase | None

    @property
    def calls(self) -> int:
        """How many calls this week has."""
        return sum(self.days)


@dataclass(frozen=True)
class Preview:
    """All weeks, and the bands beside them in lanes in which none overlap.

    ``first_weekday`` is the weekday of every week's first day, 0 for Monday.
    """

    first_weekday: int
    weeks: Sequence[PreviewWeek]
    lanes: Sequence[Sequence[Band]]

    @property
    def calls(self) -> int:
        """How many calls there are in all."""
        return sum(week.calls for week in self.weeks)

    @property
    def weekdays(self) -> tuple[int, ...]:
        """The weekdays in the order of a week."""
        return tuple((self.first_weekday + ahead) % DAYS_A_WEEK for ahead in range(DAYS_A_WEEK))

    def in_week(self, week: int) -> list[tuple[Band | None, int] | None]:
        """Return what begins in ``week``, a cell for each lane.

        (band, weeks) where one begins; (None, weeks) where the lane is free from here on
        for so long; None where the cell is covered from above.
        """
        return [_cell(lane, week, len(self.weeks)) for lane in self.lanes]


def read_choices(text: str) -> tuple[int, ...] | None:
    """Return the numbers that were typed, in order; None where it is neither form.

    '3' is one number; '7, 14' and '7 or 14' are two; '1-5' and '1 to 5' are five.
    """
    text = text.strip().lower()
    if ends := _RANGE.fullmatch(text):
        low, high = int(ends[1]), int(ends[2])
        return tuple(range(low, high + 1)) if low <= high else None
    if not _LIST.fullmatch(text):
        return None
    return tuple(sorted({int(each) for each in re.findall(r"\d+", text)}))


def typed_choices(values: Sequence[int]) -> str:
    """Return ``values``, sorted, as :func:`read_choices` reads them: '3', '7, 14', '1-5'."""
    is_run = len(values) > 2 and values[-1] - values[0] == len(values) - 1  # noqa: PLR2004
    return f"{values[0]}-{values[-1]}" if is_run else ", ".join(map(str, values))


def stepped(fields: Sequence[tuple[str, str]], step: str) -> list[tuple[str, str]]:
    """Return posted ``fields`` after one ``step``, their rows numbered anew from 0.

    Rows are named 'phases-0-name'. Steps are 'add-phases', 'remove-phases-2' and
    'up-phases-2'; any other leaves the fields as they are.
    """
    found = _STEP.fullmatch(step)
    if found is None:
        return list(fields)
    row = re.compile(rf"{found[2]}-([0-9]{{1,4}})-(\w+)")
    others: list[tuple[str, str]] = []
    rows: dict[int, list[tuple[str, str]]] = {}
    for name, value in fields:
        within = row.fullmatch(name)
        if within:
            rows.setdefault(int(within[1]), []).append((within[2], value))
        else:
            others.append((name, value))
    in_order = [rows[key] for key in sorted(rows)]
    moved = _moved(in_order, found[1], int(found[3] or 0))
    return others + [
        (f"{found[2]}-{index}-{name}", value)
        for index, of_row in enumerate(moved)
        for name, value in of_row
    ]


def _moved(
    rows: list[list[tuple[str, str]]], kind: str, number: int
) -> list[list[tuple[str, str]]]:
    if kind == "add":
        return [*rows, [("name", "")]]
    if kind == "remove":
        return rows[:number] + rows[number + 1 :]
    if 0 < number < len(rows):
        rows[number - 1], rows[number] = rows[number], rows[number - 1]
    return rows


def preview(protocol: Protocol, pick: Pick, first_weekday: int) -> Preview:
    """Return the weeks of a patient without wishes who starts on ``first_weekday``."""
    starts_on = _A_MONDAY + timedelta(days=first_weekday)
    calendar = Calendar(ZoneInfo("UTC"), Wishes(), ContactHours())
    chosen = {phase.code: picked(phase, pick) for phase in protocol.phases}
    due = {on for on, _phase in due_days(Course(protocol, starts_on, chosen, calendar))}
    begins = {phase.first_week: phase for phase in protocol.phases}
    weeks = [
        PreviewWeek(week + 1, _days(starts_on + timedelta(weeks=week), due), begins.get(week + 1))
        for week in range(protocol.weeks)
    ]
    return Preview(first_weekday, weeks, lanes(bands(protocol)))


def picked(phase: Phase, pick: Pick) -> int:
    """Return what ``pick`` chooses in ``phase``: the fewest days between are the most calls."""
    if pick is Pick.USUAL:
        return phase.default
    wants_large = (pick is Pick.MOST) is (phase.rhythm is Rhythm.CALLS_PER_WEEK)
    return max(phase.choices) if wants_large else min(phase.choices)


def bands(protocol: Protocol) -> list[Band]:
    """Return windows and milestones as weeks of the programme, each kind in order."""
    found = [
        _band(each.name, BandKind.MEASURE, each.from_day, each.until_day, protocol)
        for each in protocol.measure_points
    ]
    found += [
        _band(each.name, BandKind.MILESTONE, each.from_day, each.until_day, protocol)
        for each in protocol.milestones
    ]
    within = [band for band in found if band and band.last_week >= band.first_week]
    return sorted(within, key=lambda band: (band.kind, band.first_week, band.last_week))


def lanes(found: Iterable[Band]) -> list[list[Band]]:
    """Return ``found``, which is in order of kind, in as few lanes as nothing overlaps in."""
    lanes: list[list[Band]] = []
    for _kind, of_kind in groupby(found, key=lambda band: band.kind):
        fresh: list[list[Band]] = []
        for band in of_kind:
            free = next((lane for lane in fresh if lane[-1].last_week < band.first_week), None)
            if free is None:
                fresh.append([band])
            else:
                free.append(band)
        lanes += fresh
    return lanes


def _band(
    name: str, kind: BandKind, from_day: int, until_day: int, protocol: Protocol
) -> Band | None:
    first, last = from_day // DAYS_A_WEEK + 1, until_day // DAYS_A_WEEK + 1
    if last < 1 or first > protocol.weeks:
        return None
    return Band(name, kind, max(first, 1), min(last, protocol.weeks), goes_on=last > protocol.weeks)


def _days(first: date, due: set[date]) -> tuple[bool, ...]:
    return tuple(first + timedelta(days=ahead) in due for ahead in range(DAYS_A_WEEK))


def _cell(lane: Sequence[Band], week: int, weeks: int) -> tuple[Band | None, int] | None:
    for band in lane:
        if band.first_week == week:
            return band, band.weeks
        if band.first_week < week <= band.last_week:
            return None
    ends = [band.last_week for band in lane if band.last_week < week]
    if week - 1 > max(ends, default=0):
        return None  # free since an earlier week
    begins = [band.first_week for band in lane if band.first_week > week]
    return None, min(begins, default=weeks + 1) - week
