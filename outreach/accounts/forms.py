"""Forms of accounts."""

import phonenumbers
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, TelField
from wtforms.validators import InputRequired, Length, ValidationError


class SignInForm(FlaskForm):
    """Address and password."""

    email = EmailField(
        _l("E-mail address"),
        validators=[InputRequired(_l("Enter your e-mail address.")), Length(max=254)],
    )
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Enter your password.")), Length(max=1000)]
    )


class StaffNumberForm(FlaskForm):
    """A telephone of one of the staff, as they write it; empty takes it away."""

    phone = TelField(_l("Telephone number"), validators=[Length(max=40)])

    def __init__(self, region: str, **known: str) -> None:
        super().__init__(**known)
        self.region = region
        self.e164: str | None = None

    def validate_phone(self, field: TelField) -> None:
        """Accept a number of the clinic's country or with its own; none that costs extra."""
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
