"""Fields of measured values: numbers, a meter's HI and LO, signs; times, and doubts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from wtforms import Field, SelectChoice, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.measures.labels import SIGN_WORDS, UNIT_WORDS
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import (
    GLUCOSE,
    METER_SHOWS,
    REGISTRY,
    Bound,
    Doubt,
    MeasureKind,
    Sign,
    doubt_about,
    doubt_about_change,
)
from outreach.web.number_fields import DecimalField

_BOUNDS = {"HI": Bound.HIGH, "HIGH": Bound.HIGH, "LO": Bound.LOW, "LOW": Bound.LOW}
# A comma before one or two digits is a decimal comma; before three it may part thousands.
_POINTED = re.compile(r"^(\d+),(\d{1,2})$")
PRESSURES = (MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC)


@dataclass(frozen=True)
class Taking:
    """What a form needs to know of whom was measured: ``weighed`` is the last weight, and when."""

    zone: ZoneInfo
    now: datetime
    born_on: date
    weighed: tuple[Decimal, datetime] | None = None

    @property
    def today(self) -> date:
        """The patient's local day."""
        return self.now.astimezone(self.zone).date()

    def instant(self, on: date | None, at: time | None) -> tuple[datetime, bool]:
        """Return an instant on the patient's clock, and whether its time is known.

        Neither day nor time: now. A time alone: today. A day alone: its noon, or now where
        that is today and still to come.
        """
        if on is None and at is None:
            return self.now, True
        taken = datetime.combine(on or self.today, at or time(12), tzinfo=self.zone)
        if at is None and on == self.today:
            return min(taken.astimezone(UTC), self.now), False
        return taken.astimezone(UTC), at is not None

    def wrong_time(self, on: date | None, at: time | None) -> str | None:
        """Return what is wrong with a day and time, or None."""
        if on is not None and on < self.born_on:
            return _("That is before the patient was born.")
        is_ahead = on is not None and on > self.today
        if is_ahead or self.instant(on, at)[0] > self.now:
            return _("That is still to come where the patient is.")
        return None

    def likely(self, on: date | None, at: time | None) -> tuple[datetime, bool]:
        """Return the same, and now where day and time can't be right: for what can't wait."""
        return (self.now, False) if self.wrong_time(on, at) else self.instant(on, at)

    def doubt(self, value: ReportedReading) -> Doubt | None:
        """Return what is wrong with a value, or what is asked about it."""
        if value.bound is not None:
            return None
        doubt = doubt_about(value.kind, value.value, value.unit)
        if doubt is not None or self.weighed is None:
            return doubt
        canonical = REGISTRY[value.kind].in_canonical_unit(value.value, value.unit)
        earlier, earlier_at = self.weighed
        return doubt_about_change(
            value.kind,
            canonical,
            taken_at=value.taken_at,
            earlier=earlier,
            earlier_at=earlier_at,
        )


class MeasuredField(DecimalField):
    """A measured number, or a meter's HI and LO; says how to write what is no number."""

    bound: Bound | None = None

    def __init__(self, *args: Any, is_metered: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, places=None, **kwargs)  # shown as it was written
        self.is_metered = is_metered

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read one number, or say what is wrong in words that help."""
        typed = valuelist[0].strip() if valuelist else ""
        if self.is_metered and typed.upper() in _BOUNDS:
            self.bound = _BOUNDS[typed.upper()]
            self.data = METER_SHOWS[self.bound]
            return
        try:
            super().process_formdata([_POINTED.sub(r"\1.\2", typed)])
        except ValueError as error:
            with_point = typed.replace(",", ".", 1)
            if "," in typed and with_point.replace(".", "", 1).isdecimal():
                message = _("Write %(number)s, with a point.", number=with_point)
                raise ValueError(message) from error
            raise ValueError(_("Write a number.")) from error

    def reported(
        self,
        kind: MeasureKind,
        unit: str,
        taken: tuple[datetime, bool],
        *,
        signs: frozenset[Sign] = frozenset(),
    ) -> ReportedReading:
        """Return what was typed as a reading; what a meter shows has a unit of its own."""
        value = self.data if self.data is not None else Decimal("NaN")
        shown_in = REGISTRY[kind].unit if self.bound else unit
        return ReportedReading(kind, value, shown_in, *taken, self.bound, signs)

    def _value(self) -> str:
        return self.bound.value if self.bound else str(super()._value())


class SignsField(SelectMultipleField):
    """What was said with a reading, as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        choices = [SelectChoice(sign.value, words) for sign, words in SIGN_WORDS.items()]
        super().__init__(label, choices=choices, **kwargs)

    @property
    def said(self) -> frozenset[Sign]:
        """What was ticked."""
        return frozenset(Sign(each) for each in self.data or () if each in list(Sign))

    def said_with(self, kind: MeasureKind) -> frozenset[Sign]:
        """Return what was ticked that belongs to a reading of ``kind``."""
        if kind in GLUCOSE:
            return self.said
        return self.said & {Sign.DANGER} if kind in PRESSURES else frozenset()


def unit_choices(kind: MeasureKind) -> list[SelectChoice]:
    """Return the units in which ``kind`` may be given."""
    return [SelectChoice(unit, UNIT_WORDS.get(unit, unit)) for unit in REGISTRY[kind].units]


def wrong(field: Field, message: str) -> bool:
    """Complain beside a field; returns False, as a check does that failed."""
    field.errors = [*field.errors, message]
    return False


def check_pressure(upper: Field, lower: Field) -> bool:
    """Refuse half a blood pressure, and one upside down."""
    if upper.data is None and lower.data is not None:
        return wrong(upper, _("Write the upper value as well."))
    if lower.data is None and upper.data is not None:
        return wrong(lower, _("Write the lower value as well."))
    if upper.data is None or not (upper.data.is_finite() and lower.data.is_finite()):
        return True  # each by itself is refused as no number
    if not upper.data > lower.data:
        return wrong(upper, _("The upper value must be larger than the lower one."))
    return True
