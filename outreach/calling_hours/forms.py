"""Forms of calling hours: a clinic's own, its closed days, and laws."""

from datetime import date, timedelta

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from outreach.accounts.models import Clinic
from outreach.calling_hours.keeping import ClinicHours, NewLaw
from outreach.patients.labels import weekday_name

_TIME = InputRequired(_l("Enter a time, for example 9:00 AM."))
_DAY = InputRequired(_l("Enter the day."))
FIRST_YEAR, LAST_YEAR = 1900, 2200  # ours: what lies outside is a slip of the keyboard


class ClinicHoursForm(FlaskForm):
    """When a clinic calls, and which holidays it keeps."""

    opens = TimeField(_l("From"), validators=[_TIME])
    closes = TimeField(_l("Until"), validators=[_TIME])
    keeps_holidays = BooleanField(_l("No calls on public holidays"))
    holiday_area = SelectField(_l("Holidays also of"), validators=[Optional()])

    @classmethod
    def of(cls, clinic: Clinic) -> "ClinicHoursForm":
        """Return the form as the clinic is now."""
        import holidays  # noqa: PLC0415 - as in ``patients.hours``

        form = cls(obj=clinic)
        areas = holidays.list_supported_countries().get(clinic.region, [])
        form.holiday_area.choices = [
            SelectChoice("", _l("the whole country only")),
            *(SelectChoice(area, area) for area in areas),
        ]
        return form

    def validate_closes(self, field: Field) -> None:
        """Refuse hours that never open."""
        if self.opens.data and field.data and field.data <= self.opens.data:
            raise ValidationError(_l("The end is later than the beginning."))

    def to_hours(self) -> ClinicHours:
        """Return the validated answers as the use case wants them."""
        return ClinicHours(
            self.opens.data,
            self.closes.data,
            self.keeps_holidays.data,
            self.holiday_area.data or None,
        )


class ClosedDayForm(FlaskForm):
    """One more day without calls."""

    on = DateField(_l("Day"), validators=[_DAY])
    name = StringField(
        _l("Why"), validators=[InputRequired(_l("Write a few words.")), Length(max=120)]
    )

    today: date

    @classmethod
    def of(cls, today: date) -> "ClosedDayForm":
        """Return the form; ``today`` is the clinic's own."""
        form = cls()
        form.today = today
        return form

    def validate_on(self, field: Field) -> None:
        """Refuse what is over, and what is not known yet."""
        latest = self.today + timedelta(days=366)
        if field.data is None or not self.today <= field.data <= latest:
            raise ValidationError(_l("Choose a day of the coming year."))


class LawForm(FlaskForm):
    """Hours that the law of a place sets."""

    region = StringField(
        _l("Country"),
        default="US",
        validators=[Regexp(r"\A[A-Z]{2}\Z", message=_l("Two capitals, for example US."))],
    )
    state = StringField(
        _l("State"),
        validators=[
            Optional(),
            Regexp(r"\A[A-Z0-9]{1,5}\Z", message=_l("Its code in capitals, for example TX.")),
        ],
    )
    weekdays = SelectMultipleField(
        _l("On these days"),
        coerce=int,
        choices=[],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[InputRequired(_l("Choose at least one day."))],
    )
    opens = TimeField(_l("From"), validators=[Optional()])
    closes = TimeField(_l("Until"), validators=[Optional()])
    from_on = DateField(_l("First day of the law"), validators=[_DAY])
    source = StringField(
        _l("Where it is written"),
        validators=[InputRequired(_l("Name the law or page.")), Length(max=500)],
    )

    @classmethod
    def of(cls) -> "LawForm":
        """Return the form with the weekdays in the reader's language."""
        form = cls()
        form.weekdays.choices = [SelectChoice(day, weekday_name(day)) for day in range(7)]
        return form

    def validate_from_on(self, field: Field) -> None:
        """Refuse a day that nobody can mean."""
        if field.data is not None and not FIRST_YEAR <= field.data.year <= LAST_YEAR:
            raise ValidationError(_l("Check the year."))

    def validate_closes(self, field: Field) -> None:
        """Refuse half a stretch, and one that never opens."""
        if (field.data is None) != (self.opens.data is None):
            raise ValidationError(_l("Enter both times, or neither: no calls on these days."))
        if field.data is not None and field.data <= self.opens.data:
            raise ValidationError(_l("The end is later than the beginning."))

    def to_law(self) -> NewLaw:
        """Return the validated answers as the use case wants them."""
        return NewLaw(
            self.region.data,
            self.state.data or None,
            frozenset(self.weekdays.data),
            self.opens.data,
            self.closes.data,
            self.from_on.data,
            (self.source.data or "").strip(),
        )


class EndLawForm(FlaskForm):
    """The first day on which a law holds no more."""

    until_on = DateField(_l("Holds no more from"), validators=[_DAY])
