"""Forms of measured values: the nurse's page, a correction; what an assessor writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from outreach.measures.labels import DOUBT_WORDS, MEASURE_WORDS
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import (
    Measure,
    MeasureKind,
    Sign,
)
from outreach.results.fields import (
    PRESSURES,
    MeasuredField,
    SignsField,
    Taking,
    check_pressure,
    unit_choices,
    wrong,
)
from outreach.results.urgent import Typed


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
        upper, lower = (self[f"value_{kind}"] for kind in PRESSURES)
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
        return self._written(self.taking.instant(self.on.data, self.at.data))

    def typed(self, reading_id: int) -> Typed:
        """Return what was typed in place of a reading: what is urgent waits for no valid form."""
        taken = self.taking.likely(self.on.data, self.at.data)
        is_value = self.value.data is not None and not self.is_void.data
        written = [self._written(taken)] if is_value else []
        # What was said with it came with the reading itself: nothing of it is new.
        return Typed(written, frozenset(), taken[0], self.is_confirmed.data, reading_id)

    def _written(self, taken: tuple[datetime, bool]) -> ReportedReading:
        reported: ReportedReading = self.value.reported(
            self.kind, self.unit.data, taken, signs=self.signs
        )
        return reported
