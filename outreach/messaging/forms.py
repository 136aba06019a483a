"""The form for how many texts a clinic sends a patient."""

from dataclasses import asdict

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, IntegerField
from wtforms.validators import ValidationError
from wtforms.widgets import NumberInput

from outreach.messaging.rules import BOUNDS, Limits
from outreach.web.bounded import whole


class _Bounded(IntegerField):
    """A whole number within the bounds of its name."""

    widget = NumberInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number; what is none is told below."""
        self.data = whole(valuelist[0].strip()) if valuelist else None

    def pre_validate(self, form: object) -> None:
        """Say which numbers may be used."""
        del form
        low, high = BOUNDS[self.name]
        if self.data is None or not low <= self.data <= high:
            raise ValidationError(_("Use a number from %(low)s to %(high)s.", low=low, high=high))


class LimitsForm(FlaskForm):
    """See rules.Limits."""

    per_day: Field = _Bounded(_l("Texts to a patient in a day, at most"))
    per_week: Field = _Bounded(_l("Texts to a patient in seven days, at most"))
    unreachable_times: Field = _Bounded(_l("Texts in a row that find no phone until we stop"))
    settle_minutes: Field = _Bounded(_l("Minutes until a lost text is sent again"))

    @classmethod
    def of(cls, limits: Limits) -> "LimitsForm":
        """Return the form with what holds now."""
        return cls(data=asdict(limits))

    def to_limits(self) -> Limits:
        """Return the validated answers."""
        return Limits(
            self.per_day.data,
            self.per_week.data,
            self.unreachable_times.data,
            self.settle_minutes.data,
        )
