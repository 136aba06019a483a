"""The form that says which days a report is about."""

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    Field,
    SelectField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from outreach.reports.models import Target
from outreach.reports.rules.period import (
    DAY,
    DEFAULT_DAYS,
    EARLIEST,
    LONGEST_DAYS,
    PRESET_DAYS,
    Period,
    last_days,
)
from outreach.reports.targets import Aim
from outreach.web.number_fields import DecimalField, WholeField
from outreach.web.template_filters import full_day

LONGEST_PLAN = 1000


class PeriodForm(FlaskForm):
    """Clinic, first and last day. It only reads, so it travels in the address."""

    class Meta:
        """A form that changes nothing needs no token."""

        csrf = False

    clinic = SelectField(_l("Clinic"), choices=[], validate_choice=False)
    from_on = DateField(_l("From"), validators=[Optional()])
    until_on = DateField(_l("Until"), validators=[Optional()])
    days = WholeField(validators=[Optional()])

    def chosen(self, *, today: date, latest: date | None = None) -> Period:
        """Return the period asked for; the default where it makes no sense.

        What was typed stays in the fields, with a message beside what is wrong. ``latest`` is
        the last day that may be asked about, today where it is None.
        """
        if not any((self.from_on.raw_data, self.until_on.raw_data)):
            days = self.days.data if self.days.data in PRESET_DAYS else DEFAULT_DAYS
            period = last_days(days or DEFAULT_DAYS, today=today)
            self.from_on.data, self.until_on.data = period.from_on, period.until_on
            return period
        self.validate()
        wrong = self._wrong(today, latest)
        if wrong is None and self.from_on.data and self.until_on.data:
            return Period(self.from_on.data, self.until_on.data)
        if wrong is not None:
            wrong[0].errors = [wrong[1]]
        return last_days(DEFAULT_DAYS, today=today)

    def _wrong(self, today: date, latest: date | None) -> tuple[Field, str] | None:
        """Return the first field that is wrong and why, or None."""
        for field in (self.from_on, self.until_on):
            if field.data is None:
                return field, _("Enter a day as year, month and day: 2026-11-02.")
        from_on, until_on = self.from_on.data, self.until_on.data
        if from_on is None or until_on is None:
            return None
        words = _("Choose today or an earlier day.")
        if latest is not None:
            words = _(
                "Choose %(day)s or an earlier day: later ones are not known then.",
                day=full_day(latest),
            )
        problems = (
            (from_on < EARLIEST, self.from_on, _("Choose a day after the year 1999.")),
            (until_on > (latest or today), self.until_on, words),
            (from_on > until_on, self.until_on, _("The last day is before the first one.")),
            (
                (until_on - from_on).days >= LONGEST_DAYS,
                self.from_on,
                _("Choose at most two years."),
            ),
        )
        return next(((field, words) for is_wrong, field, words in problems if is_wrong), None)


class AdherenceForm(PeriodForm):
    """Clinic and days, and perhaps the day as of whose end they are told."""

    as_of = DateField(_l("As of the end of"), validators=[Optional()])

    def known_until(self, *, today: date) -> date:
        """Return the day as of whose end is asked; today where it was not, or makes no sense."""
        if not any(self.as_of.raw_data or ()):
            return today
        self.as_of.validate(self)
        problem = _wrong_as_of(self.as_of.data, today)
        if problem is None and self.as_of.data is not None:
            return self.as_of.data
        self.as_of.errors = [problem]
        return today

    def chosen_as_of(self, day: date, *, today: date) -> Period:
        """Return the period asked for as of the end of ``day``; no day after it is known."""
        if day >= today:
            return self.chosen(today=today)
        return self.chosen(today=day + DAY, latest=day)


def _wrong_as_of(day: date | None, today: date) -> str | None:
    if day is None:
        return _("Enter a day as year, month and day: 2026-11-02.")
    if day > today:
        return _("Choose today or an earlier day.")
    return _("Choose a day after the year 1999.") if day < EARLIEST else None


class AsOfForm(FlaskForm):
    """Clinic, and the day whose knowledge counts. It only reads: it travels in the address."""

    class Meta:
        """A form that changes nothing needs no token."""

        csrf = False

    clinic = SelectField(_l("Clinic"), choices=[], validate_choice=False)
    as_of = DateField(_l("As of the end of"), validators=[Optional()])

    def chosen(self, *, today: date) -> date:
        """Return the day asked for; yesterday where none was, or it makes no sense."""
        yesterday = today - DAY
        if not any(self.as_of.raw_data or ()):
            self.as_of.data = yesterday
            return yesterday
        self.validate()
        problem = _wrong_as_of(self.as_of.data, today)
        if problem is None and self.as_of.data is not None:
            return self.as_of.data
        self.as_of.errors = [problem]
        return yesterday


class TargetForm(FlaskForm):
    """What a clinic aims for in one measure. ``seen`` is the number of the target that is shown."""

    seen = WholeField(widget=HiddenInput(), default=0)
    percent = DecimalField(
        _l("At least, in percent"),
        places=None,
        validators=[
            Optional(),
            NumberRange(1, 100, _l("Enter a number from 1 to 100.")),
        ],
    )
    due_on = DateField(_l("By"), validators=[Optional()])
    plan = TextAreaField(
        _l("What we do about it"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[Length(max=LONGEST_PLAN, message=_l("Write at most 1000 characters."))],
    )

    def show(self, target: Target | None) -> None:
        """Fill in a target that is set already."""
        if target is not None:
            self.seen.data = target.number
            self.percent.data = None if target.share is None else _plain(target.share * 100)
            self.due_on.data, self.plan.data = target.due_on, target.plan

    def validate(self, extra_validators: Any = None) -> bool:
        """Say whether the target can be kept: one with a number needs a day and a plan."""
        is_valid = super().validate(extra_validators)
        if self.percent.data is None:
            return is_valid and not self.percent.errors
        for field, words in (
            (self.due_on, _("Choose the day by which it is to be reached.")),
            (self.plan, _("Write in a few words what will be done.")),
        ):
            if not field.data and not field.errors:
                field.errors = [words]
                is_valid = False
        return is_valid

    @property
    def aim(self) -> Aim:
        """What was typed, as the use case takes it."""
        percent = self.percent.data
        share = None if percent is None else (percent / 100).quantize(Decimal("0.001"))
        return Aim(share, self.plan.data or "", self.due_on.data)


def _plain(number: Decimal) -> Decimal:
    """Return ``number`` without zeros behind the point: 80, not 80.000."""
    whole = number.to_integral_value()
    return whole if number == whole else number.normalize()
