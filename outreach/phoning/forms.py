"""Forms of the telephone."""

import phonenumbers
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import TelField
from wtforms.validators import Length, ValidationError


class WorkPhoneForm(FlaskForm):
    """The telephone that rings first when one presses Call; empty takes it away."""

    phone = TelField(_l("My phone"), validators=[Length(max=40)])

    def __init__(self, region: str, **known: str) -> None:
        super().__init__(**known)
        self.region = region
        self.e164: str | None = None

    def validate_phone(self, field: TelField) -> None:
        """Accept a number as people write it, in the clinic's country; none that costs extra."""
        written = (field.data or "").strip()
        if not written:
            return
        try:
            parsed = phonenumbers.parse(written, self.region)
        except phonenumbers.NumberParseException as error:
            raise ValidationError(_l("That is not a telephone number.")) from error
        is_dear = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.PREMIUM_RATE
        if is_dear or not phonenumbers.is_valid_number(parsed):
            raise ValidationError(_l("That is not a telephone number that we can ring."))
        self.e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
