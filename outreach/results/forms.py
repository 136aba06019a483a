"""Forms of measured values: reading numbers, times and doubts; the nurse's page; corrections."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    Field,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.measures.labels import DOUBT_WORDS, MEASURE_WORDS, SIGN_WORDS, UNIT_WORDS
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import (
    GLUCOSE,
    METER_SHOWS,
    REGISTRY,
    Bound,
    Doubt,
    Measure,
    MeasureKind,
    Sign,
    doubt_about,
    doubt_about_change,
)
from outreach.results.urgent import Typed

_BOUNDS = {"HI": Bound.HIGH, "HIGH": Bound.HIGH, "LO": Bound.LOW, "LOW": Bound.LOW}
# A comma before one or two digits is a decimal comma; before three it may part thousands.
_POINTED = re.compile(r"^(\d+),(\d{1,2})$")
_PRESSURES = (MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC)


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

    def process_formdata(self, valuelist: list[str]) -> None:
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
        return self.said & {Sign.DANGER} if kind in _PRESSURES else frozenset()


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


class FindForm(FlaskForm):
    """Whom an assessor measures. Posted: a record number never stands in an address."""

    record_number = StringField(
        _l("Record number of the patient"),
        validators=[InputRequired(_l("Enter the record number.")), Length(max=60)],
    )


class TellNurseForm(FlaskForm):
    """What worries an assessor."""

    tell_key = HiddenField(validators=[DataRequired(), Length(max=40)])
    words = TextAreaField(
        _l("What worries you"),
        validators=[InputRequired(_l("Say what worries you.")), Length(max=2000)],
    )


class ReadingsForm(FlaskForm):
    """One row for each measure that somebody may enter; all were taken at one time."""

    form_key = HiddenField(validators=[InputRequired(), Length(max=40)])
    on = DateField(_l("Day it was taken"), validators=[InputRequired(_l("Choose the day."))])
    at = TimeField(_l("Time, their time"), validators=[Optional()])
    begins_on = DateField(_l("First day of the sensor's period"), validators=[Optional()])
    is_unreliable = BooleanField(_l("HbA1c may be misleading (transfusion, anemia, dialysis)"))
    signs = SignsField(_l("Said with it"))
    is_confirmed = BooleanField(_l("The unusual value is right: I read it back"))

    is_doubted = False
    taking: Taking
    measures: Sequence[Measure]

    @classmethod
    def of(
        cls, measures: Sequence[Measure], taking: Taking, units: Mapping[MeasureKind, str]
    ) -> "ReadingsForm":
        """Return the form of ``measures``; ``units`` are those to offer first."""
        fields: dict[str, Any] = {}
        for measure in measures:
            kind = measure.kind
            fields[f"value_{kind}"] = MeasuredField(
                MEASURE_WORDS[kind],
                is_metered=kind in (MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING),
                validators=[Optional()],
            )
            fields[f"unit_{kind}"] = SelectField(
                _l("Unit"), choices=unit_choices(kind), default=units.get(kind, measure.unit)
            )
        made = type("ReadingsForm", (cls,), {**fields, "taking": taking, "measures": measures})
        form: ReadingsForm = made(data={"on": taking.today})
        return form

    @property
    def rows(self) -> Iterator[tuple[Measure, MeasuredField, SelectField]]:
        """Each measure with its value and unit."""
        for measure in self.measures:
            yield measure, self[f"value_{measure.kind}"], self[f"unit_{measure.kind}"]

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field by itself, then what they say together."""
        if not super().validate(extra_validators):
            return False
        problem = self.taking.wrong_time(self.on.data, self.at.data)
        if problem:
            return wrong(self.at if self.at.data else self.on, problem)
        given = [row for row in self.rows if row[1].data is not None]
        if not given:
            self.form_errors.append(_l("Write at least one value."))
            return False
        return all([self._check_pair(), self._check_period(), *map(self._check_value, given)])

    def to_readings(self) -> list[ReportedReading]:
        """Return what was written."""
        return self._written(self.taking.instant(self.on.data, self.at.data))

    @property
    def typed(self) -> Typed:
        """What was measured, as far as it was typed: what is urgent waits for no valid form."""
        taken = self.taking.likely(self.on.data, self.at.data)
        return Typed(self._written(taken), self.signs.said, taken[0], self.is_confirmed.data)

    def _written(self, taken: tuple[datetime, bool]) -> list[ReportedReading]:
        return [
            self._reported(measure, value, unit, taken)
            for measure, value, unit in self.rows
            if value.data is not None
        ]

    def _reported(
        self,
        measure: Measure,
        value: MeasuredField,
        unit: SelectField,
        taken: tuple[datetime, bool],
    ) -> ReportedReading:
        reported = value.reported(
            measure.kind,
            unit.data,
            taken,
            signs=self.signs.said_with(measure.kind),
        )
        return replace(
            reported,
            begins_on=self.begins_on.data if measure.has_period else None,
            is_unreliable=self.is_unreliable.data and measure.kind is MeasureKind.HBA1C,
        )

    def _check_value(self, row: tuple[Measure, MeasuredField, SelectField]) -> bool:
        measure, value, unit = row
        taken = self.taking.instant(self.on.data, self.at.data)
        doubt = self.taking.doubt(self._reported(measure, value, unit, taken))
        if doubt is not None and doubt.is_question:
            self.is_doubted = True
            doubt = None if self.is_confirmed.data else doubt
        return doubt is None or wrong(value, str(DOUBT_WORDS[doubt]))

    def _check_pair(self) -> bool:
        upper, lower = (self[f"value_{kind}"] for kind in _PRESSURES)
        return check_pressure(upper, lower)

    def _check_period(self) -> bool:
        for measure, value, _unit in self.rows:
            if not measure.has_period or value.data is None:
                continue
            if self.begins_on.data is None:
                return wrong(self.begins_on, _("Choose the first day of the sensor's period."))
            if self.begins_on.data >= self.on.data:
                return wrong(self.begins_on, _("The period begins before the day it was taken."))
        return True


