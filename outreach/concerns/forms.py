"""Forms of the safety net."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    SelectChoice,
    SelectField,
    SubmitField,
    TelField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length

from outreach.accounts.models import StaffMember
from outreach.concerns.labels import RANK_WORDS
from outreach.concerns.rota import Duty
from outreach.concerns.rules import OnCallRank


class ConcernForm(FlaskForm):
    """Words on what was done or learned, and one of two buttons."""

    note = TextAreaField(
        _l("What was done or learned"),
        validators=[
            DataRequired(_l("Write what was done or learned.")),
            Length(max=4000, message=_l("Use at most 4,000 characters.")),
        ],
    )
    close = SubmitField(_l("Save and close"))
    keep = SubmitField(_l("Save, keep open"))


class DutyForm(FlaskForm):
    """Somebody on call for a while. Times are on the clinic's clock."""

    staff_id = SelectField(_l("Who"), coerce=int)
    rank = SelectField(
        _l("Told"),
        choices=[SelectChoice(rank.value, words) for rank, words in RANK_WORDS.items()],
    )
    from_at = DateTimeLocalField(
        _l("From"), validators=[InputRequired(_l("Write from when."))], format="%Y-%m-%dT%H:%M"
    )
    until_at = DateTimeLocalField(
        _l("Until"), validators=[InputRequired(_l("Write until when."))], format="%Y-%m-%dT%H:%M"
    )

    @classmethod
    def of(cls, people: Sequence[StaffMember], begins: datetime, ends: datetime) -> "DutyForm":
        """Return the form with the people who may be on call, and the times to begin with."""
        form = cls(data={"from_at": begins, "until_at": ends})
        form.staff_id.choices = [SelectChoice(each.id, each.name) for each in people]
        return form

    def validate_until_at(self, field: DateTimeLocalField) -> None:
        """Refuse a time that ends before it begins."""
        if field.data and self.from_at.data and field.data <= self.from_at.data:
            raise ValidationError(_l("That is before it begins."))

    def to_duty(self, zone: ZoneInfo) -> Duty:
        """Return what was typed, as instants."""
        return Duty(
            self.staff_id.data,
            OnCallRank(self.rank.data),
            _instant(self.from_at.data, zone),
            _instant(self.until_at.data, zone),
        )


class AlertNumberForm(FlaskForm):
    """The number at which one of the staff is told of concerns; empty takes it away."""

    phone = TelField(_l("Number for alerts"), validators=[Length(max=40)])

    def __init__(self, region: str) -> None:
        super().__init__()
        self.region = region
        self.e164: str | None = None

    def validate_phone(self, field: TelField) -> None:
        """Accept a number as people write it, in the clinic's country."""
        written = (field.data or "").strip()
        if not written:
            return
        try:
            parsed = phonenumbers.parse(written, self.region)
        except phonenumbers.NumberParseException as error:
            raise ValidationError(_l("That is not a telephone number.")) from error
        if not phonenumbers.is_valid_number(parsed):
            raise ValidationError(_l("That is not a telephone number."))
        self.e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _instant(local: datetime | None, zone: ZoneInfo) -> datetime:
    if local is None:
        raise ValueError("validated before")
    return local.replace(tzinfo=zone).astimezone(UTC)
