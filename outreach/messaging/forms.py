"""The forms for how many texts a clinic sends a patient, and by which sender."""

import re
from collections.abc import Sequence
from dataclasses import asdict

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import ValidationError
from wtforms.widgets import NumberInput

from outreach.messaging.rules import BOUNDS, Limits
from outreach.messaging.rules.pace import FASTEST, SLOWEST
from outreach.web.bounded import whole
from outreach.web.number_fields import WholeField


class _Bounded(WholeField):
    """A whole number within the bounds of its name."""

    widget = NumberInput()

    def process_formdata(self, valuelist: Sequence[str]) -> None:
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


# A number, a short code, or a Messaging Service of Twilio.
_SENDER = re.compile(r"\+[1-9][0-9]{7,14}|[0-9]{5,6}|MG[0-9a-f]{32}", re.ASCII)


class SenderForm(FlaskForm):
    """By which sender a clinic's texts go out, and at what pace."""

    sender = StringField(_l("Sender"))
    per_second = StringField(_l("Segments a second, at most"))

    @classmethod
    def of(cls, sender: str | None, per_second: int | None) -> "SenderForm":
        """Return the form with what holds now."""
        said = {"sender": sender or "", "per_second": str(per_second or "")}
        return cls(formdata=None, data=said)

    def validate_sender(self, field: Field) -> None:
        """Take what the carrier knows as a sender, or nothing."""
        if self.to_sender() and not _SENDER.fullmatch(field.data.strip()):
            raise ValidationError(
                _("Use a number such as +15125550100, a short code, or MG and 32 letters.")
            )

    def validate_per_second(self, field: Field) -> None:
        """Take a whole number that makes sense, or nothing."""
        typed = (field.data or "").strip()
        number = whole(typed)
        if typed and (number is None or not SLOWEST <= number <= FASTEST):
            raise ValidationError(
                _("Use a number from %(low)s to %(high)s.", low=SLOWEST, high=FASTEST)
            )

    def to_sender(self) -> str | None:
        """Return the validated sender, None: the installation's own."""
        return (self.sender.data or "").strip() or None

    def to_per_second(self) -> int | None:
        """Return the validated pace, None: as many as the carrier takes."""
        return whole((self.per_second.data or "").strip())