class CorrectionForm(FlaskForm):
    """A reading once more, as it should have been, and why."""

    value = MeasuredField(_l("Value"), validators=[Optional()])
    unit = SelectField(_l("Unit"), choices=[])
    on = DateField(_l("Day it was taken"), validators=[InputRequired(_l("Choose the day."))])
    at = TimeField(_l("Time, their time"), validators=[Optional()])
    is_void = BooleanField(_l("Entered in error: nothing stands in its place"))
    reason = StringField(
        _l("Why"),
        validators=[
            DataRequired(_l("Say why, in a few words.")),
            Length(max=300, message=_l("Use at most 300 characters.")),
        ],
    )
    is_confirmed = BooleanField(_l("The unusual value is right: I read it back"))

    is_doubted = False
    taking: Taking
    kind: MeasureKind
    signs: frozenset[Sign]

    @classmethod
    def of(cls, shown: ReportedReading, taking: Taking) -> "CorrectionForm":
        """Return the form of one reading, as it stands."""
        local = shown.taken_at.astimezone(taking.zone)
        is_metered = shown.kind in (MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING)
        value = MeasuredField(_l("Value"), is_metered=is_metered, validators=[Optional()])
        made = type("CorrectionForm", (cls,), {"value": value, "taking": taking})
        form: CorrectionForm = made(
            data={
                "value": shown.value,
                "unit": shown.unit,
                "on": local.date(),
                "at": local.time().replace(second=0, microsecond=0)
                if shown.is_time_known
                else None,
            }
        )
        form.unit.choices = unit_choices(shown.kind)
        form.kind, form.signs = shown.kind, shown.signs
        if shown.bound and not form.is_submitted():
            form.value.bound = shown.bound
        return form

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the value as if it were new; what is taken back needs only its reason."""
        if not super().validate(extra_validators):
            return False
        if self.is_void.data:
            return True
        if self.value.data is None:
            return wrong(self.value, _("Write the value."))
        problem = self.taking.wrong_time(self.on.data, self.at.data)
        if problem:
            return wrong(self.at if self.at.data else self.on, problem)
        doubt = self.taking.doubt(self.to_reading())
        if doubt is not None and doubt.is_question:
            self.is_doubted = True
            doubt = None if self.is_confirmed.data else doubt
        return doubt is None or wrong(self.value, str(DOUBT_WORDS[doubt]))

    def to_reading(self) -> ReportedReading:
        """Return the reading as it should have been."""
        taken = self.taking.instant(self.on.data, self.at.data)
        reported: ReportedReading = self.value.reported(
            self.kind, self.unit.data, taken, signs=self.signs
        )
        return reported
